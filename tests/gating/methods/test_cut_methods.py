"""One-dimensional methods against closed forms on known distributions."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.errors import GatingError
from cytometry.gating.methods.anchor import place_anchor
from cytometry.gating.methods.convention import normal_freedom
from cytometry.gating.methods.density import density_of, histogram, maxima, minima, smooth
from cytometry.gating.methods.evidence import CutEvidence, CutPosition, Pool
from cytometry.gating.methods.fixed import place_fixed
from cytometry.gating.methods.fmo_percentile import place_fmo_percentile
from cytometry.gating.methods.mixture import place_mixture
from cytometry.gating.methods.normal import normal_cdf
from cytometry.gating.methods.quantile import place_quantile
from cytometry.gating.methods.registry import CUT_METHODS, SHAPE_METHODS
from cytometry.gating.methods.same_as import place_same_as
from cytometry.gating.methods.tail import place_tail
from cytometry.gating.methods.valley import place_valley
from cytometry.model.rules import Anchor, Fixed, FmoPercentile, Mixture, Quantile, SameAs, Tail, Valley


def two_peaks(rng: np.random.Generator, n: int = 4000, share: float = 0.5, sd: float = 0.06) -> np.ndarray:
    """Normal peaks at 0.3 and 0.7; ``share`` of the events in the upper one."""
    upper = rng.random(n) < share
    return rng.normal(np.where(upper, 0.7, 0.3), sd)


def evidence(*tubes: np.ndarray) -> CutEvidence:
    return CutEvidence(Pool(tubes))


def test_every_rule_has_a_method_and_every_method_a_rule() -> None:
    from typing import get_args

    from cytometry.model.rules import CutRule, ShapeRule

    def names(union: object) -> set[str]:
        return {m.model_fields["method"].default for m in get_args(get_args(union)[0])}

    assert set(CUT_METHODS) == names(CutRule)
    assert set(SHAPE_METHODS) == names(ShapeRule)


def test_a_smoothed_normal_has_the_variance_of_both() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.05, 100_000)
    centres, weights, n = histogram(Pool((values,)))
    density = smooth(centres, weights, 0.02, n)
    total = density.values.sum() * density.step
    mean = (density.grid * density.values).sum() * density.step
    variance = ((density.grid - mean) ** 2 * density.values).sum() * density.step
    assert total == pytest.approx(1.0, abs=1e-3)
    assert variance == pytest.approx(0.05**2 + 0.02**2, rel=0.02)


def test_flat_extremes_are_found_in_their_middle() -> None:
    assert minima(np.array([3.0, 1, 1, 1, 2, 0.5, 4])).tolist() == [2, 5]
    assert maxima(np.array([0.0, 2, 2, 2, 1, 3, 0])).tolist() == [2, 5]


def test_a_pool_gives_every_tube_the_same_weight() -> None:
    pool = Pool((np.full(100, 0.0), np.full(1000, 1.0)))
    values, weights = pool.sorted_with_weights()
    assert weights[values == 0.0].sum() == pytest.approx(0.5)


def test_a_handful_of_events_weighs_in_proportion() -> None:
    """Ten events have a tenth of the say of a hundred; an empty tube has none."""
    pool = Pool((np.full(10, 0.0), np.full(1000, 1.0), np.empty(0)))
    values, weights = pool.sorted_with_weights()
    assert weights[values == 0.0].sum() == pytest.approx(0.1 / 1.1)
    assert weights.sum() == pytest.approx(1.0)
    centres, histogram_weights, n_effective = histogram(Pool((np.linspace(0, 1, 100), np.linspace(0, 1, 400))))
    assert histogram_weights.sum() == pytest.approx(1.0)
    assert n_effective == pytest.approx(4 / (1 / 100 + 1 / 400))
    assert centres[0] < 0 < 1 < centres[-1]


def test_a_density_does_not_depend_on_the_order_of_events() -> None:
    values = two_peaks(np.random.default_rng(2))
    np.testing.assert_array_equal(density_of(Pool((values,))).values, density_of(Pool((values[::-1],))).values)


def test_the_valley_of_two_equal_peaks_lies_in_the_middle() -> None:
    found = place_valley(Valley(), evidence(two_peaks(np.random.default_rng(3))))
    assert found.value == pytest.approx(0.5, abs=0.03)
    assert found.confidence > 0.99


def test_the_error_of_a_valley_is_about_its_spread_over_repeats() -> None:
    found = [place_valley(Valley(), evidence(two_peaks(np.random.default_rng(s), sd=0.1))) for s in range(60)]
    spread = np.std([f.value for f in found])
    told = np.median([f.sd for f in found])
    width = np.median([density_of(Pool((two_peaks(np.random.default_rng(s), sd=0.1),))).bandwidth for s in range(60)])
    # What is finer than the kernel cannot be told; beyond that, the error is that of sampling.
    assert told > width
    assert 0.5 * spread < np.sqrt(told**2 - width**2) < 2.0 * spread


def test_one_peak_has_no_sure_valley() -> None:
    for seed in range(20):
        try:
            found = place_valley(Valley(), evidence(np.random.default_rng(seed).normal(0.5, 0.08, 2000)))
        except GatingError:
            continue
        assert found.confidence < 0.5


@pytest.mark.parametrize("values", [np.full(500, 0.4), np.repeat([0.0, 1.0], 250), np.full(500, 1e9)])
def test_events_that_are_all_alike_give_no_warning_and_no_sure_cut(values: np.ndarray) -> None:
    for method, rule in (("valley", Valley()), ("tail", Tail()), ("quantile", Quantile(fraction=0.5))):
        try:
            found = CUT_METHODS[method](rule, evidence(values))
        except GatingError:
            continue
        assert np.isfinite(found.value)


def test_a_rare_peak_is_found() -> None:
    found = place_valley(Valley(), evidence(two_peaks(np.random.default_rng(4), 20_000, share=0.005)))
    assert 0.5 < found.value < 0.62
    assert found.confidence > 0.9


def test_a_stray_event_beyond_an_empty_gap_is_no_peak() -> None:
    values = np.append(np.random.default_rng(12).normal(0.3, 0.05, 300), 0.85)
    with pytest.raises(GatingError, match="no density valley"):
        place_valley(Valley(between=(0.5, 0.8)), evidence(values))


def test_a_valley_outside_the_range_does_not_count() -> None:
    with pytest.raises(GatingError, match="no density valley in the range"):
        place_valley(Valley(between=(0.75, 0.9)), evidence(np.random.default_rng(5).normal(0.3, 0.05, 3000)))


def test_the_mixture_cuts_where_the_components_are_equally_likely() -> None:
    w, s = 0.2, 0.08
    values = two_peaks(np.random.default_rng(6), 20_000, share=w, sd=s)
    expected = 0.5 + s**2 * np.log((1 - w) / w) / 0.4  # equal spreads: the crossing in closed form
    found = place_mixture(Mixture(), evidence(values))
    assert found.value == pytest.approx(expected, abs=0.01)
    assert found.confidence > 0.9


def test_a_mixture_of_one_peak_is_not_sure() -> None:
    for seed in range(5):
        try:
            found = place_mixture(Mixture(), evidence(np.random.default_rng(seed).normal(0.5, 0.05, 3000)))
        except GatingError:
            continue
        assert found.confidence < 0.5


@pytest.mark.parametrize(("side", "sign"), [("above", 1), ("below", -1)])
def test_a_tail_is_measured_on_the_far_side_of_the_peak(side: str, sign: int) -> None:
    rng = np.random.default_rng(8)
    values = np.concatenate([rng.normal(0.5, 0.04, 20_000), rng.normal(0.5 + sign * 0.2, 0.05, 3_000)])
    found = place_tail(Tail(side=side, spreads=3), evidence(values))
    assert found.value == pytest.approx(0.5 + sign * 0.12, abs=0.015)
    # 0.135 % of a normal distribution lie beyond three spreads; 0.27 % and 0.0675 % beyond 2.782 and 3.205.
    assert found.sd == pytest.approx(0.04 * (3.205 - 2.782) / 2, rel=0.15)


@pytest.mark.parametrize("spreads", [0.5, 2.0, 3.0])
@pytest.mark.parametrize("n", [150, 1_500])
def test_the_error_of_a_tail_is_its_spread_over_repeats_and_its_convention(spreads: float, n: int) -> None:
    """A fifth of the events are neighbours on the near side."""
    rule = Tail(side="below", spreads=spreads)
    found = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        values = np.where(np.arange(n) % 5 > 0, rng.normal(0.6, 0.04, n), rng.normal(0.42, 0.06, n))
        found.append(place_tail(rule, evidence(values)))
    told = np.median([f.sd for f in found])
    sampling = np.sqrt(told**2 - (0.04 * normal_freedom(spreads)) ** 2)
    assert 0.7 < sampling / np.std([f.value for f in found]) < 1.5


def test_the_middle_of_a_peak_is_read_from_its_shoulders() -> None:
    """A kernel's mode alone would put this cut off by 0.019 (standard deviation), more than three times a mean's error.

    Of 800 events two spreads out: shoulders at four fifths halve that.
    """
    rule = Tail(side="below", spreads=2)
    errors = [
        place_tail(rule, evidence(np.random.default_rng(seed).normal(0.6, 0.044, 800))).value - (0.6 - 0.088)
        for seed in range(100)
    ]
    assert np.sqrt(np.mean(np.square(errors))) < 0.011


def test_a_quantile_has_the_error_of_an_order_statistic() -> None:
    n, p = 2000, 0.8
    found = [place_quantile(Quantile(fraction=p), evidence(np.random.default_rng(s).random(n))) for s in range(100)]
    assert np.mean([f.value for f in found]) == pytest.approx(p, abs=0.002)
    exact = np.sqrt(p * (1 - p) / n)  # uniform: density 1
    assert np.std([f.value for f in found]) == pytest.approx(exact, rel=0.25)
    assert np.mean([f.sd for f in found]) == pytest.approx(exact, rel=0.25)


def test_an_fmo_control_gives_its_percentile() -> None:
    background = np.random.default_rng(9).normal(0.2, 0.05, 50_000)
    found = place_fmo_percentile(
        FmoPercentile(percentile=99.5),
        CutEvidence(Pool((two_peaks(np.random.default_rng(9)),)), fmo=Pool((background,))),
    )
    assert found.value == pytest.approx(0.2 + 2.5758 * 0.05, abs=0.004)
    # The 99th and the 99.75th percentile would be as good.
    assert found.sd == pytest.approx(0.05 * (2.8070 - 2.3263) / 2, rel=0.1)
    assert found.source == "fmo"


def test_a_missing_fmo_control_is_said() -> None:
    with pytest.raises(GatingError, match="no FMO control") as error:
        place_fmo_percentile(FmoPercentile(), evidence(np.zeros(100)))
    assert error.value.code == "FMO_MISSING"


@pytest.mark.parametrize(("side", "expected"), [("above", 0.2 + 2.3263 * 0.05), ("below", 0.2 - 2.3263 * 0.05)])
def test_an_anchor_is_a_percentile_of_the_reference(side: str, expected: float) -> None:
    reference = Pool((np.random.default_rng(10).normal(0.2, 0.05, 50_000),))
    rule = Anchor(population="t_cells", side=side, percentile=99)
    found = place_anchor(rule, CutEvidence(Pool((np.zeros(5),)), references={"t_cells": reference}))
    assert found.value == pytest.approx(expected, abs=0.004)
    # The 98th and the 99.5th percentile would be as good.
    assert found.sd == pytest.approx(0.05 * (2.5758 - 2.0537) / 2, rel=0.1)
    assert found.source == "control"


def test_a_fixed_cut_has_no_confidence() -> None:
    found = place_fixed(Fixed(at=0.4), evidence(np.zeros(0)))
    assert (found.value, found.confidence, found.source) == (0.4, 0.0, "fallback")


def test_same_as_adds_the_width_of_its_own_kernel_to_the_error() -> None:
    own = evidence(np.random.default_rng(11).normal(0.4, 0.05, 300))
    other = CutPosition(0.43, 0.01, 0.9)
    found = place_same_as(SameAs(cut="cd27"), CutEvidence(own.pool, others={"cd27": other}))
    assert found.sd == pytest.approx(np.hypot(0.01, density_of(own.pool).bandwidth))


def test_same_as_takes_another_cut_over() -> None:
    other = CutPosition(0.43, 0.01, 0.9)
    found = place_same_as(SameAs(cut="cd27"), CutEvidence(Pool(()), others={"cd27": other}))
    assert (found.value, found.sd) == (other.value, other.sd)
    assert found.confidence == pytest.approx(0.8 * 0.9)
    with pytest.raises(GatingError, match="cut 'igd' was not placed"):
        place_same_as(SameAs(cut="igd"), CutEvidence(Pool(()), others={"cd27": other}))


@pytest.mark.parametrize("method", ["valley", "tail", "mixture"])
def test_a_handful_of_events_is_refused(method: str) -> None:
    rule = {"valley": Valley(), "tail": Tail(), "mixture": Mixture()}[method]
    with pytest.raises(GatingError, match="are needed"):
        CUT_METHODS[method](rule, evidence(np.array([0.1, 0.2, 0.9])))


def test_the_normal_distribution() -> None:
    assert normal_cdf(1.959963985) == pytest.approx(0.975, abs=1e-9)
