"""From placed cuts and shapes to a strategy of plain gates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cytometry.model.gates import BooleanGate, EventMaskGate, Gate, Interval, Operand, RectangleGate
from cytometry.model.panel import Panel
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.model.template import GatingTemplate, PopulationTemplate
from cytometry.model.transforms import Transform


def everything(n_events: int) -> EventMaskGate:
    """A gate that keeps every event."""
    return EventMaskGate(((0, n_events),))


def boolean_gate(template: GatingTemplate, population: PopulationTemplate) -> BooleanGate:
    """The boolean gate of ``all_of``, ``any_of`` or ``none_of``."""
    operands = tuple(Operand(template.path(name), complement) for name, complement in population.operands)
    if population.any_of is not None:
        return BooleanGate("or", operands)
    if population.none_of is not None and len(operands) == 1:
        return BooleanGate("not", (Operand(operands[0].path),))
    return BooleanGate("and", operands)


def box(
    panel: Panel, population: PopulationTemplate, cuts: Mapping[str, float], skip: frozenset[str] = frozenset()
) -> RectangleGate:
    """The box of ``keep``; a side whose cut was not placed stays open."""
    intervals = []
    for marker, side in (population.keep or {}).items():
        if marker not in skip:
            low = cuts.get(side.above, -np.inf) if side.above else -np.inf
            high = cuts.get(side.below, np.inf) if side.below else np.inf
            # Two cuts that crossed leave an empty interval, not an error.
            intervals.append(Interval(panel.dimension(marker), low, max(low, high)))
    return RectangleGate(tuple(intervals))


def build_strategy(
    panel: Panel,
    template: GatingTemplate,
    cuts: Mapping[str, float],
    shapes: Mapping[str, Gate],
    transforms: Mapping[str, Transform],
) -> GatingStrategy:
    """Put gates at the placed positions.

    Parameters
    ----------
    cuts
        Display positions by cut name.
    shapes
        Gates by population, for placed shapes and for gates that are not
        applied. A shape that is missing is undefined: its dimensions stand
        open and the file lacks one of them.
    """
    populations = []
    for p in template.populations:
        if p.helper:
            continue
        gate: Gate
        if p.name in shapes:
            gate = shapes[p.name]
        elif p.keep is not None:
            gate = box(panel, p, cuts)
        elif p.place is not None:
            gate = RectangleGate(tuple(Interval(panel.dimension(m)) for m in p.markers))
        else:
            gate = boolean_gate(template, p)
        parent = template.path(p.parent)
        populations.append(Population(p.name, parent, gate, p.label, p.optional))
    return GatingStrategy(panel.name, tuple(populations), transforms)
