"""Lower quantiles of beta distributions, without the time that a statistics library takes to load.

Gating one file takes less time than importing SciPy's special functions, and
the only one needed is this, for the limits of a fraction.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# The tail is integrated over four panels of 24 Gauss-Legendre nodes: with the
# integrand falling by e^-40 across them, the error is that of double precision.
_PANELS, _NODES = 4, 24
_FALL = 40.0
_LENGTH_STEPS = 8
_LARGEST_STEPS = 40
_CLOSE_ENOUGH = 1e-13
_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
# From here on three terms of the series are exact to double precision.
_SERIES_FROM = 200.0


def lower_beta_odds(a: FloatArray, b: FloatArray, probability: float) -> FloatArray:
    """Odds ``x / (1 - x)`` of the value below which a Beta(a, b) variable lies with a probability below one half.

    Newton's method on the logarithm of the distribution function, as a function
    of ``d = logit(x) - logit(a / (a + b))``, where the density is log-concave.
    The distribution function is an integral over the lower tail; the density is
    written with Stirling's corrections and the deviance (Loader 2000), so that
    large counts lose no digits.

    >>> odds = lower_beta_odds(np.array([1.0]), np.array([3.0]), 0.025)
    >>> round(float(odds[0] / (1 + odds[0])), 12)
    0.00840375866
    """
    n, p = a + b, a / (a + b)
    correction = np.array([_stirling(c) - _stirling(x) - _stirling(y) for x, y, c in zip(a, b, n, strict=True)])
    scale = correction + 0.5 * np.log(a * b / n) - _HALF_LOG_2_PI
    spread = np.sqrt(1 / a + 1 / b)
    d = -2.0 * spread
    for _ in range(_LARGEST_STEPS):
        ratio = _tail(d, a, n, p)
        log_cdf = scale - _deviance(d, a, n, p) + np.log(ratio)
        step = (math.log(probability) - log_cdf) * ratio
        # The tail is measured by its slope, which ends at the centre.
        d = np.minimum(d + step, -1e-3 * spread)
        if (np.abs(step) <= _CLOSE_ENOUGH * np.maximum(1.0, np.abs(d))).all():
            break
    return np.asarray((a / b) * np.exp(d))


def _stirling(x: float) -> float:
    """``lgamma(x)`` less Stirling's formula."""
    if x >= _SERIES_FROM:
        return (1 / 12 - (1 / 360 - 1 / (1260 * x * x)) / (x * x)) / x
    return math.lgamma(x) - ((x - 0.5) * math.log(x) - x + _HALF_LOG_2_PI)


def _deviance(d: FloatArray, a: FloatArray, n: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(n * np.log1p(p * np.expm1(d)) - a * d)


def _slope(d: FloatArray, a: FloatArray, n: FloatArray, p: FloatArray) -> FloatArray:
    """Rise of the log density."""
    return np.asarray(a - n * p * np.exp(d) / (1 + p * np.expm1(d)))


def _tail(d: FloatArray, a: FloatArray, n: FloatArray, p: FloatArray) -> FloatArray:
    """The distribution function at ``d``, divided by the density there."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    places = ((np.arange(_PANELS)[:, None] + (nodes + 1) / 2) / _PANELS).ravel()
    shares = np.tile(weights / (2 * _PANELS), _PANELS)
    at_end = _deviance(d, a, n, p)
    # The density falls ever faster to the left: Newton's method comes from too long a tail.
    length = _FALL / _slope(d, a, n, p)
    for _ in range(_LENGTH_STEPS):
        fall = _deviance(d - length, a, n, p) - at_end
        length = length - (fall - _FALL) / _slope(d - length, a, n, p)
    fall = _deviance(d - length * places[:, None], a, n, p) - at_end
    return np.asarray(length * (shares[:, None] * np.exp(-fall)).sum(axis=0))
