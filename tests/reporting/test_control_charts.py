from __future__ import annotations

import dataclasses

import pandas as pd

from cytometry.model.tables import CONTROL_CHART
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.sections.quality import SECTION
from tests.reporting.page import Page

_EVIL = "<script>alert(1)</script>"


def inputs(items: dict[str, list[float]]) -> ReportInputs:
    """A chart per item with its distances from the centre; beyond 3 is rejected."""
    rows = [
        {
            "panel": "bcell",
            "material": "",
            "kind": "population",
            "item": item,
            "run": i,
            "sample_id": f"c{i}",
            "batch": f"B{i}",
            "acquired_at": f"2025-01-0{i}T10:00",
            "value": 0.3 + 0.03 * z,
            "centre": 0.3,
            "sd": 0.03,
            "limits": "provisional",
            "z": z,
            "rules": "1-2s;1-3s" if abs(z) > 3 else "",
        }
        for item, distances in items.items()
        for i, z in enumerate(distances, start=1)
    ]
    return ReportInputs("t", {"control_chart": pd.DataFrame(rows, columns=list(CONTROL_CHART.names))})


def section(items: dict[str, list[float]]) -> str:
    return str(SECTION.render(inputs(items)))


def test_charts_that_are_out_stand_first_and_open() -> None:
    html = section({"naive": [0.0, 0.1, 0.2], "asc": [0.0, 0.0, 4.0], "dn2": [0.0, 0.0, -5.0]})
    assert html.index("DN2") < html.index("Antibody") < html.index("<summary>1 more charts") < html.index("Naive")
    assert "2 of 3 charts out of control" in html
    assert "c3 1-2s, 1-3s" in html


def test_the_table_holds_every_value_worst_first() -> None:
    shown = Page(section({"naive": [0.0, 0.5], "asc": [3.5, 0.0]})).tables["t-control_chart"]
    assert shown.numbers("z") == [3.5, 0.5, 0.0, 0.0]
    assert shown.column("Rules")[0].split() == ["1-2s1-3s"]


def test_few_runs_are_called_provisional_and_many_are_not() -> None:
    few = inputs({"naive": [0.0, 0.1]})
    assert "<em>provisional</em>" in str(SECTION.render(few))
    many = few.tables["control_chart"].assign(limits="20 runs")
    assert "<em>provisional</em>" not in str(SECTION.render(dataclasses.replace(few, tables={"control_chart": many})))


def test_names_stay_text() -> None:
    assert _EVIL not in section({_EVIL: [0.0, 4.0]})


def test_without_a_control_there_is_no_section() -> None:
    assert SECTION.render(inputs({})) is None
