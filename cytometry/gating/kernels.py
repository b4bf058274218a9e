"""The compiled loops: gate by gate over a block of events that stays in the processor's cache.

Written in the part of Python that numba compiles. The events are read where
they lie, row by row, only by the gates that need them: each gate works on its
parent's events. Gates that have one parent share these events, their *frame*: all that
they ask for is read at once and stands there without gaps. An event too close
to a boundary to tell with tables is marked, and left to
:mod:`cytometry.gating.reference`.

All in one file: numba keeps compiled code for as long as the file that it was
called from stays as it is, and does not look at others.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from cytometry.gating.curves import PIECE_BITS, PIECES_PER_OCTAVE
from cytometry.gating.plan import (
    AND,
    BOOLEAN,
    COLUMN,
    LINEAR,
    OR,
    POLYGON,
    RATIO,
    RECTANGLE,
    RUNS,
    SUM,
    UNKNOWN,
    KernelArrays,
)

# Kept code also holds numbers of other files. Their digest stands here, so that who changes them changes this file.
_MADE_FOR = "d79150a4fa487fcb"
_NUMBERS = (
    AND,
    OR,
    BOOLEAN,
    POLYGON,
    RECTANGLE,
    RUNS,
    COLUMN,
    RATIO,
    SUM,
    LINEAR,
    UNKNOWN,
    PIECE_BITS,
    PIECES_PER_OCTAVE,
)
_FOUND = sha256(repr((KernelArrays._fields, _NUMBERS)).encode()).hexdigest()[:16]
if _FOUND != _MADE_FOR:
    raise RuntimeError(f"plan.py or curves.py has changed: set _MADE_FOR in {__name__} to '{_FOUND}'")

# A block's rows of twenty float32 stay in the processor's second cache, one column of it in the first; a multiple
# of 8 for packing.
BLOCK_EVENTS = 2048
# Rows of a power of two would all begin at the same place of the cache and drive each other out.
_ROW = BLOCK_EVENTS + 72
# Rounding in a sum of a few products, relative to its terms.
_ROUNDING = 1e-13
# Product and shift that gather the lowest bits of eight bytes, the first byte's bit first.
_GATHER, _GATHERED = np.uint64(0x8040201008040201), np.uint64(56)
# Events that are read and added up together.
_EIGHT = 8
_MANTISSA_BITS = 52
_EXPONENT_BIAS = 1023
_SHIFT = _MANTISSA_BITS - PIECE_BITS


def _compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile once per installation; without a place to keep the result, once per process."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, error_model="numpy", **options)(function)
        except RuntimeError:  # neither the installation nor the home directory can be written to
            return numba.njit(error_model="numpy", **options)(function)

    return decorate


class _Values(NamedTuple):
    """Where values come from and where they are kept.

    Parameters
    ----------
    data, stride, swapped
        As :func:`cytometry.gating.kernels.gate_events` takes them.
    slot_kind, slot_start, term_weight, ratio_slots, ratio_numbers, frame_start, frame_slot, frame_sums
        Of the plan.
    term_at, term_scale
        Of the plan's terms: position in an event, and factor and divisor that make it linear.
    strip_start, strips
        By frame: positions of an event from which eight neighbours are read for the frame's sums.
    slots
        Plan's slots × events of the frame.
    tile
        Room for an event's values (or more) × eight events.
    """

    data: npt.NDArray[Any]
    stride: int
    swapped: bool
    slot_kind: npt.NDArray[np.int64]
    slot_start: npt.NDArray[np.int64]
    term_weight: npt.NDArray[np.float64]
    ratio_slots: npt.NDArray[np.int64]
    ratio_numbers: npt.NDArray[np.float64]
    frame_start: npt.NDArray[np.int64]
    frame_slot: npt.NDArray[np.int64]
    term_at: npt.NDArray[np.int64]
    term_scale: npt.NDArray[np.float64]
    strip_start: npt.NDArray[np.int64]
    strips: npt.NDArray[np.int64]
    slots: npt.NDArray[np.float64]
    tile: npt.NDArray[np.float64]


def _reinterpret(typing_context: Any, value: Any) -> Any:
    """The 64 bits of a float, as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


