"""Significant digits, by hand."""

from __future__ import annotations

import math

import pytest

from cytometry.quantification.table_numbers import table_number


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(1 / 3, 6, "0.333333"), (-123456.789, 6, "-123457.0"), (2.5e-9 / 3, 8, "8.3333333e-10"), (0.0, 6, "0.0")],
)
def test_so_many_digits_are_kept(value: float, digits: int, shown: str) -> None:
    assert repr(table_number(value, digits)) == shown


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_an_empty_cell(value: float) -> None:
    assert table_number(value) is None
