"""The trial's design as the statistics need it, and what in it would make a result mean something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from cytometry.errors import StatisticsError
from cytometry.model.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

CHANGING_COVARIATES = ("prednisone_mg_per_day", "new_immunosuppressant")
"""Columns of ``clinical.csv`` that can move cells by themselves."""


@dataclass(frozen=True, slots=True)
class TrialDesign:
    """Visits in planned order, and who belongs to which arm.

    Parameters
    ----------
    visits
        Ids in planned order.
    baseline
        The visit that changes are measured from.
    days
        Planned study day of a visit, where known.
    primary_visit
        Where the outcome is judged; the last visit if empty.
    arms
        Arm of a subject; empty in a single-arm trial.
    titles
        What people call a visit, e.g. ``week 24``.
    """

    visits: tuple[str, ...]
    baseline: str
    days: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    primary_visit: str = ""
    arms: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    titles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.baseline not in self.visits:
            raise StatisticsError(
                f"baseline '{self.baseline}' is not a visit", where="design", hint=f"visits: {', '.join(self.visits)}"
            )

    @property
    def follow_up(self) -> tuple[str, ...]:
        """Visits other than baseline, in order."""
        return tuple(v for v in self.visits if v != self.baseline)

    @property
    def outcome_visit(self) -> str:
        """Where response is judged."""
        return self.primary_visit or self.visits[-1]

    def title(self, visit: str) -> str:
        """What people call a visit."""
        return self.titles.get(visit) or visit


def check_design(samples: pd.DataFrame, clinical: pd.DataFrame, design: TrialDesign) -> tuple[Finding, ...]:
    """Everything in the design that a reader of the results has to know.

    Parameters
    ----------
    samples
        One row per study tube and panel: ``subject_id, visit, panel, batch, role``;
        rows with role ``control`` are the bridging controls.
    clinical
        Columns as in ``clinical.csv``.
    """
    study = samples[samples["role"] == "sample"] if "role" in samples else samples
    study = study[study["visit"].isin(design.visits)].drop_duplicates(
        [c for c in ("sample_id", "subject_id", "visit", "panel", "batch") if c in study]
    )
    return (
        *_duplicate_visits(study),
        *_missing_visits(study, design),
        *_confounded_visits(samples, study, design),
        *_changing_covariates(clinical, design),
    )


def confounded_visits(findings: Sequence[Finding]) -> frozenset[tuple[str, str]]:
    """(panel, visit) pairs that a check found confounded with a batch."""
    found = (f.keyword.split("@") for f in findings if f.code == "VISIT_CONFOUNDED_WITH_BATCH")
    return frozenset((panel, visit) for panel, visit in found)


def _duplicate_visits(study: pd.DataFrame) -> list[Finding]:
    if "sample_id" not in study:
        return []
    counts = study.groupby(["panel", "subject_id", "visit"], sort=True)["sample_id"].nunique()
    return [
        Finding(
            "VISIT_DUPLICATED",
            "error",
            f"{subject} has {number} tubes of panel {panel} at {visit}; a change needs one",
            keyword=f"{panel}@{visit}",
            found=str(number),
            expected="1",
            fix="exclude all but one in samples.csv, with the reason",
        )
        for panel, subject, visit, number in counts.reset_index().itertuples(index=False)
        if number > 1
    ]


def _missing_visits(study: pd.DataFrame, design: TrialDesign) -> list[Finding]:
    findings = []
    for (panel, subject), rows in study.groupby(["panel", "subject_id"], sort=True):
        seen = set(rows["visit"])
        if design.baseline not in seen:
            findings.append(
                Finding(
                    "BASELINE_MISSING",
                    "warning",
                    f"{subject} has no baseline ({design.baseline}) in panel {panel}: no change can be computed",
                    keyword=str(panel),
                    found=", ".join(v for v in design.visits if v in seen),
                )
            )
        elif len(seen) == 1:
            findings.append(
                Finding(
                    "SUBJECT_ONE_VISIT",
                    "warning",
                    f"{subject} has only the baseline visit in panel {panel} and takes part in no change",
                    keyword=str(panel),
                )
            )
    return findings


def _confounded_visits(samples: pd.DataFrame, study: pd.DataFrame, design: TrialDesign) -> list[Finding]:
    """A visit whose tubes all lie in other batches than the same subjects' baseline tubes.

    Then the change between visits and the shift between batches are one thing.
    """
    if "batch" not in study:
        return []
    controls = samples[samples["role"] == "control"] if "role" in samples else samples.iloc[:0]
    findings = []
    for panel, rows in study.groupby("panel", sort=True):
        batch = rows.pivot_table(index="subject_id", columns="visit", values="batch", aggfunc="first")
        own = controls[controls["panel"] == panel]
        with_control = set(own["batch"])
        for visit in design.follow_up:
            if visit not in batch or design.baseline not in batch:
                continue
            pairs = batch[[design.baseline, visit]].dropna()
            crossing = pairs[pairs[design.baseline] != pairs[visit]]
            if crossing.empty:
                continue
            before, after = sorted(set(crossing[design.baseline])), sorted(set(crossing[visit]))
            lacking = [str(b) for b in [*before, *after] if b not in with_control]
            findings.append(
                _batch_finding(str(panel), visit, design, len(crossing), len(pairs), before, after, lacking)
            )
    return findings


def _batch_finding(
    panel: str,
    visit: str,
    design: TrialDesign,
    crossing: int,
    pairs: int,
    before: Sequence[object],
    after: Sequence[object],
    lacking: Sequence[str],
) -> Finding:
    whole = crossing == pairs
    bridged = (
        f"a bridging control stained in batch {', '.join(lacking)} would tell them apart"
        if lacking
        else "the bridging controls of these batches show the shift: compare it with the change"
    )
    reading = f"stained in another batch than the baseline, so a shift between batches looks like a change; {bridged}"
    keyword = f"{panel}@{visit}"
    found = f"baseline in {', '.join(map(str, before))}; {visit} in {', '.join(map(str, after))}"
    expected = "baseline and visit of a participant in one batch"
    if whole:
        return Finding(
            "VISIT_CONFOUNDED_WITH_BATCH",
            "warning",
            f"panel {panel}: every participant's {design.title(visit)} was {reading}",
            keyword=keyword,
            found=found,
            expected=expected,
            fix=bridged,
        )
    return Finding(
        "VISIT_CROSSES_BATCHES",
        "warning",
        f"panel {panel}: {crossing} of {pairs} participants had {design.title(visit)} {reading}",
        keyword=keyword,
        found=found,
        expected=expected,
        fix=bridged,
    )


def _changing_covariates(clinical: pd.DataFrame, design: TrialDesign) -> list[Finding]:
    import pandas as pd

    findings = []
    for column in CHANGING_COVARIATES:
        if column not in clinical:
            continue
        values = clinical.assign(value=pd.to_numeric(clinical[column], errors="coerce").astype(float))
        wide = values.pivot_table(index="subject_id", columns="visit", values="value", aggfunc="first")
        if design.baseline not in wide:
            continue
        for visit in design.follow_up:
            if visit not in wide:
                continue
            change = (wide[visit] - wide[design.baseline]).dropna()
            fell, rose = int((change < 0).sum()), int((change > 0).sum())
            if fell + rose == 0:
                continue
            drug = column.removesuffix("_mg_per_day").replace("_", " ")
            findings.append(
                Finding(
                    "COVARIATE_CHANGES_WITH_VISIT",
                    "warning",
                    f"{drug} changed between baseline and {design.title(visit)} ({fell} fell, {rose} rose of "
                    f"{change.size}): it can move B cells by itself and cannot be told apart from the infusion here",
                    keyword=f"{column}@{visit}",
                    found=f"median change {change.median():g}",
                )
            )
    return findings
