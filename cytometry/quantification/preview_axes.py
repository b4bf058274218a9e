"""The axes of a gate's picture: a window on the display scale, and ticks that read in linear units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.model.transforms import Transform

FloatArray = npt.NDArray[np.float64]

# Events beyond these quantiles may fall outside the window; they are counted and the caption says how many.
WINDOW_QUANTILES = (0.001, 0.999)
# A boundary farther than this share of the data's span from the data does not stretch the window.
BOUNDARY_REACH = 0.5
# Share of the axis between two ticks, so that texts like 100k stay apart in a small picture.
TICK_GAP = 0.15


@dataclass(frozen=True, slots=True)
class PreviewAxis:
    """One axis of a picture.

    Parameters
    ----------
    name
        Marker or channel; ``event number`` where there is no channel.
    scale
        Kind of display scale for the reader: ``logicle``, ``linear`` ...
    minimum, maximum
        The window, on the display scale.
    ticks
        Position on the display scale and text, the value on the linear scale.
    """

    name: str
    scale: str
    minimum: float
    maximum: float
    ticks: tuple[tuple[float, str], ...]


def make_axis(
    name: str, transform: Transform | None, values: FloatArray, boundaries: Sequence[float], *, scale: str = ""
) -> PreviewAxis:
    """Choose the window that shows the values and the gate's boundaries, rounded outward.

    Parameters
    ----------
    name
        Label.
    transform
        The axis' display scale; None if values are linear.
    values
        On the display scale; values that are not finite are left out.
    boundaries
        Coordinates of the gate on this axis; infinite ones are ignored.
    scale
        Overrides the scale's name.
    """
    low, high = _window(values, boundaries)
    label = scale or ("linear" if transform is None else type(transform).__name__.lower())
    return PreviewAxis(name, label, low, high, _ticks(transform, low, high))


def nice_step(span: float, parts: int) -> float:
    """The largest of 1, 2, 5 × 10^k that is not above a ``parts``-th of ``span``.

    >>> nice_step(1.0, 10)
    0.1
    >>> nice_step(262144, 4)
    50000.0
    """
    target = span / parts
    power = float(10.0 ** math.floor(math.log10(target)))
    return max(m * power for m in (1.0, 2.0, 5.0) if m * power <= target * (1 + 1e-9))


def short_number(value: float) -> str:
    """A tick's text, at most six characters for usual values.

    >>> [short_number(v) for v in (0, -100, 1000, 50000, 1e6, 0.25)]
    ['0', '-100', '1k', '50k', '1M', '0.25']
    """
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def _window(values: FloatArray, boundaries: Sequence[float]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    edges = np.asarray([b for b in boundaries if np.isfinite(b)], dtype=np.float64)
    if finite.size:
        quantiles = np.quantile(finite, WINDOW_QUANTILES)
        low, high = float(quantiles[0]), float(quantiles[1])
        reach = (high - low) * BOUNDARY_REACH
        edges = edges[(edges >= low - reach) & (edges <= high + reach)]
    else:
        low, high = (float(edges.min()), float(edges.max())) if edges.size else (0.0, 1.0)
    if edges.size:
        low, high = min(low, float(edges.min())), max(high, float(edges.max()))
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or size == 0.0:
        # All events on one value: open a window around it.
        margin = 0.1 * size or 0.1
        low, high = low - margin, high + margin
    step = nice_step(high - low, 10)
    # The half-open last bin must hold the largest value, hence a window that ends strictly above it.
    return float(np.floor(low / step) * step), float((np.floor(high / step) + 1) * step)


def _ticks(transform: Transform | None, low: float, high: float) -> tuple[tuple[float, str], ...]:
    if transform is None or _is_affine(transform):
        linear = np.array([low, high]) if transform is None else transform.inverse(np.array([low, high]))
        first, last = float(linear[0]), float(linear[1])
        # At most five steps: the largest round one not above 2.5 fifths is not below a fifth.
        step = nice_step((last - first) * 2.5, 5)
        marks = np.arange(np.ceil(first / step - 1e-9), np.floor(last / step + 1e-9) + 1) * step + 0.0  # -0 becomes 0
    else:
        decades = 10.0 ** np.arange(2, 8)
        marks = np.concatenate([-decades[::-1], [0.0], decades])
    positions = marks if transform is None else transform.apply(marks)
    shown = [(float(p), short_number(float(m))) for p, m in zip(positions, marks, strict=True) if low <= p <= high]
    return _without_crowding(shown, low, high)


def _is_affine(transform: Transform) -> bool:
    a, b, middle = (float(v) for v in transform.apply(np.array([1.0, 10001.0, 5001.0])))
    return bool(np.isclose((a + b) / 2, middle, rtol=1e-6, atol=1e-12))


def _without_crowding(ticks: list[tuple[float, str]], low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Drop ticks too near to one that is kept; zero is kept first, then from the top."""
    kept: list[tuple[float, str]] = [t for t in ticks if t[1] == "0"]
    for tick in reversed(ticks):
        if all(abs(tick[0] - other[0]) >= (high - low) * TICK_GAP for other in kept):
            kept.append(tick)
    return tuple(sorted(kept))
