"""In which order populations can be evaluated: parents and operands first."""

from __future__ import annotations

from cytometry.errors import StrategyError
from cytometry.model.gates import BooleanGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population


def evaluation_order(strategy: GatingStrategy) -> tuple[Population, ...]:
    """Sort populations so that parents and boolean operands stand before what needs them.

    Tree order is kept wherever it already serves.

    Raises
    ------
    StrategyError
        A boolean population depends on itself.
    """
    done: set[str] = {ROOT}
    waiting = list(strategy.populations)
    ordered: list[Population] = []
    while waiting:
        ready, rest = [], []
        for population in waiting:
            if _needs(population) <= done:
                ready.append(population)
                done.add(population.path)
            else:
                rest.append(population)
        if not ready:
            names = ", ".join(f"'{p.path}'" for p in rest)
            raise StrategyError(
                f"populations refer to each other in a circle: {names}",
                where=strategy.name,
                hint="a boolean population cannot be among its own operands or their descendants",
                code="GATE_CYCLE",
            )
        ordered += ready
        waiting = rest
    return tuple(ordered)


def _needs(population: Population) -> set[str]:
    needs = {population.parent_path}
    if isinstance(population.gate, BooleanGate):
        needs |= {o.path for o in population.gate.operands}
    return needs
