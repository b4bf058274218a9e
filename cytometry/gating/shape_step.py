"""Place one shape in one group of tubes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytometry.gating.bench import Bench
from cytometry.gating.cut_chain import SURE
from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.gating.methods.registry import SHAPE_METHODS
from cytometry.model.gates import Dimension
from cytometry.model.panel import Panel
from cytometry.model.template import PopulationTemplate


@dataclass(frozen=True, eq=False)
class ShapeDecision:
    """A placed shape, the method that decided, and what a reader should know."""

    position: ShapePosition
    method: str
    flags: tuple[str, ...] = ()


def place_shape(population: PopulationTemplate, benches: Sequence[Bench], panel: Panel) -> ShapeDecision:
    """Show the parent's events on the rule's axes to the method.

    Raises
    ------
    GatingError
        The method found nothing to place the shape on.
    """
    rule = population.place
    assert rule is not None  # callers ask for placed shapes only
    axes = tuple(m for m in rule.on if rule.method != "time" or all(b.has(m) for b in benches))
    dimensions: tuple[Dimension, ...] = tuple(panel.dimension(m) for m in axes)
    tubes = []
    for bench in benches:
        rows = bench.rows[population.parent]
        assert rows is not None
        columns = [bench.values(m, population.parent) for m in axes]
        points = np.column_stack(columns) if columns else np.empty((rows.size, 0))
        if rule.method != "time":
            points = points[np.isfinite(points).all(axis=1)]
        tubes.append(points)
    evidence = ShapeEvidence(
        tuple(tubes),
        tuple(b.tube.sample.n_events for b in benches),
        tuple(b.tube.sample for b in benches),
        all(b.tube.is_masked for b in benches),
    )
    position = SHAPE_METHODS[rule.method](rule, evidence, dimensions)
    flags = ("GATE_UNCERTAIN",) if position.confidence < SURE else ()
    if rule.method == "time" and position.source == "fallback":
        flags = ("TIME_NOT_USED",)
    return ShapeDecision(position, rule.method, flags)
