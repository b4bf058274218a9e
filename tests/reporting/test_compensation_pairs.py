from __future__ import annotations

import re

import pandas as pd

from cytometry.model.tables import COMPENSATION
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.sections.quality import SECTION
from tests.reporting.page import Page


def section(pairs: list[tuple[str, str, float, str]]) -> str:
    rows = [
        {
            "panel": "bcell",
            "matrix": "abc",
            "source": source,
            "target": target,
            "source_marker": "",
            "target_marker": "",
            "coefficient": 0.1,
            "error": error,
            "standard_error": 0.001,
            "doubt": 0.0,
            "limit": 0.015,
            "tubes": 4,
            "verdict": verdict,
        }
        for source, target, error, verdict in pairs
    ]
    return str(
        SECTION.render(ReportInputs("t", {"qc_compensation": pd.DataFrame(rows, columns=list(COMPENSATION.names))}))
    )


PAIRS = [("A", "B", 0.002, "ok"), ("B", "A", -0.03, "over"), ("A", "C", 0.08, "cannot tell"), ("C", "A", 0.05, "under")]


def test_wrong_pairs_stand_first_and_uncertain_ones_last() -> None:
    shown = Page(section(PAIRS)).tables["t-qc_compensation"]
    assert shown.numbers("Error, points") == [0.05, -0.03, 0.002, 0.08]
    assert shown.column("Error, points") == ["5.0", "−3.0", "0.2", "8.0"]


def test_the_grid_has_a_number_per_pair_and_none_where_it_cannot_be_told() -> None:
    svg = re.findall(r"<svg.*?</svg>", section(PAIRS), flags=re.DOTALL)[0]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    # Names of rows and columns, then the cells row by row: A into B, A into C, B into A, C into A.
    assert texts[6:] == ["+0.2", "?", "−3.0", "+5.0"]


def test_wrong_uncertain_and_silent_pairs_are_counted() -> None:
    html = section(PAIRS)
    assert "<b>2</b> of 4 pairs" in html
    assert "2 wrong, 1 uncertain, 2 without cells" in html


def test_names_stay_text() -> None:
    evil = "<script>x</script>"
    assert evil not in section([(evil, "B", 0.05, "under")])
