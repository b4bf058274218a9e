"""Hodges and Lehmann's estimate of a typical change, with the interval that belongs to the signed-rank test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cytometry.statistics.ranks import FloatArray, Values, present
from cytometry.statistics.signed_rank import rank_sum_weights


@dataclass(frozen=True, slots=True)
class HodgesLehmann:
    """Median of the Walsh averages and its exact interval.

    Parameters
    ----------
    estimate, low, high
        On the scale of the changes; NaN without changes.
    order
        The interval runs from the ``order``-th smallest to the ``order``-th
        largest Walsh average.
    attained
        Probability that the interval covers, exact without ties.
    requested_attainable
        Whether n allows the requested level; otherwise the interval is the
        widest there is and ``attained`` says what it is worth.
    n
        Changes that are not missing.
    """

    estimate: float
    low: float
    high: float
    order: int
    attained: float
    requested_attainable: bool
    n: int


def walsh_averages(differences: Values) -> FloatArray:
    """Means of all pairs of changes, each with itself included, sorted.

    Examples
    --------
    >>> walsh_averages([0.0, 2.0]).tolist()
    [0.0, 1.0, 2.0]
    """
    d = present(differences)
    first, second = np.triu_indices(d.size)
    return np.sort((d[first] + d[second]) / 2)


def hodges_lehmann(differences: Values, *, level: float = 0.95) -> HodgesLehmann:
    """Estimate and interval from the Walsh averages; zeros are kept.

    The interval's order is the one of R's ``wilcox.test``: the lower quantile
    of the signed-rank distribution without ties, at least 1 (Hollander and
    Wolfe, 1999, section 3.3).

    Examples
    --------
    >>> result = hodges_lehmann([-1.42, -0.87, -2.31, 0.15, -1.03, -0.66])
    >>> result.estimate, result.low, result.high, result.attained
    (-1.03, -2.31, 0.15, 0.96875)
    """
    averages = walsh_averages(differences)
    n = present(differences).size
    if n == 0:
        nan = float("nan")
        return HodgesLehmann(nan, nan, nan, 0, nan, False, 0)
    order, attained = interval_order(int(n), level)
    return HodgesLehmann(
        estimate=float(np.median(averages)),
        low=float(averages[order - 1]),
        high=float(averages[averages.size - order]),
        order=order,
        attained=attained,
        requested_attainable=attained >= level - 1e-12,
        n=int(n),
    )


@lru_cache(maxsize=64)
def interval_order(n: int, level: float) -> tuple[int, float]:
    """Order statistic that ends the interval, and the level it attains: they depend on n alone.

    Remembered, because a large trial asks for the same n a thousand times.

    Examples
    --------
    >>> interval_order(6, 0.95), interval_order(8, 0.9)
    ((1, 0.96875), (6, 0.921875))
    """
    weights = rank_sum_weights(np.arange(1, n + 1, dtype=np.int64))
    cumulative = np.cumsum(weights / math.ldexp(1.0, n) if weights.dtype == np.int64 else weights)
    # Smallest sum whose cumulative probability reaches half the error; the factor forgives the last bit.
    order = max(1, int(np.searchsorted(cumulative, (1 - level) / 2 * (1 - 1e-12), side="left")))
    return order, 1 - 2 * float(cumulative[order - 1])
