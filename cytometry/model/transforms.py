"""Display scales: monotone functions from the linear scale and back.

GatingML 2.0 (Spidlen et al. 2015) for ``Linear``, ``Log``, ``Asinh``,
``Logicle``, ``Hyperlog`` and their bounds (``Bounded``); FlowJo's own scales
are in :mod:`cytometry.model.flowjo_transforms`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cytometry.errors import StrategyError

FloatArray = npt.NDArray[np.float64]

LN10 = math.log(10.0)

# The library stops its root search after so many steps and returns -1; see _unconverged.
_NOT_CONVERGED = -1.0
# float64 has 53 bits of mantissa; 200 halvings end any bracket that doubles can hold.
_BISECTIONS = 200


class Transform(Protocol):
    """An increasing scale, applied to one channel's linear values.

    ``apply`` returns NaN exactly where the value is NaN or outside the
    transform's domain; an event there is in no interval of that dimension.
    """

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        """From the linear scale to the display scale."""
        ...

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        """From the display scale to the linear scale."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """GatingML ``flin``: ``(x + A) / (T + A)``, with T > 0 and 0 ≤ A ≤ T.

    >>> float(Linear(T=1000, A=0).apply(250))
    0.25
    """

    T: float
    A: float = 0.0

    def __post_init__(self) -> None:
        _require(
            self, math.isfinite(self.T) and math.isfinite(self.A) and self.T + self.A > 0, "T + A must be positive"
        )

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        return np.asarray((np.asarray(values, dtype=np.float64) + self.A) / (self.T + self.A))

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        return np.asarray(np.asarray(values, dtype=np.float64) * (self.T + self.A) - self.A)


@dataclass(frozen=True, slots=True)
class Log:
    """GatingML ``flog``: ``log10(x / T) / M + 1``.

    Zero is minus infinity; a negative value is outside the domain and gives NaN.

    >>> float(Log(T=10000, M=4).apply(100))
    0.5
    """

    T: float
    M: float

    def __post_init__(self) -> None:
        _require(self, 0 < self.T < math.inf and 0 < self.M < math.inf, "T and M must be positive")

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        x = np.asarray(values, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((1.0 / self.M) * np.log10(x / self.T) + 1.0)

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        with np.errstate(over="ignore"):
            return np.asarray(self.T * 10.0 ** ((np.asarray(values, dtype=np.float64) - 1.0) * self.M))


@dataclass(frozen=True, slots=True)
class Asinh:
    """GatingML ``fasinh``: ``(asinh(x sinh(M ln 10) / T) + A ln 10) / ((M + A) ln 10)``.

    >>> round(float(Asinh(T=1000, M=4, A=1).apply(1000)), 12)
    1.0
    """

    T: float
    M: float
    A: float = 0.0

    def __post_init__(self) -> None:
        finite = math.isfinite(self.T) and math.isfinite(self.M) and math.isfinite(self.A)
        _require(self, finite and self.T > 0 and self.M > 0 and self.M + self.A > 0, "T, M and M + A must be positive")

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        scaled = np.asarray(values, dtype=np.float64) * (np.sinh(self.M * LN10) / self.T)
        return np.asarray((np.arcsinh(scaled) + self.A * LN10) / ((self.M + self.A) * LN10))

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        y = np.asarray(values, dtype=np.float64)
        with np.errstate(over="ignore"):
            return np.asarray(
                np.sinh(y * ((self.M + self.A) * LN10) - self.A * LN10) / (np.sinh(self.M * LN10) / self.T)
            )


@dataclass(frozen=True, slots=True)
class Logicle:
    """GatingML ``logicle`` (Moore and Parks 2012): T top, W linear width, M decades, A negative decades.

    >>> round(float(Logicle(T=1000, W=1, M=4, A=0).apply(0)), 12)
    0.25
    """

    T: float = 262144.0
    W: float = 0.5
    M: float = 4.5
    A: float = 0.0

    def __post_init__(self) -> None:
        _require_biexponential(self, self.T, self.W, self.M, self.A)

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        from flowutils import logicle_c

        x = np.asarray(values, dtype=np.float64)
        scaled = x.flatten()
        logicle_c.logicle_scale(self.T, self.W, self.M, self.A, scaled)
        return _unconverged(self, x, scaled.reshape(x.shape))

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        from flowutils import logicle_c

        y = np.asarray(values, dtype=np.float64)
        linear = y.flatten()
        logicle_c.logicle_inverse(self.T, self.W, self.M, self.A, linear)
        return linear.reshape(y.shape)


@dataclass(frozen=True, slots=True)
class Hyperlog:
    """GatingML ``hyperlog`` (Bagwell 2005), parameters as for :class:`Logicle`, but W > 0.

    >>> round(float(Hyperlog(T=1000, W=1, M=4, A=0).apply(0)), 12)
    0.25
    """

    T: float = 262144.0
    W: float = 0.5
    M: float = 4.5
    A: float = 0.0

    def __post_init__(self) -> None:
        _require_biexponential(self, self.T, self.W, self.M, self.A)
        _require(self, self.W > 0, "W must be positive")

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        from flowutils import logicle_c

        x = np.asarray(values, dtype=np.float64)
        scaled = x.flatten()
        logicle_c.hyperlog_scale(self.T, self.W, self.M, self.A, scaled)
        return _unconverged(self, x, scaled.reshape(x.shape))

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        from flowutils import logicle_c

        y = np.asarray(values, dtype=np.float64)
        linear = y.flatten()
        logicle_c.hyperlog_inverse(self.T, self.W, self.M, self.A, linear)
        return linear.reshape(y.shape)


@dataclass(frozen=True, slots=True)
class Bounded:
    """A transform whose result is held in ``[minimum, maximum]`` (GatingML ``boundMin``, ``boundMax``).

    Increasing, but constant beyond the bounds: the inverse of a bound is the
    value where the transform reaches it.
    """

    transform: Transform
    minimum: float = -math.inf
    maximum: float = math.inf

    def __post_init__(self) -> None:
        _require(self, self.minimum <= self.maximum, "boundMin must not be above boundMax")

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        return np.clip(self.transform.apply(values), self.minimum, self.maximum)

    def inverse(self, values: npt.ArrayLike) -> FloatArray:
        return self.transform.inverse(np.clip(np.asarray(values, dtype=np.float64), self.minimum, self.maximum))


def _require(transform: object, condition: bool, rule: str) -> None:
    if not condition:
        raise StrategyError(f"{transform} is not a scale", hint=rule, code="TRANSFORM_NONSENSE")


def _require_biexponential(transform: object, T: float, W: float, M: float, A: float) -> None:
    """The limits of GatingML 2.0, sections 6.4 and 6.5."""
    finite = all(math.isfinite(v) for v in (T, W, M, A))
    _require(transform, finite and T > 0 and M > 0, "T and M must be positive")
    _require(transform, W >= 0 and 2 * W <= M, "W must lie between 0 and M / 2")
    _require(transform, -W <= A <= M - 2 * W, "A must lie between -W and M - 2 W")


def _unconverged(transform: Transform, linear: FloatArray, scaled: FloatArray) -> FloatArray:
    """Put right the values at which the library's root search gave up.

    It answers -1 for NaN, for infinity and for values far beyond the scale,
    and -1 is a possible result, so each -1 is looked at.
    """
    suspects = np.flatnonzero(scaled == _NOT_CONVERGED)
    for flat in suspects:
        value = float(linear.flat[flat])
        scaled.flat[flat] = value if not math.isfinite(value) else _bisect(transform, value)
    return scaled


def _bisect(transform: Transform, value: float) -> float:
    low, high = -1.0, 2.0
    while transform.inverse(low) > value:
        low = 2 * low - 1
    while transform.inverse(high) < value:
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if transform.inverse(middle) <= value else (low, middle)
    return low
