"""Variation and effects, against closed forms."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from cytometry.simulation.blood import Blood
from cytometry.simulation.cohort import Course, Effects, Variation, draw_blood, shift_logit, vary


def test_no_spread_changes_nothing() -> None:
    assert vary(Blood(), 0.0, {}, np.random.default_rng(1)).double_negative == pytest.approx(0.13)


def test_spread_is_on_the_logit_scale() -> None:
    rng = np.random.default_rng(1)
    odds = [log(d / (1 - d)) for d in (vary(Blood(), 0.2, {}, rng).double_negative for _ in range(2_000))]
    assert np.mean(odds) == pytest.approx(log(0.13 / 0.87), abs=0.02)  # 4 standard errors
    assert np.std(odds) == pytest.approx(0.2, rel=0.07)


@pytest.mark.parametrize(
    ("population", "effect"),
    [("double_negative", -1.0), ("switched_memory", -0.8), ("activated_naive", -1.2), ("transitional", 1.0)],
)
@pytest.mark.parametrize(("response", "onset"), [(1.0, 1.0), (1.2, 0.6), (0.0, 1.0)])
def test_an_effect_multiplies_the_fraction(population: str, effect: float, response: float, onset: float) -> None:
    course = Course(Blood(), response, gains_helios=False, effects=Effects())
    after = course.at(onset, 0.0, np.random.default_rng(1))
    assert getattr(after, population) / getattr(Blood(), population) == pytest.approx(2 ** (effect * response * onset))


def test_helios_rises_where_it_was_said_to() -> None:
    effects = Effects(helios_treg=1.0, helios_share=log(3.0))
    after = Course(Blood(helios=0.5), 1.0, gains_helios=True, effects=effects).at(1.0, 0.0, np.random.default_rng(1))
    assert after.helios == pytest.approx(0.75)
    assert after.treg == pytest.approx(2 * Blood().treg)


def test_shares_stay_possible_however_far_participants_differ() -> None:
    rng = np.random.default_rng(1)
    for _ in range(500):
        blood = draw_blood(Blood(), Variation(between=1.5), rng)
        assert blood.fraction_of_b("resting_naive") >= 0.1 * (1 - blood.activated_naive) - 1e-9
        assert sum(blood.cell_shares().values()) == pytest.approx(1.0)


def test_what_is_crowded_out_keeps_its_proportions() -> None:
    full = replace(Blood(), unswitched_memory=0.3, switched_memory=0.5, double_negative=0.2)
    fitted = vary(full, 0.0, {}, np.random.default_rng(1))
    assert fitted.switched_memory / fitted.double_negative == pytest.approx(2.5)
    assert fitted.fraction_of_b("resting_naive") == pytest.approx(0.1 * (1 - full.activated_naive))


def test_logit_shift_by_hand() -> None:
    assert shift_logit(0.2, 1.0) == pytest.approx(0.25 * exp(1) / (1 + 0.25 * exp(1)))
    assert [shift_logit(x, 3.0) for x in (0.0, 1.0)] == [0.0, 1.0]
