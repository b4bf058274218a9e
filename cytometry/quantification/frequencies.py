"""Fractions of the parent and of a panel's denominators, cells per microlitre, and their counting intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from cytometry.model.strategy import ROOT
from cytometry.model.tables import Cell, Row
from cytometry.quantification.beta_quantile import lower_beta_odds
from cytometry.quantification.low_counts import CountLimits, count_flags

FloatArray = npt.NDArray[np.float64]

PARENT: Final = "parent"
LYMPHOCYTES: Final = "lymphocytes"
_LEVEL: Final = 0.95
# 10⁹ per litre are 10³ per microlitre.
_PER_UL_PER_10E9_PER_L: Final = 1000.0


@dataclass(frozen=True, slots=True)
class FrequencyRules:
    """Which fractions a panel reports, and from how many events.

    Parameters
    ----------
    denominators
        Population to the populations that it is given as a fraction of, besides its
        parent; ``default`` stands for all that are not named.
    """

    denominators: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    limits: CountLimits = field(default_factory=CountLimits)

    def of(self, population: str) -> tuple[str, ...]:
        """Denominators of a population, its parent excluded."""
        return tuple(self.denominators.get(population, self.denominators.get("default", ())))


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """What the study knows of a sample; everything empty for a bare file."""

    subject_id: str = ""
    visit: str = ""
    batch: str = ""
    role: str = "sample"
    lymphocytes_10e9_per_l: float | None = None


def frequencies(
    counts: Iterable[Row], rules: Mapping[str, FrequencyRules], facts: Mapping[str, SampleFacts]
) -> list[dict[str, Cell]]:
    """Turn count rows into frequency rows, in the same order.

    A fraction is undefined (empty), not 0, where its denominator is undefined or
    has fewer events than the panel's limit. Intervals are Clopper and Pearson's
    (1934), 95 %. ``cells_per_ul`` is by dual platform: the haematology analyser's
    lymphocytes times the population's share of the gated ``lymphocytes``.

    Parameters
    ----------
    counts
        Rows of ``counts.csv``; rows of a sample stand together.
    rules
        By panel; a panel that is not there reports fractions of the parent.
    facts
        By sample id.
    """
    rows: list[dict[str, Cell]] = []
    pairs: list[tuple[float, float]] = []
    absolute: list[tuple[float, float, float]] = []
    for sample_id, group in groupby(counts, key=lambda r: str(r["sample_id"])):
        members = list(group)
        by_path = {str(r["path"]): r["count"] for r in members}
        fact = facts.get(sample_id, SampleFacts())
        for row in members:
            if row["path"] == ROOT:
                continue
            panel = rules.get(str(row["panel"]), FrequencyRules())
            cells = _per_ul_inputs(row, by_path, fact, panel.limits)
            for denominator, path in _denominators(row, panel, by_path):
                whole = by_path.get(path)
                count = row["count"]
                flags = [f for f in str(row["flags"]).split(";") if f and not f.startswith("PARENT_")]
                defined = isinstance(count, int) and isinstance(whole, int)
                if defined:
                    flags += [f for f in count_flags(int(count or 0), int(whole or 0), panel.limits) if f not in flags]
                usable = defined and int(whole or 0) >= max(1, panel.limits.parent_undefined_below)
                pairs.append((float(count or 0), float(whole or 0)) if usable else (np.nan, np.nan))
                absolute.append(cells)
                rows.append(
                    {
                        "sample_id": sample_id,
                        "panel": row["panel"],
                        "subject_id": fact.subject_id,
                        "visit": fact.visit,
                        "batch": fact.batch,
                        "role": fact.role,
                        "population": row["population"],
                        "path": row["path"],
                        "denominator": denominator,
                        "count": count,
                        "denominator_count": whole,
                        "flags": ";".join(flags),
                    }
                )
    _fill(rows, pairs, absolute)
    return rows


def clopper_pearson(counts: FloatArray, totals: FloatArray, level: float = _LEVEL) -> tuple[FloatArray, FloatArray]:
    """Exact interval of each fraction (Clopper and Pearson 1934); NaN where a total is NaN or 0.

    >>> low, high = clopper_pearson(np.array([16.0]), np.array([30.0]))
    >>> f"{low[0]:.3f} {high[0]:.3f}"
    '0.343 0.717'
    """
    tail = (1 - level) / 2
    k, n = np.asarray(counts, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    low, high = np.full(k.shape, np.nan), np.full(k.shape, np.nan)
    known = n > 0
    some, short = known & (k > 0), known & (k < n)
    low[known], high[known] = 0.0, 1.0
    odds = lower_beta_odds(k[some], n[some] - k[some] + 1, tail)
    low[some] = odds / (1 + odds)
    high[short] = 1 / (1 + lower_beta_odds(n[short] - k[short], k[short] + 1, tail))
    return low, high


def _denominators(row: Row, panel: FrequencyRules, by_path: Mapping[str, Cell]) -> list[tuple[str, str]]:
    """``(label, path)`` of the parent and of the panel's denominators above the population."""
    path, parent = str(row["path"]), str(row["parent_path"])
    found = [(PARENT, parent)]
    for name in panel.of(str(row["population"])):
        above = _ancestor(path, name, by_path)
        if above is not None:
            found.append((name, above))
    return found


def _ancestor(path: str, name: str, by_path: Mapping[str, Cell]) -> str | None:
    return next((p for p in by_path if path.startswith(f"{p}/") and p.rpartition("/")[2] == name), None)


def _per_ul_inputs(
    row: Row, by_path: Mapping[str, Cell], fact: SampleFacts, limits: CountLimits
) -> tuple[float, float, float]:
    """Count, gated lymphocytes, lymphocytes per µL; NaN where any is unknown."""
    nothing = (np.nan, np.nan, np.nan)
    path, count = str(row["path"]), row["count"]
    above = path if row["population"] == LYMPHOCYTES else _ancestor(path, LYMPHOCYTES, by_path)
    if above is None or fact.lymphocytes_10e9_per_l is None or not isinstance(count, int):
        return nothing
    gated = by_path[above]
    if not isinstance(gated, int) or gated < max(1, limits.parent_undefined_below):
        return nothing
    return float(count), float(gated), fact.lymphocytes_10e9_per_l * _PER_UL_PER_10E9_PER_L


def _fill(
    rows: list[dict[str, Cell]], pairs: list[tuple[float, float]], absolute: list[tuple[float, float, float]]
) -> None:
    """Compute fractions, limits and concentrations for all rows at once."""
    if not rows:
        return
    k, n = np.array(pairs).T
    low, high = clopper_pearson(k, n)
    cells, gated, per_ul = np.array(absolute).T
    share_low, share_high = clopper_pearson(cells, gated)
    computed = {
        "fraction": k / n,
        "fraction_low": low,
        "fraction_high": high,
        "cells_per_ul": per_ul * cells / gated,
        "cells_per_ul_low": per_ul * share_low,
        "cells_per_ul_high": per_ul * share_high,
    }
    for i, row in enumerate(rows):
        row.update({name: _rounded(values[i]) for name, values in computed.items()})


def _rounded(value: float) -> float | None:
    """Ten significant digits: more than a count can mean, and below what libraries differ in."""
    return None if np.isnan(value) else float(f"{value:.10g}")
