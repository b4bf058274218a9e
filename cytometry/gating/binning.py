"""How many events a program that bins its plots may count differently.

FlowJo draws a gate on a plot of 256 or 1024 channels and counts by channel. An
event within one channel of an edge may therefore be on the other side there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from cytometry.gating.order import evaluation_order
from cytometry.gating.reference import shape_contains
from cytometry.model.flowjo_transforms import BIEX_CHANNELS, FlowJoBiex
from cytometry.model.gates import AnyDimension, BooleanGate, EventMaskGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.preprocessing.dimensions import DimensionReader

Rows = npt.NDArray[np.int64]

# FlowJo's usual number of channels, where a workspace does not say.
USUAL_CHANNELS = 256


def undecided_by_binning(
    strategy: GatingStrategy, reader: DimensionReader, channels: Mapping[str, int]
) -> dict[str, int]:
    """Events per population that lie within one channel of an edge of its gate or of one above it.

    Parameters
    ----------
    channels
        Number of plot channels by path; 256 where a path is not in it.
    """
    inside: dict[str, Rows] = {ROOT: np.arange(reader.sample.n_events)}
    undecided: dict[str, Rows] = {ROOT: np.zeros(0, dtype=np.int64)}
    for population in evaluation_order(strategy):
        path = population.path
        parent, open_above = inside[population.parent_path], undecided[population.parent_path]
        candidates = np.union1d(parent, open_above)
        within, near = _judge(population, candidates, reader, channels.get(path, USUAL_CHANNELS), inside, undecided)
        inside[path] = np.intersect1d(parent, candidates[within], assume_unique=True)
        undecided[path] = np.union1d(candidates[near], np.intersect1d(open_above, candidates[within]))
    return {path: len(rows) for path, rows in undecided.items() if path != ROOT}


def _judge(
    population: Population,
    rows: Rows,
    reader: DimensionReader,
    channels: int,
    inside: Mapping[str, Rows],
    undecided: Mapping[str, Rows],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which rows the gate holds, and for which a shift by one channel changes that."""
    gate = population.gate
    if isinstance(gate, EventMaskGate):
        kept = np.zeros(len(rows), dtype=np.bool_)
        for start, stop in gate.kept_runs:
            kept |= (rows >= start) & (rows < stop)
        return kept, np.zeros(len(rows), dtype=np.bool_)
    if isinstance(gate, BooleanGate):
        parts = [np.isin(rows, inside[o.path]) != o.complement for o in gate.operands]
        near = np.logical_or.reduce([np.isin(rows, undecided[o.path]) for o in gate.operands])
        if gate.operator == "not":
            return ~parts[0], near
        return (np.logical_and if gate.operator == "and" else np.logical_or).reduce(parts), near
    values = [reader.values(d, rows) for d in gate.dimensions]
    within = shape_contains(gate, values)
    near = np.zeros(len(rows), dtype=np.bool_)
    steps = [_height(d, reader) / channels for d in gate.dimensions]
    for signs in itertools.product((-1, 0, 1), repeat=len(steps)):
        shifted = [v + s * step for v, s, step in zip(values, signs, steps, strict=True)]
        near |= shape_contains(gate, shifted) != within
    return within, near


def _height(dimension: AnyDimension, reader: DimensionReader) -> float:
    """Extent of a dimension's plot, in display units."""
    transform = None if dimension.transform is None else reader.transforms[dimension.transform]
    if isinstance(transform, FlowJoBiex):
        return float(BIEX_CHANNELS)
    if transform is not None:
        return 1.0
    channel = reader.channel_map.indices.get(dimension.name)
    return reader.sample.channels[channel].linear_top if channel is not None else 1.0
