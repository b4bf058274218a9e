"""A small trial through the whole analysis."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cytometry.errors import StatisticsError
from cytometry.statistics.analysis import ROW_TYPES, AnalysisResult, Extras, analyse
from tests.statistics.trial import DESIGN, FALLS, NOISE, RISES, SLEDAI, clinical, counts, plan

PLAN = plan(
    confirmatory=[
        {"population": "falls", "scale": "logit_parent", "visit": "w8"},
        {"population": "noise", "scale": "logit_parent", "visit": "w8"},
        {"population": "rises", "scale": "logit_parent", "visit": "w8"},
    ],
    panel=["falls", "rises", "noise"],
)


@pytest.fixture(scope="module")
def result() -> AnalysisResult:
    return analyse(counts({"falls": FALLS, "rises": RISES, "noise": NOISE}), clinical(SLEDAI), DESIGN, PLAN)


def pick(table: pd.DataFrame, **where: object) -> pd.Series:  # type: ignore[type-arg]
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_six_of_six_at_week_8_is_two_of_64_at_the_floor(result: AnalysisResult) -> None:
    row = pick(result.comparison, population="falls", visit="w8", scale="logit_parent")
    assert (row["n"], row["n_fell"], row["p_count"], row["p_total"], row["p_at_floor"]) == (6, 6, 2, 64, True)
    assert row["claim"] == "significant"
    assert row["ci_high"] < 0
    assert row["ci_attained"] == 0.96875
    assert row["effect"] == pytest.approx(math.exp(row["estimate"]))


def test_nothing_is_significant_with_the_five_of_week_24(result: AnalysisResult) -> None:
    week_24 = result.comparison[result.comparison["visit"] == "w24"]
    assert set(week_24["claim"]) == {"cannot be significant"}
    assert (week_24["p"] >= 0.0625).all()
    assert not week_24["can_be_significant"].any()


def test_the_sequence_stops_at_the_first_failure(result: AnalysisResult) -> None:
    assert result.confirmatory["status"].tolist() == ["confirmed", "not confirmed", "not reached"]
    rises = pick(result.comparison, population="rises", visit="w8", scale="logit_parent")
    assert rises["p"] == 0.03125
    assert rises["claim"] == "not tested in sequence"


def test_every_p_has_its_marks(result: AnalysisResult) -> None:
    for table in (result.comparison, result.correlation, result.weighted, result.omnibus):
        tested = table[table["p"].notna()]
        assert (tested["p"] > 0).all()
        assert (tested["p"] >= tested["p_floor"] * (1 - 1e-9)).all()
        assert tested[["p_floor", "p_count", "p_total", "n"]].notna().all().all()
        assert (tested["p_method"] != "").all()
        assert (tested["p_definition"] != "").all()
        assert tested["p"].to_numpy() == pytest.approx((tested["p_count"] / tested["p_total"]).astype(float).to_numpy())


def test_responders_have_estimates_and_no_p(result: AnalysisResult) -> None:
    assert [c for c in result.responders if c.startswith("p_")] == ["p_floor"]
    assert "p" not in result.responders


def test_no_table_has_a_wald_z(result: AnalysisResult) -> None:
    names = {column for table in result.tables().values() for column in table.columns}
    assert not [n for n in names if "wald" in n or n.endswith("_z")]


def test_the_tables_are_documented_by_their_rows(result: AnalysisResult) -> None:
    tables = result.tables()
    assert set(ROW_TYPES) <= set(tables)
    for name in ("comparison", "correlation", "courses", "weighted", "closure"):
        assert list(tables[name].columns) == list(ROW_TYPES[name].__dataclass_fields__)


def test_the_same_input_gives_the_same_tables(result: AnalysisResult) -> None:
    again = analyse(counts({"falls": FALLS, "rises": RISES, "noise": NOISE}), clinical(SLEDAI), DESIGN, PLAN)
    for name, table in result.tables().items():
        pd.testing.assert_frame_equal(table, again.tables()[name])
    assert again.sentences == result.sentences


def test_arguments_are_not_changed() -> None:
    table, clinic = counts({"falls": FALLS, "noise": NOISE}), clinical(SLEDAI)
    before, clinic_before = table.copy(), clinic.copy()
    analyse(table, clinic, DESIGN, plan())
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(clinic, clinic_before)


def test_cells_per_microlitre_come_from_the_clinics_lymphocyte_count(result: AnalysisResult) -> None:
    change = pick(result.changes, subject_id="P1", population="falls", visit="w8", scale="log2_per_ul")
    # 1.5e9/L are 1500/µL over 10,000 gated lymphocytes: 0.15 cells/µL per event.
    assert change["cells_per_ul_baseline"] == pytest.approx(400 * 0.15)
    assert change["change"] == pytest.approx(math.log2(200.5 / 400.5))


def test_a_hypothesis_left_with_two_patients_does_not_drown_the_panel() -> None:
    table = counts({"falls": FALLS, "rises": RISES})
    few = table[(table["population"] == "rises") & ~table["subject_id"].isin(["P1", "P2"])].index
    table.loc[few, ["count", "parent_count"]] = [3, 20]  # too few parent events to say anything
    result = analyse(table, clinical(SLEDAI), DESIGN, plan(panel=["falls", "rises"]))
    row = pick(result.comparison, population="falls", visit="w8", scale="logit_parent")
    assert row["p_maxt"] == 0.03125
    assert math.isnan(pick(result.comparison, population="rises", visit="w8", scale="logit_parent")["p_maxt"])


def test_the_plan_digest_and_departures_are_in_the_result() -> None:
    table = counts({"falls": FALLS})
    sealed = plan(alpha=0.01)
    result = analyse(table, clinical(SLEDAI), DESIGN, plan(), Extras(sealed=sealed))
    assert result.departures == ("alpha was 0.01 when the plan was sealed and is 0.05 now",)
    assert len(result.plan_digest) == 64


def test_an_unknown_population_in_the_plan_is_refused_with_the_list() -> None:
    wrong = plan(confirmatory=[{"population": "fals", "scale": "logit_parent", "visit": "w8"}])
    with pytest.raises(StatisticsError, match=r"'fals' was not counted.*falls"):
        analyse(counts({"falls": FALLS}), clinical(SLEDAI), DESIGN, wrong)


def test_an_unknown_denominator_is_refused_with_the_list() -> None:
    with pytest.raises(StatisticsError, match=r"'cd19' is not a population of panel bcell.*b_cells"):
        analyse(counts({"falls": FALLS}), clinical(SLEDAI), DESIGN, plan(panel_scale="logit_of:cd19"))


def test_a_tube_that_is_there_twice_is_refused() -> None:
    table = counts({"falls": FALLS})
    twice = pd.concat([table, table[table["sample_id"] == "P1_w8"].assign(sample_id="P1_w8_again")])
    with pytest.raises(StatisticsError, match="P1 has more than one tube of panel bcell at w8") as error:
        analyse(twice, clinical(SLEDAI), DESIGN, plan())
    assert error.value.code == "VISIT_DUPLICATED"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(StatisticsError, match="no column parent_count"):
        analyse(counts({"falls": FALLS}).drop(columns="parent_count"), clinical(SLEDAI), DESIGN, plan())


def test_clinic_without_the_outcome_gives_no_correlation() -> None:
    result = analyse(counts({"falls": FALLS}), clinical(SLEDAI).drop(columns="sledai"), DESIGN, plan())
    assert result.correlation.empty
    assert result.courses.empty


def test_between_arms_only_where_there_are_two() -> None:
    from dataclasses import replace

    table = counts({"falls": [*FALLS[:3], *NOISE[3:]]})
    arms = {f"P{i}": "cells" if i <= 3 else "placebo" for i in range(1, 7)}
    result = analyse(table, clinical(SLEDAI), replace(DESIGN, arms=arms), plan())
    row = pick(result.arms, visit="w8", scale="logit_parent", population="falls")
    assert (row["n_first"], row["n_second"], row["p_count"], row["p_total"]) == (3, 3, 2, 20)
    assert row["mean_difference"] < 0
    assert not [s for s in result.sentences if "no control arm" in s.text]


@pytest.mark.slow
def test_two_hundred_subjects_and_sixty_readouts_keep_their_level() -> None:
    from cytometry.statistics.design import TrialDesign

    visits = ("w0", "w4", "w8", "w12", "w24", "w52")
    rng = np.random.default_rng(0)
    courses = {
        f"pop{j}": rng.binomial(2000, 0.1 + 0.001 * j, size=(200, 6)).tolist()
        for j in range(60)
    }  # fmt: skip
    table = counts(courses, visits=visits)
    clinic = pd.DataFrame(
        [
            (f"P{i + 1}", v, int(rng.integers(0, 20)), 1.5)
            for i in range(200)
            for v in visits
        ],
        columns=["subject_id", "visit", "sledai", "lymphocytes_10e9_per_l"],
    )  # fmt: skip
    result = analyse(table, clinic, TrialDesign(visits, "w0"), plan())
    assert result.comparison["p"].min() >= 1 / 2000
    assert result.comparison["p_monte_carlo_se"].max() < 0.0115
    assert (result.comparison["p_maxt"].dropna() <= 0.05).mean() < 0.05
