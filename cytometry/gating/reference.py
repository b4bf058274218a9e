"""Every gate in plain NumPy, as its definition reads.

The compiled kernel must agree with this event for event, and hands over the
events that lie too close to a boundary for its tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cytometry.model.gates import BooleanGate, EllipsoidGate, EventMaskGate, PolygonGate, RectangleGate
from cytometry.model.strategy import ROOT, Population
from cytometry.preprocessing.dimensions import DimensionReader

BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def gate_rows(populations: Sequence[Population], reader: DimensionReader, rows: IndexArray) -> dict[str, IndexArray]:
    """Which of the given events are in each population.

    Parameters
    ----------
    populations
        In an order in which parents and operands stand before what needs them.
    rows
        Event numbers, rising.
    """
    members = {ROOT: rows}
    for population in populations:
        members[population.path] = _apply(population, reader, members)
    return members


def _apply(population: Population, reader: DimensionReader, members: Mapping[str, IndexArray]) -> IndexArray:
    parent = members[population.parent_path]
    gate = population.gate
    if isinstance(gate, BooleanGate):
        return parent[_boolean(gate, parent, members)]
    if isinstance(gate, EventMaskGate):
        return parent[_runs(gate, parent)]
    return parent[shape_contains(gate, [reader.values(d, parent) for d in gate.dimensions])]


def shape_contains(gate: RectangleGate | PolygonGate | EllipsoidGate, values: Sequence[FloatArray]) -> BoolArray:
    """Which points, given by their display values per dimension, the gate keeps."""
    # The log of zero is minus infinity and that of a negative NaN: both are in no shape.
    with np.errstate(invalid="ignore", over="ignore"):
        inside = _inside(gate, values)
    return ~inside if gate.complement else inside


def _inside(gate: RectangleGate | PolygonGate | EllipsoidGate, values: Sequence[FloatArray]) -> BoolArray:
    if isinstance(gate, PolygonGate):
        return _polygon(gate.vertices, values[0], values[1])
    if isinstance(gate, EllipsoidGate):
        return _ellipsoid(gate, values)
    inside = np.ones(len(values[0]), dtype=np.bool_)
    for interval, x in zip(gate.intervals, values, strict=True):
        # An open side is no test: an event without a value (the log of a negative) passes it.
        if interval.minimum > -np.inf:
            inside &= x >= interval.minimum
        if interval.maximum < np.inf:
            inside &= x < interval.maximum
    return inside


def _polygon(vertices: FloatArray, x: FloatArray, y: FloatArray) -> BoolArray:
    """Even-odd rule: a ray to the right crosses an odd number of edges.

    Each edge owns its lower end; a point on an edge is inside where the
    polygon lies to the right of it. FlowKit and FlowJo's importers agree on this.
    """
    inside = np.zeros(len(x), dtype=np.bool_)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        spans = (y0 <= y) != (y1 <= y)
        left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        inside ^= spans & ((left > 0) if y1 > y0 else (left < 0))
    return inside


def _ellipsoid(gate: EllipsoidGate, values: Sequence[FloatArray]) -> BoolArray:
    inverse = np.linalg.inv(gate.covariance)
    centred = [x - m for x, m in zip(values, gate.mean, strict=True)]
    # Written out term by term, so that one event alone gives the same sum as among others.
    distance = np.zeros(len(values[0]))
    for i, x in enumerate(centred):
        for j, y in enumerate(centred):
            distance += x * inverse[i, j] * y
    return np.asarray(distance <= gate.distance_square)


def _boolean(gate: BooleanGate, parent: IndexArray, members: Mapping[str, IndexArray]) -> BoolArray:
    parts = []
    for operand in gate.operands:
        inside = np.isin(parent, members[operand.path], assume_unique=True)
        parts.append(~inside if operand.complement else inside)
    if gate.operator == "not":
        return ~parts[0]
    combine = np.logical_and if gate.operator == "and" else np.logical_or
    return np.asarray(combine.reduce(parts))


def _runs(gate: EventMaskGate, parent: IndexArray) -> BoolArray:
    kept = np.zeros(len(parent), dtype=np.bool_)
    for start, stop in gate.kept_runs:
        kept |= (parent >= start) & (parent < stop)
    return kept
