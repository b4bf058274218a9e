"""Scales on which a count out of a parent's count is compared."""

from __future__ import annotations

import numpy as np

from cytometry.statistics.ranks import FloatArray, Values, as_values


def logit_half(count: Values, parent_count: Values) -> FloatArray:
    """ln((k + ½)/(N - k + ½)); NaN where the parent is empty or unknown.

    Examples
    --------
    >>> logit_half([0, 7, 0], [14, 14, 0]).round(4).tolist()
    [-3.3673, 0.0, nan]
    """
    k, n = as_values(count), as_values(parent_count)
    k, n = np.broadcast_arrays(k, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log((k + 0.5) / (n - k + 0.5))
    return np.where(n > 0, value, np.nan)


def percent(count: Values, parent_count: Values) -> FloatArray:
    """100 k/N; NaN where the parent is empty. For the eye, not for tests.

    Examples
    --------
    >>> percent([9], [14]).round(4).tolist()
    [64.2857]
    """
    k, n = np.broadcast_arrays(as_values(count), as_values(parent_count))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > 0, 100 * k / n, np.nan)


def arcsine_root(count: Values, parent_count: Values) -> FloatArray:
    """asin(√(k/N)), only for comparison with old papers.

    Examples
    --------
    >>> arcsine_root([7], [14]).round(4).tolist()
    [0.7854]
    """
    k, n = np.broadcast_arrays(as_values(count), as_values(parent_count))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > 0, np.arcsin(np.sqrt(np.clip(k / n, 0, 1))), np.nan)


def log2_concentration(count: Values, cells_per_ul_per_event: Values) -> FloatArray:
    """log2 of cells/µL from a count with ½ added and the µL⁻¹ that one event stands for.

    Examples
    --------
    >>> log2_concentration([1.5], [4.0]).tolist()
    [3.0]
    """
    k, factor = np.broadcast_arrays(as_values(count), as_values(cells_per_ul_per_event))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(factor > 0, np.log2((k + 0.5) * factor), np.nan)


def centred_log_ratio(sibling_counts: Values) -> FloatArray:
    """CLR of sibling counts + ½ (Aitchison 1986): each part against the geometric mean of all.

    Examples
    --------
    >>> centred_log_ratio([1.5, 1.5]).tolist()
    [0.0, 0.0]
    """
    logs = np.log(as_values(sibling_counts) + 0.5)
    return np.asarray(logs - logs.mean(), dtype=np.float64)


def isometric_log_ratio(sibling_counts: Values) -> FloatArray:
    """ILR of sibling counts + ½ (Egozcue 2003): part i + 1 against the geometric mean of those before.

    Examples
    --------
    >>> isometric_log_ratio([1.5, 1.5, 1.5]).tolist()
    [0.0, 0.0]
    """
    logs = np.log(as_values(sibling_counts) + 0.5)
    i = np.arange(1, logs.size)
    before = np.cumsum(logs)[:-1] / i
    return np.asarray(np.sqrt(i / (i + 1)) * (before - logs[1:]), dtype=np.float64)
