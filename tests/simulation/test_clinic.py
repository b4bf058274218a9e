"""Invented clinical courses."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.model.clinical import BILAG_GRADES, BILAG_SYSTEMS
from cytometry.model.tables import Row
from cytometry.simulation.clinic import PRESENTATIONS, Presentation, clinical_rows

VISITS = (("w00", 0.0, 0.0), ("w04", 28.0, 0.6), ("w08", 56.0, 0.9), ("w24", 168.0, 1.0))


def course(who: Presentation, response: float, last: str | None = None, seed: int = 1) -> tuple[Row, ...]:
    return clinical_rows("P01", who, response, VISITS, last, np.random.default_rng(seed))


@pytest.mark.parametrize("who", PRESENTATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_activity_of_a_responder_never_rises_and_falls_by_four(who: Presentation, seed: int) -> None:
    totals = [int(r["sledai"] or 0) for r in course(who, 1.0, seed=seed)]
    assert totals == sorted(totals, reverse=True)
    assert totals[0] - totals[-1] >= 4


@pytest.mark.parametrize("who", PRESENTATIONS)
def test_a_non_responder_stays_as_active(who: Presentation) -> None:
    rows = course(who, 0.0)
    assert len({r["sledai"] for r in rows}) == 1
    assert len({r["prednisone_mg_per_day"] for r in rows}) == 1


def test_a_stronger_response_brings_a_deeper_fall() -> None:
    falls = []
    for response in (0.65, 1.35):
        rows = [course(who, response, seed=s) for who in PRESENTATIONS for s in range(5)]
        falls.append(np.mean([int(r[0]["sledai"] or 0) - int(r[-1]["sledai"] or 0) for r in rows]))
    assert falls[1] > falls[0] + 2


@pytest.mark.parametrize("who", PRESENTATIONS)
def test_grades_improve_and_a_system_once_affected_is_never_unaffected(who: Presentation) -> None:
    rows = course(who, 1.0)
    for system in BILAG_SYSTEMS:
        grades = [str(r[f"bilag_{system}"]) for r in rows]
        assert grades == sorted(grades)
        assert set(grades) <= set(BILAG_GRADES)
        assert grades[0] == "E" or "E" not in grades
    assert any(rows[0][f"bilag_{s}"] in ("A", "B") for s in BILAG_SYSTEMS)


@pytest.mark.parametrize("who", PRESENTATIONS)
def test_prednisone_of_a_responder_is_ten_or_less_at_the_end(who: Presentation) -> None:
    doses = [float(r["prednisone_mg_per_day"] or 0) for r in course(who, 1.0)]
    assert doses == sorted(doses, reverse=True)
    assert doses[-1] <= 10


def test_a_participant_who_leaves_has_one_more_row_that_says_so() -> None:
    rows = course(PRESENTATIONS[3], 0.0, last="w04")
    assert [r["visit"] for r in rows] == ["w00", "w04", "w08"]
    assert [r["withdrawn"] for r in rows] == [False, False, True]
    assert set(rows[-1]) == {"subject_id", "visit", "withdrawn"}


def test_visits_lie_within_two_days_of_the_plan() -> None:
    days = np.array([[int(r["study_day"] or 0) for r in course(PRESENTATIONS[0], 1.0, seed=s)] for s in range(20)])
    late = days - [0, 28, 56, 168]
    assert late.min() == 0
    assert late.max() == 2
    assert not late[:, 0].any()
