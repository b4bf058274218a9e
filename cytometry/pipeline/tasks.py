"""What a worker needs to gate one group, and what comes back: paths and small values, never events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cytometry.io.digests import FileStamp
from cytometry.model.findings import Finding

# Part of every content key: results of another format are never taken for these.
PART_FORMAT = 2
# The ingredient that only adds to a part: how often its gates were drawn again.
DRAWS = "draws"
# Of the draws of gates; one number for all studies, so that nobody can pick a lucky one.
DRAW_SEED = 1

Status = Literal["done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class StrategySource:
    """Where the gates come from.

    Parameters
    ----------
    kind
        A panel folder, a GatingML file, or a FlowJo workspace.
    path
        Of the folder or file.
    name
        Label of the strategy in the tables.
    digest
        SHA-256 of the panel's deciding files, or of the file.
    """

    kind: Literal["panel", "gatingml", "workspace"]
    path: Path
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class TubeInput:
    """One file of a group.

    Parameters
    ----------
    sample_id
        Names its results.
    path
        Where the file is.
    fcs_file
        As the input names it: relative to the study, or the base name.
    role
        ``sample``, ``control``, ``fmo:<marker>``, …
    subject_group, batch_group
        Opaque keys; None outside a study.
    sha256
        Of the file's bytes when the run was planned.
    stamp
        Tells a worker that these are the bytes still; None where only hashing again would.
    other_batches
        The subject has tubes in batches that are not in the group.
    """

    sample_id: str
    path: Path
    fcs_file: str
    role: str = "sample"
    subject_group: str | None = None
    batch_group: str | None = None
    sha256: str = ""
    stamp: FileStamp | None = None
    other_batches: bool = False


@dataclass(frozen=True, slots=True)
class CompensationSource:
    """The file's own matrix, none, or a CSV matrix."""

    kind: Literal["from_file", "none", "csv"] = "from_file"
    path: Path | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class CutOverride:
    """A person's correction of a cut in one sample, as the ledger holds it."""

    sample_id: str
    cut: str
    value: float


@dataclass(frozen=True, slots=True)
class GatingSettings:
    """What gating uses besides files and gates.

    Parameters
    ----------
    alone
        Every scope is ``sample``: nothing depends on which other files are there.
    strict
        About reading FCS only.
    detail
        Also medians and pictures; counts alone are several times faster.
    gate_draws
        Sets of gates that are drawn by the placed ones' uncertainty and counted too; 0 for none.
    masked
        Stretches of unsteady flow or signal are left out, and not only reported.
    """

    alone: bool = False
    strict: bool = True
    detail: bool = True
    gate_draws: int = 0
    masked: bool = True


@dataclass(frozen=True, slots=True)
class GroupTask:
    """Tubes that are placed together, and everything that decides their results.

    Parameters
    ----------
    name
        For logs and messages.
    panel
        Key of the panel in the tables; also the folder of the parts.
    tubes
        To be gated, in input order.
    references
        FMOs and controls of their batches: read and placed, not counted here.
    batch_sizes
        Study tubes of the panel in each of the group's batches, where these are several.
    ingredients
        Digest by ingredient; the key is over them.
    key
        Content key of the group: equal keys mean equal results.
    """

    name: str
    panel: str
    source: StrategySource
    tubes: tuple[TubeInput, ...]
    references: tuple[TubeInput, ...]
    batch_sizes: Mapping[str, int]
    compensation: CompensationSource
    overrides: tuple[CutOverride, ...]
    settings: GatingSettings
    out: Path
    ingredients: Mapping[str, str]
    key: str


@dataclass(frozen=True, slots=True)
class SampleOutcome:
    """What became of one input file."""

    sample_id: str
    status: Status
    code: str = ""
    reason: str = ""
    total_events: int | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Outcomes of a group's tubes, in their order; ``trace`` is where a bug of ours stopped it, for the log."""

    outcomes: tuple[SampleOutcome, ...]
    trace: str = ""


def failed_group(task: GroupTask, code: str, reason: str, trace: str = "") -> GroupResult:
    """Every tube of a group failed for one reason."""
    finding = Finding(code, "error", reason, fix="the other samples are not affected; run again to retry")
    return GroupResult(
        tuple(
            SampleOutcome(t.sample_id, "failed", code, reason, findings=(finding.in_file(t.fcs_file),))
            for t in task.tubes
        ),
        trace,
    )
