"""Which planned visit a day belongs to: protocols plan in weeks or days and patients come when they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit with its planned study day and window, inclusive; day 0 is the infusion."""

    visit: str
    day: float
    first: float
    last: float


def visit_of_day(day: float, planned: Sequence[PlannedVisit]) -> str | None:
    """The planned visit whose window holds a day, the nearest one where windows overlap; None outside all.

    Examples
    --------
    >>> plan = [PlannedVisit("W4", 28, 21, 35), PlannedVisit("W8", 56, 35, 63)]
    >>> visit_of_day(35, plan), visit_of_day(30, plan), visit_of_day(100, plan)
    ('W4', 'W4', None)
    """
    holding = [v for v in planned if v.first <= day <= v.last]
    return min(holding, key=lambda v: abs(v.day - day)).visit if holding else None


def early_termination_visit(day: float, planned: Sequence[PlannedVisit], taken: Sequence[str]) -> str | None:
    """Where an early-termination visit is counted: the window it falls into, if that visit was not made otherwise.

    An early-termination visit outside all windows keeps its values for safety
    and for a mixed model, and stands for no planned visit.

    Examples
    --------
    >>> plan = [PlannedVisit("W4", 28, 21, 35), PlannedVisit("W8", 56, 49, 63)]
    >>> early_termination_visit(58, plan, ["W4"]), early_termination_visit(30, plan, ["W4"])
    ('W8', None)
    """
    visit = visit_of_day(day, planned)
    return None if visit in taken else visit
