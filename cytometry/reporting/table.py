"""A table of the report: sortable, filterable, with its CSV as a link; the same numbers for eye and machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from cytometry.reporting.csv_text import csv_text, csv_uri
from cytometry.reporting.formats import UNDEFINED, is_missing
from cytometry.reporting.markup import render

if TYPE_CHECKING:
    import pandas as pd

# Shorter tables are read at a glance; a filter box would be clutter.
ROWS_TO_FILTER = 8
# A browser sorts and filters this many rows at once; more make a page of many megabytes.
ROWS_ON_PAGE = 2000
ROWS_IN_LINK = 20_000


@dataclass(frozen=True, slots=True)
class Heading:
    """A column on the page.

    Parameters
    ----------
    field
        Column of the data, and of the CSV.
    text
        Head on the page; the field's name where empty.
    show
        Text of a value that is not missing; plain text where None.
    note
        Explanation, shown as the head's title.
    mark
        CSS class of the column.
    sort
        Column with the number that the head sorts by, where the shown one is text.
    under
        Column whose text stands small below.
    tags
        Show each ``;``-separated part as a tag.
    """

    field: str
    text: str = ""
    show: Callable[..., str] | None = None
    note: str = ""
    mark: str = ""
    sort: str = ""
    under: str = ""
    tags: bool = False


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    value: str
    is_number: bool
    under: str = ""
    tags: tuple[str, ...] = ()


def data_table(
    frame: pd.DataFrame,
    headings: Sequence[Heading],
    *,
    name: str,
    caption: str,
    row_marks: Sequence[str] | None = None,
    download: pd.DataFrame | None = None,
    folded: bool = False,
) -> Markup:
    """Markup of a table.

    A table of more than 2,000 rows shows the first and says so; its link holds
    up to 20,000 and says so too.

    Parameters
    ----------
    frame
        One row per row.
    headings
        Columns to show, in order.
    name
        File name of the CSV without suffix; unique on the page.
    caption
        What one row is, and the unit.
    row_marks
        A CSS class per row, ``""`` for none.
    download
        What the CSV holds; by default all columns of ``frame``.
    folded
        Closed until the reader opens it.
    """
    rows = [[_cell(row, h) for h in headings] for row in frame.head(ROWS_ON_PAGE).to_dict("records")]
    source = (frame if download is None else download).head(ROWS_IN_LINK)
    text = csv_text(list(source.columns), source.itertuples(index=False, name=None))
    return render(
        "table.html",
        name=name,
        caption=caption,
        headings=headings,
        numeric=[all(r[i].is_number or r[i].text == UNDEFINED for r in rows) for i in range(len(headings))],
        rows=list(zip((row_marks or [""] * len(frame))[: len(rows)], rows, strict=True)),
        total=len(frame),
        linked=len(source),
        csv=csv_uri(text),
        filterable=len(rows) >= ROWS_TO_FILTER,
        folded=folded,
    )


def _cell(row: Mapping[Any, Any], heading: Heading) -> _Cell:
    value = row[heading.field]
    under = str(row[heading.under]) if heading.under and not is_missing(row[heading.under]) else ""
    key = row[heading.sort] if heading.sort else value
    is_number = isinstance(key, int | float) and not isinstance(key, bool) and not is_missing(key)
    if is_missing(value):
        return _Cell(UNDEFINED, "", False, under)
    text = heading.show(value) if heading.show is not None else str(value)
    if heading.tags:
        return _Cell("", "", False, under, tuple(t.strip() for t in text.split(";") if t.strip()))
    return _Cell(text, repr(key) if is_number else "", is_number, under)
