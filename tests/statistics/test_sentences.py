"""The results in words: never more than the numbers allow."""

from __future__ import annotations

import pytest

from cytometry.model.clinical import BILAG_SYSTEMS
from cytometry.statistics.analysis import AnalysisResult, Extras, analyse
from cytometry.statistics.sentences import p_number
from tests.statistics.trial import DESIGN, FALLS, NOISE, RISES, SLEDAI, clinical, counts, plan

PLAN = plan(
    confirmatory=[
        {"population": "falls", "scale": "logit_parent", "visit": "w8"},
        {"population": "noise", "scale": "logit_parent", "visit": "w8"},
        {"population": "rises", "scale": "logit_parent", "visit": "w8"},
    ],
    panel=["falls", "rises", "noise"],
    response={"rule": "sri4", "visit": "w24"},
)
NAMES = {"falls": "Falling cells"}


def told(**changes: object) -> AnalysisResult:
    grades = {f"bilag_{s}": [["C", "C", "C"]] * 6 for s in BILAG_SYSTEMS}
    clinic = clinical(
        SLEDAI,
        pga=[[1.0, 0.8, 0.5]] * 6,
        withdrawn=[[False, False, False]] * 5 + [[False, False, True]],
        **grades,
    )
    table = counts({"falls": FALLS, "rises": RISES, "noise": NOISE})
    return analyse(table, clinic, DESIGN, PLAN.model_copy(update=changes), Extras(names=NAMES))


@pytest.fixture(scope="module")
def result() -> AnalysisResult:
    return told()


def of_kind(result: AnalysisResult, kind: str) -> list[str]:
    return [s.text for s in result.sentences if s.kind == kind]


def test_the_response_has_its_interval_and_the_reason_of_each_failure(result: AnalysisResult) -> None:
    (text,) = of_kind(result, "response")
    assert text.startswith(
        "Five of six participants met the response index at week 24 (83 %, exact 95 % interval 36 to "
    )
    assert "P6: withdrawn" in text


def test_the_sequence_is_told_in_order_with_its_end(result: AnalysisResult) -> None:
    first, second, third = of_kind(result, "confirmatory")
    assert first.startswith("Confirmed as planned: Falling cells fell at week 8 in 6 of 6")
    assert "exact p = 2/64 = 0.031, the smallest that six participants can give" in first
    assert "96.9 % interval" in first
    assert second.startswith("Not confirmed: noise")
    assert second.endswith("The planned sequence ends here.")
    assert third.startswith("Not tested, because an earlier readout of the sequence failed; observed: rises rose")


def test_week_24_says_what_five_cannot_show(result: AnalysisResult) -> None:
    (text,) = of_kind(result, "limits")
    assert "At week 24 five participants remain" in text
    assert "smallest possible two-sided p is 0.0625" in text
    assert "no change can be called significant there; six would be needed" in text
    assert "Falling cells fell in 5 of 5" in text


def test_nothing_of_week_24_is_claimed(result: AnalysisResult) -> None:
    claims = [s.text for s in result.sentences if s.kind in ("confirmatory", "panel")]
    assert not [t for t in claims if "week 24" in t]


def test_associations_are_called_associations(result: AnalysisResult) -> None:
    texts = of_kind(result, "association")
    assert any(
        t.startswith("At week 8 no change of a population can be said to go with the change of SLEDAI") for t in texts
    )
    assert any("an association is not an effect of the cells" in t for t in texts)
    assert all("rho =" not in t or "n = " in t for t in texts)


def test_a_trial_without_a_control_arm_says_so(result: AnalysisResult) -> None:
    assert any("There is no control arm" in t for t in of_kind(result, "caution"))


def test_a_stricter_level_that_six_cannot_reach_is_not_confirmed_whatever_the_data() -> None:
    first = of_kind(told(alpha=0.01), "confirmatory")[0]
    assert first.startswith("Could not be confirmed with six participants, whatever the data")
    assert "the smallest possible p is 0.0312" in first


@pytest.mark.parametrize(
    ("p", "text"), [(0.0625, "0.063"), (0.03125, "0.031"), (0.99, "0.99"), (1.0, "1"), (0.5, "0.5"), (3e-12, "3.0e-12")]
)
def test_a_p_is_never_printed_smaller_or_as_0(p: float, text: str) -> None:
    assert p_number(p) == text
