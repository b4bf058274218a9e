"""Agreement statistics against published tables and other software."""

from __future__ import annotations

import math

import pytest

from cytometry.statistics.agreement import (
    concordance,
    f1_score,
    icc_agreement,
    jaccard,
    limits_of_agreement,
    proportional_bias,
)

# Shrout and Fleiss 1979, table 2: four judges, six targets.
JUDGES = ([9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7])
# Bland and Altman 1986, table 1: peak flow by a large and a mini meter, first readings, l/min.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
# Bland and Altman 1999, cardiac output of the first four subjects by two methods; Zou 2013 works on these.
VENTRICULOGRAPHY = {
    "1": [7.83, 7.42, 7.89, 7.12, 7.88],
    "2": [6.16, 7.26, 6.71, 6.54],
    "3": [4.75, 5.24, 4.86, 4.78, 6.05, 5.42],
    "4": [4.21, 3.61, 3.72, 3.87, 3.92],
}
IMPEDANCE = {
    "1": [6.57, 5.62, 6.90, 6.57, 6.35],
    "2": [4.06, 4.29, 4.26, 4.09],
    "3": [4.71, 5.50, 5.08, 5.02, 6.01, 5.67],
    "4": [4.14, 4.20, 4.61, 4.68, 5.04],
}


def _heart() -> tuple[list[float], list[float], list[str]]:
    first = [v for values in IMPEDANCE.values() for v in values]
    second = [v for values in VENTRICULOGRAPHY.values() for v in values]
    return first, second, [s for s, values in IMPEDANCE.items() for _ in values]


def test_icc_of_shrout_and_fleiss() -> None:
    icc = icc_agreement(JUDGES)
    # The paper's table 4; the interval as R's psych::ICC prints it.
    assert icc.estimate == pytest.approx(0.29, abs=0.005)
    assert (icc.low, icc.high) == pytest.approx((0.019, 0.761), abs=0.0015)
    assert icc.n == 6


def test_icc_counts_a_constant_shift_against_agreement() -> None:
    # Two raters, y = x + 2 on 1, 2, 3: MSR = 2, MSC = 6, MSE = 0, so 2 / (2 + 2/3 · 6).
    assert icc_agreement([[1, 2, 3], [3, 4, 5]]).estimate == pytest.approx(2 / 6)


def test_icc_of_equal_measurements_is_one() -> None:
    icc = icc_agreement([[1.5, 2.25, 7.0], [1.5, 2.25, 7.0]])
    assert (icc.estimate, icc.low, icc.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "estimate"),
    [
        # MSR = MSE = 0: no difference between targets at all.
        ([0, 0, 0], [100, 100, 100], 0.0),
        ([1, 1], [2, 2], 0.0),
        ([0.1, 0.1, 0.1], [0.3, 0.3, 0.3], 0.0),
        # MSR = MSC = 0: (0 - MSE) / (MSE - 2/4 · MSE).
        ([1, 2, 3, 4], [4, 3, 2, 1], -2.0),
    ],
)
def test_icc_without_degrees_of_freedom_has_no_interval(
    first: list[float], second: list[float], estimate: float
) -> None:
    icc = icc_agreement([first, second])
    assert icc.estimate == pytest.approx(estimate, abs=1e-12)
    assert math.isnan(icc.low)
    assert math.isnan(icc.high)


def test_icc_of_measurements_that_differ_in_the_last_digits_has_an_interval() -> None:
    icc = icc_agreement([[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0 + 1e-8]])
    assert (icc.estimate, icc.low, icc.high) == pytest.approx((1.0, 1.0, 1.0), abs=1e-12)


def test_icc_leaves_out_targets_with_a_missing_rating() -> None:
    with_gap = [[*row, math.nan if i == 0 else 3.0] for i, row in enumerate(JUDGES)]
    assert icc_agreement(with_gap) == icc_agreement(JUDGES)


