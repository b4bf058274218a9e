"""Counts of another program, long or wide, in the form that `analyse` takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cytometry.errors import StatisticsError
from cytometry.model.strategy import ROOT

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("subject_id", "visit", "population", "count", "parent_count")
CARRIED = ("sample_id", "subject_id", "visit", "panel", "batch", "role", "lymphocytes_10e9_per_l")
PATH_SEPARATOR = re.compile(r"(?<!\\)/")


def long_counts(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """One row per sample and population.

    Parameters
    ----------
    columns
        Our name to theirs, for columns that are called differently. A missing
        ``parent_count`` is looked up by ``path``; a missing ``panel`` becomes ``counts``.

    Raises
    ------
    StatisticsError
        A column that is needed is in neither table nor mapping.
    """
    renamed = table.rename(columns={theirs: ours for ours, theirs in columns.items()})
    if "path" not in renamed and "population" in renamed:
        renamed = renamed.assign(path=renamed["population"])
    if "population" not in renamed and "path" in renamed:
        renamed = renamed.assign(population=[_last(p) for p in renamed["path"].astype(str)])
    renamed = _with_defaults(renamed)
    if "parent_count" not in renamed and {"path", "count"} <= set(renamed.columns):
        renamed = _with_parent_counts(renamed)
    _check(renamed, table)
    return renamed


def wide_counts(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """One row per sample, one column per population.

    Parameters
    ----------
    columns
        Our name to theirs for the sample's own columns (``subject_id``, ``visit``,
        …), and population path to column for the counts, e.g.
        ``root/lymphocytes/b_cells: "Lymphocytes/CD19+ | Count"``. A path's parent is the
        path without its last name, and has to be mapped, too.

    Raises
    ------
    StatisticsError
        A mapped column is not in the table, or a parent is not mapped.
    """
    import pandas as pd

    absent = [theirs for theirs in columns.values() if theirs not in table]
    if absent:
        raise StatisticsError(
            f"no column {', '.join(absent)}", where="counts", hint=f"columns: {', '.join(map(str, table.columns))}"
        )
    paths = {ours: theirs for ours, theirs in columns.items() if ours not in CARRIED and ours not in NEEDED}
    orphans = [p for p in paths if _parent(p) and _parent(p) not in paths and _parent(p) != ROOT]
    if orphans:
        raise StatisticsError(
            f"the parent of {', '.join(orphans)} is not mapped", where="counts.columns", hint="map every parent's count"
        )
    own = {ours: theirs for ours, theirs in columns.items() if ours in CARRIED}
    carried = _with_defaults(table.rename(columns={theirs: ours for ours, theirs in own.items()}))
    kept = [c for c in CARRIED if c in carried]
    parts = []
    for path, theirs in paths.items():
        parent = paths.get(_parent(path))
        parts.append(
            carried[kept].assign(
                path=path,
                population=_last(path),
                count=table[theirs].to_numpy(),
                parent_count=table[parent].to_numpy() if parent else float("nan"),
            )
        )
    if not parts:
        raise StatisticsError("no population is mapped", where="counts.columns", hint="path: column")
    result = pd.concat(parts, ignore_index=True)
    _check(result, table)
    return result


def _with_defaults(table: pd.DataFrame) -> pd.DataFrame:
    defaults = {"panel": "counts", "role": "sample", "batch": ""}
    return table.assign(**{k: v for k, v in defaults.items() if k not in table})


def _with_parent_counts(table: pd.DataFrame) -> pd.DataFrame:
    keys = [c for c in ("panel", "subject_id", "visit") if c in table]
    where = [tuple(row) for row in table[keys].astype(str).itertuples(index=False)]
    known = dict(zip(zip(where, table["path"].astype(str), strict=True), table["count"], strict=True))
    parents = [known.get((w, _parent(str(p))), float("nan")) for w, p in zip(where, table["path"], strict=True)]
    return table.assign(parent_count=parents)


def _parent(path: str) -> str:
    pieces = PATH_SEPARATOR.split(path)
    return "/".join(pieces[:-1])


def _last(path: str) -> str:
    return PATH_SEPARATOR.split(path)[-1].replace("\\/", "/")


def _check(result: pd.DataFrame, table: pd.DataFrame) -> None:
    missing = [c for c in NEEDED if c not in result]
    if missing:
        raise StatisticsError(
            f"no column for {', '.join(missing)}",
            where="counts",
            hint=f"map them under counts.columns in study.yaml; the table has {', '.join(map(str, table.columns))}",
        )
    import pandas as pd

    numbers = result.assign(count=pd.to_numeric(result["count"], errors="coerce"))
    bad = numbers[(numbers["count"] < 0) | (numbers["count"] > numbers["parent_count"].astype(float))]
    if not bad.empty:
        first = bad.iloc[0]
        raise StatisticsError(
            f"{first['population']} of {first['subject_id']} at {first['visit']} has {first['count']:g} events of "
            f"{first['parent_count']:g} in its parent",
            where="counts",
            hint="counts are 0 or more and at most the parent's",
        )
