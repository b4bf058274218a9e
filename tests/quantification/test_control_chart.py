"""Charts of a control whose course is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from cytometry.model.tables import Cell
from cytometry.quantification.control_chart import ControlRun, control_chart, control_findings


def runs(n: int, *, dated: bool = True) -> list[ControlRun]:
    """In reverse order of their dates."""
    return [
        ControlRun(
            f"c{i}", "bcell", "", f"B{i}", f"2025-{1 + i // 28:02d}-{1 + i % 28:02d}" if dated else "", f"c{i}.fcs"
        )
        for i in reversed(range(n))
    ]


def tables(
    shares: Sequence[float], *, whole: int = 10_000, boundary: float = 0.5, median: float = 5_000.0
) -> dict[str, list[dict[str, Cell]]]:
    frequencies: list[dict[str, Cell]] = []
    thresholds: list[dict[str, Cell]] = []
    intensities: list[dict[str, Cell]] = []
    for i, share in enumerate(shares):
        key: dict[str, Cell] = {"sample_id": f"c{i}", "panel": "bcell"}
        frequencies.append(
            {
                **key,
                "population": "naive",
                "denominator": "parent",
                "count": round(share * whole),
                "denominator_count": whole,
                "fraction": share,
            }
        )
        thresholds.append(
            {
                **key,
                "cut": "cd27",
                "dimension": "CD27",
                "method": "valley",
                "value_display": boundary,
                "value_linear": 900.0,
                "uncertainty_sd": 0.0,
            }
        )
        for population, value in (("naive", 20.0), ("memory", median)):
            intensities.append(
                {
                    **key,
                    "population": population,
                    "path": f"root/{population}",
                    "channel": "PE-A",
                    "marker": "CD27",
                    "n_events": 400,
                    "median": value,
                }
            )
    return {"frequencies": frequencies, "thresholds": thresholds, "intensities": intensities}


def chart(rows: list[dict[str, Cell]], kind: str) -> list[dict[str, Cell]]:
    return [r for r in rows if r["kind"] == kind]


def test_runs_stand_in_the_order_of_their_dates() -> None:
    rows = chart(control_chart(runs(3), tables([0.5, 0.5, 0.5])), "population")
    assert [(r["run"], r["sample_id"]) for r in rows] == [(1, "c0"), (2, "c1"), (3, "c2")]


def test_undated_runs_keep_the_order_of_the_study() -> None:
    rows = chart(control_chart(runs(3, dated=False), tables([0.5, 0.5, 0.5])), "population")
    assert [r["sample_id"] for r in rows] == ["c2", "c1", "c0"]


def test_undated_runs_stand_after_the_dated_ones() -> None:
    mixed = [replace(run, acquired_at="") if run.sample_id in ("c3", "c1") else run for run in runs(4)]
    rows = chart(control_chart(mixed, tables([0.5] * 4)), "population")
    assert [r["sample_id"] for r in rows] == ["c0", "c2", "c3", "c1"]


def test_few_runs_have_ten_per_cent_and_counting_as_their_limits() -> None:
    rows = chart(control_chart(runs(3), tables([0.5, 0.52, 0.7])), "population")
    assert {r["limits"] for r in rows} == {"provisional"}
    # Centre 0.52; 10 % of it and sqrt(0.5 × 0.5 / 10,000) = 0.005.
    assert rows[0]["sd"] == pytest.approx(math.hypot(0.052, 0.005), rel=1e-3)
    assert [r["rules"] for r in rows] == ["", "", "1-2s;1-3s"]


def test_a_rare_population_may_move_as_far_as_counting_lets_it() -> None:
    rows = chart(control_chart(runs(3), tables([0.010, 0.011, 0.013], whole=5_500)), "population")
    # sqrt(0.011 × 0.989 / 5,500) is 13 % of the centre: more than the 10 % that are tolerated.
    assert rows[0]["sd"] == pytest.approx(math.hypot(0.0011, 0.0014), rel=0.03)
    assert [r["rules"] for r in rows] == ["", "", ""]


def test_a_boundary_below_zero_on_a_proportional_scale_has_ten_per_cent_of_its_size() -> None:
    own = tables([0.5] * 3)
    for row, value in zip(own["thresholds"], (-0.5, -0.4, -0.9), strict=True):
        row |= {"value_display": value, "value_linear": 1_000 * value, "uncertainty_sd": 0.03}
    rows = chart(control_chart(runs(3), own), "threshold")
    # Centre −0.5; 10 % of its size and 0.03.
    assert rows[0]["sd"] == pytest.approx(math.hypot(0.05, 0.03), rel=1e-5)
    assert [r["rules"] for r in rows] == ["", "", "1-2s;1-3s"]


def test_fewer_than_fifty_events_make_no_chart() -> None:
    assert not chart(control_chart(runs(3), tables([0.01, 0.01, 0.01], whole=4_900)), "population")


def test_twenty_runs_set_the_limits_and_a_drift_is_seen_as_ten_on_one_side() -> None:
    steady = [0.50 + 0.01 * (-1) ** i for i in range(20)]
    rows = chart(control_chart(runs(30), tables([*steady, *[0.505] * 10])), "population")
    assert {r["limits"] for r in rows} == {"20 runs"}
    # The last of the first 20 lies below the centre, so that ten on one side are complete with run 30.
    assert [r["run"] for r in rows if r["rules"]] == [30]
    assert rows[-1]["rules"] == "10-x"


def test_a_marker_is_charted_where_it_is_brightest() -> None:
    rows = chart(control_chart(runs(3), tables([0.5] * 3)), "intensity")
    assert {(r["item"], r["value"]) for r in rows} == {("CD27 in memory", 5000.0)}


def test_a_marker_that_is_dim_everywhere_is_not_charted() -> None:
    # The boundary lies at 900.
    assert not chart(control_chart(runs(3), tables([0.5] * 3, median=800.0)), "intensity")


def test_two_materials_are_two_charts() -> None:
    pair = [ControlRun(f"c{i}", "bcell", f"donor{i % 2}", "B", "", "f") for i in range(4)]
    rows = chart(control_chart(pair, tables([0.2, 0.8, 0.2, 0.8])), "population")
    assert [(r["material"], r["centre"]) for r in rows] == [("donor0", 0.2)] * 2 + [("donor1", 0.8)] * 2


def test_a_study_sample_is_in_no_chart() -> None:
    assert control_chart([], tables([0.5, 0.5])) == []


def test_a_finding_begins_with_what_is_farthest_off_on_either_side() -> None:
    own = runs(3)
    out = tables([0.5, 0.5, 0.7])
    out["thresholds"][2] |= {"value_display": 0.4, "value_linear": 700.0}
    message = control_findings(control_chart(own, out), own)["c2"][0].message
    assert message.endswith("cd27 on CD27 (threshold, 1-2s;1-3s, z -10.0), naive (population, 1-2s;1-3s, z 4.0)")


def test_the_finding_names_what_is_farthest_off() -> None:
    own = runs(3)
    rows = control_chart(own, tables([0.5, 0.5, 0.7]))
    found = control_findings(rows, own)
    assert list(found) == ["c2"]
    assert found["c2"][0].message == (
        "the control is out in 1 of 3 charted quantities (provisional limits, fewer than 20 runs): "
        "naive (population, 1-2s;1-3s, z 4.0)"
    )