@pytest.mark.parametrize("last", [2.0, 2.0 + 1e-15])
def test_coefficients_of_one_value_are_undefined(last: float) -> None:
    """Rounding in the last digit is no difference between tubes."""
    assert math.isnan(icc_agreement([[2.0, 2.0, 2.0], [2.0, 2.0, last]]).estimate)
    assert math.isnan(concordance([2.0, 2.0, 2.0], [2.0, 2.0, last]).estimate)


def test_concordance_as_simply_agree_prints_it() -> None:
    # R, SimplyAgree::agree_test on the rows of `reps` that have both values.
    x = [*VENTRICULOGRAPHY["1"][:4], *VENTRICULOGRAPHY["2"][:3]]
    y = [*IMPEDANCE["1"][:4], *IMPEDANCE["2"][:3]]
    x += VENTRICULOGRAPHY["3"] + VENTRICULOGRAPHY["4"]
    y += IMPEDANCE["3"] + IMPEDANCE["4"]
    found = concordance(x, y)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.4791, 0.1276, 0.7237), abs=5e-5)


def test_bias_and_limits_of_bland_and_altman_1986() -> None:
    found = limits_of_agreement(MINI, LARGE, [str(i) for i in range(17)])
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    # The paper rounds 1.96 to 2: -79.7 and 75.5.
    assert found.bias.value - 2 * found.sd == pytest.approx(-79.7, abs=0.1)
    assert found.bias.value + 2 * found.sd == pytest.approx(75.5, abs=0.1)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)


def test_limits_with_several_tubes_per_subject_as_published_by_zou() -> None:
    found = limits_of_agreement(*_heart())
    assert found.bias.value == pytest.approx(0.7255, abs=5e-5)
    assert (found.lower.value, found.upper.value) == pytest.approx((-2.14, 3.59), abs=0.005)
    assert (found.lower.low, found.lower.high) == pytest.approx((-9.83, -0.33), abs=0.01)
    assert (found.upper.low, found.upper.high) == pytest.approx((1.77, 11.27), abs=0.011)
    assert (found.n, found.n_subjects) == (20, 4)


def test_repeating_every_tube_gives_no_more_certainty() -> None:
    subjects = [str(i) for i in range(17)]
    once = limits_of_agreement(MINI, LARGE, subjects)
    twice = limits_of_agreement(MINI * 2, LARGE * 2, subjects * 2)
    assert (twice.bias.low, twice.bias.high) == pytest.approx((once.bias.low, once.bias.high))
    assert twice.upper.high == pytest.approx(once.upper.high)


def test_limits_need_two_subjects() -> None:
    found = limits_of_agreement([1.0, 2.0], [2.0, 4.0], ["a", "a"])
    assert found.bias.value == pytest.approx(1.5)
    assert math.isnan(found.bias.low)
    assert math.isnan(found.upper.value)


def test_slope_is_that_of_least_squares_with_a_cluster_robust_interval() -> None:
    found = proportional_bias(*_heart())
    # statsmodels 0.15.0: OLS(d, [1, mean]).fit(cov_type="cluster", cov_kwds={"groups": subject}, use_t=True).
    assert found.value == pytest.approx(0.601329778913, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((-0.082658117502, 1.285317675328), rel=1e-9)


@pytest.mark.parametrize(
    ("counts", "f1", "overlap"),
    [((10, 10, 10), 1.0, 1.0), ((10, 10, 0), 0.0, 0.0), ((4, 8, 4), 2 / 3, 0.5), ((0, 5, 0), 0.0, 0.0)],
)
def test_overlap_by_hand(counts: tuple[int, int, int], f1: float, overlap: float) -> None:
    assert f1_score(*counts) == pytest.approx(f1)
    assert jaccard(*counts) == pytest.approx(overlap)


def test_overlap_of_nothing_is_undefined() -> None:
    assert math.isnan(f1_score(0, 0, 0))
    assert math.isnan(jaccard(0, 0, 0))
