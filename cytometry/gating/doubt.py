"""How much of a population lies so near a cut that the cut's error decides about it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.gating.bench import Bench
from cytometry.gating.methods.normal import normal_cdf
from cytometry.model.gates import RectangleGate
from cytometry.model.template import PopulationTemplate

FloatArray = npt.NDArray[np.float64]

# Events within one side of a cut of error s, weighted by the chance that the error takes them across, make up
# f s / sqrt(2 pi); the count itself moves with standard deviation f s.
_PER_DOUBT = float(np.sqrt(2.0 * np.pi))
# Beyond so many standard deviations nothing is taken across.
_FAR = 5.0
_GRID: tuple[float, ...] = tuple(_FAR * i / 200 for i in range(201))
_EXCEEDS: tuple[float, ...] = tuple(normal_cdf(-g) for g in _GRID)


def event_doubts(
    bench: Bench, population: PopulationTemplate, gate: object, kept: npt.NDArray[np.bool_]
) -> FloatArray | float:
    """Doubt of each kept event: inherited from the parent, and by its distance from the population's own cuts."""
    above = bench.doubts.get(population.parent, 0.0)
    inherited = above[kept] if isinstance(above, np.ndarray) else above
    own: FloatArray | float = bench.shape_doubts.get(population.name, 0.0)
    if population.keep is not None and isinstance(gate, RectangleGate):
        sure = np.ones(int(kept.sum()))
        for marker, side in population.keep.items():
            for cut in side.cuts:
                position = bench.cuts.get(cut)
                if position is not None and position.sd > 0:
                    distance = np.abs(bench.values(marker, population.parent)[kept] - position.value) / position.sd
                    sure *= 1.0 - _crossing(distance)
        own = 1.0 - sure
    elif population.operands:
        own = _of_operands(bench, population, int(kept.sum()))
    if np.ndim(own) == 0 and np.ndim(inherited) == 0:
        return 1.0 - (1.0 - float(inherited)) * (1.0 - float(own))
    return np.asarray(1.0 - (1.0 - np.asarray(inherited)) * (1.0 - np.asarray(own)))


def _of_operands(bench: Bench, population: PopulationTemplate, n_events: int) -> float:
    """What is in doubt in the operands, as a share of the events.

    A remainder (``none_of``) has what its operands may have taken wrongly. In
    ``all_of`` an operand that is only excluded lies elsewhere.
    """
    mass = 0.0
    for name, complement in population.operands:
        if complement and population.none_of is None:
            continue
        rows = bench.rows.get(name)
        if rows is not None and rows.size:
            mass += float(np.mean(bench.doubts.get(name, 0.0))) * rows.size
    return min(mass / max(n_events, 1), 1.0)


def count_cv(doubts: FloatArray | float, n_events: int) -> float:
    """Coefficient of variation of a count by the errors of its cuts; NaN for no events."""
    if n_events == 0:
        return float("nan")
    return _PER_DOUBT * float(np.mean(doubts))


def _crossing(distance: FloatArray) -> FloatArray:
    """Probability that a normal error exceeds the distance; few events are near enough for any."""
    found = np.zeros(distance.size)
    near = np.flatnonzero(distance < _FAR)
    found[near] = np.interp(distance[near], _GRID, _EXCEEDS)
    return found
