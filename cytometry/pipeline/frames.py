"""Tables as data frames for statistics and report, and data frames back as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cytometry.io.result_tables import columns_of
from cytometry.model.tables import Cell, Column, ColumnType, Row, TableSchema

if TYPE_CHECKING:
    import pandas as pd


def frame(schema: TableSchema, rows: Sequence[Row]) -> pd.DataFrame:
    """A table as a frame: text as objects, numbers as float64 with NaN, whole columns of integers as int64."""
    import numpy as np
    import pandas as pd

    series = {}
    for name, values in columns_of(rows, schema).items():
        kind = schema[name].type
        if kind == "integer" and values and None not in values:
            series[name] = pd.Series(values, dtype=np.int64)
        elif kind in {"integer", "number"}:
            series[name] = pd.Series([np.nan if v is None else v for v in values], dtype=np.float64)
        else:
            series[name] = pd.Series(values, dtype=object)
    return pd.DataFrame(series, columns=list(schema.names))


def records(table: pd.DataFrame) -> list[dict[str, Cell]]:
    """Rows of a frame as plain Python values."""
    return [{str(k): _plain(v) for k, v in row.items()} for row in table.to_dict("records")]


def schema_of(name: str, table: pd.DataFrame, meanings: Mapping[str, str]) -> TableSchema:
    """Schema of a statistics table: types from its columns, meanings from the values behind its rows."""
    columns = tuple(Column(str(c), _type(table[c]), meanings.get(str(c), "")) for c in table.columns)
    return TableSchema(name, name.replace("_", " "), (), columns)


def documented_columns(kind: type) -> dict[str, str]:
    """Meaning of each field of a value, from the Parameters section of its docstring."""
    lines = (kind.__doc__ or "").splitlines()
    meanings: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines:
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if indent <= 4 and text and set(text) != {"-"}:
            names = [n.strip() for n in text.split(",")] if " " not in text.replace(", ", "") else []
            for name in names:
                meanings.setdefault(name, [])
        elif indent > 4 and text:
            for name in names:
                meanings[name].append(text)
    return {name: " ".join(parts) for name, parts in meanings.items() if parts}


def _type(column: pd.Series) -> ColumnType:
    kind = column.dtype.kind
    if kind == "b":
        return "boolean"
    if kind in "iu":
        return "integer"
    return "number" if kind == "f" else "string"


def _plain(value: object) -> Cell:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return None if value != value else float(value)
    return None if str(value) in {"<NA>", "NaT"} else str(value)
