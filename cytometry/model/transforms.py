"""Display scales: monotone functions from the linear scale and back.

GatingML 2.0 (Spidlen et al. 2015) for ``Linear``, ``Log``, ``Asinh``,
``Logicle`` and ``Hyperlog``; FlowJo's scales stand beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Transform(Protocol):
    """A strictly increasing scale, applied to one channel's linear values."""

    def apply(self, values: npt.NDArray[Any]) -> FloatArray:
        """From the linear scale to the display scale."""
        ...

    def inverse(self, values: npt.NDArray[Any]) -> FloatArray:
        """From the display scale to the linear scale."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """GatingML ``flin``: ``(x + A) / (T + A)``."""

    T: float
    A: float = 0.0

    def apply(self, values: npt.NDArray[Any]) -> FloatArray:
        return np.asarray((np.asarray(values, dtype=np.float64) + self.A) / (self.T + self.A))

    def inverse(self, values: npt.NDArray[Any]) -> FloatArray:
        return np.asarray(np.asarray(values, dtype=np.float64) * (self.T + self.A) - self.A)


@dataclass(frozen=True, slots=True)
class Log:
    """GatingML ``flog``: ``log10(x / T) / M + 1``; NaN-free, non-positive values give -inf."""

    T: float
    M: float

    def apply(self, values: npt.NDArray[Any]) -> FloatArray:
        x = np.asarray(values, dtype=np.float64)
        out = np.full(x.shape, -np.inf)
        np.log10(x / self.T, out=out, where=x > 0)
        return np.asarray(out / self.M + 1.0)

    def inverse(self, values: npt.NDArray[Any]) -> FloatArray:
        return np.asarray(self.T * 10.0 ** (self.M * (np.asarray(values, dtype=np.float64) - 1.0)))


@dataclass(frozen=True, slots=True)
class Asinh:
    """GatingML ``fasinh``: ``(asinh(x sinh(M ln 10) / T) + A ln 10) / ((M + A) ln 10)``."""

    T: float
    M: float
    A: float = 0.0

    def apply(self, values: npt.NDArray[Any]) -> FloatArray:
        ln10 = np.log(10.0)
        scaled = np.asarray(values, dtype=np.float64) * (np.sinh(self.M * ln10) / self.T)
        return np.asarray((np.arcsinh(scaled) + self.A * ln10) / ((self.M + self.A) * ln10))

    def inverse(self, values: npt.NDArray[Any]) -> FloatArray:
        ln10 = np.log(10.0)
        y = np.asarray(values, dtype=np.float64)
        return np.asarray(np.sinh(y * (self.M + self.A) * ln10 - self.A * ln10) * self.T / np.sinh(self.M * ln10))


@dataclass(frozen=True, slots=True)
class Logicle:
    """GatingML ``logicle`` (Moore and Parks 2012): T top, W linear width, M decades, A negative decades."""

    T: float = 262144.0
    W: float = 0.5
    M: float = 4.5
    A: float = 0.0

    def apply(self, values: npt.NDArray[Any]) -> FloatArray:
        from flowutils import logicle_c

        scaled = np.array(values, dtype=np.float64)
        logicle_c.logicle_scale(self.T, self.W, self.M, self.A, scaled.ravel())
        return scaled

    def inverse(self, values: npt.NDArray[Any]) -> FloatArray:
        from flowutils import logicle_c

        linear = np.array(values, dtype=np.float64)
        logicle_c.logicle_inverse(self.T, self.W, self.M, self.A, linear.ravel())
        return linear


@dataclass(frozen=True, slots=True)
class Hyperlog:
    """GatingML ``hyperlog`` (Bagwell 2005), parameters as for :class:`Logicle`."""

    T: float = 262144.0
    W: float = 0.5
    M: float = 4.5
    A: float = 0.0

    def apply(self, values: npt.NDArray[Any]) -> FloatArray:
        from flowutils import logicle_c

        scaled = np.array(values, dtype=np.float64)
        logicle_c.hyperlog_scale(self.T, self.W, self.M, self.A, scaled.ravel())
        return scaled

    def inverse(self, values: npt.NDArray[Any]) -> FloatArray:
        from flowutils import logicle_c

        linear = np.array(values, dtype=np.float64)
        logicle_c.hyperlog_inverse(self.T, self.W, self.M, self.A, linear.ravel())
        return linear
