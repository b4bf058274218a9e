"""Table rows back as the values that they were made from."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd

RowType = TypeVar("RowType")


def typed_rows(table: pd.DataFrame, kind: type[RowType]) -> tuple[RowType, ...]:
    """One frozen value per row of a table whose columns are the fields of ``kind``."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    records: list[dict[str, Any]] = table[names].to_dict("records")  # type: ignore[assignment]
    return tuple(kind(**record) for record in records)
