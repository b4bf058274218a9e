"""The compiled loops once more, in NumPy: four times slower, but ready at once.

Loading numba and the compiled code takes longer than gating one file this way;
see :func:`cytometry.gating.engine.gate_sample` for who uses which. Both give
the same answers and leave the same kind of events to the reference.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.gating.curves import PIECE_BITS, PIECES_PER_OCTAVE
from cytometry.gating.plan import BOOLEAN, LINEAR, NOT, OR, POLYGON, RATIO, RECTANGLE, RUNS, UNKNOWN, KernelArrays

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]

_SHIFT = 52 - PIECE_BITS
_EXPONENT_BIAS = 1023
# Rounding in a sum of a few products, relative to its terms.
_ROUNDING = 1e-13
# A sum is made for a whole block if at least one event in so many is wanted.
_SPARSE = 4


def gate_block(
    block: FloatArray, count: int, first_event: int, plan: KernelArrays, members: ByteArray, doubtful: ByteArray
) -> None:
    """As :func:`cytometry.gating.kernels.gate_events`."""
    _Block(block[:, :count], first_event, plan, members[:, :count], doubtful[:count]).gate()


class _Block:
    def __init__(
        self, block: FloatArray, first_event: int, plan: KernelArrays, members: ByteArray, doubtful: ByteArray
    ) -> None:
        self._block = block
        self._first_event = first_event
        self._plan = plan
        self._members = members
        self._doubtful = doubtful
        self._sums: dict[int, FloatArray] = {}

    def gate(self) -> None:
        """Every gate in order, each on its parent's rows."""
        with np.errstate(invalid="ignore", over="ignore"):
            self._gate()

    def _gate(self) -> None:
        plan = self._plan
        for gate, parent in enumerate(plan.gate_parent):
            rows = np.flatnonzero(self._members[parent]) if parent >= 0 else np.arange(self._block.shape[1])
            if plan.gate_complement[gate]:
                self._members[gate, rows] = 1
                self._members[gate, self._keep(gate, rows)] = 0
            else:
                self._members[gate, self._keep(gate, rows)] = 1

    def _keep(self, gate: int, rows: IndexArray) -> IndexArray:
        """The rows inside the gate's shape; doubtful ones are marked and left out."""
        kind = self._plan.gate_kind[gate]
        if kind == BOOLEAN:
            return rows[self._boolean(gate, rows)]
        if kind == RUNS:
            return rows[self._runs(gate, rows)]
        if kind == RECTANGLE:
            return self._rectangle(gate, rows)
        return self._shape(gate, rows)

    def _rectangle(self, gate: int, rows: IndexArray) -> IndexArray:
        plan = self._plan
        for i in range(plan.interval_start[gate], plan.interval_start[gate + 1]):
            x = self._values(plan.interval_slot[i], rows)
            out_below, in_from, in_to, out_above = plan.interval_limits[i]
            inside = (x >= in_from) & (x <= in_to)
            others = np.flatnonzero(~inside)
            y = x[others]
            # An open end is written as infinity, which an infinite value is not beyond.
            outside = np.zeros(len(others), dtype=np.bool_)
            if out_below > -np.inf:
                outside |= y <= out_below
            if out_above < np.inf:
                outside |= y >= out_above
            self._doubtful[rows[others[~outside]]] = 1
            rows = rows[inside]
        return rows

    def _shape(self, gate: int, rows: IndexArray) -> IndexArray:
        """A polygon or ellipsoid: its box on the linear scale first, then its display values."""
        plan = self._plan
        axes = range(plan.axis_start[gate], plan.axis_start[gate + 1])
        points: list[FloatArray] = []
        for i in axes:
            x = self._values(plan.axis_slot[i], rows)
            boxed = (x >= plan.axis_limits[i, 0]) & (x <= plan.axis_limits[i, 1])
            rows, x = rows[boxed], x[boxed]
            points = [*(p[boxed] for p in points), x]
        errors = [float(plan.axis_limits[i, 2]) for i in axes]
        if any(plan.axis_curve[i] == UNKNOWN for i in axes):
            self._doubtful[rows] = 1
            return rows[:0]
        points = [
            p if plan.axis_curve[i] == LINEAR else self._curve(p, int(plan.axis_curve[i]))
            for i, p in zip(axes, points, strict=True)
        ]
        if plan.gate_kind[gate] == POLYGON:
            inside, doubt = self._polygon(gate, points[0], points[1], errors[0], errors[1])
        else:
            inside, doubt = self._ellipsoid(gate, points, max(errors))
        self._doubtful[rows[doubt]] = 1
        return rows[inside & ~doubt]

    def _polygon(
        self, gate: int, x: FloatArray, y: FloatArray, error_x: float, error_y: float
    ) -> tuple[BoolArray, BoolArray]:
        vertices = self._plan.vertices[self._plan.vertex_start[gate] : self._plan.vertex_start[gate + 1]]
        inside = np.zeros(len(x), dtype=np.bool_)
        doubt = np.zeros(len(x), dtype=np.bool_)
        is_exact = error_x == 0 and error_y == 0
        for (x0, y0), (x1, y1) in zip(np.roll(vertices, 1, axis=0), vertices, strict=True):
            left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
            if y0 != y1:
                low, high = min(y0, y1), max(y0, y1)
                inside ^= (low <= y) & (y < high) & ((left > 0) if y1 > y0 else (left < 0))
            if not is_exact:
                reach = abs(x1 - x0) * error_y + abs(y1 - y0) * error_x
                near = np.abs(left) <= reach
                near &= (y >= min(y0, y1) - error_y) & (y <= max(y0, y1) + error_y)
                doubt |= near
                # At the height of a corner an edge may or may not be crossed.
                doubt |= np.abs(y - y1) <= error_y
        return inside, doubt

    def _ellipsoid(self, gate: int, points: list[FloatArray], error: float) -> tuple[BoolArray, BoolArray]:
        plan = self._plan
        start, n = plan.matrix_start[gate], len(points)
        centred = [p - plan.matrices[start + i] for i, p in enumerate(points)]
        weights = plan.matrices[start + n : start + n + n * n].reshape(n, n)
        distance = np.zeros(len(points[0]))
        reach = np.zeros(len(points[0]))
        for i, x in enumerate(centred):
            for j, y in enumerate(centred):
                distance += x * weights[i, j] * y
                reach += abs(weights[i, j]) * (error * (np.abs(x) + np.abs(y)) + _ROUNDING * np.abs(x * y))
        away = distance - plan.squared_distance[gate]
        return away < 0, np.abs(away) <= reach

    def _boolean(self, gate: int, rows: IndexArray) -> BoolArray:
        plan = self._plan
        operands = range(plan.operand_start[gate], plan.operand_start[gate + 1])
        parts = [
            self._members[plan.operand_gate[i], rows].view(np.bool_) != bool(plan.operand_complement[i])
            for i in operands
        ]
        if plan.gate_operator[gate] == NOT:
            return np.asarray(~parts[0])
        combine = np.logical_or if plan.gate_operator[gate] == OR else np.logical_and
        return np.asarray(combine.reduce(parts), dtype=np.bool_)

    def _runs(self, gate: int, rows: IndexArray) -> BoolArray:
        runs = self._plan.runs[self._plan.run_start[gate] : self._plan.run_start[gate + 1]]
        numbers = rows + self._first_event
        kept = np.zeros(len(rows), dtype=np.bool_)
        for start, stop in runs:
            kept |= (numbers >= start) & (numbers < stop)
        return kept

    def _values(self, slot: int, rows: IndexArray) -> FloatArray:
        plan = self._plan
        if plan.slot_kind[slot] != RATIO:
            return self._sum(slot, rows)
        x, y = (self._sum(s, rows) for s in plan.ratio_slots[slot])
        a, b, c, low, high = plan.ratio_numbers[slot]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.clip(a * ((x - b) / (y - c)), low, high))

    def _sum(self, slot: int, rows: IndexArray) -> FloatArray:
        """Weighted sums of columns, added in the order in which the reference adds."""
        plan = self._plan
        first, stop = plan.slot_start[slot], plan.slot_start[slot + 1]
        columns, weights = plan.term_column[first:stop], plan.term_weight[first:stop]
        if len(columns) == 1 and weights[0] == 1.0:
            return np.asarray(self._block[columns[0]][rows])
        if slot not in self._sums and len(rows) * _SPARSE < self._block.shape[1]:
            total = np.zeros(len(rows))
            for column, weight in zip(columns, weights, strict=True):
                total += self._block[column][rows] * weight
            return total
        if slot not in self._sums:
            total = np.zeros(self._block.shape[1])
            for column, weight in zip(columns, weights, strict=True):
                total += self._block[column] * weight
            self._sums[slot] = total
        return self._sums[slot][rows]

    def _curve(self, x: FloatArray, curve: int) -> FloatArray:
        """Display values from a transform's table."""
        plan = self._plan
        low, high, at_low, at_high = plan.curve_limits[curve]
        exponent, octaves, count = (int(v) for v in plan.curve_shape[curve])
        first = int(plan.curve_start[curve])
        within = np.clip(x, low, high)
        if octaves > 0:
            piece = (np.abs(within).view(np.int64) >> _SHIFT) - (((exponent + _EXPONENT_BIAS) << PIECE_BITS) - 1)
            np.maximum(piece, 0, out=piece)
            piece[(within < 0) & (piece > 0)] += octaves * PIECES_PER_OCTAVE
            # The upper end itself would be the first value of an octave that the table has not.
            np.minimum(piece, count - 1, out=piece)
        else:
            piece = np.searchsorted(plan.curve_pieces[first : first + count, 0], within, side="right") - 1
        pieces = plan.curve_pieces[first + piece]
        t = (within - pieces[:, 0]) * pieces[:, 1]
        values = pieces[:, 2] + t * (pieces[:, 3] + t * (pieces[:, 4] + t * pieces[:, 5]))
        values[x <= low] = at_low
        values[x >= high] = at_high
        return np.asarray(values)
