"""Move a boundary from the display scale to the linear scale, so that no event is transformed for it."""

from __future__ import annotations

import math
from typing import NamedTuple

from cytometry.errors import StrategyError
from cytometry.model.transforms import Transform

# Transforms are computed to about 1e-15 of their range; a thousand times that is beyond doubt.
DOUBT = 1e-12
# Doublings from one part in 10^12 of a value to far beyond any scale.
_WIDENINGS = 120


class Threshold(NamedTuple):
    """Where an increasing transform reaches a level.

    ``x <= below`` is certainly below the level, ``x >= above`` certainly at or
    above it; an event in between is looked at with the transform itself.
    """

    below: float
    above: float


ALWAYS = Threshold(-math.inf, -math.inf)
NEVER = Threshold(math.inf, math.inf)


def threshold(transform: Transform | None, level: float) -> Threshold:
    """Linear values between which the transform crosses a finite level."""
    if transform is None:
        return Threshold(math.nextafter(level, -math.inf), level)
    lowest, highest = (float(transform.apply(x)) for x in (-math.inf, math.inf))
    if lowest >= level:
        return ALWAYS
    if highest < level:
        return NEVER
    doubt = DOUBT * max(1.0, abs(level))
    crossing = float(transform.inverse(level))
    if not math.isfinite(crossing):
        raise StrategyError(
            f"gate boundary {level:g} lies beyond the scale {transform}",
            hint="its linear value is not finite; draw the gate within the scale",
            code="GATE_NONSENSE",
        )
    step = max(abs(crossing), 1e-9) * DOUBT
    below = above = crossing
    for _ in range(_WIDENINGS):
        # Outside its domain (the log of a negative) a transform is NaN, which is not at the level.
        if not float(transform.apply(below)) > level - doubt:
            break
        below -= step
        step *= 2
    else:
        below = -math.inf
    step = max(abs(crossing), 1e-9) * DOUBT
    for _ in range(_WIDENINGS):
        reached = float(transform.apply(above))
        if reached >= level + doubt or (reached == highest and reached >= level):
            break
        above += step
        step *= 2
    else:
        above = math.inf
    return Threshold(below, above)


def boundary(transform: Transform | None, level: float) -> float:
    """The smallest linear value at or above which the transform reaches a level.

    ``transform.apply(x) >= level`` and ``x >= boundary(transform, level)`` are
    then the same question, for every double.
    """
    bracket = threshold(transform, level)
    if transform is None or bracket.below == bracket.above:
        return bracket.above
    low, high = bracket
    if not (math.isfinite(low) and math.isfinite(high)):
        raise StrategyError(
            f"boundary {level:g} has no linear value on the scale {transform}",
            hint="draw the gate within the scale",
            code="GATE_NONSENSE",
        )
    while True:
        middle = low + (high - low) / 2
        if middle in (low, high):
            return high
        if float(transform.apply(middle)) >= level:
            high = middle
        else:
            low = middle


def domain_start(transform: Transform | None) -> float:
    """Smallest linear value that the transform accepts: 0 for logarithms, else minus infinity."""
    if transform is None or not math.isnan(float(transform.apply(-1.0))):
        return -math.inf
    return 0.0
