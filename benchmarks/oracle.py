"""The best gate of the same shape, placed with the truth labels: what no gate placed on data can beat.

Population by population down the tree: a box keeps its dimensions and open sides, and each finite side goes where F1
against the truth is highest, all sides in turn until none moves; a polygon or ellipse is shifted and stretched.
A parent is the oracle's own parent. Booleans and time masks have nothing to place. Fitted on the very events that it
is scored on, the oracle is a little better than any gate could be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cytometry.gating.reference import shape_contains
from cytometry.model.gates import BooleanGate, EllipsoidGate, EventMaskGate, PolygonGate, RectangleGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.preprocessing.dimensions import DimensionReader
from cytometry.simulation.truth import TRUE_POPULATIONS, Truth, truth_mask

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

# Populations of the shipped templates that have no canonical id of their own: what they are meant to hold.
_MEANT: Mapping[str, str] = {"cd21_neg_cd11c_pos": "activated_naive"}
_SWEEPS = 4
# Steps of the search over shapes: shifts as fractions of the shape's width, stretches as factors.
_STEPS = (-0.25, -0.1, -0.04, 0.04, 0.1, 0.25)


def f1(kept: BoolArray, true: BoolArray) -> float:
    """Harmonic mean of precision and recall; 1 where both are empty."""
    total = int(kept.sum()) + int(true.sum())
    return 2.0 * int((kept & true).sum()) / total if total else 1.0


def true_members(truth: Truth, name: str) -> BoolArray | None:
    """What a population of a template is meant to hold; None where nothing is."""
    if name == "b_non_asc":
        return np.asarray(truth_mask(truth, "b_cells") & ~truth_mask(truth, "asc"))
    name = _MEANT.get(name, name)
    return truth_mask(truth, name) if name in TRUE_POPULATIONS else None


def oracle_masks(
    strategy: GatingStrategy, reader: DimensionReader, truth: Truth, placed: Mapping[str, BoolArray]
) -> dict[str, BoolArray]:
    """Membership of every population under the oracle's gates, by path.

    Parameters
    ----------
    placed
        Membership under the placed gates, kept where a population has no truth.
    """
    masks: dict[str, BoolArray] = {ROOT: np.ones(truth.n_events, dtype=bool)}
    waiting = list(strategy.populations)
    while waiting:
        population = waiting.pop(0)
        gate = population.gate
        if isinstance(gate, BooleanGate) and any(o.path not in masks for o in gate.operands):
            waiting.append(population)
            continue
        true = true_members(truth, population.name)
        parent = masks[population.parent_path]
        if isinstance(gate, BooleanGate):
            masks[population.path] = parent & _boolean(gate, masks)
        elif true is None:
            masks[population.path] = placed[population.path]
        elif isinstance(gate, EventMaskGate):
            masks[population.path] = parent & true
        else:
            masks[population.path] = _best(population, reader, parent, true)
    return masks


def _boolean(gate: BooleanGate, masks: Mapping[str, BoolArray]) -> BoolArray:
    operands = [masks[o.path] != o.complement for o in gate.operands]
    if gate.operator == "not":
        return np.asarray(~operands[0])
    return np.asarray((np.logical_and if gate.operator == "and" else np.logical_or).reduce(operands))


def _best(population: Population, reader: DimensionReader, parent: BoolArray, true: BoolArray) -> BoolArray:
    rows = np.flatnonzero(parent)
    gate = population.gate
    values = [reader.values(d, rows) for d in gate.dimensions]
    if isinstance(gate, RectangleGate):
        kept = _best_box(gate, values, true[rows], int(true.sum()))
    else:
        assert isinstance(gate, PolygonGate | EllipsoidGate)
        kept = _best_shape(gate, values, true[rows], int(true.sum()))
    mask = np.zeros(parent.size, dtype=bool)
    mask[rows[kept]] = True
    return mask


def _best_box(gate: RectangleGate, values: list[FloatArray], true: BoolArray, n_true: int) -> BoolArray:
    bounds = np.array([[i.minimum, i.maximum] for i in gate.intervals])
    finite = np.argwhere(np.isfinite(bounds))
    for _ in range(_SWEEPS):
        before = bounds.copy()
        for axis, side in finite:
            others = _inside(values, _opened(bounds, axis, side))
            bounds[axis, side] = _best_side(values[axis][others], true[others], n_true, upper=bool(side))
        if np.array_equal(before, bounds):
            break
    return _inside(values, bounds)


def _opened(bounds: FloatArray, axis: int, side: int) -> FloatArray:
    opened = bounds.copy()
    opened[axis, side] = np.inf if side else -np.inf
    return opened


def _inside(values: list[FloatArray], bounds: FloatArray) -> BoolArray:
    kept = np.ones(values[0].size, dtype=bool)
    for x, (low, high) in zip(values, bounds, strict=True):
        kept &= (x >= low) & (x < high)
    return kept


def _best_side(x: FloatArray, true: BoolArray, n_true: int, *, upper: bool) -> float:
    """Threshold of highest F1, halfway between two events."""
    if x.size == 0:
        return np.inf if upper else -np.inf
    order = np.argsort(x if upper else -x, kind="stable")
    sorted_x, hits = x[order], np.cumsum(true[order])
    score = 2.0 * hits / (np.arange(1, x.size + 1) + n_true)
    best = int(np.argmax(score))
    if best + 1 == x.size:
        return float(np.inf if upper else -np.inf)
    return float((sorted_x[best] + sorted_x[best + 1]) / 2)


def _best_shape(gate: PolygonGate | EllipsoidGate, values: list[FloatArray], true: BoolArray, n_true: int) -> BoolArray:
    starts: list[PolygonGate | EllipsoidGate] = [gate]
    if isinstance(gate, EllipsoidGate) and true.sum() > 10:
        inside = np.column_stack([x[true] for x in values])
        starts += [
            replace(
                gate,
                mean=inside.mean(axis=0),
                covariance=np.asarray(np.cov(inside.T), dtype=np.float64),
                distance_square=d,
            )
            for d in (3.0, 5.0)
        ]
    found = [_climb(start, values, true, n_true) for start in starts]
    return max(found, key=lambda kept: _score(kept, true, n_true))


def _score(kept: BoolArray, true: BoolArray, n_true: int) -> float:
    return 2.0 * int((kept & true).sum()) / max(int(kept.sum()) + n_true, 1)


def _climb(gate: PolygonGate | EllipsoidGate, values: list[FloatArray], true: BoolArray, n_true: int) -> BoolArray:
    """Shift and stretch along each axis while F1 rises."""
    best_gate, best = gate, shape_contains(gate, values)
    score = _score(best, true, n_true)
    for _ in range(_SWEEPS):
        before = score
        for axis in (0, 1):
            for kind in ("shift", "stretch"):
                for step in _STEPS:
                    candidate = _moved(best_gate, axis, kind, step)
                    kept = shape_contains(candidate, values)
                    if (new := _score(kept, true, n_true)) > score:
                        best_gate, best, score = candidate, kept, new
        if score <= before + 1e-6:
            break
    return best


def _moved(gate: PolygonGate | EllipsoidGate, axis: int, kind: str, step: float) -> PolygonGate | EllipsoidGate:
    if isinstance(gate, EllipsoidGate):
        mean, covariance = np.array(gate.mean), np.array(gate.covariance, dtype=np.float64)
        if kind == "shift":
            mean[axis] += step * 2.0 * np.sqrt(covariance[axis, axis] * gate.distance_square)
        else:
            covariance[axis, :] *= 1.0 + step
            covariance[:, axis] *= 1.0 + step
        return replace(gate, mean=mean, covariance=covariance)
    vertices = np.array(gate.vertices)
    low, high = vertices[:, axis].min(), vertices[:, axis].max()
    if kind == "shift":
        vertices[:, axis] += step * (high - low)
    else:
        centre = (low + high) / 2
        vertices[:, axis] = centre + (vertices[:, axis] - centre) * (1.0 + step)
    return replace(gate, vertices=vertices)
