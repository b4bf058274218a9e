"""Singlet band: single cells keep one ratio of pulse area to height."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError
from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.model.gates import Dimension, PolygonGate
from cytometry.model.normal import NORMAL_MAD
from cytometry.model.rules import SingletBand

FloatArray = npt.NDArray[np.float64]

_NODES = 12
_FEWEST = 50


def place_singlet_band(rule: SingletBand, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]) -> ShapePosition:
    """A band around the line of height / area against area.

    The ratio's line is fitted by least squares on events within the band, to
    convergence, from the median (doublets and debris lie outside). Events at
    the top of either axis are off scale and left out.

    Raises
    ------
    GatingError
        Fewer than 50 events lie on scale.
    """
    points = evidence.stacked()
    top = points.max(axis=0)
    # A pile of equal largest values is the end of the scale; a single largest value is an event.
    off_scale = np.array([np.count_nonzero(points[:, i] >= top[i]) > 1 for i in (0, 1)])
    on_scale = (points > 0).all(axis=1) & ~((points >= top) & off_scale).any(axis=1)
    x, y = points[on_scale].T
    if x.size < _FEWEST:
        raise GatingError(f"has {x.size} events on scale; {_FEWEST} are needed", code="GATE_NO_EVENTS")
    ratio = y / x
    slope, intercept, spread = _line(x, ratio, rule.spreads)
    nodes = np.linspace(0.0, top[0], _NODES)
    centre = np.maximum(intercept + slope * nodes, 0.1 * np.median(ratio))
    wide = np.maximum(centre - rule.spreads * spread, 0.05 * centre)
    upper, lower = nodes * (centre + rule.spreads * spread), nodes * wide
    limit = top[1] if off_scale[1] else max(top[1], upper.max()) * (1 + 1e-9)
    right = top[0] if off_scale[0] else top[0] * (1 + 1e-9)
    nodes = np.minimum(nodes, right)
    vertices = np.concatenate(
        [
            np.column_stack([nodes, np.minimum(lower, limit)]),
            np.column_stack([nodes, np.minimum(upper, limit)])[::-1],
        ]
    )
    n = x.size
    middle = float(np.median(x))
    ratio_here = float(np.interp(middle, nodes, centre))
    sd = float(spread * middle * np.sqrt((1.57 + 1.36 * rule.spreads**2) / n))
    return ShapePosition(
        gate=PolygonGate((dimensions[0], dimensions[1]), _distinct(vertices)),
        centre=(middle, middle * ratio_here),
        sd=(0.0, sd),
        confidence=float(np.mean(np.abs(ratio - (intercept + slope * x)) <= rule.spreads * spread)),
    )


def _line(x: FloatArray, ratio: FloatArray, spreads: float) -> tuple[float, float, float]:
    """Slope, intercept and robust spread of the ratio's main line."""
    slope, intercept = 0.0, float(np.median(ratio))
    spread = float(np.median(np.abs(ratio - intercept))) / NORMAL_MAD
    for _ in range(20):
        residual = ratio - (intercept + slope * x)
        near = np.abs(residual) <= 2.0 * spread
        if np.count_nonzero(near) < _FEWEST // 2 or np.ptp(x[near]) == 0:
            break
        slope, intercept = np.polyfit(x[near], ratio[near], 1)
        residual = ratio - (intercept + slope * x)
        inside = np.abs(residual) <= spreads * spread
        # Events beyond the band are cut off, so the middle half of those within is what is scaled.
        new = float(np.median(np.abs(residual[inside]))) / NORMAL_MAD
        if abs(new - spread) < 1e-6 * spread:
            break
        spread = new
    return float(slope), float(intercept), max(spread, 1e-6)


def _distinct(vertices: FloatArray) -> FloatArray:
    keep = np.ones(len(vertices), dtype=np.bool_)
    keep[1:] = (np.diff(vertices, axis=0) != 0).any(axis=1)
    return np.asarray(vertices[keep])