def _read_value(typing_context: Any, data: Any, position: Any, swapped: Any) -> Any:
    """The value at a position: of float64 as it is, of bytes the float32 there, wherever it lies in memory."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        if signature.args[0].dtype != types.uint8:
            return builder.load(builder.gep(array.data, [arguments[1]]))
        words = builder.bitcast(array.data, ir.IntType(32).as_pointer())
        # A file says nothing about alignment.
        word = builder.load(builder.gep(words, [arguments[1]]), align=1)
        word = builder.select(arguments[2], builder.bswap(word), word)
        return builder.fpext(builder.bitcast(word, ir.FloatType()), ir.DoubleType())

    return types.float64(data, types.int64, types.boolean), generate


def _read_eight_by_eight(
    typing_context: Any,
    data: Any,
    rows: Any,
    first: Any,
    begin: Any,
    stride: Any,
    at: Any,
    swapped: Any,
    tile: Any,
) -> Any:
    """Eight neighbouring values of each of eight events, put down as columns.

    Read one by one, values cost several times as much as read in vectors of a
    row's neighbours that are turned in the registers. The value ``at + i`` of
    the events ``rows[first : first + 8]`` goes to ``tile[at + i]``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, row_list, out = (
            context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 1, 7)
        )
        index, double = ir.IntType(64), ir.DoubleType()
        is_bytes = signature.args[0].dtype == types.uint8
        element = ir.FloatType() if is_bytes else double
        base = builder.bitcast(source.data, element.as_pointer())
        vectors = []
        for i in range(_EIGHT):
            row = builder.load(builder.gep(row_list.data, [builder.add(arguments[2], index(i))]))
            offset = builder.mul(builder.sext(row, index), arguments[4])
            place = builder.gep(base, [builder.add(builder.add(arguments[3], offset), arguments[5])])
            # A file says nothing about alignment.
            vector = builder.load(builder.bitcast(place, ir.VectorType(element, _EIGHT).as_pointer()), align=1)
            vectors.append(_turned(builder, vector, arguments[6]) if is_bytes else vector)
        for half in (1, 2, 4):
            vectors = _exchanged(builder, vectors, half)
        for i, vector in enumerate(vectors):
            wide = builder.fpext(vector, ir.VectorType(double, _EIGHT)) if is_bytes else vector
            place = builder.gep(out.data, [builder.mul(builder.add(arguments[5], index(i)), index(_EIGHT))])
            builder.store(wide, builder.bitcast(place, wide.type.as_pointer()), align=8)
        return context.get_dummy_value()

    arguments = (data, rows, types.int64, types.int64, types.int64, types.int64, types.boolean, tile)
    return types.void(*arguments), generate


def _turned(builder: Any, vector: Any, swapped: Any) -> Any:
    """The bytes of each of eight words in the other order, if they are swapped."""
    order = [4 * (i // 4) + 3 - i % 4 for i in range(4 * _EIGHT)]
    in_bytes = builder.bitcast(vector, ir.VectorType(ir.IntType(8), 4 * _EIGHT))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), 4 * _EIGHT), order)
    turned = builder.bitcast(builder.shuffle_vector(in_bytes, in_bytes, mask), vector.type)
    return builder.select(swapped, turned, vector)


