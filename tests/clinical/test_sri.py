"""SRI-4 and its variants, with the reason of a failure."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from cytometry.clinical.sri import STANDARD, TRIAL, evaluate_sri
from cytometry.clinical.visits import ClinicalVisit, Course, courses
from cytometry.model.clinical import BILAG_SYSTEMS

GRADES = dict.fromkeys(BILAG_SYSTEMS, "D") | {"mucocutaneous": "B", "musculoskeletal": "B"}
BASELINE = ClinicalVisit(
    "P1", "w0", day=0, sledai=10, bilag=GRADES, pga=0.9, prednisone=15, new_immunosuppressant=False
)
RESPONSE = replace(BASELINE, visit="w24", day=168, sledai=6, prednisone=7.5)


def course(*visits: ClinicalVisit) -> Course:
    return Course("P1", (BASELINE, *visits), ("w0", "w8", "w24"))


def graded(**changes: str) -> ClinicalVisit:
    return replace(RESPONSE, bilag=GRADES | changes)


def test_a_fall_of_four_without_worsening_is_a_response() -> None:
    result = evaluate_sri(course(RESPONSE), "w24")
    assert (result.responder, result.reason, result.sledai_change) == (True, "", -4)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(RESPONSE, sledai=7), "SLEDAI fell too little"),
        (graded(renal="A"), "new BILAG A"),
        (graded(renal="B", gastrointestinal="B"), "new BILAG B"),
        (replace(RESPONSE, pga=1.2), "PGA worse"),
        (replace(RESPONSE, withdrawn=True), "withdrawn"),
        (replace(RESPONSE, pga=None), "component missing"),
    ],
)
def test_each_component_fails_alone_and_is_named(now: ClinicalVisit, reason: str) -> None:
    result = evaluate_sri(course(now), "w24")
    assert (result.responder, result.reason) == (False, reason)


@pytest.mark.parametrize("now", [graded(renal="B"), graded(mucocutaneous="C")])
def test_one_new_b_and_improvement_pass(now: ClinicalVisit) -> None:
    assert evaluate_sri(course(now), "w24").responder is True


def test_a_to_b_is_no_new_b() -> None:
    before = replace(BASELINE, bilag=GRADES | {"renal": "A"})
    now = graded(renal="B", gastrointestinal="B")
    assert evaluate_sri(Course("P1", (before, now), ("w0", "w24")), "w24").responder is True


def test_a_rise_of_exactly_three_tenths_is_worse_in_the_standard_and_passes_in_the_trial() -> None:
    now = replace(RESPONSE, pga=1.2)  # 1.2 - 0.9 is not 0.3 in binary
    assert evaluate_sri(course(now), "w24", STANDARD).pga_ok is False
    assert evaluate_sri(course(now), "w24", TRIAL).responder is True
    assert evaluate_sri(course(replace(now, pga=1.21)), "w24", TRIAL).reason == "PGA worse"


def test_the_trial_fails_prednisone_above_ten_and_new_immunosuppressants() -> None:
    assert evaluate_sri(course(replace(RESPONSE, prednisone=12.5)), "w24", TRIAL).reason == "prednisone above limit"
    early = replace(BASELINE, visit="w8", day=56, new_immunosuppressant=True)
    assert evaluate_sri(course(early, RESPONSE), "w24", TRIAL).reason == "new immunosuppressant"
    assert evaluate_sri(course(early, RESPONSE), "w24", STANDARD).responder is True


def test_the_taper_is_not_judged_before_it_is_due() -> None:
    early = replace(RESPONSE, visit="w8", day=56, prednisone=20)
    assert evaluate_sri(course(early), "w8", TRIAL).responder is True


def test_a_missing_visit_is_a_failure_unless_the_rules_leave_it_open() -> None:
    assert evaluate_sri(course(), "w24").responder is False
    assert evaluate_sri(course(), "w24", replace(STANDARD, missing="unknown")).responder is None


def test_a_known_failure_is_named_before_a_missing_component() -> None:
    now = replace(RESPONSE, sledai=9, pga=None)
    assert evaluate_sri(course(now), "w24").reason == "SLEDAI fell too little"


def test_rows_of_the_table_become_courses_in_planned_order() -> None:
    table = pd.DataFrame(
        {
            "subject_id": ["P1", "P1", "P2"],
            "visit": ["w24", "w0", "w0"],
            "sledai": [4, 10, float("nan")],
            "bilag_renal": ["B", None, "E"],
            "withdrawn": ["false", "", "true"],
            "sledai_rash": [2, 0, None],
        }
    )
    first, second = courses(table, ("w0", "w24"), {"w0": 0.0, "w24": 168.0})
    assert [v.visit for v in first.visits] == ["w0", "w24"]
    assert first.visits[1] == ClinicalVisit(
        "P1", "w24", day=168.0, sledai=4.0, items={"rash": 2.0}, bilag={"renal": "B"}, withdrawn=False
    )
    assert (second.visits[0].sledai, second.visits[0].withdrawn) == (None, True)
