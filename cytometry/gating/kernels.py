"""The compiled loops: gate by gate over a block of events that stays in the processor's cache.

Written in the part of Python that numba compiles. Each gate takes its parent's
events as a list of rows and shortens it dimension by dimension. An event too
close to a boundary to tell with tables is marked, and left to
:mod:`cytometry.gating.reference`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from cytometry.gating.curves import PIECE_BITS, PIECES_PER_OCTAVE
from cytometry.gating.plan import (
    AND,
    BOOLEAN,
    LINEAR,
    NOT,
    OR,
    POLYGON,
    RATIO,
    RECTANGLE,
    RUNS,
    UNKNOWN,
    KernelArrays,
)

_MANTISSA_BITS = 52
_EXPONENT_BIAS = 1023
_SHIFT = _MANTISSA_BITS - PIECE_BITS
# Rounding in a sum of a few products, relative to its terms.
_ROUNDING = 1e-13
# A sum is made for a whole block if at least one event in so many is wanted.
_SPARSE = 8


def _compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile once per installation; without a place to keep the result, once per process."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, error_model="numpy", **options)(function)
        except RuntimeError:  # neither the installation nor the home directory can be written to
            return numba.njit(error_model="numpy", **options)(function)

    return decorate


def _reinterpret(typing_context: Any, value: Any) -> Any:
    """The 64 bits of a float, as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


_bits_of: Any = intrinsic(_reinterpret)


@_compiled()
def _parent_rows(parent: int, count: int, members: Any, rows: Any) -> Any:
    """List the parent's events in the block; how many there are."""
    if parent < 0:
        for event in range(count):
            rows[event] = event
        return count
    n = 0
    for event in range(count):
        rows[n] = event
        n += members[parent, event]
    return n


@_compiled()
def _add_column(count: int, column: Any, weight: float, out: Any) -> None:
    """A loop without gaps, which the compiler turns into vector instructions."""
    for k in range(count):
        out[k] += column[k] * weight


@_compiled()
def _sum_source(
    slot: int, rows: Any, n: int, count: int, block: Any, start: Any, columns: Any, weights: Any, sums: Any, ready: Any
) -> Any:
    """Values of a weighted sum by event of the block: right at least for the rows asked for.

    Columns are added in the order in which the reference adds. Where many rows
    are wanted the sum is made for the whole block and kept: adding without gaps
    is several times faster than picking rows, and sibling gates ask for the
    same sums.
    """
    first, stop = start[slot], start[slot + 1]
    if stop == first + 1 and weights[first] == 1.0:
        return block[columns[first]]
    total = sums[slot]
    if ready[slot] == 1:
        return total
    if n * _SPARSE >= count:
        ready[slot] = 1
        total[:count] = 0.0
        for term in range(first, stop):
            _add_column(count, block[columns[term]], weights[term], total)
        return total
    for k in range(n):
        total[rows[k]] = 0.0
    for term in range(first, stop):
        column = block[columns[term]]
        weight = weights[term]
        for k in range(n):
            total[rows[k]] += column[rows[k]] * weight
    return total


@_compiled()
def _divide(n: int, rows: Any, slot: int, numbers: Any, x: Any, y: Any, out: Any) -> None:
    """Ratios held in their bounds."""
    a, b, c, low, high = numbers[slot, 0], numbers[slot, 1], numbers[slot, 2], numbers[slot, 3], numbers[slot, 4]
    for k in range(n):
        row = rows[k]
        ratio = a * ((x[row] - b) / (y[row] - c))
        if ratio < low:
            ratio = low
        elif ratio > high:
            ratio = high
        out[row] = ratio


