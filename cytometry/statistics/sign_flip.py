"""Exact test of a mean change by flipping the signs of whole patients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from cytometry.errors import StatisticsError
from cytometry.statistics.p_values import RELATIVE_TIE, Alternative, PValue, monte_carlo_p, untestable
from cytometry.statistics.ranks import FloatArray, Values, count_tied, present, round_significant

ENUMERATED_UP_TO = 16
"""Subjects up to which all 2^n flips are made; above, flips are drawn."""

DRAWS = 1999
"""Monte Carlo flips: p = 0.05 is then known to ± 0.005 (standard error)."""

DEFINITIONS = MappingProxyType(
    {"two.sided": "P(|mean*| >= |mean|)", "greater": "P(mean* >= mean)", "less": "P(mean* <= mean)"}
)


@dataclass(frozen=True, slots=True)
class SignFlip:
    """Mean change, its exact p-value and Hartigan's interval.

    Parameters
    ----------
    mean
        Of the changes that are there.
    p_value
        With its marks.
    low, high
        Hartigan's interval for the centre of symmetry; NaN where n is too
        small for the requested level, or too large to enumerate.
    order
        Order statistic of the subset means that ends the interval, 0 if none.
    attained
        The level that the interval has; NaN without one.
    """

    mean: float
    p_value: PValue
    low: float
    high: float
    order: int
    attained: float


def sign_patterns(n: int) -> FloatArray:
    """All 2^n rows of ±1, the first one all +1.

    Examples
    --------
    >>> sign_patterns(2).tolist()
    [[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]
    """
    numbers = np.arange(2**n)
    flipped = (numbers[:, None] >> np.arange(n)[None, :]) & 1
    return np.asarray(1.0 - 2.0 * flipped, dtype=np.float64)


def drawn_signs(n: int, draws: int, rng: np.random.Generator | None) -> FloatArray:
    """Random rows of ±1.

    Raises
    ------
    StatisticsError
        No generator was given: a drawn p-value needs a seed to be repeatable.
    """
    if rng is None:
        raise StatisticsError(
            f"{n} subjects are too many to flip all signs",
            where="sign flips",
            hint=f"up to {ENUMERATED_UP_TO} are enumerated; above, give a numpy Generator",
        )
    return np.asarray(1.0 - 2.0 * rng.integers(0, 2, size=(draws, n)), dtype=np.float64)


def sign_flip(
    differences: Values,
    *,
    alternative: Alternative = "two.sided",
    level: float = 0.95,
    rng: np.random.Generator | None = None,
    draws: int = DRAWS,
) -> SignFlip:
    """Exact sign-flip test of the mean; valid when changes are symmetric about 0 under the null.

    The studentised mean orders the flips as the mean does, so both have one
    p-value. NaN changes are left out.

    Examples
    --------
    >>> result = sign_flip([-1.42, -0.87, -2.31, 0.15, -1.03, -0.66])
    >>> result.p_value.p, result.p_value.fraction, result.p_value.floor
    (0.0625, '4/64', 0.03125)
    """
    d = present(differences)
    n = int(d.size)
    nan = float("nan")
    if n == 0:
        return SignFlip(nan, untestable(0, "sign flips", alternative=alternative), nan, nan, 0, nan)
    low, high, order, attained = hartigan_interval(d, level)
    p = _p_value(d, alternative, rng, draws)
    return SignFlip(float(d.mean()), p, low, high, order, attained)


def _p_value(d: FloatArray, alternative: Alternative, rng: np.random.Generator | None, draws: int) -> PValue:
    n = int(d.size)
    observed = float(d.sum())
    complete = n <= ENUMERATED_UP_TO
    sums = sign_patterns(n) @ d if complete else drawn_signs(n, draws, rng) @ d
    slack = RELATIVE_TIE * abs(observed) + 1e-12 * float(np.abs(d).sum())
    if alternative == "two.sided":
        extreme = np.abs(sums) >= abs(observed) - slack
    elif alternative == "greater":
        extreme = sums >= observed - slack
    else:
        extreme = sums <= observed + slack
    exceeding = int(extreme.sum())
    zeros = int((d == 0).sum())
    # A zero does not change when flipped: each zero doubles the number of equal arrangements.
    tails = 2 if alternative == "two.sided" and zeros < n else 1
    exact_floor = min(1.0, tails * math.ldexp(1.0, zeros - n))
    if complete:
        p, error, count, total = exceeding / 2**n, 0.0, exceeding, 2**n
        method, floor = f"exact sign-flip test of the mean, all {total} flips", exact_floor
    else:
        p, error = monte_carlo_p(exceeding, draws)
        count, total = exceeding + 1, draws + 1
        method, floor = f"sign-flip test of the mean, {draws} random flips", max(exact_floor, 1 / (draws + 1))
    return PValue(
        p=p,
        n=n,
        count=count,
        total=total,
        floor=floor,
        method=method,
        alternative=alternative,
        definition=DEFINITIONS[alternative],
        zeros=zeros,
        ties=count_tied(np.abs(round_significant(d[d != 0]))),
        monte_carlo_se=error,
    )


def hartigan_interval(differences: Values, level: float) -> tuple[float, float, int, float]:
    """Interval from the means of all non-empty subsets (Hartigan 1969).

    Returns low, high, the order statistic k and the attained level; NaN and 0
    where 2^n is too small for the level or n too large to enumerate.

    Examples
    --------
    >>> hartigan_interval([-1.42, -0.87, -2.31, -0.15, -1.03, -0.66], 0.95)
    (-2.31, -0.15, 1, 0.96875)
    """
    d = present(differences)
    n = int(d.size)
    nan = float("nan")
    if n > ENUMERATED_UP_TO:
        return nan, nan, 0, nan
    order = math.floor((1 - level) / 2 * 2**n + RELATIVE_TIE)
    if order < 1:
        return nan, nan, 0, nan
    chosen = (1.0 - sign_patterns(n)[1:]) / 2
    means = np.sort((chosen @ d) / chosen.sum(axis=1))
    return float(means[order - 1]), float(means[2**n - order - 1]), order, 1 - 2 * order / 2**n
