"""Write and read our own tables: CSV by schema, the same bytes everywhere.

UTF-8, LF, ``.`` as decimal mark, an empty cell for undefined. Floats are written
with the fewest digits that read back as the same number. Text that a spreadsheet
would run as a formula gets a leading apostrophe, which reading takes away again.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cytometry.errors import OutputError
from cytometry.model.findings import Finding
from cytometry.model.tables import Cell, Column, Row, TableSchema

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def table_bytes(schema: TableSchema, rows: Iterable[Row]) -> bytes:
    """The CSV file of a table."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(schema.names)
    writer.writerows([_text(row.get(c.name), c) for c in schema.columns] for row in rows)
    return stream.getvalue().encode()


def read_table(path: Path, schema: TableSchema) -> list[dict[str, Cell]]:
    """Read a table that :func:`table_bytes` wrote.

    Raises
    ------
    OutputError
        The file is missing, has other columns, or a cell is not of its type.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OutputError(
            f"cannot be read: {error.strerror or error}", where=str(path), hint="run the step that writes it again"
        ) from error
    return parse_table(data, schema, where=str(path))


def parse_table(data: bytes, schema: TableSchema, *, where: str) -> list[dict[str, Cell]]:
    """Rows of a table's bytes; see :func:`read_table`."""
    try:
        reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
        header = next(reader, [])
        if tuple(header) != schema.names:
            raise OutputError(
                f"has columns {', '.join(header)}",
                where=where,
                hint=f"a table '{schema.name}' has {', '.join(schema.names)}; was it saved by another program?",
                code="TABLE_DAMAGED",
            )
        return [{c.name: _cell(text, c) for c, text in zip(schema.columns, cells, strict=True)} for cells in reader]
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        raise OutputError(f"is damaged: {error}", where=where, hint="run again", code="TABLE_DAMAGED") from error


def data_package(name: str, schemas: Mapping[str, TableSchema]) -> bytes:
    """``datapackage.json``: type, unit and meaning of every column, by path of the table."""
    resources = [
        {
            "name": schema.name,
            "path": path,
            "description": f"one row per {schema.row}",
            "schema": {
                "fields": [_field(c) for c in schema.columns],
                "primaryKey": list(schema.key),
                "missingValues": [""],
            },
        }
        for path, schema in schemas.items()
    ]
    document = {"profile": "tabular-data-package", "name": name, "resources": resources}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def finding_rows(sample_id: str, findings: Sequence[Finding]) -> list[dict[str, Cell]]:
    """Findings as rows of ``findings.csv``."""
    return [
        {
            "sample_id": sample_id,
            "file": f.file,
            "code": f.code,
            "severity": f.severity,
            "segment": f.segment,
            "keyword": f.keyword,
            "message": f.message,
            "found": f.found,
            "expected": f.expected,
            "fix": f.fix,
        }
        for f in dict.fromkeys(findings)
    ]


def _field(column: Column) -> dict[str, object]:
    field: dict[str, object] = {"name": column.name, "type": column.type, "description": column.meaning}
    if column.unit:
        field["unit"] = column.unit
    constraints: dict[str, object] = {}
    if column.required:
        constraints["required"] = True
    if column.minimum is not None:
        constraints["minimum"] = column.minimum
    if column.maximum is not None:
        constraints["maximum"] = column.maximum
    if column.allowed:
        constraints["enum"] = list(column.allowed)
    if constraints:
        field["constraints"] = constraints
    return field


def _text(value: Cell, column: Column) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if column.type == "integer":
            return str(int(value))
        return repr(float(value)) if not value.is_integer() or abs(value) >= 1e15 else str(int(value))
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    return str(int(value))


def _cell(text: str, column: Column) -> Cell:
    if text == "":
        return "" if column.type == "string" else None
    if column.type == "integer":
        return int(text)
    if column.type == "number":
        return float(text)
    if column.type == "boolean":
        return text == "true"
    return text[1:] if text.startswith("'") else text


def columns_of(rows: Sequence[Row], schema: TableSchema) -> dict[str, list[Cell]]:
    """A table by columns, in the schema's order: what a data frame is made of."""
    return {name: [row.get(name) for row in rows] for name in schema.names}
