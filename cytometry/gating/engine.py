"""Apply a strategy to one sample: events in, membership out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.errors import CytometryError, GatingError
from cytometry.gating.membership import Membership
from cytometry.gating.order import evaluation_order
from cytometry.model.gates import BooleanGate, EllipsoidGate, EventMaskGate, PolygonGate, RectangleGate
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader

BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.int64]


def gate_sample(
    strategy: GatingStrategy,
    sample: Sample,
    channel_map: ChannelMap,
    *,
    file_compensation: Spillover | None = None,
) -> Membership:
    """Find the events of every population.

    A child gate is evaluated on its parent's events only. An optional
    population whose dimension the file lacks is undefined, with all its
    descendants and every boolean that refers to them.

    Parameters
    ----------
    channel_map
        Where the names in the strategy's dimensions are in this file.
    file_compensation
        What the reference ``FCS`` means, where a study replaces the matrix of
        the file; None takes the file's own.

    Raises
    ------
    GatingError
        A population that is not optional needs a channel that the file lacks.
    SpilloverError
        A matrix that a gate needs cannot be used.
    """
    reader = DimensionReader(sample, channel_map, strategy.transforms, strategy.compensations, file_compensation)
    rows: dict[str, IndexArray] = {ROOT: np.arange(sample.n_events)}
    undefined: dict[str, str] = {}
    for population in evaluation_order(strategy):
        reason = _inherited(population, undefined)
        if reason is None:
            try:
                rows[population.path] = _apply(population, reader, rows)
            except GatingError as error:
                if not (population.optional and error.code == "CHANNEL_MISSING"):
                    raise _located(error, population, sample) from error
                reason = error.message
        if reason is not None:
            undefined[population.path] = reason
    paths = tuple(p.path for p in strategy.populations)
    return Membership(
        n_events=sample.n_events,
        paths=paths,
        counts={p: len(rows[p]) if p in rows else None for p in paths},
        bits={p: _packed(rows[p], sample.n_events) for p in paths if p in rows},
        undefined=undefined,
    )


def _inherited(population: Population, undefined: dict[str, str]) -> str | None:
    sources = [population.parent_path]
    if isinstance(population.gate, BooleanGate):
        sources += [o.path for o in population.gate.operands]
    return next((undefined[s] for s in sources if s in undefined), None)


def _located(error: CytometryError, population: Population, sample: Sample) -> GatingError:
    return GatingError(
        error.message,
        where=f"{sample.name}, population '{population.path}'",
        hint=error.hint,
        code=error.code,
    )


def _apply(population: Population, reader: DimensionReader, rows: dict[str, IndexArray]) -> IndexArray:
    parent = rows[population.parent_path]
    gate = population.gate
    if isinstance(gate, BooleanGate):
        return parent[_boolean(gate, parent, rows, reader.sample.n_events)]
    if isinstance(gate, EventMaskGate):
        return parent[_runs(gate, parent)]
    inside = _inside(gate, [reader.values(d, parent) for d in gate.dimensions])
    return parent[~inside if gate.complement else inside]


def _inside(gate: RectangleGate | PolygonGate | EllipsoidGate, values: list[npt.NDArray[np.float64]]) -> BoolArray:
    if isinstance(gate, PolygonGate):
        return _polygon(gate.vertices, values[0], values[1])
    if isinstance(gate, EllipsoidGate):
        return _ellipsoid(gate, np.column_stack(values))
    inside = np.ones(len(values[0]), dtype=np.bool_)
    for interval, x in zip(gate.intervals, values, strict=True):
        # An open side is no test: an event without a value (the log of a negative) passes it.
        if interval.minimum > -np.inf:
            inside &= x >= interval.minimum
        if interval.maximum < np.inf:
            inside &= x < interval.maximum
    return inside


def _polygon(vertices: npt.NDArray[np.float64], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> BoolArray:
    """Even-odd rule: a ray to the right crosses an odd number of edges."""
    inside = np.zeros(len(x), dtype=np.bool_)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        spans = (y0 <= y) != (y1 <= y)
        left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        inside ^= spans & ((left > 0) if y1 > y0 else (left < 0))
    return inside


def _ellipsoid(gate: EllipsoidGate, points: npt.NDArray[np.float64]) -> BoolArray:
    centred = points - gate.mean
    return np.asarray(((centred @ np.linalg.inv(gate.covariance)) * centred).sum(axis=1) <= gate.distance_square)


def _boolean(gate: BooleanGate, parent: IndexArray, rows: dict[str, IndexArray], n_events: int) -> BoolArray:
    parts = []
    for operand in gate.operands:
        mask = np.zeros(n_events, dtype=np.bool_)
        mask[rows[operand.path]] = True
        parts.append(~mask[parent] if operand.complement else mask[parent])
    if gate.operator == "not":
        return ~parts[0]
    combine = np.logical_and if gate.operator == "and" else np.logical_or
    return np.asarray(combine.reduce(parts))


def _runs(gate: EventMaskGate, parent: IndexArray) -> BoolArray:
    kept = np.zeros(len(parent), dtype=np.bool_)
    for start, stop in gate.kept_runs:
        kept |= (parent >= start) & (parent < stop)
    return kept


def _packed(rows: IndexArray, n_events: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros(n_events, dtype=np.bool_)
    mask[rows] = True
    return np.packbits(mask)
