"""Plausible gates around the placed ones: every position and size moved by its own uncertainty.

Tubes that share a position (one scope group) share its error, so that one draw moves it in all of them alike:
a gate that errs the same way at every visit changes every visit's frequency and hardly the change between them.
What a method errs alike wherever it is used (its bandwidth, its percentile, on which side of an overlap the cells
belong) is one error for all tubes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from cytometry.model.gates import EllipsoidGate, Gate, Interval, PolygonGate, RectangleGate
from cytometry.model.placement import PlacedCut, Placement
from cytometry.model.strategy import GatingStrategy

#: Population and dimension to the moves of its gate: placed position to its shift on the display scale.
Shifts = Mapping[tuple[str, str], Mapping[float, float]]
#: Population to the factor by which its shape grows.
Factors = Mapping[str, float]
#: Kind, name, dimension and scope group of what has one error. A shape's size has no dimension, and what all tubes
#: share no group.
Place = tuple[str, str, str, str]


def draw_strategies(placement: Placement, draws: int, rng: np.random.Generator) -> Iterator[dict[str, GatingStrategy]]:
    """Draw strategies of all tubes of a placement, ``draws`` times.

    Each position is moved by a normal error with the standard deviation that its method gave; a position without
    one (a person's correction) stays. An ellipse that overlaps its neighbours also grows or shrinks, by the logarithm
    of its axes. Time masks stay.

    Parameters
    ----------
    placement
        Of one gate group.
    rng
        The same generator gives the same draws, whatever the order of tubes.
    """
    by_tube = {key: placement.cuts_of(key) for key in placement.strategies}
    places = sorted({p for cuts in by_tube.values() for c in cuts for p in (_position(c), _everywhere(c), _size(c))})
    for _ in range(draws):
        errors = dict(zip(places, rng.standard_normal(len(places)), strict=True))
        yield {
            key: moved(s, _shifts(by_tube[key], errors), _factors(by_tube[key], errors))
            for key, s in placement.strategies.items()
        }


def moved(strategy: GatingStrategy, shifts: Shifts, factors: Factors = MappingProxyType({})) -> GatingStrategy:
    """Move gates along their dimensions, and let ellipses grow.

    A rectangle's bound moves if it lies where a cut was placed; a polygon or ellipse moves as a whole.
    """
    populations = tuple(
        replace(p, gate=_grown(_moved_gate(p.name, p.gate, shifts), factors.get(p.name, 1.0)))
        for p in strategy.populations
    )
    return replace(strategy, populations=populations)


def _position(cut: PlacedCut) -> Place:
    """Cuts of one group at one marker share their error."""
    return (cut.kind, cut.name, cut.dimension, cut.group)


def _size(cut: PlacedCut) -> Place:
    return (cut.kind, cut.name, "", "")


def _everywhere(cut: PlacedCut) -> Place:
    return (cut.kind, cut.name, cut.dimension, "")


def _factors(cuts: tuple[PlacedCut, ...], errors: Mapping[Place, float]) -> Factors:
    return {c.name: float(np.exp(c.size_sd * errors[_size(c)])) for c in cuts if c.size_sd > 0}


def _grown(gate: Gate, factor: float) -> Gate:
    if factor == 1.0 or not isinstance(gate, EllipsoidGate):
        return gate
    return replace(gate, distance_square=gate.distance_square * factor**2)


def _shifts(cuts: tuple[PlacedCut, ...], errors: Mapping[Place, float]) -> Shifts:
    found: dict[tuple[str, str], dict[float, float]] = {}
    for cut in cuts:
        if cut.source != "override" and np.isfinite(cut.uncertainty_sd):
            shared = min(cut.systematic_sd, cut.uncertainty_sd)
            own = float(np.sqrt(cut.uncertainty_sd**2 - shared**2))
            shift = own * errors[_position(cut)] + shared * errors[_everywhere(cut)]
            for population in cut.populations:
                found.setdefault((population, cut.dimension), {})[cut.value] = shift
    return found


def _moved_gate(name: str, gate: Gate, shifts: Shifts) -> Gate:
    if isinstance(gate, RectangleGate):
        return replace(
            gate, intervals=tuple(_moved_interval(i, shifts.get((name, i.dimension.name))) for i in gate.intervals)
        )
    if isinstance(gate, PolygonGate | EllipsoidGate):
        step = np.array([sum(shifts.get((name, d.name), {}).values()) for d in gate.dimensions])
        if not step.any():
            return gate
        if isinstance(gate, PolygonGate):
            return replace(gate, vertices=gate.vertices + step)
        return replace(gate, mean=gate.mean + step)
    return gate


def _moved_interval(interval: Interval, moves: Mapping[float, float] | None) -> Interval:
    if not moves:
        return interval
    low = interval.minimum + moves.get(interval.minimum, 0.0)
    high = interval.maximum + moves.get(interval.maximum, 0.0)
    # Two cuts that cross leave an empty interval.
    return replace(interval, minimum=low, maximum=max(low, high))
