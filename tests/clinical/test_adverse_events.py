"""The adverse-event table against the published one."""

from __future__ import annotations

import pytest

from cytometry.clinical.adverse_events import AdverseEvent, adverse_event_table
from cytometry.errors import StudyError

# Kamen et al. 2022, doi 10.1136/lupus-2022-000704: participant, grade 1, 2, 3, non-serious total.
PUBLISHED = [(1, 3, 5, 0, 8), (2, 0, 2, 0, 2), (3, 2, 2, 0, 4), (4, 0, 3, 0, 3), (5, 1, 1, 0, 2), (6, 1, 1, 0, 2)]
SUBJECTS = [str(row[0]) for row in PUBLISHED]


def published_events() -> list[AdverseEvent]:
    """One event per count, and the serious one, whose participant the paper does not name."""
    events = [
        AdverseEvent(str(subject), grade)
        for subject, *counts, _ in PUBLISHED
        for grade, count in enumerate(counts, start=1)
        for _ in range(count)
    ]
    return [*events, AdverseEvent("1", 2, term="serious", serious=True)]


def test_the_published_table_comes_out() -> None:
    table = adverse_event_table(published_events(), SUBJECTS, grades=(1, 2, 3))
    expected = [[str(s), *rest] for s, *rest in PUBLISHED] + [["all", 7, 14, 0, 21]]
    assert table[["subject_id", "grade_1", "grade_2", "grade_3", "non_serious"]].to_numpy().tolist() == expected
    assert table["serious"].iloc[-1] == 1


def test_a_participant_without_events_has_a_row_of_zeros() -> None:
    table = adverse_event_table([], ["7"])
    assert table.to_numpy().tolist() == [["7", 0, 0, 0, 0, 0, 0, 0, 0], ["all", 0, 0, 0, 0, 0, 0, 0, 0]]


def test_a_grade_of_six_and_a_stranger_are_refused() -> None:
    with pytest.raises(StudyError, match="grade 6"):
        adverse_event_table([AdverseEvent("1", 6)], ["1"])
    with pytest.raises(StudyError, match="subject '9' was not treated"):
        adverse_event_table([AdverseEvent("9", 1)], ["1"])
