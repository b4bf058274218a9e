"""Adverse events by subject and grade; serious ones apart (CTCAE grades 1 to 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cytometry.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

GRADES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """One event.

    Parameters
    ----------
    grade
        1 mild to 5 death.
    serious
        Serious by regulation, whatever the grade.
    related
        Possibly, probably or definitely related to the product.
    """

    subject_id: str
    grade: int
    term: str = ""
    serious: bool = False
    related: bool = False


def adverse_event_table(
    events: Sequence[AdverseEvent], subjects: Sequence[str], *, grades: Sequence[int] = GRADES
) -> pd.DataFrame:
    """Non-serious events by grade, one row per subject and a last row for all; serious and related beside.

    Subjects without an event have a row of zeros: they were at risk.

    Raises
    ------
    StudyError
        A grade is not 1 to 5, or a subject is not among those treated.

    Examples
    --------
    >>> table = adverse_event_table([AdverseEvent("1", 2), AdverseEvent("1", 1, serious=True)], ["1", "2"])
    >>> table[["subject_id", "grade_1", "grade_2", "non_serious", "serious"]].values.tolist()
    [['1', 0, 1, 1, 1], ['2', 0, 0, 0, 0], ['all', 0, 1, 1, 1]]
    """
    import pandas as pd

    for event in events:
        if event.grade not in GRADES:
            raise StudyError(f"grade {event.grade}", where="adverse events", hint="1, 2, 3, 4 or 5")
        if event.subject_id not in subjects:
            raise StudyError(
                f"subject '{event.subject_id}' was not treated", where="adverse events", hint=", ".join(subjects)
            )
    rows = []
    for subject in [*subjects, "all"]:
        own = [e for e in events if subject in ("all", e.subject_id)]
        plain = [e for e in own if not e.serious]
        counts = {f"grade_{g}": sum(e.grade == g for e in plain) for g in grades}
        rows.append(
            {
                "subject_id": subject,
                **counts,
                "non_serious": len(plain),
                "serious": sum(e.serious for e in own),
                "related": sum(e.related for e in own),
            }
        )
    return pd.DataFrame(rows)
