"""Individuals, closure, low counts, assays, other people's counts, the seal, published rates."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cytometry.errors import StatisticsError
from cytometry.statistics.analysis import analyse
from cytometry.statistics.assays import analyse_assays
from cytometry.statistics.below_limit import percent_text
from cytometry.statistics.closure import closure_sentences
from cytometry.statistics.foreign_counts import long_counts, wide_counts
from cytometry.statistics.individuals import rule_text
from cytometry.statistics.open_label import PublishedRate, open_label_table
from cytometry.statistics.power import power_table
from cytometry.statistics.seal import departures, plan_digest
from tests.statistics.trial import DESIGN, FALLS, NOISE, SLEDAI, clinical, counts, plan


def with_controls(table: pd.DataFrame, shares: list[int]) -> pd.DataFrame:
    """The same donor stained beside each batch."""
    tubes = []
    for i, k in enumerate(shares):
        tube = table[(table["sample_id"] == "P1_w0")].assign(
            role="control", subject_id="C", visit="", sample_id=f"C{i}", batch=f"b{i}"
        )
        tube.loc[tube["population"] == "falls", "count"] = k
        tubes.append(tube)
    return pd.concat([table, *tubes], ignore_index=True)


def calls(table: pd.DataFrame) -> dict[str, str]:
    found = analyse(table, clinical(SLEDAI), DESIGN, plan()).individuals
    own = found[(found["population"] == "falls") & (found["visit"] == "w8")]
    return dict(zip(own["subject_id"], own["call"], strict=True))


def test_without_a_bridging_control_nobodys_change_is_called() -> None:
    assert set(calls(counts({"falls": FALLS})).values()) == {"not callable"}


def test_a_change_beyond_counting_and_control_variation_is_called_and_others_are_not() -> None:
    courses = [[400, 200, 180], *[[400, 410, 400]] * 5]
    found = calls(with_controls(counts({"falls": courses}), [400, 410, 395]))
    assert found["P1"] == "lost"
    assert {found[f"P{i}"] for i in range(2, 7)} == {"within variation"}


def test_controls_that_vary_as_much_as_the_change_take_the_call_away() -> None:
    courses = [[400, 200, 180], *[[400, 410, 400]] * 5]
    assert calls(with_controls(counts({"falls": courses}), [250, 400, 600]))["P1"] == "within variation"


def test_an_uncertain_gate_takes_the_call_away() -> None:
    table = with_controls(counts({"falls": [[400, 300, 300], *[[400, 410, 400]] * 5]}), [400, 410, 395])
    assert calls(table)["P1"] == "lost"
    assert calls(table.assign(gating_sd=0.3))["P1"] == "within variation"


def test_the_rule_is_printed_with_its_level() -> None:
    assert "at most 5 %" in rule_text(plan())


# Three siblings that fill their parent: the first keeps its cells, the second doubles, so the first's share falls.
KEEPS, DOUBLES = [[300, 300, 300]] * 6, [[500, 1000, 1000]] * 6


def test_a_share_that_falls_because_a_sibling_rises_is_named() -> None:
    table = counts({"first": KEEPS, "second": DOUBLES, "third": [[200, 200, 200]] * 6})
    late = table["visit"] != "w0"
    siblings = table["population"].isin(["first", "second", "third"])
    table.loc[siblings & ~late, "parent_count"] = 1000
    table.loc[siblings & late, "parent_count"] = 1500
    result = analyse(table, clinical(SLEDAI), DESIGN, plan(panel=["first", "second", "third"]))
    text = closure_sentences(result.comparison, result.closure, DESIGN, {})
    assert any(
        t.startswith("The share of first fell at week 8; its cells per µL did not follow (1.00-fold") for t in text
    )
    assert any("It can be the rise of second." in t for t in text)
    rows = result.closure[(result.closure["visit"] == "w8") & (result.closure["population"] == "second")]
    # CLR of the doubled part against the other two that stay: two thirds of ln 2.
    assert rows["estimate"].iloc[0] == pytest.approx(2 / 3 * math.log(1000.5 / 500.5), rel=1e-9)


def test_two_siblings_are_each_others_complement_and_no_closure() -> None:
    assert analyse(counts({"a": KEEPS, "b": DOUBLES}), clinical(SLEDAI), DESIGN, plan()).closure.empty


@pytest.mark.parametrize(
    ("count", "whole", "text"),
    [
        (0, 500, "< 0.74 %"),
        (3, 500, "< 1.7 %"),
        (25, 500, "5.00 %"),
        (0, 0, "undefined"),
        (float("nan"), 9, "undefined"),
    ],
)
def test_a_low_count_is_never_zero_percent(count: float, whole: float, text: str) -> None:
    assert percent_text(count, whole, lod=20) == text


def test_limits_and_sensitivity_runs_of_a_population_near_zero() -> None:
    rare = [[60, 10, 5], [80, 0, 3], [70, 12, 4], [90, 8, 0], [55, 30, 9], [65, 20, None]]
    result = analyse(counts({"rare": rare}), clinical(SLEDAI), DESIGN, plan())
    limits = result.limits[result.limits["population"] == "rare"].iloc[0]
    assert (limits["zero"], limits["below_lod"], limits["below_lloq"]) == (2, 9, 11)
    assert limits["lod_percent"] == pytest.approx(1.0)
    assert limits["largest_upper_percent"] == pytest.approx(100 * (1 - 0.025 ** (1 / 2000)))
    runs = result.sensitivity[(result.sensitivity["population"] == "rare") & (result.sensitivity["visit"] == "w8")]
    by_run = runs.set_index("run")
    assert by_run.loc["without changes that have a count below LLOQ", "n"] == 0
    half = by_run.loc["counts below LLOQ as half of it"]
    assert (half["n"], half["p"]) == (6, 0.03125)


def assay_rows(values: dict[str, list[float]], **columns: object) -> pd.DataFrame:
    rows = [
        {"analyte": "garp", "unit": "ng/mL", "platform": "ELISA", "lloq": 0.5, "subject_id": s, "visit": v, "value": x}
        for s, course in values.items()
        for v, x in zip(DESIGN.visits, course, strict=True)
    ]
    return pd.DataFrame(rows).assign(**columns)


RISING = {f"P{i}": [1.0 + 0.1 * i, 4.0 + i, 3.0] for i in range(1, 7)}


def test_an_assay_goes_through_the_same_tests() -> None:
    table = analyse_assays(assay_rows(RISING), clinical(SLEDAI), DESIGN, plan())
    row = table[table["visit"] == "w8"].iloc[0]
    assert (row["n"], row["n_rose"], row["p_count"], row["p_total"], row["p_maxt"]) == (6, 6, 2, 64, 0.03125)
    assert row["fold_low"] == pytest.approx(min((4.0 + i) / (1.0 + 0.1 * i) for i in range(1, 7)))


def test_values_below_the_lloq_are_half_of_it_and_two_of_them_are_no_change() -> None:
    values = {**RISING, "P1": [0.1, 4.0, 0.2]}
    table = analyse_assays(assay_rows(values), clinical(SLEDAI), DESIGN, plan()).set_index("visit")
    assert table.loc["w8", "n_below"] == table.loc["w24", "n_below"] == 1
    assert (table.loc["w24", "n_rose"], table.loc["w24", "n"]) == (5, 6)


def test_optical_densities_of_two_plates_are_not_compared() -> None:
    table = assay_rows(RISING, unit="OD", plate="one")
    table.loc[(table["subject_id"] == "P1") & (table["visit"] == "w8"), "plate"] = "two"
    result = analyse_assays(table, clinical(SLEDAI), DESIGN, plan()).set_index("visit")
    assert (result.loc["w8", "n"], result.loc["w8", "n_plates"]) == (5, 1)
    assert (result.loc["w24", "n"], result.loc["w24", "n_plates"]) == (6, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": -1.0}, "a value is negative"),
        ({"unit": ["ng/mL", *["pg/mL"] * 17]}, "garp on ELISA has 2 units"),
        ({"visit": "w0"}, "garp of P1 at w0 is there twice"),
    ],
)
def test_a_wrong_assay_table_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        analyse_assays(assay_rows(RISING, **change), clinical(SLEDAI), DESIGN, plan())


def test_wide_counts_of_another_program_become_ours() -> None:
    theirs = pd.DataFrame({"Subject": ["P1"], "Time": ["w0"], "Lymph | Count": [5000], "CD19+ | Count": [800]})
    mapping = {
        "subject_id": "Subject",
        "visit": "Time",
        "root/lymphocytes": "Lymph | Count",
        "root/lymphocytes/b_cells": "CD19+ | Count",
    }
    ours = wide_counts(theirs, mapping)
    b_cells = ours[ours["population"] == "b_cells"].iloc[0]
    assert (b_cells["count"], b_cells["parent_count"], b_cells["subject_id"]) == (800, 5000, "P1")
    with pytest.raises(StatisticsError, match=r"no column CD19- \| Count"):
        wide_counts(theirs, mapping | {"root/lymphocytes/t": "CD19- | Count"})
    with pytest.raises(StatisticsError, match=r"the parent of root/lymphocytes/b_cells is not mapped"):
        wide_counts(theirs, {k: v for k, v in mapping.items() if k != "root/lymphocytes"})


def test_long_counts_find_their_parents_by_path() -> None:
    theirs = pd.DataFrame(
        {
            "Pt": ["P1", "P1"],
            "visit": ["w0", "w0"],
            "Gate": ["root/lymphocytes", "root/lymphocytes/b_cells"],
            "Events": [5000, 800],
        }
    )
    ours = long_counts(theirs, {"subject_id": "Pt", "path": "Gate", "count": "Events"})
    assert ours["parent_count"].iloc[1] == 5000
    assert ours["population"].tolist() == ["lymphocytes", "b_cells"]
    with pytest.raises(StatisticsError, match="no column for subject_id"):
        long_counts(theirs, {"path": "Gate", "count": "Events"})
    with pytest.raises(StatisticsError, match="b_cells of P1 at w0 has 8000 events of 5000 in its parent"):
        long_counts(theirs.assign(Events=[5000, 8000]), {"subject_id": "Pt", "path": "Gate", "count": "Events"})


def test_a_long_table_with_only_names_is_enough_for_the_analysis() -> None:
    table = counts({"falls": FALLS, "noise": NOISE})[["subject_id", "visit", "population", "count", "parent_count"]]
    result = analyse(long_counts(table, {}), clinical(SLEDAI), DESIGN, plan(panel=["falls", "noise"]))
    row = result.comparison[(result.comparison["population"] == "falls") & (result.comparison["visit"] == "w8")]
    assert (row["p"] == 0.03125).all()


def test_the_seal_sees_every_change_of_the_plan_and_no_change_of_spelling() -> None:
    before = plan(confirmatory=[{"population": "dn", "scale": "logit_parent", "visit": "w8"}])
    after = plan(confirmatory=[{"population": "naive", "scale": "logit_parent", "visit": "w8"}], sided="less")
    assert departures(before, before) == ()
    assert departures(before, after) == (
        "confirmatory[1].population was dn when the plan was sealed and is naive now",
        "sided was two when the plan was sealed and is less now",
    )
    assert plan_digest(before) != plan_digest(after)


def test_published_rates_come_out_with_their_printed_intervals() -> None:
    table = open_label_table((PublishedRate("own", "x", "y", 0, 10, "z"),))
    found = {
        (r.count_, r.n): (round(r.percent, 1), round(r.low, 1), round(r.high, 1))
        for r in table.rename(columns={"count": "count_"}).itertuples()
    }
    assert found[(5, 6)] == (83.3, 35.9, 99.6)
    assert found[(16, 30)] == (53.3, 34.3, 71.7)
    assert found[(23, 83)] == (27.7, 18.4, 38.6)
    assert found[(10, 83)] == (12.0, 5.9, 21.0)
    assert found[(13, 40)] == (32.5, 18.6, 49.1)
    assert found[(11, 40)] == (27.5, 14.6, 43.9)
    assert found[(0, 10)] == (0.0, 0.0, 30.8)


def test_fold_changes_that_six_patients_can_show() -> None:
    rows = power_table((6,), (0.5, 1.0, 1.5))
    assert [round(r.fold_change, 1) for r in rows] == [1.9, 3.5, 6.4]
    assert np.isnan(power_table((5,), (1.0,))[0].fold_change)
