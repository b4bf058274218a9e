"""The shipped panels on two files of sample_fcs, each file alone: the counts in their ``expected`` folders."""

from __future__ import annotations

import csv

import pytest

from cytometry.io.panels import shipped_panel_names, shipped_panels_folder
from tools.golden_counts import golden_rows


@pytest.mark.parametrize("panel", shipped_panel_names())
def test_counts_are_as_written_down(panel: str) -> None:
    path = shipped_panels_folder() / panel / "expected" / "counts.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        expected = [tuple(row) for row in csv.reader(stream)][1:]
    assert list(golden_rows(panel)) == expected
