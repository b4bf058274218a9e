"""Approximate intervals for rank correlations; at six patients they are wide, and that is the message."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

IntervalMethod = Literal["spearman_bonett_wright", "spearman_fieller", "kendall_fieller"]


@dataclass(frozen=True, slots=True)
class CorrelationInterval:
    """Interval by Fisher's z; NaN where n is too small for the formula.

    Parameters
    ----------
    low, high
        Ends, within -1..1.
    se_z
        Standard error on the scale of Fisher's z.
    """

    low: float
    high: float
    se_z: float


def correlation_interval(
    estimate: float, n: int, method: IntervalMethod = "spearman_bonett_wright", *, level: float = 0.95
) -> CorrelationInterval:
    """Interval around a rank correlation of n pairs.

    Bonett and Wright 2000: variance (1 + r²/2)/(n - 3). Fieller, Hartley and
    Pearson 1957: 1.06/(n - 3) for rho and 0.437/(n - 4) for tau.

    Examples
    --------
    >>> interval = correlation_interval(0.828571428571429, 6)
    >>> round(interval.low, 4), round(interval.high, 4)
    (-0.1272, 0.9865)
    """
    spent = 4 if method == "kendall_fieller" else 3
    nan = float("nan")
    if n <= spent or math.isnan(estimate):
        return CorrelationInterval(nan, nan, nan)
    numerator = {
        "spearman_bonett_wright": 1 + estimate**2 / 2,
        "spearman_fieller": 1.06,
        "kendall_fieller": 0.437,
    }[method]
    se = math.sqrt(numerator / (n - spent))
    if abs(estimate) >= 1:
        # Fisher's z is infinite: the formula has nothing to say but the point itself.
        return CorrelationInterval(math.copysign(1.0, estimate), math.copysign(1.0, estimate), se)
    z = math.atanh(estimate)
    reach = NormalDist().inv_cdf((1 + level) / 2) * se
    return CorrelationInterval(math.tanh(z - reach), math.tanh(z + reach), se)
