"""Mixed, count and weighted models, and repeated correlations, beyond the reference cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.errors import StatisticsError
from cytometry.statistics.count_model import count_model, relabelled_p
from cytometry.statistics.mixed_model import mixed_model
from cytometry.statistics.paired_log_odds import paired_log_odds, weighted_mean
from cytometry.statistics.rmcorr import rmcorr
from cytometry.statistics.rmcorr_permutation import course_permutation, swap_max_t
from cytometry.statistics.sign_flip import sign_flip

VISITS = ["W0", "W4", "W8"]


def labels(subjects: int) -> tuple[list[str], list[str]]:
    return [f"P{i}" for i in range(subjects) for _ in VISITS], VISITS * subjects


def test_a_singular_fit_is_said_to_be_singular() -> None:
    subjects, visits = labels(4)
    # Patients with equal means: less variance between them than chance gives.
    y = [1, 2, 3, 3, 1, 2, 2, 3, 1, 1, 3, 2]
    fit = mixed_model(subjects, visits, y, reference="W0")
    assert fit.singular
    assert fit.tau2 == 0


def test_rows_without_a_value_are_left_out_and_the_rest_used() -> None:
    subjects, visits = labels(5)
    y = np.random.default_rng(1).normal(size=15) + np.repeat(np.arange(5.0), 3)
    y[4] = np.nan
    fit = mixed_model(subjects, visits, y, reference="W0")
    assert (fit.rows, fit.subjects) == (14, 5)
    assert fit.kenward_roger.names == ("W4-W0", "W8-W0")


@pytest.mark.parametrize("y", [[1, 2, 3], [float("nan")] * 3])
def test_one_patient_is_too_few(y: list[float]) -> None:
    with pytest.raises(StatisticsError, match="too few"):
        mixed_model(["P1"] * 3, VISITS, y, reference="W0")
    with pytest.raises(StatisticsError, match="too few"):
        count_model(["P1"] * 3, VISITS, y, [100] * 3, reference="W0")


def simulated_counts(effect: float, phi: float | None = None) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(12)
    subjects, visits = labels(60)
    n = np.full(180, 2000.0)
    eta = -2 + np.repeat(rng.normal(0, 0.5, 60), 3) + effect * np.tile([0, 1, 0], 60)
    p = 1 / (1 + np.exp(-eta - (0 if phi else rng.normal(0, 0.3, 180))))
    if phi:
        p = rng.beta(p * phi, (1 - p) * phi)
    return subjects, visits, rng.binomial(2000, p).astype(float), n


def test_the_binomial_model_finds_what_was_simulated() -> None:
    fit = count_model(*simulated_counts(0.7), reference="W0")
    assert fit.converged
    assert fit.beta[1] == pytest.approx(0.7, abs=3 * fit.se[1])
    assert fit.beta[2] == pytest.approx(0.0, abs=3 * fit.se[2])
    assert fit.sd_subject == pytest.approx(0.5, rel=0.3)
    assert fit.sd_observation == pytest.approx(0.3, rel=0.2)


def test_the_beta_binomial_model_finds_what_was_simulated() -> None:
    fit = count_model(*simulated_counts(-0.5, phi=80), family="betabinomial_subject", reference="W0")
    assert fit.converged
    assert fit.beta[1] == pytest.approx(-0.5, abs=3 * fit.se[1])
    assert fit.phi == pytest.approx(80, rel=0.3)


def test_counts_without_spread_between_tubes_still_fit() -> None:
    subjects, visits = labels(4)
    fit = count_model(subjects, visits, [100, 120, 80] * 4, [1000] * 12, reference="W0")
    assert fit.sd_subject == pytest.approx(0, abs=0.01)
    assert fit.sd_observation == pytest.approx(0, abs=0.01)
    assert fit.beta[1] == pytest.approx(math.log(0.12 / 0.88) - math.log(0.1 / 0.9), abs=1e-3)


def test_relabelling_all_six_one_way_is_at_the_floor() -> None:
    subjects = [f"P{i}" for i in range(6) for _ in range(2)]
    count = [c for i in range(6) for c in (100 + 11 * i, 180 + 13 * i)]
    p = relabelled_p(subjects, ["W0", "W4"] * 6, count, [1000] * 12, visit="W4", reference="W0")
    assert (p.fraction, p.at_floor) == ("2/64", True)


def test_relabelling_more_than_ten_is_not_tried() -> None:
    subjects = [f"P{i}" for i in range(11) for _ in range(2)]
    p = relabelled_p(subjects, ["W0", "W4"] * 11, [10] * 22, [100] * 22, visit="W4", reference="W0")
    assert math.isnan(p.p)


def test_equal_precision_makes_the_weighted_mean_the_mean() -> None:
    d = np.array([0.5, 1.5, -0.3, 0.9, 1.1, 0.2])
    fit = weighted_mean(d, np.full(6, 0.01))
    assert fit.estimate == pytest.approx(d.mean())
    assert fit.se == pytest.approx(d.std(ddof=1) / math.sqrt(6))
    assert fit.tau2 == pytest.approx(d.var(ddof=1) - 0.01)
    assert fit.p_value.fraction == sign_flip(d).p_value.fraction == "6/64"


def test_a_patient_without_parent_events_is_left_out_of_the_weighted_mean() -> None:
    fit = paired_log_odds([10, 20, 30], [100, 0, 200], [15, 5, 50], [120, 90, 210])
    assert fit.log_odds.size == 2


def test_equal_effects_give_no_p_of_0() -> None:
    fit = weighted_mean(np.full(6, 0.4), np.full(6, 0.01))
    assert math.isnan(fit.p)
    assert fit.p_value.p == 2 / 64


def test_a_shared_time_course_is_a_correlation_that_swapping_courses_does_not_see() -> None:
    subjects, visits = labels(5)
    rng = np.random.default_rng(6)
    course = np.tile([0.0, 3.0, 1.0], 5)
    x, y = course + rng.normal(0, 0.3, 15), course + rng.normal(0, 0.3, 15)
    result = course_permutation(subjects, visits, x, y)
    assert rmcorr(subjects, x, y).r > 0.9
    assert result.within_subjects.p < 0.001
    assert result.trajectory_swap.p > 0.05
    assert abs(rmcorr(subjects, x, y, visits=visits).r) < 0.75


def test_patients_with_a_missing_visit_are_left_out_and_named() -> None:
    subjects, visits = labels(4)
    x = np.arange(12.0) ** 1.3
    x[4] = np.nan
    result = course_permutation(subjects, visits, x, np.sin(np.arange(12.0)))
    assert (result.n, result.left_out) == (3, ("P1",))


def test_the_enumeration_in_two_halves_counts_what_a_plain_one_does() -> None:
    import itertools

    subjects, visits = labels(3)
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(3, 3)), rng.integers(0, 3, size=(3, 3)).astype(float)
    xc, yc = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    orders = list(itertools.permutations(range(3)))
    sums = [
        sum(float(xc[i] @ yc[i][list(o)]) for i, o in enumerate(chosen))
        for chosen in itertools.product(orders, repeat=3)
    ]
    observed = abs(float((xc * yc).sum()))
    expected = sum(abs(s) >= observed - 1e-9 for s in sums)
    assert course_permutation(subjects, visits, x.ravel(), y.ravel()).within_subjects.count == expected


def test_swaps_adjusted_over_one_population_are_its_own_p() -> None:
    subjects, visits = labels(5)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=15), rng.normal(size=15)
    alone = course_permutation(subjects, visits, x, y).trajectory_swap.p
    assert swap_max_t(subjects, visits, [x], y).tolist() == pytest.approx([alone])


def test_many_patients_are_permuted_at_random() -> None:
    subjects, visits = labels(40)
    rng = np.random.default_rng(3)
    x = rng.normal(size=120)
    result = course_permutation(subjects, visits, x, x + rng.normal(size=120), rng=np.random.default_rng(1))
    assert result.within_subjects.p == result.trajectory_swap.p == 1 / 2000


def test_a_perfect_line_has_no_p_of_0() -> None:
    fit = rmcorr(["A"] * 3 + ["B"] * 3, [1, 2, 3, 5, 6, 7], [2, 4, 6, 0, 2, 4])
    assert fit.r == pytest.approx(1)
    assert not fit.p <= 0


def test_values_without_variance_are_refused() -> None:
    subjects, visits = labels(4)
    with pytest.raises(StatisticsError, match="no variance to model"):
        mixed_model(subjects, visits, [-1.39, -1.2, -1.0] * 4, reference="W0")


def test_two_patients_are_fitted_and_what_has_no_value_is_nan() -> None:
    y = [-4.17, -5.89, -7.2, -5.89, -8.29, -8.29]
    fit = mixed_model(*labels(2), y, reference="W0")
    assert np.isfinite(fit.kenward_roger.estimate).all()
    assert not fit.omnibus.p <= 0


def test_rows_that_patients_and_visits_use_up_leave_nothing_to_test() -> None:
    with pytest.raises(StatisticsError, match="too few"):
        mixed_model(["P1", "P1", "P1", "P2"], ["W0", "W4", "W8", "W0"], [-2.2, -3.7, 4.9, -0.3], reference="W0")