def _exchanged(builder: Any, vectors: list[Any], half: int) -> list[Any]:
    """One of the three steps that turn eight rows into eight columns.

    Blocks of ``half`` × ``half`` values beside the diagonal change places.
    """
    mask_type = ir.VectorType(ir.IntType(32), _EIGHT)
    low = ir.Constant(mask_type, [i if i & half == 0 else _EIGHT + i - half for i in range(_EIGHT)])
    high = ir.Constant(mask_type, [i + half if i & half == 0 else _EIGHT + i for i in range(_EIGHT)])
    found = list(vectors)
    for i in range(_EIGHT):
        if i & half == 0:
            upper, lower = vectors[i], vectors[i + half]
            found[i] = builder.shuffle_vector(upper, lower, low)
            found[i + half] = builder.shuffle_vector(upper, lower, high)
    return found


def _add_up_eight(
    typing_context: Any, tile: Any, at: Any, weights: Any, first: Any, stop: Any, slots: Any, slot: Any, k: Any
) -> Any:
    """Weighted sums of eight events' values, in the order of the terms, to ``slots[slot, k : k + 8]``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, positions, factors, out = (
            context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 1, 2, 5)
        )
        index = ir.IntType(64)
        eight = ir.VectorType(ir.DoubleType(), _EIGHT)
        total = cgutils.alloca_once_value(builder, ir.Constant(eight, [0.0] * _EIGHT))  # type: ignore[no-untyped-call]
        with cgutils.for_range_slice(builder, arguments[3], arguments[4], index(1)) as (term, _):
            position = builder.load(builder.gep(positions.data, [term]))
            place = builder.gep(values.data, [builder.mul(position, index(_EIGHT))])
            column = builder.load(builder.bitcast(place, eight.as_pointer()), align=8)
            weight = builder.load(builder.gep(factors.data, [term]))
            single = builder.insert_element(ir.Constant(eight, ir.Undefined), weight, ir.IntType(32)(0))
            every = builder.shuffle_vector(
                single, single, ir.Constant(ir.VectorType(ir.IntType(32), _EIGHT), [0] * _EIGHT)
            )
            builder.store(builder.fadd(builder.load(total), builder.fmul(column, every)), total)
        row_length = builder.sdiv(builder.extract_value(out.strides, 0), index(8))
        place = builder.gep(out.data, [builder.add(builder.mul(arguments[6], row_length), arguments[7])])
        builder.store(builder.load(total), builder.bitcast(place, eight.as_pointer()), align=8)
        return context.get_dummy_value()

    arguments = (tile, at, weights, types.int64, types.int64, slots, types.int64, types.int64)
    return types.void(*arguments), generate


_bits_of: Any = intrinsic(_reinterpret)
_value: Any = intrinsic(_read_value)
_read_eights: Any = intrinsic(_read_eight_by_eight)
_add_up_eights: Any = intrinsic(_add_up_eight)


@_compiled()
def _find_strips(plan: Any, term_at: Any, stride: int) -> Any:
    """Positions from which eight neighbours are read, so that each frame's sums have all their terms.

    Strips of one frame may overlap at the end of an event, never reach beyond it.
    """
    n_frames = len(plan.frame_start) - 1
    start, strips = np.zeros(n_frames + 1, dtype=np.int64), np.empty(n_frames * stride, dtype=np.int64)
    wanted, found = np.empty(stride, dtype=np.bool_), 0
    for frame in range(n_frames):
        wanted[:] = False
        for i in range(plan.frame_start[frame], plan.frame_start[frame + 1]):
            slot = plan.frame_slot[i]
            if plan.slot_kind[slot] == SUM:
                wanted[term_at[plan.slot_start[slot] : plan.slot_start[slot + 1]]] = True
        reached = 0
        for at in range(stride):
            if wanted[at] and at >= reached:
                strips[found] = max(min(at, stride - _EIGHT), 0)
                reached = strips[found] + _EIGHT
                found += 1
        start[frame + 1] = found
    return start, strips[:found]


@_compiled()
def _fill_frame(frame: int, rows: Any, n: int, begin: int, values: Any) -> None:
    """Every value that a frame's gates ask for, by event of the frame.

    Parameters
    ----------
    rows
        The frame's events, as numbers within the block.
    begin
        Position of the block's first value in the data.
    """
    slot_kind, frame_slot, slots = values.slot_kind, values.frame_slot, values.slots
    has_sums = False
    for i in range(values.frame_start[frame], values.frame_start[frame + 1]):
        slot = frame_slot[i]
        kind = slot_kind[slot]
        if kind == COLUMN:
            _read_column(slot, rows, n, begin, values)
        elif kind == SUM and not has_sums:
            has_sums = True
            _fill_sums(frame, rows, n, begin, values)
        elif kind == RATIO:
            # The plan lists its two parts before it.
            upper, lower = values.ratio_slots[slot, 0], values.ratio_slots[slot, 1]
            _divide(n, values.ratio_numbers[slot], slots[upper], slots[lower], slots[slot])


@_compiled()
def _read_column(slot: int, rows: Any, n: int, begin: int, values: Any) -> None:
    """Value by value."""
    data, stride, swapped, out = values.data, values.stride, values.swapped, values.slots[slot]
    term = values.slot_start[slot]
    position = begin + values.term_at[term]
    factor, divisor = values.term_scale[term, 0], values.term_scale[term, 1]
    for k in range(n):
        out[k] = _value(data, position + np.int64(rows[k]) * stride, swapped)
    if factor != 1.0:
        for k in range(n):
            out[k] *= factor
    elif divisor != 1.0:
        for k in range(n):
            out[k] /= divisor


@_compiled()
def _fill_sums(frame: int, rows: Any, n: int, begin: int, values: Any) -> None:
    """Every sum of the frame at once: what lies together in an event is read once.

    Terms are added in the order in which the reference adds, so that the last
    bit agrees.
    """
    # Arrays are taken out of their tuple once: taking one costs more than using it.
    data, stride, swapped = values.data, values.stride, values.swapped
    term_at, term_scale, tile, slots = values.term_at, values.term_scale, values.tile, values.slots
    strips, first_strip, last_strip = values.strips, values.strip_start[frame], values.strip_start[frame + 1]
    slot_kind, slot_start, weights, frame_slot = (
        values.slot_kind,
        values.slot_start,
        values.term_weight,
        values.frame_slot,
    )
    first, stop = values.frame_start[frame], values.frame_start[frame + 1]
    scaled = False
    for i in range(first, stop):
        if slot_kind[frame_slot[i]] == SUM:
            for term in range(slot_start[frame_slot[i]], slot_start[frame_slot[i] + 1]):
                scaled |= term_scale[term, 0] != 1.0 or term_scale[term, 1] != 1.0
    k = 0
    if stride >= _EIGHT and not scaled:
        while k + _EIGHT <= n:
            for strip in range(first_strip, last_strip):
                _read_eights(data, rows, k, begin, stride, strips[strip], swapped, tile)
            for i in range(first, stop):
                slot = frame_slot[i]
                if slot_kind[slot] == SUM:
                    _add_up_eights(tile, term_at, weights, slot_start[slot], slot_start[slot + 1], slots, slot, k)
            k += _EIGHT
    while k < n:
        position = begin + np.int64(rows[k]) * stride
        for i in range(first, stop):
            slot, total = frame_slot[i], 0.0
            if slot_kind[slot] == SUM:
                for term in range(slot_start[slot], slot_start[slot + 1]):
                    value = _value(data, position + term_at[term], swapped)
                    total += value * term_scale[term, 0] / term_scale[term, 1] * weights[term]
                slots[slot, k] = total
        k += 1


@_compiled()
def _divide(n: int, numbers: Any, x: Any, y: Any, out: Any) -> None:
    """Ratios held in their bounds."""
    a, b, c, low, high = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    for k in range(n):
        ratio = a * ((x[k] - b) / (y[k] - c))
        if ratio < low:
            ratio = low
        elif ratio > high:
            ratio = high
        out[k] = ratio


@_compiled()
def _apply_curve(n: int, x: Any, curve: int, limits: Any, shape: Any, start: Any, pieces: Any) -> None:
    """Replace linear values by display values, from the table."""
    low, high, at_low, at_high = limits[curve, 0], limits[curve, 1], limits[curve, 2], limits[curve, 3]
    first, octaves, last = start[curve], shape[curve, 1], start[curve] + shape[curve, 2]
    offset = ((shape[curve, 0] + _EXPONENT_BIAS) << PIECE_BITS) - 1
    for k in range(n):
        value = x[k]
        if value <= low:
            x[k] = at_low
            continue
        if value >= high:
            x[k] = at_high
            continue
        if octaves > 0:
            # Exponent and leading mantissa bits together number the piece.
            piece = (_bits_of(abs(value)) >> _SHIFT) - offset
            if piece <= 0:
                piece = 0
            elif value < 0:
                piece += octaves * PIECES_PER_OCTAVE
            piece += first
        else:
            piece, right = first, last
            while right - piece > 1:
                middle = (piece + right) // 2
                if pieces[middle, 0] <= value:
                    piece = middle
                else:
                    right = middle
        t = (value - pieces[piece, 0]) * pieces[piece, 1]
        x[k] = pieces[piece, 2] + t * (pieces[piece, 3] + t * (pieces[piece, 4] + t * pieces[piece, 5]))


@_compiled()
def _mark_interval(n: int, x: Any, i: int, limits: Any, inside: Any, outside: Any) -> None:
    """Note which values are surely in the interval and which surely not; NaN is neither.

    Without a branch: whether an event is inside is as unpredictable as gates are useful.
    """
    out_below, in_from, in_to, out_above = limits[i, 0], limits[i, 1], limits[i, 2], limits[i, 3]
    # An open end is written as infinity, which an infinite value is not beyond.
    closed_below, closed_above = out_below > -np.inf, out_above < np.inf
    for k in range(n):
        value = x[k]
        inside[k] &= (value >= in_from) & (value <= in_to)
        outside[k] |= ((value <= out_below) & closed_below) | ((value >= out_above) & closed_above)


@_compiled()
def _pick_box(n: int, x: Any, low: float, high: float, picked: Any, points: Any) -> Any:
    """Positions between two linear values, and their values; NaN is not between."""
    kept = 0
    for k in range(n):
        value = x[k]
        picked[kept] = k
        points[0, kept] = value
        kept += (value >= low) & (value <= high)
    return kept


@_compiled()
def _pick_boxes(n: int, x: Any, axis: int, low: float, high: float, picked: Any, points: Any) -> Any:
    """As :func:`_pick_box` for a later axis: the earlier ones move along."""
    kept = 0
    for m in range(n):
        k = picked[m]
        value = x[k]
        picked[kept] = k
        for i in range(axis):
            points[i, kept] = points[i, m]
        points[axis, kept] = value
        kept += (value >= low) & (value <= high)
    return kept


@_compiled()
def _pick_two(
    n: int, x: Any, y: Any, low_x: float, high_x: float, low_y: float, high_y: float, picked: Any, points: Any
) -> Any:
    """Positions in a box of two axes at once."""
    kept = 0
    for k in range(n):
        value_x, value_y = x[k], y[k]
        picked[kept] = k
        points[0, kept] = value_x
        points[1, kept] = value_y
        kept += (value_x >= low_x) & (value_x <= high_x) & (value_y >= low_y) & (value_y <= high_y)
    return kept


@_compiled()
def _mark_doubt(
    n: int, x: Any, y: Any, error_x: float, error_y: float, first: int, stop: int, vertices: Any, state: Any
) -> None:
    """Set the state to 2 where the tables' errors could change the answer."""
    x0, y0 = vertices[stop - 1, 0], vertices[stop - 1, 1]
    for i in range(first, stop):
        x1, y1 = vertices[i, 0], vertices[i, 1]
        doubt = abs(x1 - x0) * error_y + abs(y1 - y0) * error_x
        low, high = min(y0, y1) - error_y, max(y0, y1) + error_y
        for k in range(n):
            left = (x1 - x0) * (y[k] - y0) - (x[k] - x0) * (y1 - y0)
            near = (abs(left) <= doubt) & (y[k] >= low) & (y[k] <= high)
            # At the height of a corner an edge may or may not be crossed, unless its two edges agree.
            level = abs(y[k] - y1) <= error_y
            if near or level:
                state[k] = 2
        x0, y0 = x1, y1


