from __future__ import annotations

import math

import pandas as pd

from cytometry.reporting.formats import whole
from cytometry.reporting.table import ROWS_ON_PAGE, Heading, data_table
from tests.reporting.page import Page


def page_of(frame: pd.DataFrame, *headings: Heading) -> Page:
    return Page(str(data_table(frame, headings, name="t", caption="c")))


def test_a_cell_shows_rounded_and_keeps_the_exact_number() -> None:
    page = page_of(pd.DataFrame({"n": [12345.0], "p": [0.0312345]}), Heading("n", show=whole), Heading("p"))
    table = page.tables["t-t"]
    assert table.rows == [["12\u202f345", "0.0312345"]]
    assert table.values == [[12345.0, 0.0312345]]


def test_undefined_is_a_dash_on_the_page_and_empty_in_the_download() -> None:
    page = page_of(pd.DataFrame({"a": [math.nan, 0.0]}), Heading("a"))
    assert page.tables["t-t"].column("a") == ["–", "0.0"]
    assert [r["a"] for r in page.csv("t")] == ["", "0.0"]


def test_text_sorts_by_the_number_behind_it() -> None:
    page = page_of(pd.DataFrame({"text": ["2/64"], "p": [0.03125]}), Heading("text", "p", sort="p"))
    assert page.tables["t-t"].numbers("p") == [0.03125]


def test_a_huge_table_says_how_much_of_it_is_on_the_page() -> None:
    frame = pd.DataFrame({"i": range(25_000)})
    text = str(data_table(frame, [Heading("i")], name="t", caption="c"))
    page = Page(text)
    assert len(page.tables["t-t"].rows) == ROWS_ON_PAGE
    assert "first 2000 of 25000 rows on this page, first 20000 in the download" in text
    assert len(page.csv("t")) == 20_000


def test_a_usual_table_says_nothing_of_the_kind() -> None:
    assert "on this page" not in str(data_table(pd.DataFrame({"i": [1]}), [Heading("i")], name="t", caption="c"))
