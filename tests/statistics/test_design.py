"""What in a design makes a result mean something else."""

from __future__ import annotations

import pandas as pd
import pytest

from cytometry.errors import StatisticsError
from cytometry.statistics.analysis import analyse
from cytometry.statistics.design import TrialDesign, check_design
from tests.statistics.trial import DESIGN, FALLS, SLEDAI, clinical, counts, plan

BY_VISIT = {"w0": "b1", "w8": "b2", "w24": "b2"}


def codes(table: pd.DataFrame, clinic: pd.DataFrame) -> list[str]:
    return [f.code for f in check_design(table, clinic, DESIGN)]


def test_visits_of_a_participant_in_one_batch_are_no_finding() -> None:
    assert codes(counts({"falls": FALLS}), clinical(SLEDAI)) == []


def test_a_visit_stained_apart_from_all_baselines_is_branded_with_the_control_that_would_help() -> None:
    table = counts({"falls": FALLS}, batch=BY_VISIT)
    findings = check_design(table, clinical(SLEDAI), DESIGN)
    assert [f.code for f in findings] == ["VISIT_CONFOUNDED_WITH_BATCH"] * 2
    assert "every participant's week 8 was stained in another batch" in findings[0].message
    assert "a bridging control stained in batch b1, b2 would tell them apart" in findings[0].fix
    result = analyse(table, clinical(SLEDAI), DESIGN, plan())
    assert set(result.comparison["remark"]) == {"confounded with batch"}
    assert result.comparison["p"].notna().any()


def test_the_plan_may_refuse_to_test_a_confounded_visit() -> None:
    result = analyse(counts({"falls": FALLS}, batch=BY_VISIT), clinical(SLEDAI), DESIGN, plan(on_confounded="refuse"))
    assert set(result.comparison["claim"]) == {"not tested"}
    assert result.comparison["p"].isna().all()
    assert result.comparison["estimate"].notna().any()


def test_bridging_controls_in_both_batches_are_pointed_to() -> None:
    table = counts({"falls": FALLS}, batch=BY_VISIT)
    control = table.iloc[:1].assign(role="control", subject_id="C1", visit="")
    table = pd.concat([table, control.assign(batch="b1", sample_id="c1"), control.assign(batch="b2", sample_id="c2")])
    finding = check_design(table, clinical(SLEDAI), DESIGN)[0]
    assert finding.fix.startswith("the bridging controls of these batches show the shift")


def test_only_some_crossing_is_said_with_the_number() -> None:
    table = counts({"falls": FALLS})
    table.loc[(table["subject_id"] == "P1") & (table["visit"] == "w8"), "batch"] = "late"
    finding = check_design(table, clinical(SLEDAI), DESIGN)[0]
    assert finding.code == "VISIT_CROSSES_BATCHES"
    assert "1 of 6 participants had week 8 stained in another batch" in finding.message


def test_missing_baselines_lone_visits_and_duplicates_are_found() -> None:
    table = counts({"falls": [[None, 200, 100], [300, None, None], *FALLS[2:]]})
    assert codes(table, clinical(SLEDAI)) == ["BASELINE_MISSING", "SUBJECT_ONE_VISIT"]
    twice = pd.concat([table, table[table["sample_id"] == "P3_w8"].assign(sample_id="P3_again")])
    assert "VISIT_DUPLICATED" in codes(twice, clinical(SLEDAI))


def test_prednisone_that_falls_with_the_visits_is_a_covariate_that_changes() -> None:
    doses = [[20, 10, 5]] * 6
    finding = next(iter(check_design(counts({"falls": FALLS}), clinical(SLEDAI, prednisone_mg_per_day=doses), DESIGN)))
    assert finding.code == "COVARIATE_CHANGES_WITH_VISIT"
    assert "6 fell, 0 rose of 6" in finding.message
    assert finding.found == "median change -10"


def test_a_baseline_that_is_no_visit_is_refused() -> None:
    with pytest.raises(StatisticsError, match=r"baseline 'pre' is not a visit.*visits: w0, w8"):
        TrialDesign(("w0", "w8"), "pre")