@_compiled()
def _keep_interval(n: int, rows: Any, source: Any, i: int, limits: Any, others: Any, doubtful: Any) -> Any:
    """Keep the rows whose value lies in the interval; mark those that may.

    Without a branch: whether an event is inside is as unpredictable as gates are useful.
    """
    out_below, in_from, in_to, out_above = limits[i, 0], limits[i, 1], limits[i, 2], limits[i, 3]
    kept, left = 0, 0
    for k in range(n):
        row = rows[k]
        value = source[row]
        inside = (value >= in_from) & (value <= in_to)
        rows[kept] = row
        others[left] = row
        kept += inside
        left += 1 - inside
    # An open end is written as infinity, which an infinite value is not beyond.
    closed_below, closed_above = out_below > -np.inf, out_above < np.inf
    for k in range(left):
        value = source[others[k]]
        outside = ((value <= out_below) & closed_below) | ((value >= out_above) & closed_above)
        if not outside:
            doubtful[others[k]] = 1
    return kept


@_compiled()
def _keep_box(n: int, rows: Any, source: Any, x: Any, low: float, high: float) -> Any:
    """Keep the rows between two linear values, and list these; NaN is not between."""
    kept = 0
    for k in range(n):
        row = rows[k]
        value = source[row]
        rows[kept] = row
        x[kept] = value
        kept += (value >= low) & (value <= high)
    return kept


@_compiled()
def _keep_boxes(n: int, rows: Any, source: Any, points: Any, axis: int, low: float, high: float) -> Any:
    """As :func:`_keep_box` for a later axis: the earlier ones move along."""
    kept = 0
    for k in range(n):
        row = rows[k]
        value = source[row]
        rows[kept] = row
        for i in range(axis):
            points[i, kept] = points[i, k]
        points[axis, kept] = value
        kept += (value >= low) & (value <= high)
    return kept


@_compiled()
def _apply_curve(n: int, x: Any, curve: int, start: Any, shape: Any, limits: Any, pieces: Any) -> None:
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
    """Even-odd rule, edge by edge over all rows, with the reference's arithmetic."""
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
def _keep_state(n: int, rows: Any, state: Any, doubtful: Any) -> Any:
    kept = 0
    for k in range(n):
        row = rows[k]
        rows[kept] = row
        kept += state[k] == 1
        if state[k] == 2:
            doubtful[row] = 1
    return kept


@_compiled()
def _keep_boolean(
    n: int, rows: Any, operator: int, first: int, stop: int, gates: Any, complements: Any, members: Any
) -> Any:
    kept = 0
    for k in range(n):
        row = rows[k]
        result = 1 if operator == AND else 0
        for i in range(first, stop):
            value = members[gates[i], row] ^ complements[i]
            if operator == AND:
                result &= value
            elif operator == OR:
                result |= value
            elif operator == NOT:
                result = 1 - value
        rows[kept] = row
        kept += result
    return kept


@_compiled()
def _keep_runs(n: int, rows: Any, first_event: int, start: int, stop: int, runs: Any) -> Any:
    kept = 0
    for k in range(n):
        number = first_event + rows[k]
        left, right = start, stop
        inside = 0
        while left < right:
            middle = (left + right) // 2
            if number < runs[middle, 0]:
                right = middle
            elif number >= runs[middle, 1]:
                left = middle + 1
            else:
                inside = 1
                break
        rows[kept] = rows[k]
        kept += inside
    return kept


