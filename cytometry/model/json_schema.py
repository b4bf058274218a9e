"""JSON Schema of a table's rows, from its columns."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from cytometry.model.tables import Column, TableSchema

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_TYPES: Final = MappingProxyType({"integer": "integer", "number": "number", "boolean": "boolean"})


def table_json_schema(schema: TableSchema) -> dict[str, Json]:
    """Schema of an array of rows; an empty cell is an absent property."""
    return {
        "title": schema.name,
        "description": f"one row per {schema.row}; key: {', '.join(schema.key)}",
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": [c.name for c in schema.columns if c.required],
            "properties": {c.name: _property(c) for c in schema.columns},
        },
    }


def _property(column: Column) -> dict[str, Json]:
    found: dict[str, Json] = {"type": _TYPES.get(column.type, "string"), "description": column.meaning}
    if column.type in {"date", "datetime"}:
        found["format"] = "date" if column.type == "date" else "date-time"
    if column.unit:
        found["x-unit"] = column.unit
    if column.minimum is not None:
        found["minimum"] = column.minimum
    if column.maximum is not None:
        found["maximum"] = column.maximum
    if column.allowed:
        found["enum"] = [int(a) if column.type == "integer" else a for a in column.allowed]
    if column.pattern:
        found["pattern"] = f"^{column.pattern}$"
    return found