@_compiled()
def _polygon_state(n: int, x: Any, y: Any, first: int, stop: int, vertices: Any, state: Any) -> None:
    """Even-odd rule, edge by edge over all points, with the reference's arithmetic."""
    for k in range(n):
        state[k] = 0
    x0, y0 = vertices[stop - 1, 0], vertices[stop - 1, 1]
    for i in range(first, stop):
        x1, y1 = vertices[i, 0], vertices[i, 1]
        if y1 > y0:
            for k in range(n):
                left = (x1 - x0) * (y[k] - y0) - (x[k] - x0) * (y1 - y0)
                state[k] ^= (y0 <= y[k]) & (y1 > y[k]) & (left > 0)
        elif y1 < y0:
            for k in range(n):
                left = (x1 - x0) * (y[k] - y0) - (x[k] - x0) * (y1 - y0)
                state[k] ^= (y1 <= y[k]) & (y0 > y[k]) & (left < 0)
        x0, y0 = x1, y1


@_compiled()
def _ellipsoid_state(
    n: int, axes: int, points: Any, error: float, squared: float, matrix: int, matrices: Any, state: Any
) -> None:
    for k in range(n):
        distance = 0.0
        doubt = 0.0
        for i in range(axes):
            x = points[i, k] - matrices[matrix + i]
            for j in range(axes):
                y = points[j, k] - matrices[matrix + j]
                weight = matrices[matrix + axes + i * axes + j]
                distance += x * weight * y
                doubt += abs(weight) * (error * (abs(x) + abs(y)) + _ROUNDING * abs(x * y))
        if abs(distance - squared) <= doubt:
            state[k] = 2
        else:
            state[k] = 1 if distance < squared else 0


