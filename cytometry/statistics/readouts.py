"""The counts of a trial, ordered: one block per population, subjects by visits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.errors import StatisticsError
from cytometry.statistics.ranks import FloatArray

if TYPE_CHECKING:
    import pandas as pd

STEM = frozenset({"root", "time_ok", "singlets", "live", "lymphocytes"})
"""Populations that every tube has and no hypothesis is about."""

LYMPHOCYTES = "lymphocytes"
MICROLITRES_FACTOR = 1000.0
"""10⁹ per litre are 1,000 per µL."""

NEEDED = ("subject_id", "visit", "panel", "population", "count", "parent_count")


@dataclass(frozen=True)
class Readout:
    """Counts of one population; rows are subjects, columns visits, NaN is missing or undefined.

    Parameters
    ----------
    counts, parent_counts
        Events.
    whole_counts
        Events of every other population of the same tubes, by name, for ``logit_of:<population>``.
    cells_per_event
        Cells/µL that one event stands for.
    gating_sd
        Standard deviation of the log odds that the gate's position leaves open; NaN if not given.
    """

    panel: str
    population: str
    path: str
    counts: FloatArray
    parent_counts: FloatArray
    whole_counts: Mapping[str, FloatArray]
    cells_per_event: FloatArray
    gating_sd: FloatArray

    def denominator(self, scale: str) -> tuple[str, FloatArray]:
        """Name and counts of what the population is a share of.

        Raises
        ------
        StatisticsError
            The scale names a population that the panel does not have.
        """
        named = re.fullmatch(r"logit_of:(.+)", scale)
        if named is None:
            return "parent", self.parent_counts
        name = named.group(1)
        if name not in self.whole_counts:
            raise StatisticsError(
                f"'{name}' is not a population of panel {self.panel}",
                where=f"scale {scale} of {self.population}",
                hint=f"populations: {', '.join(self.whole_counts)}",
            )
        return name, self.whole_counts[name]

    @property
    def has_abundance(self) -> bool:
        """Whether cells/µL are known in at least one tube."""
        return bool((self.cells_per_event > 0).any())


@dataclass(frozen=True)
class Readouts:
    """All populations of a trial on one grid of subjects and visits.

    Parameters
    ----------
    subjects, visits
        Rows and columns of every readout.
    batches
        Batch of each panel's tubes, subjects by visits; empty text where there is no tube.
    """

    subjects: tuple[str, ...]
    visits: tuple[str, ...]
    items: tuple[Readout, ...]
    batches: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.str_]]]

    def named(self, name: str) -> Readout:
        """The readout with this population name or path.

        Raises
        ------
        StatisticsError
            There is none, or the name stands in several panels or places.
        """
        found = [r for r in self.items if name in (r.path, r.population)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(dict.fromkeys(r.population for r in self.items))
        if not found:
            raise StatisticsError(f"'{name}' was not counted", where="plan", hint=f"populations: {known}")
        paths = ", ".join(f"{r.path} ({r.panel})" for r in found)
        raise StatisticsError(f"'{name}' is more than one population", where="plan", hint=f"give the path: {paths}")


def collect_readouts(counts: pd.DataFrame, visits: Sequence[str], *, stem: frozenset[str] = STEM) -> Readouts:
    """Order a counts table.

    Parameters
    ----------
    counts
        Rows of ``counts.csv`` joined with their samples: ``subject_id, visit, panel,
        population, count, parent_count`` are needed; ``path, batch, role, sample_id,
        lymphocytes_10e9_per_l`` (or ``cells_per_ul``) and ``gating_sd`` are used where
        given. Only rows with role ``sample`` take part. Cells/µL come from
        ``cells_per_ul`` if it is there, else from the lymphocyte count and the
        population ``lymphocytes`` of the same tube.
    visits
        In planned order; rows of other visits are left out.

    Raises
    ------
    StatisticsError
        A needed column is missing, a tube is there twice, or nothing but the stem was counted.
    """
    missing = [c for c in NEEDED if c not in counts]
    if missing:
        raise StatisticsError(
            f"the counts have no column {', '.join(missing)}", where="counts", hint=f"needed: {', '.join(NEEDED)}"
        )
    table = _prepared(counts, visits)
    subjects = tuple(dict.fromkeys(table["subject_id"]))
    if not subjects:
        raise StatisticsError(
            "no row belongs to a participant at a planned visit", where="counts", hint=f"visits: {', '.join(visits)}"
        )
    grid = _Grid(subjects, tuple(visits))
    items: list[Readout] = []
    batches = {}
    for panel, rows in table.groupby("panel", sort=False):
        batches[str(panel)] = grid.text(rows.drop_duplicates(["subject_id", "visit"]), "batch")
        items.extend(_panel_readouts(str(panel), rows, grid, stem))
    if not items:
        raise StatisticsError(
            "no population to test was counted",
            where="counts",
            hint=f"{', '.join(sorted(stem))} are not tested: no hypothesis is about them",
        )
    return Readouts(subjects, tuple(visits), tuple(items), batches)


def _prepared(counts: pd.DataFrame, visits: Sequence[str]) -> pd.DataFrame:
    table = counts[counts["role"] == "sample"] if "role" in counts else counts
    table = table[table["visit"].isin(list(visits)) & table["subject_id"].notna()].copy()
    table["subject_id"] = table["subject_id"].astype(str)
    for column, default in (("batch", ""), ("path", None), ("gating_sd", np.nan)):
        if column not in table:
            table[column] = table["population"] if column == "path" else default
    table["batch"] = table["batch"].fillna("").astype(str)
    repeated = table.duplicated(["panel", "path", "subject_id", "visit"])
    if repeated.any():
        first = table[repeated].iloc[0]
        raise StatisticsError(
            f"{first['subject_id']} has more than one tube of panel {first['panel']} at {first['visit']}",
            where="counts",
            hint="exclude all but one in samples.csv",
            code="VISIT_DUPLICATED",
        )
    return table


@dataclass(frozen=True)
class _Grid:
    """Where a row of the counts goes."""

    subjects: tuple[str, ...]
    visits: tuple[str, ...]

    def numbers(self, rows: pd.DataFrame, column: str) -> FloatArray:
        filled = np.full((len(self.subjects), len(self.visits)), np.nan)
        i, j = self._positions(rows)
        filled[i, j] = rows[column].to_numpy(dtype=np.float64, na_value=np.nan)
        return filled

    def text(self, rows: pd.DataFrame, column: str) -> np.ndarray[tuple[int, ...], np.dtype[np.str_]]:
        filled = np.full((len(self.subjects), len(self.visits)), "", dtype=object)
        i, j = self._positions(rows)
        filled[i, j] = rows[column].to_numpy()
        return filled.astype(str)

    def _positions(self, rows: pd.DataFrame) -> tuple[list[int], list[int]]:
        row_of = {s: i for i, s in enumerate(self.subjects)}
        column_of = {v: j for j, v in enumerate(self.visits)}
        return [row_of[s] for s in rows["subject_id"]], [column_of[v] for v in rows["visit"]]


def _panel_readouts(panel: str, rows: pd.DataFrame, grid: _Grid, stem: frozenset[str]) -> list[Readout]:
    by_path = {str(path): part for path, part in rows.groupby("path", sort=False)}
    counts = {path: grid.numbers(part, "count") for path, part in by_path.items()}
    names = {path: str(part["population"].iloc[0]) for path, part in by_path.items()}
    whole = {name: counts[path] for path, name in names.items()}
    factor = _cells_per_event(rows, grid, whole.get(LYMPHOCYTES))
    return [
        Readout(
            panel=panel,
            population=names[path],
            path=path,
            counts=counts[path],
            parent_counts=grid.numbers(part, "parent_count"),
            whole_counts=whole,
            cells_per_event=factor,
            gating_sd=grid.numbers(part, "gating_sd"),
        )
        for path, part in by_path.items()
        if names[path] not in stem
    ]


def _cells_per_event(rows: pd.DataFrame, grid: _Grid, lymphocytes: FloatArray | None) -> FloatArray:
    """Cells/µL of one event: the same for every population of a tube, so zeros need no special care."""
    if "cells_per_ul" in rows and rows["cells_per_ul"].notna().any():
        known = rows[rows["cells_per_ul"].notna() & (rows["count"] > 0)]
        sums = known.groupby(["subject_id", "visit"], sort=False)[["cells_per_ul", "count"]].sum().reset_index()
        return grid.numbers(sums.assign(factor=sums["cells_per_ul"] / sums["count"]), "factor")
    if "lymphocytes_10e9_per_l" in rows and lymphocytes is not None:
        tubes = rows.drop_duplicates(["subject_id", "visit"])
        concentration = MICROLITRES_FACTOR * grid.numbers(tubes, "lymphocytes_10e9_per_l")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(lymphocytes > 0, concentration / lymphocytes, np.nan)
    return np.full((len(grid.subjects), len(grid.visits)), np.nan)
