"""Apply a strategy to one sample: events in, membership out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from pickle import UnpicklingError
from typing import Any

import numpy as np
import numpy.typing as npt

from cytometry.errors import CytometryError, GatingError
from cytometry.gating.membership import Membership
from cytometry.gating.order import evaluation_order
from cytometry.gating.plan import Plan, channels_of, plan_for
from cytometry.gating.reference import gate_rows
from cytometry.model.channels import Channel
from cytometry.model.gates import BooleanGate, Dimension, Interval, RectangleGate
from cytometry.model.sample import AS_STORED, LinearScale, Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader

# So many events of twenty float64 columns stay near the processor; a multiple of 8 for packing. NumPy needs long runs
# to make up for the cost of each call.
BLOCK_EVENTS = 16384
# After so many events (a multiple of the blocks) a mapped file's memory is given back: bounded whatever the file.
SEGMENT_EVENTS = 8 * BLOCK_EVENTS
# Measured: loading the compiled loops takes 0.56 s, and they save 0.32 s per million events.
COMPILED_FROM = 2_000_000

Bits = npt.NDArray[np.uint8]


def gate_sample(
    strategy: GatingStrategy,
    sample: Sample,
    channel_map: ChannelMap,
    *,
    file_compensation: Spillover | None = None,
    compiled: bool | None = None,
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
    compiled
        Whether to use the compiled loops. By default they are used once they
        are loaded, and loaded for a large sample: loading takes about as long
        as they save on two million events. The result does not depend on it.

    Raises
    ------
    GatingError
        A population that is not optional needs a channel that the file lacks.
    SpilloverError
        A matrix that a gate needs cannot be used.
    """
    reader = DimensionReader(sample, channel_map, strategy.transforms, strategy.compensations, file_compensation)
    defined, undefined = _defined(evaluation_order(strategy), reader)
    bits = _packed_members(defined, reader, compiled=_wants_compiled(sample) if compiled is None else compiled)
    paths = tuple(p.path for p in strategy.populations)
    return Membership(
        n_events=sample.n_events,
        paths=paths,
        counts={p: _population_count(bits[p]) if p in bits else None for p in paths},
        bits={p: bits[p] for p in paths if p in bits},
        undefined=undefined,
    )


def _defined(ordered: Sequence[Population], reader: DimensionReader) -> tuple[list[Population], dict[str, str]]:
    """The populations that this sample can have, and why not the others."""
    defined: list[Population] = []
    undefined: dict[str, str] = {}
    for population in ordered:
        reason = _inherited(population, undefined)
        if reason is None:
            try:
                _check_dimensions(population, reader)
            except GatingError as error:
                if not (population.optional and error.code == "CHANNEL_MISSING"):
                    raise _located(error, population, reader.sample) from error
                reason = error.message
        if reason is None:
            defined.append(population)
        else:
            undefined[population.path] = reason
    return defined, undefined


def _inherited(population: Population, undefined: dict[str, str]) -> str | None:
    sources = [population.parent_path]
    if isinstance(population.gate, BooleanGate):
        sources += [o.path for o in population.gate.operands]
    return next((undefined[s] for s in sources if s in undefined), None)


def _check_dimensions(population: Population, reader: DimensionReader) -> None:
    for dimension in population.gate.dimensions:
        for name, reference in channels_of(dimension):
            reader.formula(name, reference)


def _located(error: CytometryError, population: Population, sample: Sample) -> GatingError:
    return GatingError(
        error.message,
        where=f"{sample.name}, population '{population.path}'",
        hint=error.hint,
        code=error.code,
    )


def load_compiled() -> None:
    """Load the compiled loops, and compile them if this installation has not yet.

    For a process that will gate many files, or whose forked workers will:
    every later call finds them ready.
    """
    channel = Channel(0, "FSC-A")
    gate = RectangleGate((Interval(Dimension("FSC-A"), minimum=0.0),))
    gate_sample(
        GatingStrategy("loading", (Population("any", ROOT, gate),)),
        Sample.from_array(np.zeros((1, 1), dtype=np.float32), (channel,)),
        ChannelMap({"FSC-A": 0}),
        compiled=True,
    )


def _wants_compiled(sample: Sample) -> bool:
    return "cytometry.gating.kernels" in sys.modules or sample.n_events >= COMPILED_FROM


