"""Rows of a delimited text file, whatever program saved it: encoding, delimiter and decimal mark are found out.

Excel in a German locale writes a byte-order mark, ``;`` and decimal commas; its
"Unicode text" is UTF-16 with tabs. All are read, and a finding says so.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from cytometry.errors import StudyError
from cytometry.model.findings import Finding

# A table of 500 tubes is 100 kB; a file beyond this is not a manifest.
_MAX_BYTES = 50_000_000
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class TextRow:
    """Cells of one record, and its row number as a spreadsheet counts (the header is row 1)."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextTable:
    """A delimited file as text.

    Parameters
    ----------
    name
        File name for messages.
    header, rows
        Stripped of surrounding blanks; rows without any content are left out.
    decimal_comma
        Numbers may be written with a comma: the delimiter is not one.
    findings
        What had to be worked out: encoding, delimiter, decimal mark.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[TextRow, ...]
    decimal_comma: bool
    findings: tuple[Finding, ...]


def read_text_table(path: Path, name: str) -> TextTable:
    """Read a delimited file as text.

    Raises
    ------
    StudyError
        There is no such file, it is empty, too large, or not delimited text.
    """
    data = _bytes(path, name)
    text, encoding = _decode(data, name)
    delimiter = _delimiter(text)
    records = _records(text, delimiter, name)
    if not records or not any(cell for cell in records[0].cells):
        raise StudyError("has no header", where=name, hint="the first row names the columns", code="TABLE_EMPTY")
    header = records[0].cells
    while header and not header[-1]:
        header = header[:-1]
    rows = tuple(r for r in records[1:] if any(r.cells))
    decimal_comma = delimiter != ","
    marks = [m for m in (encoding, f"delimiter {delimiter!r}" if decimal_comma else "") if m]
    findings = (_dialect(name, marks),) if marks else ()
    return TextTable(name, header, rows, decimal_comma, findings)


def _bytes(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise StudyError(
                f"is larger than {_MAX_BYTES // 1_000_000} MB",
                where=name,
                hint="this is not a table of samples or visits",
                code="TABLE_TOO_LARGE",
            )
        return path.read_bytes()
    except OSError as error:
        raise StudyError(
            f"cannot be read: {error.strerror or error}",
            where=name,
            hint=f"looked for it at {path}",
            code="FILE_MISSING" if isinstance(error, FileNotFoundError) else "FILE_UNREADABLE",
        ) from error


def _decode(data: bytes, name: str) -> tuple[str, str]:
    """Text and, where it is not plain UTF-8, what it was."""
    if data.startswith(b"PK\x03\x04") or data.startswith(b"\xd0\xcf\x11\xe0"):
        raise StudyError(
            "is a spreadsheet, not a CSV file", where=name, hint="save it as 'CSV UTF-8'", code="TABLE_IS_SPREADSHEET"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16"), "UTF-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return data.decode("utf-8-sig", errors="replace"), "byte-order mark"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        # Windows' own encoding; cp1252 leaves five bytes undefined, Latin-1 none.
        return data.decode("latin-1"), "Latin-1 text"


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = "".join(part for i, part in enumerate(first.split('"')) if i % 2 == 0)
    return max(_DELIMITERS, key=lambda d: (unquoted.count(d), -_DELIMITERS.index(d)))


def _records(text: str, delimiter: str, name: str) -> list[TextRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [TextRow(i, tuple(c.strip() for c in cells)) for i, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        raise StudyError(
            f"is not delimited text: {error}",
            where=f"{name} line {reader.line_num}",
            hint="save the table as 'CSV UTF-8'",
            code="TABLE_UNREADABLE",
        ) from error


def _dialect(name: str, marks: list[str]) -> Finding:
    found = ", ".join(marks)
    return Finding(
        code="TABLE_DIALECT",
        severity="info",
        message=f"was saved by a spreadsheet program ({found}) and read as that",
        file=name,
        found=found,
        expected="UTF-8 text with commas",
    )
