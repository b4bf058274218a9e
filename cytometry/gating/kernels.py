"""The compiled loop: each event walks down the tree as far as its gates let it.

Written in the part of Python that numba compiles. A gate answers 1 (inside),
0 (outside) or -1 (too close to tell with tables): such an event is marked and
left to :mod:`cytometry.gating.reference`.
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
    ELLIPSOID,
    LINEAR,
    NOT,
    OR,
    POLYGON,
    RATIO,
    RECTANGLE,
    UNKNOWN,
    KernelArrays,
)

_MANTISSA_BITS = 52
_EXPONENT_BIAS = 1023
_SHIFT = _MANTISSA_BITS - PIECE_BITS
# Rounding in a sum of a few products, relative to its terms.
_ROUNDING = 1e-13


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
def _curve_value(x: float, curve: int, plan: KernelArrays) -> Any:
    low, high = plan.curve_limits[curve, 0], plan.curve_limits[curve, 1]
    if x <= low:
        return plan.curve_limits[curve, 2]
    if x >= high:
        return plan.curve_limits[curve, 3]
    first = plan.curve_start[curve]
    exponent, octaves, count = plan.curve_shape[curve, 0], plan.curve_shape[curve, 1], plan.curve_shape[curve, 2]
    if octaves > 0:
        magnitude = abs(x)
        # Exponent and leading mantissa bits together number the piece.
        piece = (_bits_of(magnitude) >> _SHIFT) - ((exponent + _EXPONENT_BIAS) << PIECE_BITS) + 1
        if piece <= 0:
            piece = 0
        elif x < 0:
            piece += octaves * PIECES_PER_OCTAVE
    else:
        left, right = 0, count
        while right - left > 1:
            middle = (left + right) // 2
            if plan.curve_pieces[first + middle, 0] <= x:
                left = middle
            else:
                right = middle
        piece = left
    p = plan.curve_pieces[first + piece]
    t = (x - p[0]) * p[1]
    return p[2] + t * (p[3] + t * (p[4] + t * p[5]))


@_compiled()
def _linear_value(slot: int, event: int, block: Any, plan: KernelArrays, values: Any, known: Any) -> Any:
    if known[slot] == event:
        return values[slot]
    start, stop = plan.slot_start[slot], plan.slot_start[slot + 1]
    if stop == start + 1 and plan.term_weight[start] == 1.0:
        total = block[plan.term_column[start], event]
    else:
        total = 0.0
        for term in range(start, stop):
            total += block[plan.term_column[term], event] * plan.term_weight[term]
    values[slot] = total
    known[slot] = event
    return total


@_compiled()
def _slot_value(slot: int, event: int, block: Any, plan: KernelArrays, values: Any, known: Any) -> Any:
    if plan.slot_kind[slot] != RATIO:
        return _linear_value(slot, event, block, plan, values, known)
    if known[slot] == event:
        return values[slot]
    x = _linear_value(plan.ratio_slots[slot, 0], event, block, plan, values, known)
    y = _linear_value(plan.ratio_slots[slot, 1], event, block, plan, values, known)
    numbers = plan.ratio_numbers[slot]
    result = numbers[0] * ((x - numbers[1]) / (y - numbers[2]))
    if result < numbers[3]:
        result = numbers[3]
    elif result > numbers[4]:
        result = numbers[4]
    values[slot] = result
    known[slot] = event
    return result


@_compiled()
def _in_rectangle(gate: int, event: int, block: Any, plan: KernelArrays, values: Any, known: Any) -> Any:
    answer = 1
    for i in range(plan.interval_start[gate], plan.interval_start[gate + 1]):
        x = _slot_value(plan.interval_slot[i], event, block, plan, values, known)
        limits = plan.interval_limits[i]
        if x <= limits[0] or x >= limits[3]:
            # An open end is written as infinity, which an infinite value is not beyond.
            if (x <= limits[0] and limits[0] > -np.inf) or (x >= limits[3] and limits[3] < np.inf):
                return 0
            answer = -1
        elif not (x >= limits[1] and x <= limits[2]):
            answer = -1
    return answer


@_compiled()
def _in_polygon(gate: int, event: int, block: Any, plan: KernelArrays, values: Any, known: Any) -> Any:
    axis = plan.axis_start[gate]
    # The box around the polygon, on the linear scale: most events end here without a transform.
    x = _slot_value(plan.axis_slot[axis], event, block, plan, values, known)
    if not (x >= plan.axis_limits[axis, 0] and x <= plan.axis_limits[axis, 1]):
        return 0
    y = _slot_value(plan.axis_slot[axis + 1], event, block, plan, values, known)
    if not (y >= plan.axis_limits[axis + 1, 0] and y <= plan.axis_limits[axis + 1, 1]):
        return 0
    curve_x, curve_y = plan.axis_curve[axis], plan.axis_curve[axis + 1]
    if curve_x == UNKNOWN or curve_y == UNKNOWN:
        return -1
    if curve_x != LINEAR:
        x = _curve_value(x, curve_x, plan)
    if curve_y != LINEAR:
        y = _curve_value(y, curve_y, plan)
    error_x, error_y = plan.axis_limits[axis, 2], plan.axis_limits[axis + 1, 2]
    start, stop = plan.vertex_start[gate], plan.vertex_start[gate + 1]
    inside = 0
    x0, y0 = plan.vertices[stop - 1, 0], plan.vertices[stop - 1, 1]
    for i in range(start, stop):
        x1, y1 = plan.vertices[i, 0], plan.vertices[i, 1]
        if error_y > 0.0 and abs(y - y1) <= error_y:
            return -1
        if (y0 <= y) != (y1 <= y):
            left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
            doubt = abs(x1 - x0) * error_y + abs(y1 - y0) * error_x
            if doubt > 0.0 and abs(left) <= doubt:
                return -1
            if y1 > y0:
                if left > 0:
                    inside ^= 1
            elif left < 0:
                inside ^= 1
        x0, y0 = x1, y1
    return inside


@_compiled()
def _in_ellipsoid(gate: int, event: int, block: Any, plan: KernelArrays, values: Any, known: Any, point: Any) -> Any:
    first = plan.axis_start[gate]
    n = plan.axis_start[gate + 1] - first
    matrix = plan.matrix_start[gate]
    largest = 0.0
    for i in range(n):
        x = _slot_value(plan.axis_slot[first + i], event, block, plan, values, known)
        if not (x >= plan.axis_limits[first + i, 0] and x <= plan.axis_limits[first + i, 1]):
            return 0
        curve = plan.axis_curve[first + i]
        if curve == UNKNOWN:
            return -1
        if curve != LINEAR:
            x = _curve_value(x, curve, plan)
            largest = max(largest, plan.axis_limits[first + i, 2])
        point[i] = x - plan.matrices[matrix + i]
    distance = 0.0
    doubt = 0.0
    for i in range(n):
        for j in range(n):
            weight = plan.matrices[matrix + n + i * n + j]
            distance += point[i] * weight * point[j]
            doubt += abs(weight) * (largest * (abs(point[i]) + abs(point[j])) + _ROUNDING * abs(point[i] * point[j]))
    if abs(distance - plan.squared_distance[gate]) <= doubt:
        return -1
    return 1 if distance < plan.squared_distance[gate] else 0


@_compiled()
def _in_boolean(gate: int, event: int, plan: KernelArrays, members: Any) -> Any:
    operator = plan.gate_operator[gate]
    result = 1 if operator == AND else 0
    for i in range(plan.operand_start[gate], plan.operand_start[gate + 1]):
        value = members[plan.operand_gate[i], event] ^ plan.operand_complement[i]
        if operator == AND:
            result &= value
        elif operator == OR:
            result |= value
        elif operator == NOT:
            result = 1 - value
    return result


@_compiled()
def _in_runs(gate: int, number: int, plan: KernelArrays) -> Any:
    left, right = plan.run_start[gate], plan.run_start[gate + 1]
    while left < right:
        middle = (left + right) // 2
        if number < plan.runs[middle, 0]:
            right = middle
        elif number >= plan.runs[middle, 1]:
            left = middle + 1
        else:
            return 1
    return 0


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
    n_gates = len(plan.gate_kind)
    n_slots = len(plan.slot_kind)
    values = np.zeros(n_slots + 1)
    known = np.full(n_slots + 1, -1, dtype=np.int64)
    point = np.zeros(len(plan.axis_slot) + 1)
    for event in range(count):
        for gate in range(n_gates):
            parent = plan.gate_parent[gate]
            if parent >= 0 and members[parent, event] == 0:
                continue
            kind = plan.gate_kind[gate]
            if kind == RECTANGLE:
                answer = _in_rectangle(gate, event, block, plan, values, known)
            elif kind == POLYGON:
                answer = _in_polygon(gate, event, block, plan, values, known)
            elif kind == ELLIPSOID:
                answer = _in_ellipsoid(gate, event, block, plan, values, known, point)
            elif kind == BOOLEAN:
                answer = _in_boolean(gate, event, plan, members)
            else:
                answer = _in_runs(gate, first_event + event, plan)
            if answer < 0:
                doubtful[event] = 1
                break
            if answer != plan.gate_complement[gate]:
                members[gate, event] = 1
