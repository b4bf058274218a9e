"""Exact tests against numbers worked out by hand or by other software."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cytometry.errors import StatisticsError
from cytometry.statistics.correlation import kendall, spearman
from cytometry.statistics.correlation_max_t import correlation_max_t
from cytometry.statistics.friedman import friedman
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.max_t import max_t
from cytometry.statistics.omnibus import sum_of_squares_flip
from cytometry.statistics.p_adjust import p_adjust
from cytometry.statistics.power import exact_power, minimal_effect, minimal_effect_t
from cytometry.statistics.proportions import proportion_interval
from cytometry.statistics.rank_biserial import rank_biserial
from cytometry.statistics.sign_flip import sign_flip
from cytometry.statistics.signed_rank import signed_rank
from cytometry.statistics.two_groups import mean_difference, rank_sum

UNTIED = [1.3, -0.2, 2.4, 0.7, -1.1, 3.1, 0.9, 1.8, -0.4, 2.2]


def test_signed_rank_is_scipys_exact_one_without_ties() -> None:
    ours = signed_rank(UNTIED)
    assert ours.p_value.p == pytest.approx(stats.wilcoxon(UNTIED, mode="exact").pvalue, rel=1e-12)


def test_signed_rank_of_two_hundred_is_the_exact_distribution() -> None:
    d = np.random.default_rng(3).normal(0.15, 1, 200)
    ours = signed_rank(d).p_value
    assert ours.p == pytest.approx(stats.wilcoxon(d, mode="exact").pvalue, rel=1e-9)
    assert ours.count is None


def test_differences_that_only_rounding_tells_apart_are_ties() -> None:
    d = [0.3 - 0.1, 0.2, -0.2, 0.5, 0.6, 0.7]
    assert signed_rank(d).p_value.ties == 3
    assert signed_rank(d).w_minus == 2.0  # midrank of three ties


def test_zeros_raise_the_floor_of_both_tests() -> None:
    d = [0, 0, -1, -2, -3, -4]
    assert sign_flip(d).p_value.floor == signed_rank(d).p_value.floor == 2 / 16
    assert sign_flip(d).p_value.zeros == 2


def test_one_change_and_none() -> None:
    assert sign_flip([2.0]).p_value.p == 1
    assert signed_rank([2.0]).p_value.p == 1
    assert hodges_lehmann([2.0]).estimate == 2
    for nothing in ([], [float("nan")]):
        assert math.isnan(sign_flip(nothing).p_value.p)
        assert math.isnan(signed_rank(nothing).p_value.p)
        assert math.isnan(hodges_lehmann(nothing).estimate)


def test_one_sided_with_five_is_the_only_way_below_a_twentieth() -> None:
    assert sign_flip([-1, -2, -3, -4, -5], alternative="less").p_value.p == 1 / 32


def test_many_subjects_are_flipped_at_random_with_the_error_printed() -> None:
    d = np.random.default_rng(5).normal(0.4, 1, 40)
    p = sign_flip(d, rng=np.random.default_rng(1)).p_value
    t_test = stats.ttest_1samp(d, 0).pvalue
    assert p.p == pytest.approx(t_test, abs=4 * p.monte_carlo_se + 0.002)
    assert (p.total, p.floor) == (2000, 1 / 2000)
    with pytest.raises(StatisticsError, match="give a numpy Generator"):
        sign_flip(d)


def test_the_interval_for_six_of_six_is_from_least_to_most() -> None:
    hl = hodges_lehmann([-5, -4, -3.5, -2, -1, -0.5])
    assert (hl.low, hl.high, hl.attained, hl.requested_attainable) == (-5, -0.5, 0.96875, True)
    five = hodges_lehmann([-5, -4, -3.5, -2, -1])
    assert (five.attained, five.requested_attainable) == (0.9375, False)


def test_six_of_six_leaves_rank_biserial_values_below_a_closed_form() -> None:
    # All six rise with probability q^6 = 0.025: the lower limit is 2 q - 1.
    result = rank_biserial([1, 2, 3, 4, 5, 6])
    assert result.estimate == result.high == 1
    assert result.low == pytest.approx(2 * 0.025 ** (1 / 6) - 1, abs=1e-9)


def test_the_large_sample_interval_of_rank_biserial_meets_the_exact_one() -> None:
    d = np.random.default_rng(8).normal(0.5, 1, 30)
    exact, approximate = rank_biserial(d), rank_biserial(np.append(d, 1e-3))
    assert approximate.low == pytest.approx(exact.low, abs=0.08)
    assert approximate.high == pytest.approx(exact.high, abs=0.08)


def test_max_t_of_equal_hypotheses_costs_nothing() -> None:
    d = np.array([[-1.0, -2.0, -1.5, -3.0, -2.5, -0.5]] * 5)
    assert max_t(d).p_step_down.tolist() == [2 / 64] * 5
    assert max_t(d).p_holm.tolist() == [10 / 64] * 5


def test_max_t_leaves_a_hypothesis_with_one_change_out() -> None:
    d = np.array([[1.0, 2.0, 3.0], [1.0, np.nan, np.nan]])
    result = max_t(d)
    assert result.p_step_down[0] == 0.25
    assert np.isnan(result.p_step_down[1])


def test_changes_without_spread_have_infinite_t_and_the_floor() -> None:
    assert max_t(np.array([[2.0, 2.0, 2.0, 2.0]])).p_step_down.tolist() == [2 / 16]
    assert max_t(np.zeros((1, 4))).p_step_down.tolist() == [1.0]


def test_spearman_of_six_in_order_is_two_of_720() -> None:
    p = spearman([1, 2, 3, 4, 5, 6], [2, 4, 5, 7, 9, 11]).p_value
    assert (p.count, p.total, p.at_floor) == (2, 720, True)


def test_five_pairs_need_perfect_order() -> None:
    almost = spearman([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    assert almost.estimate == pytest.approx(0.9)
    assert almost.p_value.p == pytest.approx(10 / 120)


def test_a_constant_outcome_has_no_correlation() -> None:
    for coefficient in (spearman, kendall):
        result = coefficient([1, 2, 3, 4], [7, 7, 7, 7])
        assert math.isnan(result.estimate)
        assert math.isnan(result.p_value.p)


def test_many_pairs_are_drawn_and_agree_with_the_t_approximation() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=60)
    y = 0.3 * x + rng.normal(size=60)
    ours = spearman(x, y, rng=np.random.default_rng(1))
    other = stats.spearmanr(x, y)
    assert ours.estimate == pytest.approx(other.statistic, abs=1e-12)
    assert ours.p_value.p == pytest.approx(other.pvalue, abs=4 * ours.p_value.monte_carlo_se + 0.002)


def test_correlation_max_t_of_one_row_is_its_own_p() -> None:
    x, y = [3.0, 1.0, 4.0, 1.5, 5.0], [2.0, 7.0, 1.0, 8.0, 3.0]
    joint = correlation_max_t(np.array([x]), y)
    assert joint.p_step_down[0] == joint.p_raw[0] == pytest.approx(spearman(x, y).p_value.p)


def test_correlation_max_t_uses_the_pairs_that_are_there() -> None:
    x = np.array([[1.0, 2.0, 3.0, 4.0, np.nan], [5.0, 1.0, 4.0, 2.0, 3.0]])
    joint = correlation_max_t(x, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert joint.rho[0] == 1
    assert joint.total == 120
    assert joint.p_raw[0] == pytest.approx(2 / 24)  # of the four that are there, each order equally often


def test_friedman_of_complete_agreement() -> None:
    # Four subjects in one order of three visits: one order in 3!^3 agrees as much.
    result = friedman(np.array([[1.0, 2.0, 3.0]] * 4))
    assert (result.statistic, result.kendall_w) == (8.0, 1.0)
    assert result.p_value.p == pytest.approx(1 / 6**3)


def test_friedman_of_many_subjects_is_drawn() -> None:
    values = np.random.default_rng(4).normal(size=(50, 4)) + np.array([0, 0, 0.3, 0.5])
    result = friedman(values, rng=np.random.default_rng(1))
    chi2 = stats.friedmanchisquare(*values.T)
    assert result.statistic == pytest.approx(chi2.statistic)
    assert result.p_value.p == pytest.approx(chi2.pvalue, abs=4 * result.p_value.monte_carlo_se + 0.005)


def test_rank_sum_is_scipys_exact_one() -> None:
    a, b = [3.1, 4.2, 5.9, 2.2], [1.0, 2.9, 0.4, 2.5, 1.7]
    assert rank_sum(a, b).p_value.p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)
    assert rank_sum(a, b).shift == pytest.approx(1.95)  # median of the 20 differences


def test_label_permutation_of_three_against_three() -> None:
    difference, p = mean_difference([10.0, 11.0, 12.0], [1.0, 2.0, 3.0])
    assert (difference, p.fraction, p.floor) == (9.0, "2/20", 0.1)


def test_the_omnibus_finds_what_the_largest_t_does_not() -> None:
    rng = np.random.default_rng(11)
    d = rng.normal(0.8, 1.0, (12, 6))
    assert sum_of_squares_flip(d)[1].p <= min(max_t(d).p_step_down)


def test_published_response_interval_is_clopper_pearsons() -> None:
    interval = proportion_interval(5, 6)
    assert (round(100 * interval.low, 1), round(100 * interval.high, 1)) == (35.9, 99.6)
    with pytest.raises(StatisticsError, match="7 of 6 is not a fraction"):
        proportion_interval(7, 6)
    assert math.isnan(proportion_interval(0, 0).low)


def test_adjusting_nothing_gives_nothing() -> None:
    assert p_adjust([], "holm").size == 0
    assert np.isnan(p_adjust([float("nan")], "bh")).all()


@pytest.mark.parametrize(("n", "mde"), [(6, 1.80), (7, 1.33), (8, 1.25)])
def test_minimal_effects_are_those_of_the_design(n: int, mde: float) -> None:
    assert minimal_effect(n) == pytest.approx(mde, abs=0.02)


def test_no_effect_is_large_enough_for_five() -> None:
    assert exact_power(5, 10.0) == 0
    assert math.isnan(minimal_effect(5))
    assert minimal_effect_t(5) == pytest.approx(1.68, abs=0.005)