@_compiled()
def _boolean_inside(
    n: int, rows: Any, operator: int, first: int, stop: int, gates: Any, complements: Any, members: Any, inside: Any
) -> None:
    """``not`` has one operand."""
    for k in range(n):
        inside[k] = 1 if operator == AND else 0
    for i in range(first, stop):
        operand, complement = gates[i], np.uint8(complements[i])
        if operator == AND:
            for k in range(n):
                inside[k] &= members[operand, rows[k]] ^ complement
        elif operator == OR:
            for k in range(n):
                inside[k] |= members[operand, rows[k]] ^ complement
        else:
            for k in range(n):
                inside[k] = 1 - (members[operand, rows[k]] ^ complement)


@_compiled()
def _runs_inside(n: int, rows: Any, first_event: int, start: int, stop: int, runs: Any, inside: Any) -> None:
    """Rows and runs both rise."""
    run = start
    for k in range(n):
        number = first_event + rows[k]
        while run < stop and number >= runs[run, 1]:
            run += 1
        inside[k] = run < stop and number >= runs[run, 0]


@_compiled()
def _rectangle_inside(
    first: int, stop: int, n: int, interval_slot: Any, limits: Any, slots: Any, inside: Any, outside: Any
) -> Any:
    """Set the events inside; whether any is neither surely inside nor surely outside."""
    for k in range(n):
        inside[k] = 1
        outside[k] = 0
    for i in range(first, stop):
        _mark_interval(n, slots[interval_slot[i]], i, limits, inside, outside)
    decided = 0
    for k in range(n):
        decided += inside[k] | outside[k]
    return decided < n


