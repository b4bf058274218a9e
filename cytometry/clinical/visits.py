"""One subject's clinical findings at one visit, typed, and the course over visits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cytometry.model.clinical import BILAG_SYSTEMS, SLEDAI_WEIGHTS

if TYPE_CHECKING:
    import pandas as pd

DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, slots=True)
class ClinicalVisit:
    """What ``clinical.csv`` says of one subject at one visit; None is not known.

    Parameters
    ----------
    day
        Study day, 0 is the infusion; planned or real.
    sledai
        SLEDAI-2K total, 0 to 105.
    items
        SLEDAI-2K items by name, each 0 or its weight.
    bilag
        BILAG-2004 grades A to E by system.
    pga
        Physician's global assessment, 0 to 3.
    prednisone
        Prednisone equivalent, mg/day.
    new_immunosuppressant
        Started or raised since the visit before.
    withdrawn
        Left the study at or before this visit.
    """

    subject_id: str
    visit: str
    day: float | None = None
    sledai: float | None = None
    items: Mapping[str, float] = field(default_factory=dict)
    bilag: Mapping[str, str] = field(default_factory=dict)
    pga: float | None = None
    prednisone: float | None = None
    new_immunosuppressant: bool | None = None
    withdrawn: bool | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The visits of one subject in planned order, baseline first.

    Parameters
    ----------
    planned
        Visits that the protocol has, in order; those without a row are missing.
    """

    subject_id: str
    visits: tuple[ClinicalVisit, ...]
    planned: tuple[str, ...]

    def at(self, visit: str) -> ClinicalVisit | None:
        """The row of a visit; None if there is none."""
        return next((v for v in self.visits if v.visit == visit), None)

    def until(self, visit: str) -> tuple[ClinicalVisit, ...]:
        """Rows after baseline up to and with ``visit``, in planned order."""
        last = self.planned.index(visit)
        return tuple(v for v in self.visits if 0 < self.planned.index(v.visit) <= last)


def courses(
    clinical: pd.DataFrame, visits: Sequence[str], days: Mapping[str, float] | None = None
) -> tuple[Course, ...]:
    """Group ``clinical.csv`` into one course per subject, in order of appearance.

    Parameters
    ----------
    clinical
        Columns as in ``clinical.csv``; only ``subject_id`` and ``visit`` are needed.
    visits
        Planned visits in order, baseline first. Rows of other visits are left out.
    days
        Planned study day of a visit, used where ``study_day`` is empty.
    """
    planned = tuple(visits)
    rows: dict[str, dict[str, ClinicalVisit]] = {}
    for record in clinical.to_dict("records"):
        row = _visit({str(key): value for key, value in record.items()}, days or {})
        rows.setdefault(row.subject_id, {})[row.visit] = row
    return tuple(
        Course(subject, tuple(by_visit[v] for v in planned if v in by_visit), planned)
        for subject, by_visit in rows.items()
    )


def _visit(record: Mapping[str, object], days: Mapping[str, float]) -> ClinicalVisit:
    visit = str(record["visit"])
    items = {i: _number(record.get(f"sledai_{i}")) for i in SLEDAI_WEIGHTS}
    grades = {s: _text(record.get(f"bilag_{s}")) for s in BILAG_SYSTEMS}
    day = _number(record.get("study_day"))
    return ClinicalVisit(
        subject_id=str(record["subject_id"]),
        visit=visit,
        day=days.get(visit) if day is None else day,
        sledai=_number(record.get("sledai")),
        items={name: points for name, points in items.items() if points is not None},
        bilag={system: grade for system, grade in grades.items() if grade},
        pga=_number(record.get("pga")),
        prednisone=_number(record.get("prednisone_mg_per_day")),
        new_immunosuppressant=_flag(record.get("new_immunosuppressant")),
        withdrawn=_flag(record.get("withdrawn")),
    )


def _missing(value: object) -> bool:
    return value is None or value == "" or str(value) in {"nan", "NaN", "<NA>", "NaT"}


def _number(value: object) -> float | None:
    if _missing(value):
        return None
    number = float(str(value))
    return None if math.isnan(number) else number


def _text(value: object) -> str:
    return "" if _missing(value) else str(value)


def _flag(value: object) -> bool | None:
    if _missing(value):
        return None
    return str(value).strip().lower() in {"true", "1", "1.0", "yes"}
