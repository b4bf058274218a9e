"""Where a share or a concentration stands on the axis on which its change is tested."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cytometry.quantification.preview_axes import nice_step

FloatArray = npt.NDArray[np.float64]
AxisKind = Literal["logit", "log2", "percent", "plain"]

_PERCENTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 50, 70, 80, 90, 95, 98, 99, 99.5, 99.9)
# Steps of the logarithmic axis of cells per µL: 1, 2, 5 of each decade.
_CONCENTRATIONS = tuple(m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class AxisScale:
    """A monotone axis.

    Parameters
    ----------
    position
        From the natural unit (fraction, cells/µL) to the axis.
    ticks
        From the axis' limits to positions and texts.
    """

    position: Callable[[FloatArray], FloatArray]
    ticks: Callable[[float, float], tuple[list[float], list[str]]]


def axis_scale(kind: AxisKind) -> AxisScale:
    """The axis of a kind of scale.

    >>> scale = axis_scale("logit")
    >>> float(scale.position(np.array([0.5]))[0])
    0.0
    """
    if kind == "logit":
        return AxisScale(_logit, _logit_ticks)
    if kind == "log2":
        return AxisScale(lambda x: np.log2(x), _log2_ticks)
    if kind == "percent":
        return AxisScale(lambda x: 100 * x, lambda low, high: _even_ticks(low, high, " %"))
    return AxisScale(lambda x: x, lambda low, high: _even_ticks(low, high, ""))


def _logit(fraction: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(fraction) - np.log1p(-fraction))


def _logit_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    inside = [(math.log(p / (100 - p)), f"{p:g} %") for p in _PERCENTS]
    return _thinned([t for t in inside if low <= t[0] <= high], low, high)


def _log2_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    inside = [(math.log2(c), f"{c:g}") for c in _CONCENTRATIONS]
    return _thinned([t for t in inside if low <= t[0] <= high], low, high)


def _even_ticks(low: float, high: float, unit: str) -> tuple[list[float], list[str]]:
    step = nice_step(high - low, 4)
    marks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return [float(m) for m in marks], [f"{m:g}{unit}" for m in marks]


def _thinned(ticks: list[tuple[float, str]], low: float, high: float) -> tuple[list[float], list[str]]:
    kept: list[tuple[float, str]] = []
    for tick in ticks:
        if not kept or tick[0] - kept[-1][0] >= (high - low) / 8:
            kept.append(tick)
    return [t[0] for t in kept], [t[1] for t in kept]
