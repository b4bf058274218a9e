"""Clinical endpoints of each subject and visit beside the response: activity, low activity, remission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cytometry.clinical.bilag import numeric_score
from cytometry.clinical.remission import doris, lldas
from cytometry.clinical.sledai import band, change_class, clinical_from_total
from cytometry.clinical.visits import ClinicalVisit, Course
from cytometry.model.clinical import BILAG_SYSTEMS
from cytometry.statistics.rows import table_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One subject and visit; empty where the components are not known.

    ``sledai_class`` is flare, improvement or stable against baseline (more than
    three points); ``lldas`` and ``doris`` come with the first reason why not.
    For SLEDAI, BILAG, PGA and prednisone lower is better.
    """

    subject_id: str
    visit: str
    sledai: float | None
    sledai_band: str
    sledai_clinical: float | None
    sledai_class: str
    bilag_numeric: int | None
    pga: float | None
    prednisone_mg_per_day: float | None
    lldas: bool | None
    lldas_reason: str
    doris: bool | None
    doris_reason: str


def endpoint_table(courses: tuple[Course, ...]) -> pd.DataFrame:
    """One row per visit that has one in ``clinical.csv``, subjects in order of appearance."""
    rows = [
        _row(course, now, course.visits[i - 1] if i else None)
        for course in courses
        for i, now in enumerate(course.visits)
    ]
    return table_of(rows, EndpointRow)


def _row(course: Course, now: ClinicalVisit, previous: ClinicalVisit | None) -> EndpointRow:
    baseline = course.at(course.planned[0])
    before = baseline.sledai if baseline is not None and baseline is not now else None
    low, low_reason = lldas(now, previous)
    remission, remission_reason = doris(now)
    return EndpointRow(
        subject_id=now.subject_id,
        visit=now.visit,
        sledai=now.sledai,
        sledai_band="" if now.sledai is None else band(now.sledai),
        sledai_clinical=None if now.sledai is None else clinical_from_total(now.sledai, now.items),
        sledai_class="" if now.sledai is None or before is None else change_class(now.sledai - before),
        bilag_numeric=numeric_score(now.bilag) if len(now.bilag) == len(BILAG_SYSTEMS) else None,
        pga=now.pga,
        prednisone_mg_per_day=now.prednisone,
        lldas=low,
        lldas_reason=low_reason,
        doris=remission,
        doris_reason=remission_reason,
    )
