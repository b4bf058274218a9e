"""What a population's frequency would be under other plausible gates: the gating interval beside the counting one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from cytometry.gating.membership import Membership
from cytometry.model.strategy import ROOT, GatingStrategy
from cytometry.model.tables import Cell

# Two-sided 95 % of a normal distribution.
_Z: Final = 1.959963984540054

Counts = Mapping[str, int | None]


def gate_draw_rows(
    sample_id: str, panel: str, strategy: GatingStrategy, membership: Membership, drawn: Sequence[Counts]
) -> list[dict[str, Cell]]:
    """One row per population: its counts under each drawn set of gates, and how much its log odds vary.

    ``gating_sd`` is the standard deviation over the draws of ``ln((k + ½) / (N − k + ½))`` in the parent; the
    interval is the placed gates' log odds ± 1.96 of it, as fractions. Undefined where the population or
    its parent is, or with fewer than two draws.

    Parameters
    ----------
    membership
        Under the placed gates.
    drawn
        Counts by path, one mapping per draw; every tube of a scope group has the same draws in the same order.
    """
    rows: list[dict[str, Cell]] = []
    for population in strategy.populations:
        path, parent = population.path, population.parent_path
        pairs = [(c[path], _whole(c, parent, membership.n_events)) for c in drawn]
        odds = [_log_odds(k, n) for k, n in pairs if k is not None and n is not None]
        placed = membership.count(path), membership.count(parent)
        sd = _sd(odds) if len(odds) == len(pairs) else None
        low, high = _interval(placed, sd)
        rows.append(
            {
                "sample_id": sample_id,
                "panel": panel,
                "population": population.name,
                "path": path,
                "draws": len(drawn),
                "gating_sd": sd,
                "gating_low": low,
                "gating_high": high,
                "drawn_counts": ";".join("" if k is None else str(k) for k, _ in pairs),
                "drawn_parent_counts": ";".join("" if n is None else str(n) for _, n in pairs),
            }
        )
    return rows


def _whole(counts: Counts, parent: str, n_events: int) -> int | None:
    return n_events if parent == ROOT else counts[parent]


def _log_odds(count: int, parent: int) -> float:
    return math.log((count + 0.5) / (parent - count + 0.5))


def _sd(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return _rounded(math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)))


def _interval(placed: tuple[int | None, int | None], sd: float | None) -> tuple[float | None, float | None]:
    count, parent = placed
    if sd is None or count is None or not parent:
        return None, None
    if sd == 0.0:
        return _rounded(count / parent), _rounded(count / parent)
    middle = _log_odds(count, parent)
    low, high = (_rounded(1.0 / (1.0 + math.exp(-(middle + side * _Z * sd)))) for side in (-1, 1))
    return low, high


def _rounded(value: float) -> float:
    """Eight digits: more than twenty draws can mean, and the same on every machine."""
    return float(f"{value:.8g}")
