"""From a study, or bare files, to group tasks with content keys. Nothing is gated and nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cytometry.io.digests import hash_file, value_digest
from cytometry.model.findings import Finding
from cytometry.pipeline.tasks import (
    DRAWS,
    PART_FORMAT,
    CompensationSource,
    CutOverride,
    GatingSettings,
    GroupTask,
    SampleOutcome,
    StrategySource,
    TubeInput,
)

if TYPE_CHECKING:
    from cytometry.model.template import Scope

SAMPLE, CONTROL, FMO = "sample", "control", "fmo:"


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """One input file: what the tables say of it, and what is settled already.

    Parameters
    ----------
    acquired_at
        As the study says, ISO 8601; empty where it does not.
    outcome
        Set where the file will not be gated: it is excluded, a reference, or unreadable.
    """

    tube: TubeInput
    panel: str = ""
    subject_id: str = ""
    visit: str = ""
    batch: str = ""
    lymphocytes_10e9_per_l: float | None = None
    acquired_at: str = ""
    outcome: SampleOutcome | None = None


@dataclass(frozen=True, slots=True)
class PanelPlan:
    """A panel of the run: where its gates come from, and which tubes have to be placed together."""

    key: str
    source: StrategySource
    scope: Scope = "sample"


@dataclass(frozen=True)
class GatingPlan:
    """Everything that gating will do.

    Parameters
    ----------
    inputs
        Every file found, in input order.
    tasks
        Groups in the order of their first tube.
    panels
        By key.
    findings
        On the inputs as a whole.
    """

    inputs: tuple[PlannedInput, ...]
    tasks: tuple[GroupTask, ...]
    panels: Mapping[str, PanelPlan]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupingRequest:
    """What all groups of a run share."""

    out: Path
    panels: Mapping[str, PanelPlan]
    compensation: CompensationSource = field(default_factory=CompensationSource)
    settings: GatingSettings = field(default_factory=GatingSettings)
    overrides: tuple[CutOverride, ...] = ()


def plan_groups(
    inputs: Sequence[PlannedInput], request: GroupingRequest, findings: Iterable[Finding] = ()
) -> GatingPlan:
    """Put inputs into groups that must be placed together, and give each group its key.

    A group is one tube, the tubes of a subject, of a batch, or of the panel, as the
    widest scope of the panel's gates says; with it go the FMOs and bridging controls
    of its batches. Bridging controls are gated too, each as a group of its own unless
    the scope holds them anyway.
    """
    groups: dict[tuple[str, ...], list[PlannedInput]] = {}
    for planned in inputs:
        if planned.outcome is None:
            groups.setdefault(_group_key(planned, request), []).append(planned)
    tasks = tuple(_task(key, members, inputs, request) for key, members in groups.items())
    return GatingPlan(tuple(inputs), tasks, MappingProxyType(dict(request.panels)), tuple(findings))


def hashed(planned: PlannedInput) -> PlannedInput:
    """The input with its file's SHA-256, or failed where the file cannot be read."""
    if planned.outcome is not None and planned.outcome.status == "failed":
        return planned
    tube = planned.tube
    try:
        file = hash_file(tube.path)
        return replace(planned, tube=replace(tube, sha256=file.sha256, stamp=file.stamp))
    except OSError as error:
        code = "FILE_MISSING" if isinstance(error, FileNotFoundError) else "FILE_UNREADABLE"
        return failed_input(
            planned, code, f"cannot be read: {error.strerror or error}", "check the path and its rights"
        )


def all_hashed(inputs: Iterable[PlannedInput], jobs: int, gate_draws: int = 0) -> list[PlannedInput]:
    """Inputs as :func:`hashed` gives them, ``jobs`` at once: of a large batch it is what workers do not share.

    For a batch so large that workers will load the compiled loops, they begin
    to load meanwhile.
    """
    waiting = list(inputs)
    if jobs == 1 or len(waiting) < 2:
        return [hashed(i) for i in waiting]
    from concurrent.futures import ThreadPoolExecutor

    from cytometry.pipeline.executors import is_much
    from cytometry.pipeline.process_executor import start_server

    files = (i.tube.path for i in waiting)
    if is_much(sum(f.stat().st_size for f in files if f.is_file()) * (1 + gate_draws), jobs):
        start_server(compiled=True)

    with ThreadPoolExecutor(min(jobs, len(waiting))) as pool:
        return list(pool.map(hashed, waiting))


def failed_input(planned: PlannedInput, code: str, message: str, fix: str) -> PlannedInput:
    """The input, failed before gating."""
    finding = Finding(code, "error", message, file=planned.tube.fcs_file, fix=fix)
    outcome = SampleOutcome(planned.tube.sample_id, "failed", code, message, findings=(finding,))
    return replace(planned, outcome=outcome)


