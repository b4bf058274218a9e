"""What a convention is worth: had another share of events been left beyond the cut, where would it lie?"""

from __future__ import annotations

from statistics import NormalDist

from cytometry.gating.methods.evidence import Pool

# The 99th percentile is no truer than the 98th or the 99.5th: half and twice the share are as defensible.
_FACTOR = 2.0


def percentile_freedom(pool: Pool, fraction: float) -> float:
    """Half the distance between the quantiles that leave half and twice as many events beyond the cut.

    ``fraction`` of the events lie below it; the smaller side is what lies beyond.
    """
    beyond = min(fraction, 1.0 - fraction)
    less, more = (beyond / _FACTOR, min(beyond * _FACTOR, 0.5))
    ends = (1.0 - less, 1.0 - more) if fraction > 0.5 else (less, more)
    return 0.5 * abs(pool.quantile(ends[0]) - pool.quantile(ends[1]))


def normal_freedom(spreads: float) -> float:
    """The same for a cut so many standard deviations from the centre of a normal peak, in standard deviations.

    >>> round(normal_freedom(2.0), 2)
    0.29
    """
    normal = NormalDist()
    beyond = normal.cdf(-spreads)
    near, far = (normal.inv_cdf(min(share, 0.5)) for share in (_FACTOR * beyond, beyond / _FACTOR))
    return 0.5 * (near - far)
