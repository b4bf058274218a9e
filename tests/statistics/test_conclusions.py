"""Same conclusion or another: the four cases, and the table of two analyses."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from cytometry.model.agreement_tables import CONCLUSIONS, NOT_COMPARABLE, OTHER_SIGN, OTHER_SIGNIFICANCE, SAME
from cytometry.statistics.conclusions import Verdict, compare_conclusions, judge

NAN = math.nan


def verdict(estimate: float, *, significant: bool | None) -> Verdict:
    return Verdict(6, estimate, estimate - 1, estimate + 1, 0.5, NAN, significant)


@pytest.mark.parametrize(
    ("first", "second", "conclusion"),
    [
        (verdict(0.4, significant=True), verdict(0.9, significant=True), SAME),
        (verdict(0.4, significant=False), verdict(0.9, significant=False), SAME),
        # Two estimates that show nothing may lie on either side of zero.
        (verdict(0.1, significant=False), verdict(-0.1, significant=False), SAME),
        (verdict(0.4, significant=True), verdict(0.4, significant=False), OTHER_SIGNIFICANCE),
        (verdict(0.4, significant=True), verdict(0.0, significant=False), OTHER_SIGNIFICANCE),
        (verdict(0.4, significant=True), verdict(-0.4, significant=True), OTHER_SIGN),
        (verdict(0.4, significant=False), verdict(-0.4, significant=True), OTHER_SIGN),
        (verdict(0.4, significant=None), verdict(0.4, significant=True), NOT_COMPARABLE),
        (None, verdict(0.4, significant=True), NOT_COMPARABLE),
    ],
)
def test_judge(first: Verdict | None, second: Verdict | None, conclusion: str) -> None:
    assert judge(first, second) == conclusion


def _comparison(*rows: tuple[str, str, float, float, float, str]) -> dict[str, pd.DataFrame]:
    columns = ["population", "role", "estimate", "p", "p_maxt", "claim"]
    table = pd.DataFrame(rows, columns=columns)
    table = table.assign(visit="w8", scale="logit_parent", n=6, ci_low=-1.0, ci_high=1.0)
    return {"comparison": table, "correlation": table.iloc[:0].rename(columns={"estimate": "rho"})}


def test_a_readout_of_the_plan_is_judged_by_its_claim_and_an_exploratory_one_by_its_p() -> None:
    first = _comparison(
        # p is small, and the family's adjustment takes the claim away.
        ("dn", "panel", -0.5, 0.03, 0.08, "not significant"),
        ("naive", "exploratory", 0.4, 0.03, NAN, "exploratory"),
    )
    second = _comparison(
        ("dn", "panel", -0.5, 0.03, 0.04, "significant"),
        ("naive", "exploratory", 0.4, 0.06, NAN, "exploratory"),
    )
    found = compare_conclusions(first, second, 0.05)
    assert tuple(found.columns) == CONCLUSIONS.names
    assert found["conclusion"].tolist() == [OTHER_SIGNIFICANCE, OTHER_SIGNIFICANCE]
    assert found["significant_a"].tolist() == [False, True]
    assert found["significant_b"].tolist() == [True, False]
    assert found["direction_a"].tolist() == ["down", "up"]


def test_a_p_of_exactly_alpha_is_significant() -> None:
    """As the plan judges its own readouts: p ≤ alpha."""
    first = _comparison(("naive", "exploratory", 0.4, 0.05, NAN, "exploratory"))
    second = _comparison(("naive", "exploratory", 0.4, math.nextafter(0.05, 1), NAN, "exploratory"))
    found = compare_conclusions(first, second, 0.05)
    assert (found["significant_a"].tolist(), found["significant_b"].tolist()) == ([True], [False])


def test_a_readout_of_one_analysis_only_is_listed_and_not_comparable() -> None:
    first = _comparison(("dn", "panel", -0.5, 0.03, 0.04, "significant"))
    second = _comparison(("naive", "panel", 0.5, 0.03, 0.04, "significant"))
    found = compare_conclusions(first, second, 0.05)
    assert found["population"].tolist() == ["dn", "naive"]
    assert found["conclusion"].tolist() == [NOT_COMPARABLE, NOT_COMPARABLE]


def test_what_could_not_be_tested_is_not_comparable() -> None:
    first = _comparison(("dn", "panel", NAN, NAN, NAN, "not tested"))
    assert compare_conclusions(first, first, 0.05)["conclusion"].tolist() == [NOT_COMPARABLE]
