"""FlowJo's own display scales, as its workspaces name them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cytometry.errors import StrategyError

FloatArray = npt.NDArray[np.float64]

# FlowJo computes its biexponential at so many channels and interpolates between them.
BIEX_CHANNELS = 4096
_ROOT_STEPS = 100
_ROOT_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class FlowJoLinear:
    """FlowJo ``linear``: ``(x - minimum) / (maximum - minimum)``, gain applied before."""

    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.minimum) and math.isfinite(self.maximum) and self.minimum < self.maximum):
            raise StrategyError(f"{self} is not a scale", hint="minRange < maxRange", code="TRANSFORM_NONSENSE")

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        return np.asarray((np.asarray(values, dtype=np.float64) - self.minimum) / (self.maximum - self.minimum))

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        return np.asarray(np.asarray(values, dtype=np.float64) * (self.maximum - self.minimum) + self.minimum)


@dataclass(frozen=True, slots=True)
class FlowJoLog:
    """FlowJo ``log``: ``log10(max(x, offset) / offset) / decades``.

    >>> float(FlowJoLog(offset=1, decades=4).apply(100))
    0.5
    """

    offset: float
    decades: float

    def __post_init__(self) -> None:
        if not (0 < self.offset < math.inf and 0 < self.decades < math.inf):
            raise StrategyError(
                f"{self} is not a scale", hint="offset and decades must be positive", code="TRANSFORM_NONSENSE"
            )

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        x = np.maximum(np.asarray(values, dtype=np.float64), self.offset)
        return np.asarray((1.0 / self.decades) * (np.log10(x) - np.log10(self.offset)))

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        with np.errstate(over="ignore"):
            return np.asarray(10.0 ** (np.asarray(values, dtype=np.float64) * self.decades + np.log10(self.offset)))


@dataclass(frozen=True)
class FlowJoBiex:
    """FlowJo ``biex``: a table of 4097 points, interpolated; constant beyond its ends.

    The display scale runs from 0 to 4096. Parameters are those of FlowJo's
    dialogue: extra negative decades, width basis (negative), positive decades,
    and the top of the linear scale.
    """

    negative: float = 0.0
    width: float = -10.0
    positive: float = 4.418540
    maximum: float = 262144.000029

    def __post_init__(self) -> None:
        finite = all(math.isfinite(v) for v in (self.negative, self.width, self.positive, self.maximum))
        if not (finite and self.width <= -1 and self.positive > 0 and self.maximum > 0):
            raise StrategyError(
                f"{self} is not a scale",
                hint="width must be -1 or below, positive decades and the top positive",
                code="TRANSFORM_NONSENSE",
            )

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        return np.asarray(np.interp(np.asarray(values, dtype=np.float64), self._linear, self._channels))

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        return np.asarray(np.interp(np.asarray(values, dtype=np.float64), self._channels, self._linear))

    @property
    def table(self) -> tuple[FloatArray, FloatArray]:
        """Display channels and the linear value of each."""
        return self._channels, self._linear

    @cached_property
    def _channels(self) -> FloatArray:
        return np.arange(BIEX_CHANNELS + 1, dtype=np.float64)

    @cached_property
    def _linear(self) -> FloatArray:
        """Linear value of each display channel: a biexponential, mirrored around its zero."""
        width = math.log10(-self.width)
        decades = self.positive - width / 2
        extra = max(self.negative, 0.0) + width / 2
        zero = min(int(extra * BIEX_CHANNELS / (extra + decades)), BIEX_CHANNELS // 2)
        if zero > 0:
            decades = extra * BIEX_CHANNELS / zero
        width /= 2 * decades
        positive_range = math.log(10.0) * decades
        negative_range = _negative_range(positive_range, width)
        minimum = self.maximum / math.exp(positive_range)
        fraction = self._channels / (BIEX_CHANNELS + 1)
        curve = np.exp(fraction * positive_range)
        mirror = np.exp(fraction * -negative_range)
        mirror *= math.exp((positive_range + negative_range) * (width + extra / decades))
        at_zero = curve[zero] - mirror[zero]
        linear = np.empty(BIEX_CHANNELS + 1)
        linear[zero:] = minimum * ((curve[zero:] - mirror[zero:]) - at_zero)
        linear[:zero] = -linear[2 * zero - np.arange(zero)]
        return linear


def _negative_range(b: float, w: float) -> float:
    """Root of ``2 (ln d - ln b) + w (b + d)`` between 0 and b: the slope of the negative branch."""
    if w == 0:
        return b
    low, high = 0.0, b
    d = b / 2
    for _ in range(_ROOT_STEPS):
        f = 2 * (math.log(d) - math.log(b)) + w * (b + d)
        if f < 0:
            low = d
        else:
            high = d
        newton = d - f / (2 / d + w)
        following = newton if low < newton < high else (low + high) / 2
        if abs(following - d) < _ROOT_TOLERANCE:
            return following
        d = following
    return d
