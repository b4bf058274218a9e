"""What has to hold for every sample, whatever the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytometry.statistics.correlation import kendall, spearman
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.max_t import max_t
from cytometry.statistics.mixed_model import mixed_model
from cytometry.statistics.p_adjust import p_adjust
from cytometry.statistics.paired_log_odds import weighted_mean
from cytometry.statistics.rank_biserial import rank_biserial
from cytometry.statistics.rmcorr import rmcorr
from cytometry.statistics.sign_flip import sign_flip
from cytometry.statistics.signed_rank import signed_rank

# Changes as trials have them: a few digits, ties and zeros likely, nothing of 1e300.
CHANGE = st.integers(-40, 40).map(lambda i: i / 10)
CHANGES = st.lists(CHANGE, min_size=2, max_size=9)
FIVE = st.lists(CHANGE, min_size=5, max_size=5)
SIX = st.lists(CHANGE, min_size=6, max_size=6)


@st.composite
def panels(draw: st.DrawFn) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    n = draw(st.integers(3, 7))
    rows = draw(st.lists(st.lists(CHANGE, min_size=n, max_size=n), min_size=1, max_size=5))
    return np.array(rows, dtype=float)


@given(CHANGES)
def test_turning_every_sign_turns_the_estimates_and_keeps_the_p(d: list[float]) -> None:
    turned = [-x for x in d]
    assert sign_flip(d).p_value.p == sign_flip(turned).p_value.p
    assert signed_rank(d).p_value.p == signed_rank(turned).p_value.p
    assert hodges_lehmann(d).estimate == pytest.approx(-hodges_lehmann(turned).estimate, abs=1e-12)
    assert hodges_lehmann(d).low == pytest.approx(-hodges_lehmann(turned).high, abs=1e-12)
    if any(d):
        assert rank_biserial(d).low == pytest.approx(-rank_biserial(turned).high, abs=1e-9)


@given(CHANGES, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(d: list[float], shuffler: object) -> None:
    other = list(d)
    shuffler.shuffle(other)  # type: ignore[attr-defined]
    assert sign_flip(d).p_value.count == sign_flip(other).p_value.count
    assert signed_rank(d).p_value.count == signed_rank(other).p_value.count
    assert hodges_lehmann(d).estimate == pytest.approx(hodges_lehmann(other).estimate, abs=1e-12)


@given(CHANGES, st.sampled_from([0.001, 3.0, 1e6]))
def test_a_change_of_unit_keeps_every_p(d: list[float], factor: float) -> None:
    scaled = [factor * x for x in d]
    assert sign_flip(d).p_value.count == sign_flip(scaled).p_value.count
    assert signed_rank(d).p_value.count == signed_rank(scaled).p_value.count


@given(CHANGES)
def test_no_p_is_0_or_below_its_floor(d: list[float]) -> None:
    for alternative in ("two.sided", "greater", "less"):
        for p in (
            sign_flip(d, alternative=alternative).p_value,  # type: ignore[arg-type]
            signed_rank(d, alternative=alternative, zero_method="wilcox").p_value,  # type: ignore[arg-type]
        ):
            assert 0 < p.floor <= p.p * (1 + 1e-12) <= 1 + 1e-9
            assert p.count is not None
            assert p.total is not None
            assert p.p == pytest.approx(p.count / p.total)


@given(FIVE)
def test_five_patients_are_never_significant(d: list[float]) -> None:
    assert sign_flip(d).p_value.p > 0.05
    assert signed_rank(d).p_value.p > 0.05
    assert weighted_mean(np.array(d), np.full(5, 0.01)).p_value.p > 0.05
    assert (max_t(np.array([d, d])).p_step_down > 0.05).all()


@given(SIX.filter(lambda d: len({abs(x) for x in d}) == 6 and 0 not in d), st.sampled_from([0.05, 0.1, 0.2]))
def test_the_interval_leaves_0_out_exactly_when_the_signed_rank_test_rejects(d: list[float], alpha: float) -> None:
    interval = hodges_lehmann(d, level=1 - alpha)
    assert (interval.low > 0 or interval.high < 0) == (signed_rank(d).p_value.p <= alpha + 1e-12)


@given(SIX)
def test_one_hypothesis_adjusted_is_the_hypothesis_itself(d: list[float]) -> None:
    assert max_t(np.array([d])).p_step_down[0] == pytest.approx(sign_flip(d).p_value.p)


@given(panels())
def test_adjusted_is_never_below_raw_and_falls_with_t(d: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    result = max_t(d)
    assert (result.p_step_down >= result.p_raw - 1e-12).all()
    assert (result.p_single_step >= result.p_step_down - 1e-12).all()
    order = np.argsort(-np.abs(result.t), kind="stable")
    assert (np.diff(result.p_step_down[order]) >= -1e-12).all()
    assert (result.p_step_down >= result.floor - 1e-12).all()


@given(panels())
def test_studentised_and_plain_mean_have_one_p(d: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    raw = max_t(d).p_raw
    assert raw == pytest.approx(np.array([sign_flip(row).p_value.p for row in d]))


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8))
def test_holm_lies_between_raw_and_bonferroni(p: list[float]) -> None:
    holm, bonferroni = p_adjust(p, "holm"), p_adjust(p, "bonferroni")
    assert (holm >= np.array(p) - 1e-12).all()
    assert (holm <= bonferroni + 1e-12).all()
    assert (p_adjust(p, "bh") <= p_adjust(p, "hochberg") + 1e-12).all()


@given(st.lists(st.tuples(CHANGE, CHANGE), min_size=3, max_size=6))
def test_rank_correlations_do_not_care_for_monotone_scales(pairs: list[tuple[float, float]]) -> None:
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    for coefficient in (spearman, kendall):
        plain, bent = coefficient(x, y), coefficient([math.exp(a) for a in x], [b**3 for b in y])
        if math.isnan(plain.estimate):
            assert math.isnan(bent.estimate)
        else:
            assert bent.estimate == pytest.approx(plain.estimate)
            assert bent.p_value.count == plain.p_value.count
            assert 0 < plain.p_value.floor <= plain.p_value.p * (1 + 1e-12)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_a_balanced_mixed_model_is_the_analysis_of_variance(seed: int) -> None:
    y = balanced(seed, visits=3)
    fit = mixed_model(*labels(6, 3), y.ravel(), reference="W0")
    if fit.singular:
        return
    residual = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    mean_square = float((residual**2).sum()) / 10
    f = 6 * float(((y.mean(axis=0) - y.mean()) ** 2).sum()) / 2 / mean_square
    assert fit.omnibus.f == pytest.approx(f, rel=1e-5)
    assert fit.omnibus.denominator_df == pytest.approx(10, rel=1e-5)
    assert fit.sigma2 == pytest.approx(mean_square, rel=1e-5)
    assert (fit.kenward_roger.df <= 18 - 3 + 1e-6).all()


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_a_mixed_model_of_two_visits_is_the_paired_t(seed: int) -> None:
    from scipy.stats import ttest_rel

    y = balanced(seed, visits=2)
    fit = mixed_model(*labels(6, 2), y.ravel(), reference="W0")
    if fit.singular:
        return
    expected = ttest_rel(y[:, 1], y[:, 0])
    assert fit.kenward_roger.t[0] == pytest.approx(expected.statistic, rel=1e-5)
    assert fit.kenward_roger.p[0] == pytest.approx(expected.pvalue, rel=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_p_of_a_repeated_correlation_is_that_of_its_t(seed: int) -> None:
    from scipy.stats import t as student

    x, y = balanced(seed, visits=4), balanced(seed + 1, visits=4)
    fit = rmcorr(labels(6, 4)[0], x.ravel(), y.ravel())
    t = fit.r * math.sqrt(fit.df / (1 - fit.r**2))
    assert fit.df == 17
    assert fit.p == pytest.approx(2 * float(student.sf(abs(t), 17)))


def balanced(seed: int, visits: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Six patients with their own level, every visit there."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(6, visits)) + 2 * rng.normal(size=(6, 1)) + np.arange(visits)


def labels(patients: int, visits: int) -> tuple[list[str], list[str]]:
    """Subjects and visits of the rows of a balanced trial."""
    return (
        [f"P{i}" for i in range(patients) for _ in range(visits)],
        [f"W{4 * j}" for j in range(visits)] * patients,
    )
