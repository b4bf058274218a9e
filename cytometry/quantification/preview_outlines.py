"""A gate's outline on two axes, as polygons for a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.model.gates import (
    AnyDimension,
    EllipsoidGate,
    EventMaskGate,
    Gate,
    Interval,
    PolygonGate,
    RectangleGate,
)

FloatArray = npt.NDArray[np.float64]

ELLIPSE_VERTICES = 48


def gate_outlines(
    gate: Gate, x: AnyDimension | None, y: AnyDimension | None, positions: FloatArray | None = None
) -> tuple[FloatArray, ...]:
    """Polygons, each (n, 2) on the display scale; open sides are infinite.

    Parameters
    ----------
    gate
        Any plain gate. A boolean gate has no outline of its own.
    x, y
        The picture's axes; None where the axis is no dimension of the strategy.
    positions
        For an event mask: the place of every event on the x axis, in event order.

    Notes
    -----
    A gate of more than two dimensions is shown by its projection: an event
    inside the outline may still lie outside the gate.
    """
    if isinstance(gate, RectangleGate):
        across, up = _interval(gate, x), _interval(gate, y)
        return () if across is None and up is None else (_rectangle(*(across or OPEN), *(up or OPEN)),)
    if isinstance(gate, PolygonGate):
        if gate.dimensions == (x, y):
            return (gate.vertices,)
        return (gate.vertices[:, ::-1],) if gate.dimensions == (y, x) else ()
    if isinstance(gate, EllipsoidGate):
        return _ellipse(gate, x, y)
    if isinstance(gate, EventMaskGate):
        return _spans(gate, positions)
    return ()


def clip_to_window(vertices: FloatArray, low: tuple[float, float], high: tuple[float, float]) -> FloatArray:
    """Cut a polygon to a rectangle (Sutherland and Hodgman 1974); (0, 2) if nothing is left.

    >>> clip_to_window(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]), (0, 0), (1, 1)).tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    """
    corners = np.asarray(vertices, dtype=np.float64)
    if not np.isfinite(corners).all():
        # Only rectangles are open, and there clipping each coordinate is exact.
        return np.clip(corners, low, high)
    for axis in (0, 1):
        for bound, sign in ((low[axis], 1.0), (high[axis], -1.0)):
            corners = _cut(corners, axis, bound, sign)
    return corners


OPEN = (-np.inf, np.inf)


def _interval(gate: RectangleGate, dimension: AnyDimension | None) -> tuple[float, float] | None:
    found: list[Interval] = [i for i in gate.intervals if i.dimension == dimension]
    if not found:
        return None
    return max(i.minimum for i in found), min(i.maximum for i in found)


def _rectangle(left: float, right: float, bottom: float, top: float) -> FloatArray:
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]])


def _ellipse(gate: EllipsoidGate, x: AnyDimension | None, y: AnyDimension | None) -> tuple[FloatArray, ...]:
    if x not in gate.dimensions or y not in gate.dimensions:
        return ()
    rows = [gate.dimensions.index(x), gate.dimensions.index(y)]
    half = np.linalg.cholesky(gate.covariance[np.ix_(rows, rows)] * gate.distance_square)
    angle = np.linspace(0.0, 2 * np.pi, ELLIPSE_VERTICES, endpoint=False)
    return (gate.mean[rows] + np.column_stack([np.cos(angle), np.sin(angle)]) @ half.T,)


def _spans(gate: EventMaskGate, positions: FloatArray | None) -> tuple[FloatArray, ...]:
    """Runs of events along an axis that rises with them; open where the first or last event is kept."""
    last = np.inf if positions is None else len(positions)

    def at(event: int) -> float:
        if event == 0:
            return -np.inf
        if event >= last:
            return np.inf
        return float(event) if positions is None else float(positions[event])

    return tuple(_rectangle(at(a), at(b), *OPEN) for a, b in gate.kept_runs if b > a)


def _cut(corners: FloatArray, axis: int, bound: float, sign: float) -> FloatArray:
    kept: list[FloatArray] = []
    for k, here in enumerate(corners):
        before = corners[k - 1]
        inside, was_inside = sign * (here[axis] - bound) >= 0, sign * (before[axis] - bound) >= 0
        if inside != was_inside:
            share = (bound - before[axis]) / (here[axis] - before[axis])
            kept.append(before + share * (here - before))
        if inside:
            kept.append(here)
    return np.array(kept).reshape(-1, 2)