@_compiled(nogil=True)
def gate_block(
    block: npt.NDArray[np.float64],
    count: int,
    first_event: int,
    plan: KernelArrays,
    members: npt.NDArray[np.uint8],
    doubtful: npt.NDArray[np.uint8],
) -> None:
    """Gate a block of events.

    Parameters
    ----------
    block
        Columns × events, in the plan's order of columns.
    count
        How many of its events are to be gated; the rest of the block is old.
    first_event
        Number of the block's first event in the sample.
    members
        Gates × events, all zero; set to 1 where the event is a member.
    doubtful
        Per event, all zero; set to 1 where the reference must decide.
    """
    # Each array is taken out of the plan once: taking it costs more than using it.
    slot_kind, slot_start = plan.slot_kind, plan.slot_start
    term_column, term_weight = plan.term_column, plan.term_weight
    ratio_slots, ratio_numbers = plan.ratio_slots, plan.ratio_numbers
    interval_start, interval_slot, interval_limits = plan.interval_start, plan.interval_slot, plan.interval_limits
    axis_start, axis_slot, axis_curve, axis_limits = plan.axis_start, plan.axis_slot, plan.axis_curve, plan.axis_limits
    vertex_start, vertices = plan.vertex_start, plan.vertices
    operand_start, operand_gate, operand_complement = plan.operand_start, plan.operand_gate, plan.operand_complement
    curve_start, curve_shape, curve_limits = plan.curve_start, plan.curve_shape, plan.curve_limits
    curve_pieces = plan.curve_pieces
    widest = 2
    for gate in range(len(plan.gate_kind)):
        widest = max(widest, axis_start[gate + 1] - axis_start[gate])
    rows = np.empty(count, dtype=np.int64)
    others = np.empty(count + 1, dtype=np.int64)
    points = np.empty((widest, count))
    sums = np.empty((len(slot_kind), count))
    ready = np.zeros(len(slot_kind), dtype=np.uint8)
    state = np.empty(count, dtype=np.uint8)
    for gate in range(len(plan.gate_kind)):
        kind = plan.gate_kind[gate]
        n = _parent_rows(plan.gate_parent[gate], count, members, rows)
        flag = 1
        if plan.gate_complement[gate] == 1:
            flag = 0
            for k in range(n):
                members[gate, rows[k]] = 1
        if kind == BOOLEAN:
            first, stop = operand_start[gate], operand_start[gate + 1]
            operator = plan.gate_operator[gate]
            n = _keep_boolean(n, rows, operator, first, stop, operand_gate, operand_complement, members)
        elif kind == RUNS:
            n = _keep_runs(n, rows, first_event, plan.run_start[gate], plan.run_start[gate + 1], plan.runs)
        else:
            is_rectangle = kind == RECTANGLE
            first = interval_start[gate] if is_rectangle else axis_start[gate]
            stop = interval_start[gate + 1] if is_rectangle else axis_start[gate + 1]
            for i in range(first, stop):
                slot = interval_slot[i] if is_rectangle else axis_slot[i]
                if slot_kind[slot] == RATIO:
                    upper, lower = ratio_slots[slot, 0], ratio_slots[slot, 1]
                    x = _sum_source(upper, rows, n, count, block, slot_start, term_column, term_weight, sums, ready)
                    y = _sum_source(lower, rows, n, count, block, slot_start, term_column, term_weight, sums, ready)
                    source = sums[slot]
                    _divide(n, rows, slot, ratio_numbers, x, y, source)
                else:
                    source = _sum_source(slot, rows, n, count, block, slot_start, term_column, term_weight, sums, ready)
                low, high = 0.0, 0.0
                if not is_rectangle:
                    low, high = axis_limits[i, 0], axis_limits[i, 1]
                # The box around a shape, on the linear scale: most events end here without a transform.
                if is_rectangle:
                    n = _keep_interval(n, rows, source, i, interval_limits, others, doubtful)
                elif i == first:
                    n = _keep_box(n, rows, source, points[0], low, high)
                else:
                    n = _keep_boxes(n, rows, source, points, i - first, low, high)
            if not is_rectangle:
                error, unknown = 0.0, False
                for i in range(first, stop):
                    curve = axis_curve[i]
                    if curve == UNKNOWN:
                        unknown = True
                    elif curve != LINEAR:
                        _apply_curve(n, points[i - first], curve, curve_start, curve_shape, curve_limits, curve_pieces)
                        error = max(error, axis_limits[i, 2])
                if unknown:
                    state[:n] = 2
                elif kind == POLYGON:
                    corner, end = vertex_start[gate], vertex_start[gate + 1]
                    _polygon_state(n, points[0], points[1], corner, end, vertices, state)
                    if error > 0.0:
                        error_x, error_y = axis_limits[first, 2], axis_limits[first + 1, 2]
                        _mark_doubt(n, points[0], points[1], error_x, error_y, corner, end, vertices, state)
                else:
                    matrix, squared = plan.matrix_start[gate], plan.squared_distance[gate]
                    _ellipsoid_state(n, stop - first, points, error, squared, matrix, plan.matrices, state)
                n = _keep_state(n, rows, state, doubtful)
        for k in range(n):
            members[gate, rows[k]] = flag
