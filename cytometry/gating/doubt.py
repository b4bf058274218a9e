"""How much of a population lies so near a gate's edge that the gate's error decides about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from cytometry.gating.bench import Bench
from cytometry.gating.methods.normal import normal_cdf
from cytometry.model.gates import RectangleGate
from cytometry.model.template import PopulationTemplate

FloatArray = npt.NDArray[np.float64]
#: What was placed (a cut, or a population's shape) to the doubt about each event, or one number for all.
Doubts = Mapping[str, FloatArray | float]

# Events within one side of a cut of error s, weighted by the chance that the error takes them across, make up
# f s / sqrt(2 pi); the count itself moves with standard deviation f s.
_PER_DOUBT = float(np.sqrt(2.0 * np.pi))
# Beyond so many standard deviations nothing is taken across.
_FAR = 5.0
_GRID: tuple[float, ...] = tuple(_FAR * i / 200 for i in range(201))
_EXCEEDS: tuple[float, ...] = tuple(normal_cdf(-g) for g in _GRID)


def event_doubts(bench: Bench, population: PopulationTemplate, gate: object, kept: npt.NDArray[np.bool_]) -> Doubts:
    """Doubt about each kept event, by what was placed: inherited from the parent, and of the population's own gate."""
    found: dict[str, FloatArray | float] = {
        source: doubt[kept] if isinstance(doubt, np.ndarray) else doubt
        for source, doubt in bench.doubts.get(population.parent, {}).items()
    }
    n_events = int(kept.sum())
    own: Iterable[tuple[str, FloatArray | float]]
    if population.keep is not None and isinstance(gate, RectangleGate):
        own = _of_cuts(bench, population, kept)
    elif population.operands:
        own = _of_operands(bench, population, n_events)
    else:
        own = _of_shape(bench, population, n_events)
    for source, doubt in own:
        found[source] = 1.0 - (1.0 - found.get(source, 0.0)) * (1.0 - doubt) if source in found else doubt
    return found


def outside_doubts(
    bench: Bench, population: PopulationTemplate, gate: object, kept: npt.NDArray[np.bool_]
) -> Mapping[str, float]:
    """Expected number of the parent's other events that each own cut's error would bring in.

    Beside a large neighbour these outnumber by far the events that it would take out.
    """
    if population.keep is None or not isinstance(gate, RectangleGate):
        return {}
    found: dict[str, float] = {}
    for marker, side in population.keep.items():
        values = bench.values(marker, population.parent)
        for cut in side.cuts:
            position = bench.cuts.get(cut)
            if position is None or not position.sd > 0:
                continue
            near = np.flatnonzero(~kept & (np.abs(values - position.value) < _FAR * position.sd))
            for interval in gate.intervals:
                other = bench.values(interval.dimension.name, population.parent)[near]
                if interval.dimension.name == marker:
                    # Only this cut may keep it out: it lies beyond it, and within the other bound.
                    beyond = other < position.value if cut == side.above else other >= position.value
                    inside = beyond & ((other < interval.maximum) if cut == side.above else (other >= interval.minimum))
                else:
                    inside = (other >= interval.minimum) & (other < interval.maximum)
                near = near[inside]
            distance = np.abs(values[near] - position.value) / position.sd
            found[cut] = found.get(cut, 0.0) + float(_crossing(distance).sum())
    return found


def _of_cuts(
    bench: Bench, population: PopulationTemplate, kept: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, FloatArray]]:
    assert population.keep is not None  # the caller's
    for marker, side in population.keep.items():
        for cut in side.cuts:
            position = bench.cuts.get(cut)
            if position is not None and position.sd > 0:
                distance = np.abs(bench.values(marker, population.parent)[kept] - position.value) / position.sd
                yield cut, _crossing(distance)


def _of_shape(bench: Bench, population: PopulationTemplate, n_events: int) -> Iterator[tuple[str, float]]:
    mass = _shape_mass(bench, population.name, population.parent)
    if mass > 0:
        yield population.name, mass / n_events if n_events else float("inf")


def _shape_mass(bench: Bench, name: str, parent: str) -> float:
    rows = bench.rows[parent]
    return bench.at_stake.get(name, 0.0) * (rows.size if rows is not None else 0) / _PER_DOUBT


def _of_operands(bench: Bench, population: PopulationTemplate, n_events: int) -> Iterator[tuple[str, float]]:
    """What is in doubt in the operands, as a share of the events.

    A remainder (``none_of``) has what its operands may have taken wrongly. In
    ``all_of`` an operand that is only excluded lies elsewhere. What hits the
    parent as a whole is inherited from there.
    """
    masses: dict[str, float] = {}
    above = bench.doubts.get(population.parent, {})
    for name, complement in population.operands:
        if complement and population.none_of is None:
            continue
        rows, outside = bench.rows.get(name), bench.outside.get(name, {})
        for source, doubt in bench.doubts.get(name, {}).items():
            if source == name:
                mass = _shape_mass(bench, name, population.parent)
            else:
                taken = float(np.mean(doubt)) * rows.size if rows is not None and rows.size else 0.0
                mass = float(np.sqrt((taken**2 + outside.get(source, taken) ** 2) / 2.0))
            if source not in above:
                masses[source] = masses.get(source, 0.0) + mass
    for source, mass in masses.items():
        yield source, min(mass / max(n_events, 1), 1.0)


def count_cv(doubts: Doubts, outside: Mapping[str, float], n_events: int) -> float:
    """Coefficient of variation of a count by the errors of its gates, which are independent.

    An error of either sign is as likely, and takes events out or brings others in: the mean square of both. Of no
    events it is infinite where a shape might have missed some, and otherwise not defined.
    """
    taken = {source: float(np.mean(d)) if np.size(d) else 0.0 for source, d in doubts.items()}
    if n_events == 0:
        return float("inf") if np.inf in taken.values() else float("nan")
    squares = [(t**2 + (outside.get(source, t * n_events) / n_events) ** 2) / 2.0 for source, t in taken.items()]
    return _PER_DOUBT * float(np.sqrt(np.sum(squares)))


def _crossing(distance: FloatArray) -> FloatArray:
    """Probability that a normal error exceeds the distance; few events are near enough for any."""
    found = np.zeros(distance.size)
    near = np.flatnonzero(distance < _FAR)
    found[near] = np.interp(distance[near], _GRID, _EXCEEDS)
    return found
