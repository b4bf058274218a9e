"""BILAG-2004: grades, the numeric index, and what is new since baseline (Isenberg 2005, Yee 2010)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cytometry.errors import StudyError
from cytometry.model.clinical import BILAG_GRADES, BILAG_SYSTEMS

GRADE_SCORES = MappingProxyType({"A": 12, "B": 8, "C": 1, "D": 0, "E": 0})
"""Yee 2010; nine systems give at most 108. Older schemes belong to the classic eight-system index."""


def check_grades(grades: Mapping[str, str]) -> None:
    """Refuse unknown systems and grades.

    Raises
    ------
    StudyError
        A system or grade is not one of BILAG-2004.

    Examples
    --------
    >>> check_grades({"renal": "F"})
    Traceback (most recent call last):
    cytometry.errors.StudyError: BILAG-2004: grade of renal is 'F' (allowed: A, B, C, D, E)
    """
    for system, grade in grades.items():
        if system not in BILAG_SYSTEMS:
            raise StudyError(
                f"'{system}' is not a system", where="BILAG-2004", hint=f"systems: {', '.join(BILAG_SYSTEMS)}"
            )
        if grade not in BILAG_GRADES:
            raise StudyError(
                f"grade of {system} is '{grade}'", where="BILAG-2004", hint=f"allowed: {', '.join(BILAG_GRADES)}"
            )


def numeric_score(grades: Mapping[str, str]) -> int:
    """Sum over systems of A = 12, B = 8, C = 1, D = E = 0; lower is better.

    Examples
    --------
    >>> numeric_score({"renal": "A", "mucocutaneous": "B", "constitutional": "E"})
    20
    """
    check_grades(grades)
    return sum(GRADE_SCORES[grade] for grade in grades.values())


def new_a(baseline: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Systems at A now that were not at A at baseline.

    Examples
    --------
    >>> new_a({"renal": "B"}, {"renal": "A"})
    ('renal',)
    """
    return tuple(s for s in BILAG_SYSTEMS if now.get(s) == "A" and baseline.get(s) != "A")


def new_b(baseline: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Systems at B now that were at C, D or E at baseline; A to B is an improvement.

    Examples
    --------
    >>> new_b({"renal": "A", "mucocutaneous": "C"}, {"renal": "B", "mucocutaneous": "B"})
    ('mucocutaneous',)
    """
    return tuple(s for s in BILAG_SYSTEMS if now.get(s) == "B" and baseline.get(s) in {"C", "D", "E"})


def impossible_grades(course: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Systems that return to E: it means *never*, and once left it is gone.

    Examples
    --------
    >>> impossible_grades([{"renal": "D"}, {"renal": "E"}])
    ('renal',)
    """
    wrong = []
    for system in BILAG_SYSTEMS:
        seen = [grades[system] for grades in course if system in grades]
        left = next((i for i, grade in enumerate(seen) if grade != "E"), len(seen))
        if "E" in seen[left:]:
            wrong.append(system)
    return tuple(wrong)
