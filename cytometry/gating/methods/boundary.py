"""Boundary: events at the ends of the scale are left out."""

from __future__ import annotations

import numpy as np

from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.rules import Boundary


def place_boundary(rule: Boundary, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]) -> ShapePosition:
    """A box open to the pile of equal largest values of each axis, where there is such a pile.

    A single largest value is an event like any other.
    """
    del rule
    points = np.concatenate(evidence.tubes)
    intervals, centres = [], []
    for axis, dimension in enumerate(dimensions):
        x = points[:, axis]
        top = float(x.max()) if x.size else np.inf
        piled = x.size > 0 and np.count_nonzero(x >= top) > 1
        intervals.append(Interval(dimension, -np.inf, top if piled else np.inf))
        centres.append(top)
    nothing = (0.0,) * len(dimensions)
    return ShapePosition(RectangleGate(tuple(intervals)), tuple(centres), nothing, 1.0)
