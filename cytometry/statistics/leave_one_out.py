"""How much one patient carries: the range of an estimate when each is left out in turn.

Only estimates. A p-value without one of six patients has a floor of 0.0625:
that it is larger says nothing about the patient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.ranks import FloatArray, Values, as_values, present

LEFT_OUT_UP_TO = 30
"""In a larger trial no single patient can carry a median, and the ranges would cost minutes."""


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """Smallest and largest estimate, and whether the sign holds throughout; NaN and None where not computed."""

    low: float
    high: float
    sign_holds: bool | None


def leave_one_out_estimates(differences: Values) -> LeaveOneOut:
    """Range of the Hodges-Lehmann estimate.

    Examples
    --------
    >>> leave_one_out_estimates([1.0, 2.0, 3.0])
    LeaveOneOut(low=1.5, high=2.5, sign_holds=True)
    """
    d = present(differences)
    if not 2 <= d.size <= LEFT_OUT_UP_TO:
        return _range(np.array([]), float("nan"))
    left = np.array([hodges_lehmann(np.delete(d, i)).estimate for i in range(d.size)])
    return _range(left, hodges_lehmann(d).estimate)


def leave_one_out_pairs(x: Values, y: Values, estimate: Callable[[Values, Values], float]) -> LeaveOneOut:
    """Range of a coefficient of complete pairs."""
    a, b = as_values(x), as_values(y)
    complete = ~(np.isnan(a) | np.isnan(b))
    a, b = a[complete], b[complete]
    if not 3 <= a.size <= LEFT_OUT_UP_TO:
        return _range(np.array([]), float("nan"))
    left = np.array([estimate(np.delete(a, i), np.delete(b, i)) for i in range(a.size)])
    return _range(left[~np.isnan(left)], estimate(a, b))


def _range(estimates: FloatArray, whole: float) -> LeaveOneOut:
    if estimates.size == 0:
        return LeaveOneOut(float("nan"), float("nan"), None)
    return LeaveOneOut(
        float(estimates.min()), float(estimates.max()), bool((np.sign(estimates) == np.sign(whole)).all())
    )
