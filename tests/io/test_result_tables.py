"""Our tables survive the way out and back, and no spreadsheet runs what a file calls itself."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytometry.errors import OutputError
from cytometry.io.result_tables import data_package, parse_table, table_bytes
from cytometry.model.tables import Cell, Column, TableSchema

SCHEMA = TableSchema(
    "made",
    "thing",
    ("name",),
    (
        Column("name", "string", "label", required=True),
        Column("count", "integer", "events", "events", minimum=0),
        Column("share", "number", "fraction", "1"),
        Column("good", "boolean", "whether"),
    ),
)


@pytest.mark.parametrize("text", ["=1+2", "+A1", "-2", "@SUM(A1)", "\tx", "'quoted", "=cmd|' /C calc'!A0"])
def test_text_that_a_spreadsheet_would_run_is_disarmed_and_comes_back(text: str) -> None:
    data = table_bytes(SCHEMA, [{"name": text}])
    cell = list(csv.reader(io.StringIO(data.decode(), newline="")))[1][0]
    assert cell == f"'{text}"
    assert parse_table(data, SCHEMA, where="t")[0]["name"] == text


def test_undefined_is_an_empty_cell_and_zero_is_zero() -> None:
    rows: list[dict[str, Cell]] = [
        {"name": "a", "count": None, "share": float("nan"), "good": None},
        {"name": "b", "count": 0, "share": 0.0, "good": False},
    ]
    assert table_bytes(SCHEMA, rows) == b"name,count,share,good\na,,,\nb,0,0,false\n"


_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1)


@given(
    st.lists(
        st.tuples(
            _TEXT,
            st.none() | st.integers(0, 2**53),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.booleans(),
        )
    )
)
def test_what_is_written_is_what_is_read(given_rows: list[tuple[str, int | None, float | None, bool | None]]) -> None:
    rows = [dict(zip(SCHEMA.names, r, strict=True)) for r in given_rows]
    data = table_bytes(SCHEMA, rows)
    assert parse_table(data, SCHEMA, where="t") == rows
    assert table_bytes(SCHEMA, parse_table(data, SCHEMA, where="t")) == data


@pytest.mark.parametrize("data", [b"name;count;share;good\na;1;2;true\n", b"name,count\na,1\n", b"\xff\xfe", b""])
def test_a_table_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(OutputError) as caught:
        parse_table(data, SCHEMA, where="tables/made.csv")
    assert caught.value.where == "tables/made.csv"


def test_every_column_is_described() -> None:
    package = json.loads(data_package("study", {"made.csv": SCHEMA}))
    assert package["resources"][0]["path"] == "made.csv"
    assert package["resources"][0]["schema"]["fields"][1] == {
        "name": "count",
        "type": "integer",
        "description": "events",
        "unit": "events",
        "constraints": {"minimum": 0},
    }
