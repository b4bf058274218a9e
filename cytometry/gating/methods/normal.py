"""The normal distribution, without loading scipy."""

from __future__ import annotations

import math


def normal_cdf(z: float) -> float:
    """Probability that a standard normal variable lies below ``z``.

    >>> round(normal_cdf(1.959964), 6)
    0.975
    """
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
