"""Ranks of changes: rounded once, averaged over ties, kept as whole numbers.

Midranks are halves of whole numbers. Doubled they are integers, and integer
sums compare exactly: no arrangement is lost or gained to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
Values: TypeAlias = Sequence[float] | FloatArray

SIGNIFICANT_DIGITS = 10
"""Enough for any real change; few enough that 0.3 - 0.1 and 0.2 are one value (scipy issue 17667)."""


def as_values(values: Values) -> FloatArray:
    """A one-dimensional float array of its own.

    Examples
    --------
    >>> as_values([1, 2]).tolist()
    [1.0, 2.0]
    """
    return np.array(values, dtype=np.float64).reshape(-1)


def present(values: Values) -> FloatArray:
    """The values that are not NaN.

    Examples
    --------
    >>> present([1.0, float("nan"), 2.0]).tolist()
    [1.0, 2.0]
    """
    array = as_values(values)
    kept: FloatArray = array[~np.isnan(array)]
    return kept


def round_significant(values: Values) -> FloatArray:
    """Round to ten significant digits, so that equal changes are equal numbers.

    Examples
    --------
    >>> a, b = round_significant([0.3 - 0.1, 0.2])
    >>> bool(a == b)
    True
    """
    return np.array([float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}") for value in as_values(values)], dtype=np.float64)


def doubled_midranks(values: Values) -> IntArray:
    """Twice the average rank of each value, from 2; whole numbers.

    Examples
    --------
    >>> doubled_midranks([5.0, 1.0, 5.0]).tolist()
    [5, 2, 5]
    """
    array = as_values(values)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    _, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    doubled = 2 * last - counts + 1
    return doubled[inverse].astype(np.int64)


def count_tied(values: Values) -> int:
    """How many values share their size with another one.

    Examples
    --------
    >>> count_tied([1.0, 2.0, 2.0, 3.0])
    2
    """
    _, counts = np.unique(as_values(values), return_counts=True)
    return int(counts[counts > 1].sum())
