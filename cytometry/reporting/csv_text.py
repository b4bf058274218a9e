"""A table as CSV text for a ``data:`` link, with no cell that a spreadsheet would run."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Sequence

from cytometry.reporting.formats import is_missing

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """RFC 4180 text, ``\\n`` line ends, undefined cells empty.

    Text that a spreadsheet would take for a formula gets a leading apostrophe;
    numbers do not.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_cell(h) for h in header])
    writer.writerows([_cell(v) for v in row] for row in rows)
    return buffer.getvalue()


def csv_uri(text: str) -> str:
    """The text as a link that works from a local file without a network."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode("ascii")


def _cell(value: object) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    return repr(value.item()) if hasattr(value, "item") else str(value)
