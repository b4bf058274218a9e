"""Rank correlations with exact permutation p-values: Spearman's rho and Kendall's tau-b, ties included."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cytometry.statistics.p_values import PValue, untestable
from cytometry.statistics.permutations import ORDERED_UP_TO, all_orders, drawn_orders
from cytometry.statistics.ranks import FloatArray, IntArray, Values, as_values, count_tied, doubled_midranks
from cytometry.statistics.ranks import round_significant as rounded

Coefficient = Literal["spearman", "kendall"]


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """A coefficient and its permutation p-values.

    Parameters
    ----------
    estimate
        rho or tau-b; NaN where a variable does not vary.
    n
        Complete pairs.
    p_value
        Two-sided: P(\\|r*\\| ≥ \\|r\\|) over all orders of y.
    p_greater, p_less
        One-sided, for a direction fixed beforehand.
    p_doubled
        min(1, 2 min(p_greater, p_less)); differs from the two-sided p where
        ties make the null distribution lopsided.
    """

    estimate: float
    n: int
    p_value: PValue
    p_greater: float
    p_less: float
    p_doubled: float


def spearman(
    x: Values, y: Values, *, rng: np.random.Generator | None = None, draws: int = 1999, orders: IntArray | None = None
) -> RankCorrelation:
    """Spearman's rho: the correlation of midranks, exact up to nine pairs.

    Pairs with a NaN are left out. Orders of y are compared as whole numbers.

    Examples
    --------
    >>> result = spearman([-1.42, -0.87, -2.31, 0.15, -1.03, -0.66], [-8, -4, -10, -2, -4, -4])
    >>> round(result.estimate, 4), result.p_value.fraction
    (0.9411, '12/720')
    """
    a, b = _pairs(x, y)
    n = int(a.size)
    rx, ry = doubled_midranks(a), doubled_midranks(b)
    # n * sum(rx ry) - sum(rx) sum(ry): covariance times a constant, a whole number.
    centred_x = n * rx - rx.sum()
    scale = math.sqrt(float((centred_x**2).sum()) * float(((n * ry - ry.sum()) ** 2).sum())) if n else 0.0
    if n < 2 or scale == 0:
        return _undefined(n, "Spearman correlation")
    chosen, complete = _orders(n, orders, rng, draws)
    observed = int((centred_x * (n * ry - ry.sum())).sum())
    permuted = np.asarray((n * ry - ry.sum())[chosen] @ centred_x)
    return _correlation(observed / scale, n, observed, permuted, complete, a, b, "Spearman correlation")


def kendall(
    x: Values, y: Values, *, rng: np.random.Generator | None = None, draws: int = 1999, orders: IntArray | None = None
) -> RankCorrelation:
    """Kendall's tau-b, exact up to nine pairs.

    Examples
    --------
    >>> result = kendall([-1.42, -0.87, -2.31, 0.15, -1.03, -0.66], [-8, -4, -10, -2, -4, -4])
    >>> round(result.estimate, 4), result.p_value.fraction
    (0.8944, '12/720')
    """
    a, b = _pairs(x, y)
    n = int(a.size)
    first, second = np.triu_indices(n, 1)
    sign_x = np.sign(a[first] - a[second]).astype(np.int64)
    sign_y = np.sign(b[first] - b[second]).astype(np.int64)
    scale = math.sqrt(float((sign_x**2).sum()) * float((sign_y**2).sum()))
    if scale == 0:
        return _undefined(n, "Kendall correlation")
    chosen, complete = _orders(n, orders, rng, draws)
    doubled = doubled_midranks(b)
    permuted = np.zeros(chosen.shape[0], dtype=np.int64)
    for i, j, sign in zip(first, second, sign_x, strict=True):
        permuted += sign * np.sign(doubled[chosen[:, i]] - doubled[chosen[:, j]])
    observed = int((sign_x * sign_y).sum())
    return _correlation(observed / scale, n, observed, permuted, complete, a, b, "Kendall correlation")


def spearman_estimate(x: Values, y: Values) -> float:
    """Only rho, for leave-one-out ranges and large n.

    Examples
    --------
    >>> spearman_estimate([1, 2, 3], [3, 2, 1])
    -1.0
    """
    a, b = _pairs(x, y)
    return _pearson(doubled_midranks(a).astype(np.float64), doubled_midranks(b).astype(np.float64))


def kendall_estimate(x: Values, y: Values) -> float:
    """Only tau-b.

    Examples
    --------
    >>> kendall_estimate([1, 2, 3], [3, 2, 1])
    -1.0
    """
    a, b = _pairs(x, y)
    sign_x, sign_y = np.sign(a[:, None] - a[None, :]), np.sign(b[:, None] - b[None, :])
    scale = math.sqrt(float((sign_x**2).sum()) * float((sign_y**2).sum()))
    return float((sign_x * sign_y).sum()) / scale if scale else float("nan")


def _pearson(a: FloatArray, b: FloatArray) -> float:
    if a.size < 2:
        return float("nan")
    x, y = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / scale if scale else float("nan")


def _pairs(x: Values, y: Values) -> tuple[FloatArray, FloatArray]:
    a, b = as_values(x), as_values(y)
    complete = ~(np.isnan(a) | np.isnan(b))
    return rounded(a[complete]), rounded(b[complete])


def _orders(n: int, orders: IntArray | None, rng: np.random.Generator | None, draws: int) -> tuple[IntArray, bool]:
    """The orders of y to go through, and whether they are all there are; given ones spare making them again."""
    complete = n <= ORDERED_UP_TO
    if orders is not None and orders.shape[1] == n:
        return orders, complete
    return (all_orders(n) if complete else drawn_orders(n, draws, rng)), complete


def _undefined(n: int, name: str) -> RankCorrelation:
    nan = float("nan")
    return RankCorrelation(nan, n, untestable(n, f"{name}: a variable does not vary"), nan, nan, nan)


def _correlation(
    estimate: float,
    n: int,
    observed: int,
    permuted: IntArray,
    complete: bool,
    a: FloatArray,
    b: FloatArray,
    name: str,
) -> RankCorrelation:
    extra = 0 if complete else 1
    total = permuted.size + extra
    count = int((np.abs(permuted) >= abs(observed)).sum()) + extra
    greater = (int((permuted >= observed).sum()) + extra) / total
    less = (int((permuted <= observed).sum()) + extra) / total
    p = count / total
    if complete:
        floor = int((np.abs(permuted) == np.abs(permuted).max()).sum()) / total
        method = f"{name}, all {total} orders of y"
    else:
        floor = 1 / total
        method = f"{name}, {permuted.size} random orders of y"
    marks = PValue(
        p=p,
        n=n,
        count=count,
        total=total,
        floor=floor,
        method=method,
        definition="P(|r*| >= |r|)",
        ties=count_tied(a) + count_tied(b),
        monte_carlo_se=0.0 if complete else math.sqrt(p * (1 - p) / permuted.size),
    )
    return RankCorrelation(estimate, n, marks, greater, less, min(1.0, 2 * min(greater, less)))
