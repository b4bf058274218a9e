"""Who came when, what of it could be used, and whether batches could make a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cytometry.model.study import SampleRow, Study
from cytometry.reporting.formats import is_missing, whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.section import Section


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file."""

    status: str
    reason: str
    events: str


@dataclass(frozen=True, slots=True)
class Tube:
    """A tube in the grid."""

    panel: str
    sample_id: str
    word: str
    detail: str
    is_good: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """One participant's visit: its tubes, its batch."""

    tubes: tuple[Tube, ...]
    batch: str

    @property
    def state(self) -> str:
        """CSS class of the cell."""
        if not self.tubes:
            return "gone"
        return "" if all(t.is_good for t in self.tubes) else "bad"


def _render(inputs: ReportInputs) -> Markup | None:
    study = inputs.study
    if study is None:
        return None
    outcomes = _outcomes(inputs)
    subjects = study.subject_ids
    grid = [(s, [_visit(study, s, v.id, outcomes) for v in study.visits]) for s in subjects]
    totals = [sum(bool(row[i].tubes) for _, row in grid) for i in range(len(study.visits))]
    evaluable = [
        sum(bool(row[i].tubes) and all(t.is_good for t in row[i].tubes) for _, row in grid)
        for i in range(len(study.visits))
    ]
    return render(
        "design.html",
        study=study,
        visits=[(v.title, v.planned_day, v.baseline) for v in study.visits],
        grid=grid,
        totals=totals,
        evaluable=evaluable,
        batches=_batches(study),
        spanning=_subjects_spanning_batches(study),
        confounded=_confounded(study),
        controls=[_control(s, outcomes) for s in study.samples if s.role != "sample"],
        excluded=[(s, s.exclude_reason) for s in study.samples if s.exclude],
    )


def _outcomes(inputs: ReportInputs) -> dict[str, Outcome]:
    frame = inputs.tables.get("samples")
    if frame is None:
        return {}
    fields = ["sample_id", "status", "reason", "total_events"]
    return {
        str(s): Outcome(str(status), "" if is_missing(why) else str(why), "" if is_missing(n) else whole(float(n)))
        for s, status, why, n in frame[fields].itertuples(index=False, name=None)
    }


def _visit(study: Study, subject: str, visit: str, outcomes: dict[str, Outcome]) -> Visit:
    rows = [s for s in study.samples if s.role == "sample" and (s.subject_id, s.visit) == (subject, visit)]
    return Visit(tuple(_tube(r, outcomes) for r in rows), ", ".join(dict.fromkeys(r.batch for r in rows if r.batch)))


def _tube(row: SampleRow, outcomes: dict[str, Outcome]) -> Tube:
    if row.exclude:
        return Tube(row.panel, row.sample_id, "excluded", row.exclude_reason, False)
    outcome = outcomes.get(row.sample_id)
    if outcome is None:
        return Tube(row.panel, row.sample_id, "not gated", "", False)
    if outcome.status != "done":
        return Tube(row.panel, row.sample_id, outcome.status, outcome.reason, False)
    return Tube(row.panel, row.sample_id, "evaluable", f"{outcome.events} events", True)


def _control(row: SampleRow, outcomes: dict[str, Outcome]) -> tuple[str, str, str, str, str]:
    outcome = outcomes.get(row.sample_id)
    word = "excluded: " + row.exclude_reason if row.exclude else outcome.status if outcome else "read for its batch"
    return row.batch, row.panel, row.role, row.sample_id, word


def _batches(study: Study) -> list[tuple[str, list[tuple[str, ...]]]]:
    """Batch to the participants of each visit in it."""
    names = list(dict.fromkeys(s.batch for s in study.samples if s.batch and s.role == "sample"))
    return [(b, [_members(study.samples, b, v.id) for v in study.visits]) for b in names]


def _members(samples: Sequence[SampleRow], batch: str, visit: str) -> tuple[str, ...]:
    here = [s.subject_id for s in samples if s.role == "sample" and (s.batch, s.visit) == (batch, visit)]
    return tuple(dict.fromkeys(here))


def _subjects_spanning_batches(study: Study) -> list[str]:
    batches: dict[str, set[str]] = {}
    for s in study.samples:
        if s.role == "sample" and s.batch:
            batches.setdefault(s.subject_id, set()).add(s.batch)
    return [subject for subject, used in batches.items() if len(used) > 1]


def _confounded(study: Study) -> bool:
    """Whether every batch holds a single visit, so that a batch shift looks like a change over time."""
    visits: dict[str, set[str]] = {}
    for s in study.samples:
        if s.role == "sample" and s.batch:
            visits.setdefault(s.batch, set()).add(s.visit)
    return len(visits) > 1 and all(len(v) == 1 for v in visits.values())


SECTION = Section("design", "Study and design", _render)
