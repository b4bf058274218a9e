from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

from cytometry.reporting.csv_text import csv_text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_text(["a"], [[f"{start}1+1"]]))))[1:]
    assert row == [f"'{start}1+1"]


def test_negative_numbers_stay_numbers() -> None:
    assert csv_text(["a", "b"], [[-1.5, np.float64(-0.1)]]) == "a,b\n-1.5,-0.1\n"


def test_undefined_is_an_empty_cell() -> None:
    assert csv_text(["a", "b", "c"], [[None, math.nan, 0.0]]) == "a,b,c\n,,0.0\n"


def test_separators_and_quotes_survive() -> None:
    text = csv_text(["a"], [['x,"y"\nz']])
    assert list(csv.reader(io.StringIO(text)))[1] == ['x,"y"\nz']
