"""Shares of one whole sum to one: a fall may be nothing but another subset's rise.

As a sensitivity analysis each set of siblings is looked at as log ratios to
their geometric mean (CLR), and a share that fell while its cells per µL did
not is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.statistics.blocks import ABUNDANCE
from cytometry.statistics.comparison import CONFIRMATORY, EXPLORATORY, Comparison
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.ranks import FloatArray
from cytometry.statistics.readouts import Readout, Readouts
from cytometry.statistics.rows import table_of, typed_rows

if TYPE_CHECKING:
    import pandas as pd

FEWEST_PARTS = 3
"""Of two parts each is the other's complement: there is nothing to find out."""

REST = "(rest of the parent)"
REST_COUNTS_FROM = 0.01
"""A rest of less than 1 % of the parent in the median tube is the gates' edges, not a part of its own."""


@dataclass(frozen=True, slots=True)
class ClosureRow:
    """One part's change of its centred log ratio; ``parts`` names the whole set."""

    panel: str
    parent: str
    population: str
    path: str
    visit: str
    parts: str
    n: int
    estimate: float
    ci_low: float
    ci_high: float
    ci_attained: float
    n_fell: int
    n_rose: int


def closure_table(readouts: Readouts, design: TrialDesign, min_parent: int, level: float) -> pd.DataFrame:
    """Centred log ratios of every set of disjoint siblings, one row per part and visit."""

    rows: list[ClosureRow] = []
    base = readouts.visits.index(design.baseline)
    for (panel, parent), siblings in sibling_sets(readouts).items():
        names = [s.population for s in siblings]
        logs = _log_ratios(siblings, min_parent)
        if logs.shape[0] > len(siblings):
            names.append(REST)
        for visit in design.follow_up:
            change = logs[:, :, readouts.visits.index(visit)] - logs[:, :, base]
            for sibling, d in zip(siblings, change, strict=False):
                hl = hodges_lehmann(d, level=level)
                rows.append(
                    ClosureRow(
                        panel=panel,
                        parent=parent,
                        population=sibling.population,
                        path=sibling.path,
                        visit=visit,
                        parts=";".join(names),
                        n=hl.n,
                        estimate=hl.estimate,
                        ci_low=hl.low,
                        ci_high=hl.high,
                        ci_attained=hl.attained,
                        n_fell=int((d < 0).sum()),
                        n_rose=int((d > 0).sum()),
                    )
                )
    return table_of(rows, ClosureRow)


def sibling_sets(readouts: Readouts) -> dict[tuple[str, str], tuple[Readout, ...]]:
    """Populations of one parent that never overlap: their counts never add up to more than it."""
    grouped: dict[tuple[str, str], list[Readout]] = {}
    for readout in readouts.items:
        parent = readout.path.rpartition("/")[0]
        if parent:
            grouped.setdefault((readout.panel, parent), []).append(readout)
    sets = {}
    for key, members in grouped.items():
        whole = members[0].parent_counts
        total = np.sum([m.counts for m in members], axis=0)
        known = ~np.isnan(total) & ~np.isnan(whole)
        if len(members) >= FEWEST_PARTS and known.any() and bool((total[known] <= whole[known]).all()):
            sets[key] = tuple(members)
    return sets


def _log_ratios(siblings: Sequence[Readout], min_parent: int) -> FloatArray:
    """CLR of counts + ½, parts by subjects by visits; NaN where the parent is too small."""
    whole = siblings[0].parent_counts
    parts = [s.counts for s in siblings]
    rest = whole - np.sum(parts, axis=0)
    share = rest[whole > 0] / whole[whole > 0]
    if share.size and float(np.nanmedian(share)) >= REST_COUNTS_FROM:
        parts.append(rest)
    logs = np.log(np.stack(parts) + 0.5)
    logs = logs - logs.mean(axis=0)
    return np.where(whole >= max(min_parent, 1), logs, np.nan)


def closure_sentences(
    comparison: pd.DataFrame, closure: pd.DataFrame, design: TrialDesign, names: Mapping[str, str]
) -> tuple[str, ...]:
    """A sentence for each share that moved one way while its concentration did not.

    ``names`` gives populations the names that readers know. Only where the
    whole interval of the share is on one side of 0, the concentration's is not
    on the same side, and something is claimed of the share or a sibling that
    moved the other way is found.
    """
    rows, parts = typed_rows(comparison, Comparison), typed_rows(closure, ClosureRow)
    cells = {(r.panel, r.path, r.visit): r for r in rows if r.scale == ABUNDANCE}
    sentences = []
    for row in rows:
        other = cells.get((row.panel, row.path, row.visit))
        if row.scale == ABUNDANCE or row.role == EXPLORATORY or other is None or other.n == 0:
            continue
        fell = row.ci_high < 0
        followed = other.ci_high < 0 if fell else other.ci_low > 0
        if not (fell or row.ci_low > 0) or followed:
            continue
        drivers = _opposite_movers(parts, row, names, fell=fell)
        if not drivers and row.role != CONFIRMATORY and row.claim != "significant":
            continue
        cause = f" It can be the {'rise' if fell else 'fall'} of {drivers}." if drivers else ""
        moved = f"{names.get(row.population, row.population)} {'fell' if fell else 'rose'}"
        interval = f"interval {other.effect_low:.2f} to {other.effect_high:.2f}"
        sentences.append(
            f"The share of {moved} at {design.title(row.visit)}; its cells per µL did not follow "
            f"({other.effect:.2f}-fold, {interval}).{cause}"
        )
    return tuple(sentences)


def _opposite_movers(parts: Sequence[ClosureRow], row: Comparison, names: Mapping[str, str], *, fell: bool) -> str:
    """Siblings whose log ratio moved the other way with its whole interval."""
    here = [p for p in parts if p.panel == row.panel and p.visit == row.visit]
    parent = next((p.parent for p in here if p.path == row.path), None)
    movers = [
        names.get(p.population, p.population)
        for p in here
        if p.parent == parent and (p.ci_low > 0 if fell else p.ci_high < 0)
    ]
    return " and ".join(movers)
