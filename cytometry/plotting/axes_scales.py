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

# Ticks that are tried first, and those that fill the gaps between them.
_PERCENTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 80, 90, 95, 98, 99, 99.5, 99.9)
_MORE_PERCENTS = (0.03, 0.07, 0.3, 0.7, 1.5, 3, 7, 4, 6, 8, 15, 12, 30, 40, 25, 60, 70, 75, 85, 88, 92, 94, 96, 97)
_CONCENTRATIONS = tuple(m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5))
_MORE_CONCENTRATIONS = tuple(m * 10.0**e for e in range(-4, 6) for m in (3, 7, 1.5, 4))


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
    return _thinned([(math.log(p / (100 - p)), f"{p:g} %") for p in (*_PERCENTS, *_MORE_PERCENTS)], low, high)


def _log2_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    return _thinned([(math.log2(c), f"{c:g}") for c in (*_CONCENTRATIONS, *_MORE_CONCENTRATIONS)], low, high)


def _even_ticks(low: float, high: float, unit: str) -> tuple[list[float], list[str]]:
    step = nice_step(high - low, 4)
    marks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return [float(m) for m in marks], [f"{m:g}{unit}" for m in marks]


def _thinned(ticks: list[tuple[float, str]], low: float, high: float) -> tuple[list[float], list[str]]:
    """The ticks inside, earlier ones first, none nearer than a ninth of the axis to another."""
    kept: list[tuple[float, str]] = []
    for tick in ticks:
        if low <= tick[0] <= high and all(abs(tick[0] - other[0]) >= (high - low) / 9 for other in kept):
            kept.append(tick)
    kept.sort()
    return [t[0] for t in kept], [t[1] for t in kept]
