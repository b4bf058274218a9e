"""Counts: one row per sample and population, as ``counts.csv`` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cytometry.gating.membership import Membership
from cytometry.model.strategy import ROOT, GatingStrategy
from cytometry.model.tables import Cell
from cytometry.quantification.low_counts import CountLimits, count_flags

UNDEFINED: Final = "MARKER_MISSING"


@dataclass(frozen=True, slots=True)
class CountedSample:
    """What identifies the sample in each of its rows."""

    sample_id: str
    fcs_file: str
    fcs_sha256: str
    panel: str


def count_populations(
    tube: CountedSample,
    strategy: GatingStrategy,
    membership: Membership,
    *,
    limits: CountLimits | None = None,
    gate_flags: Mapping[str, Sequence[str]] | None = None,
) -> list[dict[str, Cell]]:
    """Count every population of a strategy, ``root`` first, in tree order.

    A population that is undefined, because the file lacks an optional marker, has
    no count and the flag ``MARKER_MISSING``.

    Parameters
    ----------
    limits
        For the low-count flags.
    gate_flags
        Codes of the placed gates, by population name.
    """
    limits = limits or CountLimits()
    gate_flags = gate_flags or {}
    identity: dict[str, Cell] = {
        "sample_id": tube.sample_id,
        "fcs_file": tube.fcs_file,
        "fcs_sha256": tube.fcs_sha256,
        "panel": tube.panel,
    }
    total = membership.n_events
    rows = [
        {
            **identity,
            "population": ROOT,
            "path": ROOT,
            "parent_path": "",
            "count": total,
            "parent_count": None,
            "total_events": total,
            "flags": "",
        }
    ]
    for population in strategy.populations:
        count = membership.count(population.path)
        parent = membership.count(population.parent_path)
        flags = list(gate_flags.get(population.name, ()))
        flags += (UNDEFINED,) if count is None else count_flags(count, parent, limits)
        rows.append(
            {
                **identity,
                "population": population.name,
                "path": population.path,
                "parent_path": population.parent_path,
                "count": count,
                "parent_count": parent,
                "total_events": total,
                "flags": ";".join(dict.fromkeys(flags)),
            }
        )
    return rows
