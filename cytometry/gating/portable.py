"""Rewrite a strategy in the words that other programs understand.

Markers become the file's channels, ``FCS`` becomes the matrix that was used,
and masks of single events become intervals of time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.order import evaluation_order
from cytometry.model.gates import (
    FROM_FILE,
    UNCOMPENSATED,
    AnyDimension,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    EventMaskGate,
    Gate,
    Interval,
    Operand,
    PolygonGate,
    RatioDimension,
    RectangleGate,
)
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import GatingStrategy, Population, join_path
from cytometry.preprocessing.dimensions import ChannelMap

# Name of the matrix that a file or study gave, in the exported strategy.
MATRIX_KEY = "Compensation"


def portable_strategy(
    strategy: GatingStrategy,
    sample: Sample,
    channel_map: ChannelMap,
    *,
    file_compensation: Spillover | None = None,
) -> GatingStrategy:
    """The same populations with the same members, on one sample, for any program.

    Populations that the sample lacks a channel for are left out. A mask of
    several runs becomes one helper population per run and their union.

    Raises
    ------
    GatingError
        A mask cannot be written as intervals of time without moving an event.
    """
    matrix = file_compensation if file_compensation is not None else sample.spillover
    compensations = dict(strategy.compensations)
    key = UNCOMPENSATED
    if matrix is not None:
        key = MATRIX_KEY
        while key in compensations:
            key += "_"
        compensations[key] = matrix
    words = _Words(sample, channel_map, key)
    left_out: set[str] = set()
    populations: list[Population] = []
    for population in evaluation_order(strategy):
        if words.lacks(population, left_out):
            left_out.add(population.path)
    for population in strategy.populations:
        if population.path not in left_out:
            populations += words.rewrite(population)
    used = {d.compensation for p in populations for d in p.gate.dimensions}
    return GatingStrategy(
        name=strategy.name,
        populations=tuple(populations),
        transforms=strategy.transforms,
        compensations={k: m for k, m in compensations.items() if k in used},
        findings=strategy.findings,
    )


class _Words:
    def __init__(self, sample: Sample, channel_map: ChannelMap, matrix_key: str) -> None:
        self._sample = sample
        self._indices: Mapping[str, int] = channel_map.indices
        self._matrix_key = matrix_key

    def lacks(self, population: Population, left_out: set[str]) -> bool:
        """Whether the sample cannot have this population: undefined, as the engine would say."""
        gate = population.gate
        if population.parent_path in left_out:
            return True
        if isinstance(gate, BooleanGate):
            return any(o.path in left_out for o in gate.operands)
        names = [n for d in gate.dimensions for n in _names(d)]
        return population.optional and any(n not in self._indices for n in names)

    def rewrite(self, population: Population) -> Iterator[Population]:
        """One population, after the helpers that it needs."""
        gate = population.gate
        if isinstance(gate, EventMaskGate):
            yield from self._mask(population, gate)
        else:
            yield replace(population, gate=self._gate(gate))

    def _gate(self, gate: Gate) -> Gate:
        if isinstance(gate, RectangleGate):
            intervals = tuple(replace(i, dimension=self._dimension(i.dimension)) for i in gate.intervals)
            return replace(gate, intervals=intervals)
        if isinstance(gate, PolygonGate):
            return replace(gate, dimensions=(self._dimension(gate.dimensions[0]), self._dimension(gate.dimensions[1])))
        if isinstance(gate, EllipsoidGate):
            return replace(gate, dimensions=tuple(self._dimension(d) for d in gate.dimensions))
        return gate

    def _dimension(self, dimension: AnyDimension) -> AnyDimension:
        compensation = self._matrix_key if dimension.compensation == FROM_FILE else dimension.compensation
        if isinstance(dimension, RatioDimension):
            return replace(
                dimension,
                numerator=self._channel(dimension.numerator),
                denominator=self._channel(dimension.denominator),
                compensation=compensation,
            )
        return replace(dimension, name=self._channel(dimension.name), compensation=compensation)

    def _channel(self, name: str) -> str:
        # A name that is no channel is the dye of a spectrum matrix and stays.
        return self._sample.channels[self._indices[name]].name if name in self._indices else name

    def _mask(self, population: Population, gate: EventMaskGate) -> Iterator[Population]:
        times = [c for c in self._sample.channels if c.kind == "time"]
        if len(times) != 1:
            raise GatingError(
                f"masks single events, and the file has {len(times)} time channels",
                where=f"{self._sample.name}, population '{population.path}'",
                hint="such a mask can only be kept in our own files",
                code="MASK_NOT_PORTABLE",
            )
        spans = list(self._spans(gate, times[0].index, population))
        dimension = Dimension(times[0].name)
        if len(spans) == 1:
            yield replace(population, gate=RectangleGate((Interval(dimension, *spans[0]),)))
            return
        helpers = []
        for number, span in enumerate(spans, start=1):
            name = f"{population.name} [{number}]"
            helpers.append(Operand(join_path(population.parent_path, name)))
            yield Population(name, population.parent_path, RectangleGate((Interval(dimension, *span),)))
        yield replace(population, gate=BooleanGate("or", tuple(helpers)))

    def _spans(self, gate: EventMaskGate, time: int, population: Population) -> Iterator[tuple[float, float]]:
        """Each run from the time of its first event up to the time of the first event behind it."""
        ticks = np.asarray(self._sample.linear_column(time), dtype=np.float64)
        n = len(ticks)
        for start, stop in gate.kept_runs:
            low = -math.inf if start <= 0 else float(ticks[start])
            high = math.inf if stop >= n else float(ticks[stop])
            inside = np.flatnonzero((ticks >= low) & (ticks < high))
            if len(inside) != min(stop, n) - max(start, 0) or (len(inside) and inside[0] != max(start, 0)):
                raise GatingError(
                    f"masks the events {start} to {stop}, which share their time with others",
                    where=f"{self._sample.name}, population '{population.path}'",
                    hint="such a mask can only be kept in our own files",
                    code="MASK_NOT_PORTABLE",
                )
            yield low, high


def _names(dimension: AnyDimension) -> tuple[str, ...]:
    if isinstance(dimension, RatioDimension):
        return (dimension.numerator, dimension.denominator)
    return (dimension.name,)
