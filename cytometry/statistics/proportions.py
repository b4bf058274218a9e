"""Intervals of k out of n."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cytometry.errors import StatisticsError

ProportionMethod = Literal["clopper_pearson", "mid_p", "wilson", "jeffreys"]


@dataclass(frozen=True, slots=True)
class Proportion:
    """A fraction with its interval; NaN for none out of none.

    Parameters
    ----------
    estimate, low, high
        Fractions, 0..1.
    """

    estimate: float
    low: float
    high: float


def proportion_interval(
    count: int, n: int, method: ProportionMethod = "clopper_pearson", *, level: float = 0.95
) -> Proportion:
    """Interval of a fraction.

    Clopper and Pearson 1934 covers at least at its level; mid-p nearly at it;
    Wilson 1927 is the score interval without continuity correction; Jeffreys
    uses Beta(k + ½, n - k + ½), closed at 0 and at n.

    Raises
    ------
    StatisticsError
        The count is negative or larger than n.

    Examples
    --------
    >>> interval = proportion_interval(5, 6)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.3588, 0.9958)
    """
    if not 0 <= count <= n:
        raise StatisticsError(f"{count} of {n} is not a fraction", where="proportion", hint="0 <= count <= n")
    nan = float("nan")
    if n == 0:
        return Proportion(nan, nan, nan)
    low, high = _LIMITS[method](count, n, (1 - level) / 2)
    return Proportion(count / n, low, high)


def _clopper_pearson(k: int, n: int, tail: float) -> tuple[float, float]:
    from scipy.special import betaincinv

    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return low, high


def _mid_p(k: int, n: int, tail: float) -> tuple[float, float]:
    import numpy as np
    from scipy.optimize import brentq
    from scipy.special import betainc, gammaln, xlog1py, xlogy

    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)

    def point(p: float) -> float:
        return float(np.exp(choose + xlogy(k, p) + xlog1py(n - k, -p)))

    def above(p: float) -> float:
        """P(X > k) + P(X = k)/2."""
        beyond = float(betainc(k + 1, n - k, p)) if k < n else 0.0
        return beyond + point(p) / 2

    low = 0.0 if k == 0 else float(brentq(lambda p: above(p) - tail, 0.0, 1.0, xtol=1e-15, rtol=1e-13))
    high = 1.0 if k == n else float(brentq(lambda p: above(p) - (1 - tail), 0.0, 1.0, xtol=1e-15, rtol=1e-13))
    return low, high


def _wilson(k: int, n: int, tail: float) -> tuple[float, float]:
    from scipy.special import ndtri

    z = float(ndtri(1 - tail))
    p = k / n
    centre = p + z**2 / (2 * n)
    reach = z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    denominator = 1 + z**2 / n
    return max(0.0, (centre - reach) / denominator), min(1.0, (centre + reach) / denominator)


def _jeffreys(k: int, n: int, tail: float) -> tuple[float, float]:
    from scipy.special import betaincinv

    low = 0.0 if k == 0 else float(betaincinv(k + 0.5, n - k + 0.5, tail))
    high = 1.0 if k == n else float(betaincinv(k + 0.5, n - k + 0.5, 1 - tail))
    return low, high


_LIMITS = MappingProxyType(
    {"clopper_pearson": _clopper_pearson, "mid_p": _mid_p, "wilson": _wilson, "jeffreys": _jeffreys}
)