def skipped_input(planned: PlannedInput, code: str, reason: str) -> PlannedInput:
    """The input, left out on purpose."""
    return replace(planned, outcome=SampleOutcome(planned.tube.sample_id, "skipped", code, reason))


def _group_key(planned: PlannedInput, request: GroupingRequest) -> tuple[str, ...]:
    scope = "sample" if request.settings.alone else request.panels[planned.panel].scope
    if scope == "study":
        return (planned.panel,)
    if scope == "batch":
        return (planned.panel, planned.batch)
    if scope == "subject" and planned.tube.role == SAMPLE:
        return (planned.panel, planned.subject_id)
    return (planned.panel, planned.tube.sample_id, "alone")


def _task(
    key: tuple[str, ...], members: Sequence[PlannedInput], inputs: Sequence[PlannedInput], request: GroupingRequest
) -> GroupTask:
    panel = request.panels[members[0].panel]
    tubes = tuple(_knowing_batches(m, members, inputs) for m in members)
    references = () if request.settings.alone else _references(members, inputs)
    sizes = {} if request.settings.alone else _batch_sizes(members, inputs)
    overrides = tuple(o for o in request.overrides if o.sample_id in {t.sample_id for t in tubes})
    ingredients = {
        "files": value_digest([_identity(t) for t in tubes]),
        "references": value_digest(sorted(_identity(t) for t in references)),
        "batches": value_digest([sorted(sizes.items()), sorted(t.sample_id for t in tubes if t.other_batches)]),
        "panel": value_digest([panel.source.kind, panel.source.name, panel.source.digest]),
        "compensation": value_digest([request.compensation.kind, request.compensation.digest]),
        "overrides": value_digest([[o.sample_id, o.cut, o.value] for o in overrides]),
        "settings": value_digest(
            [request.settings.alone, request.settings.strict, request.settings.detail, request.settings.masked]
        ),
        DRAWS: value_digest(request.settings.gate_draws),
        "format": value_digest(PART_FORMAT),
    }
    return GroupTask(
        name="/".join(k for k in key if k != "alone"),
        panel=panel.key,
        source=panel.source,
        tubes=tubes,
        references=references,
        batch_sizes=sizes,
        compensation=request.compensation,
        overrides=overrides,
        settings=request.settings,
        out=request.out,
        ingredients=ingredients,
        key=value_digest(ingredients),
    )


def _references(members: Sequence[PlannedInput], inputs: Sequence[PlannedInput]) -> tuple[TubeInput, ...]:
    """FMOs and bridging controls of the members' panel and batches, the members themselves excluded."""
    own = {m.tube.sample_id for m in members}
    batches = {m.batch for m in members}
    return tuple(
        i.tube
        for i in inputs
        if i.panel == members[0].panel
        and i.batch in batches
        and i.tube.sample_id not in own
        and (i.tube.role == CONTROL or i.tube.role.startswith(FMO))
        and (i.outcome is None or i.outcome.status == "skipped")
        and (i.outcome is None or i.outcome.code == "REFERENCE")
    )


def _knowing_batches(
    planned: PlannedInput, members: Sequence[PlannedInput], inputs: Sequence[PlannedInput]
) -> TubeInput:
    """The tube, told whether its subject has tubes in batches that the group does not hold."""
    here = {m.batch for m in members}
    if len(members) == 1 or planned.tube.role != SAMPLE or not planned.subject_id:
        return planned.tube
    elsewhere = any(
        i.subject_id == planned.subject_id
        and i.panel == planned.panel
        and i.batch not in here
        and i.outcome is None
        and i.tube.role == SAMPLE
        for i in inputs
    )
    return replace(planned.tube, other_batches=elsewhere)


def _batch_sizes(members: Sequence[PlannedInput], inputs: Sequence[PlannedInput]) -> dict[str, int]:
    """Study tubes in each batch of members that lie in several; a group within one batch shares no offset."""
    batches = {m.batch for m in members}
    if len(batches) < 2:
        return {}
    tubes = [i for i in inputs if i.panel == members[0].panel and i.outcome is None and i.tube.role == SAMPLE]
    return {b: sum(i.batch == b for i in tubes) for b in sorted(batches)}


def _identity(tube: TubeInput) -> list[str]:
    """What of a tube decides results: content, labels that stand in the rows, role and opaque groups."""
    groups = [tube.subject_group or "", tube.batch_group or ""]
    return [tube.sample_id, tube.fcs_file, tube.sha256, tube.role, *groups]
