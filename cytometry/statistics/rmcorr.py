"""Repeated-measures correlation: do two courses move together within patients?

Bakdash and Marusich 2017: one slope, an intercept per patient. Adjusted for
visit it no longer sees the time course that all patients share.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cytometry.statistics.ranks import FloatArray, IntArray, Values, as_values


@dataclass(frozen=True, slots=True)
class RepeatedCorrelation:
    """Correlation within patients; NaN where nothing varies or no degree of freedom is left.

    Parameters
    ----------
    r, p
        Coefficient and the p of its F test.
    df
        Residual degrees of freedom: rows - patients - 1, less visits - 1 when adjusted.
    low, high
        Fisher's z interval with standard error 1/√(df - 1).
    slope
        Change of y per unit of x.
    rows
        Rows with both values.
    """

    r: float
    df: int
    p: float
    low: float
    high: float
    slope: float
    rows: int


def rmcorr(
    subjects: Sequence[Hashable],
    x: Values,
    y: Values,
    *,
    visits: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> RepeatedCorrelation:
    """Correlation of x and y within subjects, adjusted for visit where visits are given.

    Rows with a NaN are left out; a subject left with one row stays and changes neither r nor df.

    Examples
    --------
    >>> result = rmcorr(["A", "A", "A", "B", "B", "B"], [1, 2, 3, 1, 2, 3], [2, 4, 6, 12, 11, 10])
    >>> round(result.r, 4), result.df
    (0.3162, 3)
    """
    from scipy.stats import f as f_distribution

    a, b = as_values(x), as_values(y)
    there = ~(np.isnan(a) | np.isnan(b))
    a, b = a[there], b[there]
    groups = codes([s for s, t in zip(subjects, there, strict=True) if t])
    rows = int(a.size)
    patients = int(groups.max()) + 1 if rows else 0
    a, b = centred(a, groups), centred(b, groups)
    spent = 0
    if visits is not None:
        a, b, spent = _without_visits(a, b, groups, codes([v for v, t in zip(visits, there, strict=True) if t]))
    df = rows - patients - spent - 1
    nan = float("nan")
    ssx, ssy, sxy = float(a @ a), float(b @ b), float(a @ b)
    if df < 1 or ssx <= 1e-20 or ssy <= 1e-20:
        return RepeatedCorrelation(nan, df, nan, nan, nan, nan, rows)
    r = max(-1.0, min(1.0, sxy / math.sqrt(ssx * ssy)))
    # A perfect line leaves no residual: F is infinite and a p of 0 would claim certainty.
    p = float(f_distribution.sf(df * r**2 / (1 - r**2), 1, df)) if abs(r) < 1 else nan
    low, high = _interval(r, df, level)
    return RepeatedCorrelation(r, df, p, low, high, sxy / ssx, rows)


def codes(labels: Sequence[Hashable]) -> IntArray:
    """Whole numbers in order of first appearance.

    Examples
    --------
    >>> codes(["b", "a", "b"]).tolist()
    [0, 1, 0]
    """
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(label, len(known)) for label in labels], dtype=np.int64)


def centred(values: FloatArray, groups: IntArray) -> FloatArray:
    """Values less their group's mean.

    Examples
    --------
    >>> centred(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist()
    [-1.0, 1.0, 0.0]
    """
    if values.size == 0:
        return values
    means = np.bincount(groups, values) / np.bincount(groups)
    return np.asarray(values - means[groups], dtype=np.float64)


def _without_visits(
    a: FloatArray, b: FloatArray, groups: IntArray, visits: IntArray
) -> tuple[FloatArray, FloatArray, int]:
    """Residuals of both on visit within patients, and the degrees of freedom that this takes."""
    if a.size == 0:
        return a, b, 0
    others = range(1, int(visits.max()) + 1)
    if not others:
        return a, b, 0
    dummies = np.stack([centred((visits == v).astype(np.float64), groups) for v in others], axis=1)
    coefficients, _, rank, _ = np.linalg.lstsq(dummies, np.stack([a, b], axis=1), rcond=None)
    residuals = np.stack([a, b], axis=1) - dummies @ coefficients
    return residuals[:, 0], residuals[:, 1], int(rank)


def _interval(r: float, df: int, level: float) -> tuple[float, float]:
    if df < 2 or abs(r) >= 1:
        return float("nan"), float("nan")
    reach = NormalDist().inv_cdf((1 + level) / 2) / math.sqrt(df - 1)
    z = math.atanh(r)
    return math.tanh(z - reach), math.tanh(z + reach)
