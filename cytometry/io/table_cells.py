"""From the text of a table to typed cells: every problem of the table in one pass."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from cytometry.io.text_table import TextRow, TextTable
from cytometry.model.findings import Finding
from cytometry.model.input_tables import IDENTIFYING_COLUMNS
from cytometry.model.tables import Cell, Column, TableSchema

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_TRUE = frozenset({"true", "yes", "1", "wahr", "ja"})
_FALSE = frozenset({"false", "no", "0", "falsch", "nein"})
# What people write for "nothing" without having said so in study.yaml.
_UNDECLARED_MISSING = frozenset(
    {"na", "n/a", "nan", "nd", "n.d.", "-999", "-99", "999", "null", "none", "missing", "."}
)


@dataclass(frozen=True, slots=True)
class TypedRow:
    """One row: its number in the spreadsheet, typed cells by column, extra columns as text."""

    number: int
    cells: dict[str, Cell]
    extra: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class TypedTable:
    """Rows that could be typed, and every finding of the table."""

    rows: tuple[TypedRow, ...]
    columns: tuple[str, ...]
    findings: tuple[Finding, ...]


class _CellError(ValueError):
    """A cell that its column does not allow: what would be right, and what to do."""

    def __init__(self, message: str, *, expected: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.fix = fix


def type_table(
    table: TextTable, schema: TableSchema, *, extra_columns: Collection[str] = (), missing_values: Collection[str] = ()
) -> TypedTable:
    """Type every cell by ``schema`` and report every problem.

    Unknown columns, repeated columns, missing columns, ragged rows, cells of the
    wrong type or out of range, undeclared codes for "missing", and repeated keys are
    findings of severity ``error``.
    """
    findings = list(table.findings) + _header_findings(table, schema, extra_columns)
    known = {c.name: c for c in schema.columns}
    rows: list[TypedRow] = []
    comma_seen = False
    for row in table.rows:
        surplus = [c for c in row.cells[len(table.header) :] if c]
        if surplus:
            findings.append(
                _problem(
                    table,
                    row,
                    "",
                    "ROW_TOO_LONG",
                    f"has {len(row.cells)} cells for {len(table.header)} columns",
                    found=", ".join(surplus),
                    fix="quote cells that hold the delimiter",
                )
            )
        cells: dict[str, Cell] = {c.name: None for c in schema.columns}
        extra: dict[str, Cell] = {}
        for name, text in zip(table.header, row.cells, strict=False):
            if name not in known:
                if name in extra_columns:
                    extra[name] = text
                continue
            try:
                cells[name] = _cell(text, known[name], missing_values, decimal_comma=table.decimal_comma)
            except _CellError as error:
                findings.append(
                    _problem(
                        table,
                        row,
                        name,
                        "CELL_INVALID",
                        f"column {name}: {error}",
                        found=text,
                        expected=error.expected,
                        fix=error.fix,
                    )
                )
                cells[name] = None
                continue
            comma_seen |= known[name].type == "number" and "," in text
        for column in schema.columns:
            position = table.header.index(column.name) if column.name in table.header else -1
            text = row.cells[position] if 0 <= position < len(row.cells) else ""
            if column.required and position >= 0 and text in {"", *missing_values}:
                findings.append(
                    _problem(
                        table,
                        row,
                        column.name,
                        "CELL_EMPTY",
                        f"column {column.name} is empty",
                        expected=column.meaning,
                        fix="fill it in",
                    )
                )
        rows.append(TypedRow(row.number, cells, extra))
    if comma_seen:
        findings.append(
            Finding(
                "TABLE_DECIMAL_COMMA",
                "info",
                "has numbers with a decimal comma; they were read as such",
                file=table.name,
                found="decimal comma",
                expected="decimal point",
            )
        )
    findings += _repeated_keys(table, rows, schema)
    return TypedTable(tuple(rows), table.header, tuple(findings))


def suggestion(name: str, allowed: Collection[str]) -> str:
    """``did you mean 'x'?``, or what is allowed.

    >>> suggestion("bcel", ["bcell", "treg"])
    "did you mean 'bcell'?"
    """
    near = difflib.get_close_matches(name.lower(), sorted(allowed), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"allowed: {', '.join(allowed)}"


def _header_findings(table: TextTable, schema: TableSchema, extra_columns: Collection[str]) -> list[Finding]:
    findings = []
    for name in sorted({n for n in table.header if table.header.count(n) > 1}):
        shown = name or "(no name)"
        findings.append(
            _header_problem(
                table, shown, "COLUMN_REPEATED", f"column '{shown}' stands there more than once", "keep one"
            )
        )
    for name in dict.fromkeys(table.header):
        if name.lower().replace(" ", "_") in IDENTIFYING_COLUMNS:
            findings.append(
                _header_problem(
                    table,
                    name,
                    "COLUMN_IDENTIFYING",
                    f"column '{name}' looks like it says who somebody is",
                    "remove it; subjects have codes here",
                )
            )
        elif name not in schema.names and name not in extra_columns:
            if not name:
                fix = "give it a name or delete it"
            else:
                missing = [n for n in schema.names if n not in table.header]
                fix = f"{suggestion(name, missing)} Or list it under 'extra_columns' in study.yaml"
            findings.append(
                _header_problem(table, name, "COLUMN_UNKNOWN", f"column '{name or '(no name)'}' is unknown", fix)
            )
    for column in schema.columns:
        if column.required and column.name not in table.header:
            findings.append(
                _header_problem(
                    table,
                    column.name,
                    "COLUMN_MISSING",
                    f"column '{column.name}' is missing",
                    f"it says: {column.meaning}",
                )
            )
    return findings


def _repeated_keys(table: TextTable, rows: list[TypedRow], schema: TableSchema) -> list[Finding]:
    findings = []
    seen: dict[tuple[Cell, ...], int] = {}
    for row in rows:
        key = tuple(row.cells.get(name) for name in schema.key)
        if not key or any(part is None for part in key):
            continue
        if key in seen:
            shown = ", ".join(f"{n} '{v}'" for n, v in zip(schema.key, key, strict=True))
            findings.append(
                Finding(
                    "KEY_REPEATED",
                    "error",
                    f"{shown} stands in row {seen[key]} already",
                    file=table.name,
                    segment=f"row {row.number}",
                    keyword=schema.key[0],
                    found=str(key[0]),
                    expected=f"one row per {' and '.join(schema.key)}",
                    fix="remove or rename one of the rows",
                )
            )
        seen.setdefault(key, row.number)
    return findings


def _cell(text: str, column: Column, missing_values: Collection[str], *, decimal_comma: bool) -> Cell:
    if text == "" or text in missing_values:
        return None
    if text.startswith("?"):
        raise _CellError(
            f"'{text}' is a guess that nobody has reviewed", expected=column.meaning, fix="correct it, without the '?'"
        )
    if text.lower() in _UNDECLARED_MISSING and column.type != "string" and not _fits_as_number(text, column):
        raise _CellError(
            f"'{text}' stands for nothing that is declared",
            expected="an empty cell for a missing value",
            fix=f"leave the cell empty, or list '{text}' under 'missing_values' in study.yaml",
        )
    if column.type in {"number", "integer"}:
        value = _number(text, decimal_comma=decimal_comma)
        if column.allowed and f"{value:g}" not in column.allowed:
            raise _CellError(f"'{text}' is not one of {', '.join(column.allowed)}", expected=", ".join(column.allowed))
        _check_range(text, value, column)
        if column.type == "integer":
            if value != int(value):
                raise _CellError(f"'{text}' is not a whole number", expected="a whole number")
            return int(value)
        return value
    if column.type == "boolean":
        return _boolean(text)
    if column.type in {"date", "datetime"}:
        return _date(text, column)
    if column.allowed and text not in column.allowed:
        raise _CellError(
            f"'{text}' is not one of {', '.join(column.allowed)}",
            expected=", ".join(column.allowed),
            fix=suggestion(text, column.allowed),
        )
    if column.pattern and not re.fullmatch(column.pattern, text):
        raise _CellError(f"'{text}' does not fit", expected=f"{column.meaning}; pattern {column.pattern}")
    return text


def _fits_as_number(text: str, column: Column) -> bool:
    """Whether a code such as 999 can be an honest value of the column."""
    if not _NUMBER.fullmatch(text) or column.type not in {"number", "integer"}:
        return column.type == "boolean" and text in _TRUE | _FALSE
    value = float(text)
    return column.minimum is not None and column.minimum <= value <= (column.maximum or math.inf)


def _number(text: str, *, decimal_comma: bool) -> float:
    plain = text
    if decimal_comma and "," in text:
        if "." in text or text.count(",") > 1:
            raise _CellError(
                f"'{text}' has marks that can be read in two ways",
                expected="one decimal mark",
                fix="remove the thousands separators",
            )
        plain = text.replace(",", ".")
    elif decimal_comma and _THOUSANDS.fullmatch(text):
        raise _CellError(
            f"'{text}' can be a number with a thousands separator or a decimal point",
            expected="a decimal comma in this table",
            fix="write it without the separator",
        )
    if not _NUMBER.fullmatch(plain):
        hint = "a number with a decimal point" if not decimal_comma else "a number"
        raise _CellError(
            f"'{text}' is not a number",
            expected=hint,
            fix="the unit stands in the column's name" if re.search(r"\d", text) else "",
        )
    value = float(plain)
    if not math.isfinite(value):
        raise _CellError(f"'{text}' is too large to be a number", expected="a finite number")
    return value


def _check_range(text: str, value: float, column: Column) -> None:
    below = column.minimum is not None and value < column.minimum
    above = column.maximum is not None and value > column.maximum
    if below or above:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:g}"
        unit = f" {column.unit}" if column.unit else ""
        limits = f"{low} to {high}{unit}" if low and high else f"at least {low}{unit}"
        raise _CellError(f"'{text}' is out of range", expected=limits, fix="check the unit")


def _boolean(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _CellError(f"'{text}' is neither true nor false", expected="true or false")


def _date(text: str, column: Column) -> str:
    german = _GERMAN_DATE.fullmatch(text)
    try:
        if german:
            day, month, year = (int(g) for g in german.groups())
            return date(year, month, day).isoformat()
        if column.type == "date":
            return date.fromisoformat(text).isoformat()
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        example = "2026-03-25" if column.type == "date" else "2026-03-25T09:30"
        raise _CellError(f"'{text}' is not a date", expected=f"ISO 8601, such as {example}") from None


def _problem(
    table: TextTable,
    row: TextRow,
    column: str,
    code: str,
    message: str,
    *,
    found: str = "",
    expected: str = "",
    fix: str = "",
) -> Finding:
    return Finding(
        code,
        "error",
        message,
        file=table.name,
        segment=f"row {row.number}",
        keyword=column,
        found=found,
        expected=expected,
        fix=fix or (f"expected: {expected}" if expected else ""),
    )


def _header_problem(table: TextTable, column: str, code: str, message: str, fix: str) -> Finding:
    return Finding(code, "error", message, file=table.name, segment="row 1", keyword=column, found=column, fix=fix)
