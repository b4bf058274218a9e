"""Adjusting p-values for their number; for comparison, the primary adjustment is step-down maxT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np

from cytometry.statistics.ranks import FloatArray, Values, as_values

Adjustment = Literal["holm", "bh", "by", "hochberg", "hommel", "bonferroni"]


def p_adjust(p_values: Values, method: Adjustment) -> FloatArray:
    """Adjusted p-values; a NaN stays NaN and is not counted in the family.

    Definitions as in R's ``p.adjust``.

    Examples
    --------
    >>> p_adjust([0.03125, float("nan"), 0.0625], "holm").tolist()
    [0.0625, nan, 0.0625]
    """
    p = as_values(p_values)
    adjusted = np.full(p.size, np.nan)
    there = ~np.isnan(p)
    if there.any():
        adjusted[there] = _METHODS[method](p[there])
    return adjusted


def _bonferroni(p: FloatArray) -> FloatArray:
    return np.minimum(1.0, p.size * p)


def _holm(p: FloatArray) -> FloatArray:
    order = np.argsort(p, kind="stable")
    factors = p.size - np.arange(p.size)
    return _unsorted(np.minimum(1.0, np.maximum.accumulate(factors * p[order])), order)


def _step_up(p: FloatArray, factors: FloatArray) -> FloatArray:
    """From the largest p down; ``factors`` belong to the p-values in falling order."""
    order = np.argsort(-p, kind="stable")
    return _unsorted(np.minimum(1.0, np.minimum.accumulate(factors * p[order])), order)


def _hochberg(p: FloatArray) -> FloatArray:
    return _step_up(p, np.arange(1, p.size + 1, dtype=np.float64))


def _benjamini_hochberg(p: FloatArray) -> FloatArray:
    return _step_up(p, p.size / np.arange(p.size, 0, -1))


def _benjamini_yekutieli(p: FloatArray) -> FloatArray:
    harmonic = float((1.0 / np.arange(1, p.size + 1)).sum())
    return _step_up(p, harmonic * p.size / np.arange(p.size, 0, -1))


def _hommel(p: FloatArray) -> FloatArray:
    """Hommel 1988, by the algorithm of Wright 1992."""
    n = p.size
    order = np.argsort(p, kind="stable")
    s = p[order]
    ranks = np.arange(1, n + 1)
    smallest = np.full(n, np.min(n * s / ranks))
    adjusted = smallest.copy()
    for m in range(n - 1, 1, -1):
        head = np.arange(n - m + 1)
        tail = np.arange(n - m + 1, n)
        least = np.min(m * s[tail] / np.arange(2, m + 1))
        smallest[head] = np.minimum(m * s[head], least)
        smallest[tail] = smallest[n - m]
        adjusted = np.maximum(adjusted, smallest)
    return _unsorted(np.maximum(adjusted, s), order)


def _unsorted(values: FloatArray, order: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> FloatArray:
    result = np.empty_like(values)
    result[order] = values
    return result


_METHODS: Mapping[str, Callable[[FloatArray], FloatArray]] = MappingProxyType(
    {
        "holm": _holm,
        "bh": _benjamini_hochberg,
        "by": _benjamini_yekutieli,
        "hochberg": _hochberg,
        "hommel": _hommel,
        "bonferroni": _bonferroni,
    }
)
