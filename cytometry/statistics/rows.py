"""Rows of a table as frozen values, and back: column names are field names, written once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd

RowType = TypeVar("RowType")


def table_of(rows: Sequence[RowType], kind: type[RowType]) -> pd.DataFrame:
    """A table with one row per value and one column per field, also when there is no row."""
    import pandas as pd

    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return pd.DataFrame({name: [getattr(row, name) for row in rows] for name in names}, columns=names)


def typed_rows(table: pd.DataFrame, kind: type[RowType]) -> tuple[RowType, ...]:
    """One frozen value per row of a table whose columns are the fields of ``kind``."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    records: list[dict[str, Any]] = table[names].to_dict("records")  # type: ignore[assignment]
    return tuple(kind(**record) for record in records)