def _packed_members(populations: Sequence[Population], reader: DimensionReader, *, compiled: bool) -> dict[str, Bits]:
    plan = plan_for(populations, reader)
    n_events = reader.sample.n_events
    bits = np.zeros((len(plan.paths), -(-n_events // 8)), dtype=np.uint8)
    doubtful = np.zeros(n_events, dtype=np.uint8)
    try:
        (_run_compiled if compiled else _run_vectorised)(plan, reader.sample, bits, doubtful)
    except (UnpicklingError, EOFError, AttributeError, ImportError) as damage:
        if not compiled:
            raise
        # Compiled code that an older version left, or a disk that was full: slower loops give the same answer.
        logging.getLogger(__name__).warning("kept machine code cannot be used, gating is slower: %s", damage)
        _run_vectorised(plan, reader.sample, bits, doubtful)
    rows = np.flatnonzero(doubtful)
    if len(rows):
        _decide(populations, reader, rows, plan, bits)
    return dict(zip(plan.paths, bits, strict=True))


def _run_compiled(plan: Plan, sample: Sample, bits: Bits, doubtful: Bits) -> None:
    """Over the mapped bytes themselves where they are float32; block by block where values must be computed."""
    from cytometry.gating.kernels import gate_events

    stored = sample.columns.stored()
    scales = [sample.columns.linear_scale(i) for i in plan.columns]
    known = [s for s in scales if s is not None]
    is_float32 = stored is not None and stored.dtype.newbyteorder("=") == np.float32 and stored.flags.c_contiguous
    if stored is None or not is_float32 or len(known) < len(scales):
        at, factors = np.arange(len(plan.columns)), np.ones((len(plan.columns), 2))
        for start, n, block in _blocks(plan, sample, rowwise=True):
            gate_events(block.reshape(-1), block.shape[1], False, at, factors, start, n, plan.arrays, bits, doubtful)
        return
    at, factors = np.array(plan.columns, dtype=np.int64), np.array(known, dtype=np.float64).reshape(-1, 2)
    for start in range(0, sample.n_events, SEGMENT_EVENTS):
        segment = stored[start : start + SEGMENT_EVENTS]
        n, width = segment.shape
        data, is_swapped = segment.reshape(-1).view(np.uint8), not stored.dtype.isnative
        gate_events(data, width, is_swapped, at, factors, start, n, plan.arrays, bits, doubtful)
        sample.columns.forget(start, n)


def _run_vectorised(plan: Plan, sample: Sample, bits: Bits, doubtful: Bits) -> None:
    from cytometry.gating.vectorised import gate_block

    members = np.empty((len(plan.paths), BLOCK_EVENTS), dtype=np.uint8)
    for start, count, block in _blocks(plan, sample, rowwise=False):
        members[:] = 0
        gate_block(block, count, start, plan.arrays, members, doubtful[start : start + count])
        bits[:, start // 8 : -(-(start + count) // 8)] = np.packbits(members[:, :count], axis=1)


def _blocks(plan: Plan, sample: Sample, *, rowwise: bool) -> Iterator[tuple[int, int, npt.NDArray[np.float64]]]:
    """The needed columns on the linear scale, float64: first event, number of events, block (over and over the same).

    A block is columns × events; with ``rowwise`` events × columns.
    """
    columns = [_as_stored(sample, i) for i in plan.columns]
    shape = (BLOCK_EVENTS, len(columns)) if rowwise else (len(columns), BLOCK_EVENTS)
    buffer = np.empty(shape)
    by_column = buffer.T if rowwise else buffer
    held_from = 0
    for start in range(0, sample.n_events, BLOCK_EVENTS):
        count = min(BLOCK_EVENTS, sample.n_events - start)
        for target, (column, scale) in zip(by_column, columns, strict=True):
            target[:count] = column[start : start + count]
            if scale.factor != 1.0:
                target[:count] *= scale.factor
            elif scale.divisor != 1.0:
                target[:count] /= scale.divisor
        yield start, count, buffer
        if start + count - held_from >= SEGMENT_EVENTS:
            sample.columns.forget(held_from, start + count - held_from)
            held_from = start + count


def _as_stored(sample: Sample, index: int) -> tuple[npt.NDArray[Any], LinearScale]:
    """One column and what makes it linear: over the mapped bytes where no more than a factor is needed."""
    stored, scale = sample.columns.stored(), sample.columns.linear_scale(index)
    if stored is not None and scale is not None:
        return stored[:, index], scale
    return sample.linear_column(index), AS_STORED


def _decide(
    populations: Sequence[Population], reader: DimensionReader, rows: npt.NDArray[np.int64], plan: Plan, bits: Bits
) -> None:
    """Let the reference decide on the events that the kernel left open."""
    members = gate_rows(populations, reader, rows)
    mask = (np.uint8(128) >> (rows % 8).astype(np.uint8)).astype(np.uint8)
    for path, row in zip(plan.paths, bits, strict=True):
        np.bitwise_and.at(row, rows // 8, ~mask)
        inside = np.isin(rows, members[path], assume_unique=True)
        np.bitwise_or.at(row, rows[inside] // 8, mask[inside])


def _population_count(bits: Bits) -> int:
    return int(np.bitwise_count(bits).sum(dtype=np.int64))
