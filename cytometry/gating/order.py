"""In which order populations can be evaluated: parents and operands first."""

from __future__ import annotations

from cytometry.errors import StrategyError
from cytometry.model.gates import BooleanGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population


def evaluation_order(strategy: GatingStrategy) -> tuple[Population, ...]:
    """Sort populations so that parents and boolean operands stand before what needs them.

    Populations that share a parent stand together, its booleans last; else tree order is kept where it serves.

    Raises
    ------
    StrategyError
        A boolean population depends on itself.
    """
    level = {ROOT: 0}
    place = {p.path: i for i, p in enumerate(strategy.populations)} | {ROOT: -1}
    waiting = list(strategy.populations)
    while waiting:
        ready = [p for p in waiting if all(n in level for n in _needs(p))]
        if not ready:
            names = ", ".join(f"'{p.path}'" for p in waiting)
            raise StrategyError(
                f"populations refer to each other in a circle: {names}",
                where=strategy.name,
                hint="a boolean population cannot be among its own operands or their descendants",
                code="GATE_CYCLE",
            )
        level |= {p.path: 1 + max(level[n] for n in _needs(p)) for p in ready}
        waiting = [p for p in waiting if p.path not in level]
    return tuple(
        sorted(
            strategy.populations, key=lambda p: (level[p.path], place[p.parent_path], isinstance(p.gate, BooleanGate))
        )
    )


def _needs(population: Population) -> set[str]:
    needs = {population.parent_path}
    if isinstance(population.gate, BooleanGate):
        needs |= {o.path for o in population.gate.operands}
    return needs