@_compiled()
def _pick(first: int, stop: int, n: int, axis_slot: Any, limits: Any, slots: Any, picked: Any, points: Any) -> Any:
    """Events in the box around a shape on the linear scale: most end here without a transform."""
    x = slots[axis_slot[first]]
    if stop == first + 2:
        y = slots[axis_slot[first + 1]]
        low_x, high_x, low_y, high_y = limits[first, 0], limits[first, 1], limits[first + 1, 0], limits[first + 1, 1]
        return _pick_two(n, x, y, low_x, high_x, low_y, high_y, picked, points)
    left = _pick_box(n, x, limits[first, 0], limits[first, 1], picked, points)
    for i in range(first + 1, stop):
        left = _pick_boxes(left, slots[axis_slot[i]], i - first, limits[i, 0], limits[i, 1], picked, points)
    return left


@_compiled()
def _pack(count: int, gate: int, eights: Any, packed_from: int, bits: Any) -> None:
    """One bit for each byte, and the bytes zero again."""
    for i in range((count + 7) // 8):
        bits[gate, packed_from + i] = (eights[gate, i] * _GATHER) >> _GATHERED
        eights[gate, i] = 0


@_compiled(nogil=True)
def gate_events(
    data: npt.NDArray[Any],
    stride: int,
    swapped: bool,
    column_at: npt.NDArray[np.int64],
    column_scale: npt.NDArray[np.float64],
    first_event: int,
    n_events: int,
    plan: KernelArrays,
    bits: npt.NDArray[np.uint8],
    doubtful: npt.NDArray[np.uint8],
) -> None:
    """Gate events that lie one behind the other.

    Parameters
    ----------
    data
        The events, flat: bytes of float32 as they lie in a file, or float64.
    stride
        Values from one event to the next.
    swapped
        Whether the bytes of a value stand in the other order than this machine's.
    column_at
        Which value of an event each of the plan's columns is.
    column_scale
        Plan's columns × 2: the linear value is the stored one times the first, over the second.
    first_event
        Number of the first event in the sample; a multiple of 8.
    n_events
        How many there are.
    plan
        Gates that share a parent stand together, booleans aside.
    bits
        Gates × bytes of the whole sample, packed membership; those of these events are set.
    doubtful
        Per event of the sample; set to 1 where the reference must decide.
    """
    # Each array is taken out of the plan once: taking it costs more than using it.
    gate_kind, gate_parent, gate_frame = plan.gate_kind, plan.gate_parent, plan.gate_frame
    gate_operator, gate_complement = plan.gate_operator, plan.gate_complement
    interval_start, interval_slot, interval_limits = plan.interval_start, plan.interval_slot, plan.interval_limits
    axis_start, axis_slot, axis_curve, axis_limits = plan.axis_start, plan.axis_slot, plan.axis_curve, plan.axis_limits
    vertex_start, vertices = plan.vertex_start, plan.vertices
    matrix_start, matrices, squared_distance = plan.matrix_start, plan.matrices, plan.squared_distance
    operand_start, operand_gate, operand_complement = plan.operand_start, plan.operand_gate, plan.operand_complement
    run_start, runs = plan.run_start, plan.runs
    curve_start, curve_shape, curve_limits = plan.curve_start, plan.curve_shape, plan.curve_limits
    curve_pieces = plan.curve_pieces
    n_gates, n_frames, widest = len(gate_kind), len(plan.frame_start) - 1, 2
    for gate in range(n_gates):
        widest = max(widest, axis_start[gate + 1] - axis_start[gate])
    term_at = column_at[plan.term_column]
    strip_start, strips = _find_strips(plan, term_at, stride)
    slots = np.empty((len(plan.slot_kind), _ROW))
    values = _Values(
        data,
        stride,
        swapped,
        plan.slot_kind,
        plan.slot_start,
        plan.term_weight,
        plan.ratio_slots,
        plan.ratio_numbers,
        plan.frame_start,
        plan.frame_slot,
        term_at,
        column_scale[plan.term_column],
        strip_start,
        strips,
        slots,
        np.empty((max(stride, _EIGHT), _EIGHT)),
    )
    # Frame 0 is every event of the block, for the gates without a parent.
    frames = np.empty((n_frames, BLOCK_EVENTS), dtype=np.int32)
    frames[0] = np.arange(BLOCK_EVENTS)
    lengths = np.zeros(n_frames, dtype=np.int64)
    members = np.zeros((n_gates, BLOCK_EVENTS), dtype=np.uint8)
    eights = members.view(np.uint64)
    picked = np.empty(BLOCK_EVENTS, dtype=np.int32)
    points = np.empty((widest, BLOCK_EVENTS))
    state = np.empty(BLOCK_EVENTS, dtype=np.uint8)
    inside = np.empty(BLOCK_EVENTS, dtype=np.uint8)
    for start in range(0, n_events, BLOCK_EVENTS):
        count = min(BLOCK_EVENTS, n_events - start)
        lengths[0] = count
        filled = -1
        for gate in range(n_gates):
            kind = gate_kind[gate]
            frame = gate_frame[gate_parent[gate]] if gate_parent[gate] >= 0 else 0
            rows, n = frames[frame], lengths[frame]
            if frame != filled and kind != BOOLEAN and kind != RUNS:
                _fill_frame(frame, rows, n, start * stride, values)
                filled = frame
            if kind == RECTANGLE:
                first, stop = interval_start[gate], interval_start[gate + 1]
                if _rectangle_inside(first, stop, n, interval_slot, interval_limits, slots, inside, state):
                    for k in range(n):
                        if inside[k] == 0 and state[k] == 0:
                            doubtful[first_event + start + rows[k]] = 1
            elif kind == BOOLEAN:
                first, stop, operator = operand_start[gate], operand_start[gate + 1], gate_operator[gate]
                _boolean_inside(n, rows, operator, first, stop, operand_gate, operand_complement, members, inside)
            elif kind == RUNS:
                _runs_inside(n, rows, first_event + start, run_start[gate], run_start[gate + 1], runs, inside)
            else:
                first, stop = axis_start[gate], axis_start[gate + 1]
                left = _pick(first, stop, n, axis_slot, axis_limits, slots, picked, points)
                error, unknown = 0.0, False
                for i in range(first, stop):
                    curve = axis_curve[i]
                    if curve == UNKNOWN:
                        unknown = True
                    elif curve != LINEAR:
                        x = points[i - first]
                        _apply_curve(left, x, curve, curve_limits, curve_shape, curve_start, curve_pieces)
                        error = max(error, axis_limits[i, 2])
                if unknown:
                    state[:left] = 2
                elif kind == POLYGON:
                    corner, end = vertex_start[gate], vertex_start[gate + 1]
                    _polygon_state(left, points[0], points[1], corner, end, vertices, state)
                    if error > 0.0:
                        error_x, error_y = axis_limits[first, 2], axis_limits[first + 1, 2]
                        _mark_doubt(left, points[0], points[1], error_x, error_y, corner, end, vertices, state)
                else:
                    matrix, squared = matrix_start[gate], squared_distance[gate]
                    _ellipsoid_state(left, stop - first, points, error, squared, matrix, matrices, state)
                inside[:n] = 0
                for m in range(left):
                    inside[picked[m]] = state[m] == 1
                for m in range(left):
                    if state[m] == 2:
                        doubtful[first_event + start + rows[picked[m]]] = 1
            if gate_complement[gate] == 1:
                for k in range(n):
                    inside[k] ^= 1
            for k in range(n):
                members[gate, rows[k]] = inside[k]
            own = gate_frame[gate]
            if own > 0:
                length = 0
                for k in range(n):
                    frames[own, length] = rows[k]
                    length += inside[k]
                lengths[own] = length
        for gate in range(n_gates):
            _pack(count, gate, eights, (first_event + start) // 8, bits)
