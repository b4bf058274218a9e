"""Matched-pairs rank-biserial correlation: how one-sided the changes are, from -1 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cytometry.statistics.ranks import FloatArray, IntArray, Values, doubled_midranks, present, round_significant

EXACT_UP_TO = 30
BISECTIONS = 45
"""2^-45 is below any digit that is printed."""


@dataclass(frozen=True, slots=True)
class RankBiserial:
    """Effect size of the signed-rank test with an exact interval.

    Parameters
    ----------
    estimate
        (W+ - W-)/(W+ + W-), zeros dropped (Kerby 2014); NaN if all are zero.
    low, high
        Exact interval in the family where each patient rises with one
        probability whatever the size of the change; probability ½ is the null
        of the signed-rank test. Inverted in both tails as Clopper and Pearson
        do, so it covers at least at the level asked for. Above thirty changes the
        score interval of the same family, by the normal distribution.
    """

    estimate: float
    low: float
    high: float


def rank_biserial(differences: Values, *, level: float = 0.95) -> RankBiserial:
    """Effect size and interval; NaN changes are left out.

    Examples
    --------
    >>> rank_biserial([1, 2, 3, -4]).estimate  # (1 + 2 + 3 - 4) / 10
    0.2
    """
    d = round_significant(present(differences))
    d = d[d != 0]
    nan = float("nan")
    if d.size == 0:
        return RankBiserial(nan, nan, nan)
    ranks = doubled_midranks(np.abs(d))
    plus, whole = int(ranks[d > 0].sum()), int(ranks.sum())
    tail = (1 - level) / 2
    if d.size > EXACT_UP_TO:
        low, high = _score_interval(ranks, plus, tail)
        return RankBiserial((2 * plus - whole) / whole, 2 * low - 1, 2 * high - 1)
    low = 0.0 if plus == 0 else _solve(lambda q: float(_weights(ranks, q)[plus:].sum()), tail)
    high = 1.0 if plus == whole else _solve(lambda q: -float(_weights(ranks, q)[: plus + 1].sum()), -tail)
    return RankBiserial((2 * plus - whole) / whole, 2 * low - 1, 2 * high - 1)


def _score_interval(ranks: IntArray, plus: int, tail: float) -> tuple[float, float]:
    """Where (W+ - q sum r)² = z² q (1 - q) sum r²: Wilson's interval with ranks for weights."""
    z2 = NormalDist().inv_cdf(tail) ** 2
    whole, squares = float(ranks.sum()), float((ranks.astype(np.float64) ** 2).sum())
    a, b, c = whole**2 + z2 * squares, 2 * plus * whole + z2 * squares, float(plus) ** 2
    root = math.sqrt(max(b**2 - 4 * a * c, 0.0))
    return (b - root) / (2 * a), (b + root) / (2 * a)


def _weights(ranks: IntArray, rise: float) -> FloatArray:
    """Distribution of the doubled sum of the rises' ranks when each patient rises with this probability."""
    weights = np.ones(1)
    for rank in ranks:
        longer = np.zeros(weights.size + int(rank))
        longer[: weights.size] += (1 - rise) * weights
        longer[int(rank) :] += rise * weights
        weights = longer
    return weights


def _solve(increasing: Callable[[float], float], target: float) -> float:
    """The probability of a rise at which an increasing function meets its target, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if increasing(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2
