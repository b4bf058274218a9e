"""Compile a strategy for one channel layout into the flat arrays that the kernel walks through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cytometry.gating.curves import build_curve
from cytometry.model.gates import (
    AnyDimension,
    BooleanGate,
    EllipsoidGate,
    EventMaskGate,
    PolygonGate,
    RatioDimension,
    RectangleGate,
)
from cytometry.model.strategy import ROOT, Population
from cytometry.model.thresholds import ALWAYS, DOUBT, NEVER, Threshold, domain_start, threshold
from cytometry.model.transforms import Transform
from cytometry.preprocessing.compensation import LinearSum
from cytometry.preprocessing.dimensions import DimensionReader

# Kinds of slots and gates, as the kernel knows them.
SUM, RATIO, COLUMN = 0, 1, 2
RECTANGLE, POLYGON, ELLIPSOID, BOOLEAN, RUNS = 0, 1, 2, 3, 4
AND, OR, NOT = 0, 1, 2
# An axis whose transform cannot be tabulated: the kernel leaves its events to the reference.
LINEAR, UNKNOWN = -1, -2

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class KernelArrays(NamedTuple):
    """A plan as arrays; every ``*_start`` has one more entry than there are things, its end.

    Values ("slots") are columns, weighted sums of columns, or ratios of two slots. Axes
    are slots with a curve. Gates refer to ranges of intervals, axes, vertices,
    operands or runs by their own number. The events of a gate that has children
    are a frame: ``gate_frame`` numbers these from 1, 0 are all events (or, for
    a gate, that it has no children); ``frame_slot`` lists the slots that the
    children ask for, the parts of a ratio before it.
    """

    slot_kind: IntArray
    slot_start: IntArray
    term_column: IntArray
    term_weight: FloatArray
    ratio_slots: IntArray
    ratio_numbers: FloatArray
    gate_kind: IntArray
    gate_parent: IntArray
    gate_operator: IntArray
    gate_complement: IntArray
    gate_frame: IntArray
    frame_start: IntArray
    frame_slot: IntArray
    interval_start: IntArray
    interval_slot: IntArray
    interval_limits: FloatArray
    axis_start: IntArray
    axis_slot: IntArray
    axis_curve: IntArray
    axis_limits: FloatArray
    vertex_start: IntArray
    vertices: FloatArray
    matrix_start: IntArray
    matrices: FloatArray
    squared_distance: FloatArray
    operand_start: IntArray
    operand_gate: IntArray
    operand_complement: IntArray
    run_start: IntArray
    runs: IntArray
    curve_start: IntArray
    curve_pieces: FloatArray
    curve_shape: IntArray
    curve_limits: FloatArray


@dataclass(frozen=True, eq=False)
class Plan:
    """What the kernel needs for one strategy and one channel layout.

    Parameters
    ----------
    columns
        Positions in the file of the columns that gates need; the kernel numbers
        them from 0 in this order.
    paths
        Of the gates, in evaluation order.
    arrays
        For the kernel.
    """

    columns: tuple[int, ...]
    paths: tuple[str, ...]
    arrays: KernelArrays


def plan_for(populations: Sequence[Population], reader: DimensionReader) -> Plan:
    """Compile populations in evaluation order, once per strategy and channel layout.

    Raises
    ------
    GatingError
        A dimension is not in the sample.
    SpilloverError
        A matrix that a gate needs cannot be used.
    """
    asked = dict.fromkeys(n for p in populations for d in p.gate.dimensions for n in channels_of(d))
    formulas = tuple(((name, reference), reader.formula(name, reference)) for name, reference in asked)
    return _compile(tuple(populations), formulas, tuple(reader.transforms.items()))


def channels_of(dimension: AnyDimension) -> tuple[tuple[str, str], ...]:
    """Names and matrix references of the channels that a dimension reads."""
    if isinstance(dimension, RatioDimension):
        names: tuple[str, ...] = (dimension.numerator, dimension.denominator)
    else:
        names = (dimension.name,)
    return tuple((name, dimension.compensation) for name in names)


# As many as the panels of a study and the kinds of instrument that acquired it.
@lru_cache(maxsize=16)
def _compile(
    populations: tuple[Population, ...],
    formulas: tuple[tuple[tuple[str, str], LinearSum], ...],
    transforms: tuple[tuple[str, Transform], ...],
) -> Plan:
    builder = _Builder(dict(formulas), dict(transforms))
    for population in populations:
        builder.add(population)
    return builder.finish()


@dataclass(eq=False)
class _Builder:
    formulas: Mapping[tuple[str, str], LinearSum]
    transforms: Mapping[str, Transform]
    gates: dict[str, int] = field(default_factory=dict)
    columns: dict[int, int] = field(default_factory=dict)
    slots: dict[tuple[object, ...], int] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    thresholds: dict[tuple[str | None, float], Threshold] = field(default_factory=dict)
    lists: dict[str, list[Any]] = field(default_factory=lambda: {n: [] for n in KernelArrays._fields})

    def add(self, population: Population) -> None:
        """Append one gate; what it refers to has been added before."""
        gate = population.gate
        for name in ("interval", "axis", "vertex", "matrix", "operand", "run"):
            things = {"vertex": "vertices", "matrix": "matrices", "run": "runs", "operand": "operand_gate"}
            self.lists[f"{name}_start"].append(len(self.lists[things.get(name, f"{name}_slot")]))
        operator, squared = AND, 0.0
        if isinstance(gate, RectangleGate):
            kind = RECTANGLE
            for interval in gate.intervals:
                self._add_interval(interval.dimension, interval.minimum, interval.maximum)
        elif isinstance(gate, PolygonGate):
            kind = POLYGON
            for dimension, values in zip(gate.dimensions, gate.vertices.T, strict=True):
                self._add_axis(dimension, float(values.min()), float(values.max()))
            self.lists["vertices"].extend(gate.vertices.tolist())
        elif isinstance(gate, EllipsoidGate):
            kind, squared = ELLIPSOID, gate.distance_square
            for i, dimension in enumerate(gate.dimensions):
                # An indefinite matrix has no extent: its axes are not bounded.
                reach = math.sqrt(gate.covariance[i, i] * squared) if gate.is_definite else math.inf
                margin = reach * (1 + DOUBT)
                self._add_axis(dimension, float(gate.mean[i]) - margin, float(gate.mean[i]) + margin)
            self.lists["matrices"].extend([*gate.mean.tolist(), *np.linalg.inv(gate.covariance).ravel().tolist()])
        elif isinstance(gate, BooleanGate):
            kind, operator = BOOLEAN, {"and": AND, "or": OR, "not": NOT}[gate.operator]
            self.lists["operand_gate"].extend(self.gates[o.path] for o in gate.operands)
            self.lists["operand_complement"].extend(int(o.complement) for o in gate.operands)
        else:
            kind = RUNS
            self.lists["runs"].extend(sorted(gate.kept_runs))
        self.lists["gate_kind"].append(kind)
        self.lists["gate_parent"].append(-1 if population.parent_path == ROOT else self.gates[population.parent_path])
        self.lists["gate_operator"].append(operator)
        inverted = not isinstance(gate, BooleanGate | EventMaskGate) and gate.complement
        self.lists["gate_complement"].append(int(inverted))
        self.lists["squared_distance"].append(squared)
        self.gates[population.path] = len(self.gates)

    def _add_interval(self, dimension: AnyDimension, minimum: float, maximum: float) -> None:
        transform = self._transform(dimension)
        slot = self._slot(dimension)
        if minimum == -math.inf and maximum == math.inf:
            return
        low, high = (-math.inf, -math.inf), (math.inf, math.inf)
        if minimum > -math.inf:
            low = self._threshold(dimension.transform, minimum)
            if low == NEVER:  # a scale that ends below the gate: not even an infinite value is inside
                low = (math.inf, math.nan)
        elif (start := domain_start(transform)) > -math.inf:
            low = (math.nextafter(start, -math.inf), start)
        if maximum < math.inf:
            high = self._threshold(dimension.transform, maximum)
            if high == ALWAYS:
                high = (math.nan, -math.inf)
        self.lists["interval_slot"].append(slot)
        self.lists["interval_limits"].append((*low, *high))

    def _add_axis(self, dimension: AnyDimension, low: float, high: float) -> None:
        """An axis of a polygon or ellipsoid that lies between two display values."""
        transform = self._transform(dimension)
        limits = (low, high)
        if transform is not None and dimension.transform is not None:
            margin = 1e-6 * max(high - low, abs(low), abs(high)) if math.isfinite(high - low) else 0.0
            limits = self._linear_limits(dimension.transform, low - margin, high + margin)
            known = self.ranges.get(dimension.transform, limits)
            self.ranges[dimension.transform] = (min(known[0], limits[0]), max(known[1], limits[1]))
        self.lists["axis_slot"].append(self._slot(dimension))
        self.lists["axis_curve"].append(dimension.transform)
        self.lists["axis_limits"].append((*limits, 0.0))

    def _linear_limits(self, key: str, low: float, high: float) -> tuple[float, float]:
        below = self._threshold(key, low).below if math.isfinite(low) else -math.inf
        above = self._threshold(key, high).above if math.isfinite(high) else math.inf
        return max(below, domain_start(self.transforms[key])), above

    def _threshold(self, key: str | None, level: float) -> Threshold:
        """Found once: quadrants and both sides of a split share their levels."""
        if (key, level) not in self.thresholds:
            transform = None if key is None else self.transforms[key]
            self.thresholds[key, level] = threshold(transform, level)
        return self.thresholds[key, level]

    def _transform(self, dimension: AnyDimension) -> Transform | None:
        return None if dimension.transform is None else self.transforms[dimension.transform]

    def _slot(self, dimension: AnyDimension) -> int:
        if not isinstance(dimension, RatioDimension):
            return self._sum(self.formulas[dimension.name, dimension.compensation])
        parts = tuple(self._sum(self.formulas[c]) for c in channels_of(dimension))
        numbers = (dimension.A, dimension.B, dimension.C, dimension.minimum, dimension.maximum)
        if (parts, numbers) not in self.slots:
            self._new_slot((parts, numbers), RATIO, LinearSum((), ()), parts, numbers)
        return self.slots[parts, numbers]

    def _sum(self, formula: LinearSum) -> int:
        if (formula,) not in self.slots:
            self._new_slot((formula,), SUM, formula, (0, 0), (0.0,) * 5)
        return self.slots[(formula,)]

    def _new_slot(
        self,
        key: tuple[object, ...],
        kind: int,
        formula: LinearSum,
        parts: tuple[int, ...],
        numbers: tuple[float, ...],
    ) -> None:
        self.slots[key] = len(self.slots)
        self.lists["slot_kind"].append(COLUMN if formula.is_plain else kind)
        self.lists["slot_start"].append(len(self.lists["term_column"]))
        for column, weight in zip(formula.columns, formula.weights, strict=True):
            self.lists["term_column"].append(self.columns.setdefault(column, len(self.columns)))
            self.lists["term_weight"].append(weight)
        self.lists["ratio_slots"].append(parts)
        self.lists["ratio_numbers"].append(numbers)

    def finish(self) -> Plan:
        """Close the ranges and freeze the lists."""
        ends: Mapping[str, str] = {
            "slot_start": "term_column",
            "interval_start": "interval_slot",
            "axis_start": "axis_slot",
            "vertex_start": "vertices",
            "matrix_start": "matrices",
            "operand_start": "operand_gate",
            "run_start": "runs",
        }
        for start, things in ends.items():
            self.lists[start].append(len(self.lists[things]))
        self._finish_curves()
        self._finish_frames()
        arrays: dict[str, Any] = {
            n: np.array(values, dtype=_DTYPES[n]).reshape(_SHAPES.get(n, (-1,))) for n, values in self.lists.items()
        }
        return Plan(tuple(self.columns), tuple(self.gates), KernelArrays(**arrays))

    def _finish_frames(self) -> None:
        """Number the gates that have children, and gather what these ask for."""
        parents = sorted({g for g in self.lists["gate_parent"] if g >= 0})
        numbers = {-1: 0} | {gate: number for number, gate in enumerate(parents, start=1)}
        self.lists["gate_frame"] = [numbers.get(gate, 0) for gate in range(len(self.gates))]
        asked: list[dict[int, None]] = [{} for _ in numbers]
        for gate, parent in enumerate(self.lists["gate_parent"]):
            for kind in ("interval", "axis"):
                first, stop = self.lists[f"{kind}_start"][gate : gate + 2]
                for slot in self.lists[f"{kind}_slot"][first:stop]:
                    if self.lists["slot_kind"][slot] == RATIO:
                        asked[numbers[parent]] |= dict.fromkeys(self.lists["ratio_slots"][slot])
                    asked[numbers[parent]][slot] = None
        for slots in asked:
            self.lists["frame_start"].append(len(self.lists["frame_slot"]))
            self.lists["frame_slot"].extend(slots)
        self.lists["frame_start"].append(len(self.lists["frame_slot"]))

    def _finish_curves(self) -> None:
        """Tabulate each transform once, over all that its axes ask for."""
        start = 0
        numbers: dict[str | None, tuple[int, float]] = {None: (LINEAR, 0.0)}
        for key, limits in self.ranges.items():
            curve = build_curve(self.transforms[key], *limits)
            if curve is None:
                numbers[key] = (UNKNOWN, 0.0)
                continue
            numbers[key] = (len(self.lists["curve_start"]), curve.error)
            self.lists["curve_start"].append(start)
            self.lists["curve_shape"].append((curve.exponent, curve.octaves, len(curve.centres)))
            self.lists["curve_limits"].append((curve.low, curve.high, curve.at_low, curve.at_high))
            self.lists["curve_pieces"].append(
                np.column_stack([curve.centres, curve.inverse_widths, curve.coefficients])
            )
            start += len(curve.centres)
        self.lists["curve_start"].append(start)
        self.lists["curve_pieces"] = [np.concatenate(self.lists["curve_pieces"])] if start else []
        keys = self.lists["axis_curve"]
        self.lists["axis_limits"] = [
            (low, high, numbers[k][1]) for k, (low, high, _) in zip(keys, self.lists["axis_limits"], strict=True)
        ]
        self.lists["axis_curve"] = [numbers[k][0] for k in keys]


_FLOATS = frozenset(
    {
        "term_weight",
        "ratio_numbers",
        "interval_limits",
        "axis_limits",
        "vertices",
        "matrices",
        "squared_distance",
        "curve_pieces",
        "curve_limits",
    }
)
_DTYPES: Mapping[str, type] = MappingProxyType(
    {n: np.float64 if n in _FLOATS else np.int64 for n in KernelArrays._fields}
)
_SHAPES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "ratio_slots": (-1, 2),
        "ratio_numbers": (-1, 5),
        "interval_limits": (-1, 4),
        "axis_limits": (-1, 3),
        "vertices": (-1, 2),
        "runs": (-1, 2),
        "curve_pieces": (-1, 6),
        "curve_shape": (-1, 3),
        "curve_limits": (-1, 4),
    }
)
