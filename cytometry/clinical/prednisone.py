"""Glucocorticoid doses as prednisone, and rules about tapering."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cytometry.clinical.visits import DAYS_PER_WEEK, Course
from cytometry.errors import StudyError

MG_EQUIVALENT_TO_5_MG_PREDNISONE: Mapping[str, float] = MappingProxyType(
    {
        "prednisone": 5.0,
        "prednisolone": 5.0,
        "methylprednisolone": 4.0,
        "triamcinolone": 4.0,
        "deflazacort": 6.0,
        "hydrocortisone": 20.0,
        "cortisone": 25.0,
        "dexamethasone": 0.75,
        "betamethasone": 0.6,
    }
)
"""The usual anti-inflammatory equivalents of pharmacology texts; deflazacort after its European label (6 mg)."""


def prednisone_equivalent(drug: str, mg_per_day: float) -> float:
    """Dose in mg prednisone per day.

    Raises
    ------
    StudyError
        The drug is not in the table, or the dose is negative.

    Examples
    --------
    >>> prednisone_equivalent("methylprednisolone", 8)
    10.0
    """
    known = MG_EQUIVALENT_TO_5_MG_PREDNISONE.get(drug.strip().lower())
    if known is None:
        names = ", ".join(MG_EQUIVALENT_TO_5_MG_PREDNISONE)
        raise StudyError(f"no prednisone equivalent for '{drug}'", where="prednisone", hint=f"known: {names}")
    if mg_per_day < 0:
        raise StudyError(f"a dose of {mg_per_day:g} mg/day", where="prednisone", hint="0 or more")
    return 5.0 * mg_per_day / known


def dose_when_due(course: Course, week: float, until: str) -> float | None:
    """Dose that shows whether the taper was met: at the last visit up to the week it was due.

    Where no visit lies between baseline and that week with a dose at it, the
    first later one counts: the protocol's checkpoint need not be a visit of
    the study. ``until`` is the visit at which the endpoint is judged.

    Returns None where no dose is known.
    """
    due = week * DAYS_PER_WEEK
    rows = [v for v in course.until(until) if v.prednisone is not None]
    at_due = [v for v in rows if v.day is not None and v.day >= due]
    chosen = at_due[0] if at_due else (rows[-1] if rows and rows[-1].visit == until else None)
    return None if chosen is None else chosen.prednisone
