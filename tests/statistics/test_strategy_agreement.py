"""The agreement table of a few tubes, by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from cytometry.model.agreement_tables import AGREEMENT, LOG_ODDS, PERCENT
from cytometry.statistics.strategy_agreement import agreement_table, paired_shares, tube_overlaps


def overlap() -> pd.DataFrame:
    """Three tubes of two participants, one small tube and one control."""
    rows = [
        # sample, subject, role, counts, shared, denominators, f1, jaccard
        ("P1_w0", "P1", "sample", 100, 110, 100, 1000, 1000, 200 / 210, 100 / 110),
        ("P1_w4", "P1", "sample", 200, 220, 190, 1000, 1000, 380 / 420, 190 / 230),
        ("P2_w0", "P2", "sample", 300, 330, 300, 1000, 1000, 600 / 630, 300 / 330),
        ("P2_w4", "P2", "sample", 10, 20, 10, 40, 40, 20 / 30, 0.5),
        ("control", "", "control", 1, 900, 1, 1000, 1000, 0.0, 0.0),
    ]
    columns = ["sample_id", "subject_id", "role", "count_a", "count_b", "count_both"]
    columns += ["denominator_count_a", "denominator_count_b", "f1", "jaccard"]
    return pd.DataFrame(rows, columns=columns).assign(population="naive", denominator="b_cells")


def test_shares_leave_out_controls_and_small_denominators() -> None:
    log_odds, percent = paired_shares(overlap(), min_denominator=50)
    assert (log_odds.scale, percent.scale) == (LOG_ODDS, PERCENT)
    assert percent.samples == ("P1_w0", "P1_w4", "P2_w0", "P2_w4")
    assert percent.first[:3] == pytest.approx([10, 20, 30])
    assert math.isnan(percent.first[3])
    # ln((100 + 1/2) / (900 + 1/2))
    assert log_odds.first[0] == pytest.approx(math.log(100.5 / 900.5))


@pytest.mark.parametrize("small", ["denominator_count_a", "denominator_count_b"])
def test_a_denominator_that_is_small_in_one_strategy_alone_is_too_small(small: str) -> None:
    table = overlap().assign(count_a=10, count_b=20, denominator_count_a=1000, denominator_count_b=1000)
    table.loc[[1, 2], small] = [49, 50]
    for shares in paired_shares(table, min_denominator=50):
        assert shares.is_defined.tolist() == [True, False, True, True]
        assert math.isnan(shares.first[1])
        assert math.isnan(shares.second[1])


def test_bias_is_the_mean_over_participants_not_over_tubes() -> None:
    table = agreement_table(paired_shares(overlap(), 50)).set_index("scale")
    row = table.loc[PERCENT]
    # P1 differs by 1 and 2, P2 by 3: (1.5 + 3) / 2, not (1 + 2 + 3) / 3.
    assert row["bias"] == pytest.approx(2.25)
    assert (row["n_tubes"], row["n_subjects"]) == (3, 2)


def test_columns_are_those_of_the_schema() -> None:
    assert tuple(agreement_table(paired_shares(overlap(), 50)).columns) == AGREEMENT.names


def test_the_worst_tube_is_named_and_controls_are_not_it() -> None:
    (found,) = tube_overlaps(overlap(), 20)
    assert (found.n_tubes, found.n_scored) == (4, 4)
    assert found.f1_worst == pytest.approx(2 / 3)
    assert found.f1_worst_sample == found.jaccard_worst_sample == "P2_w4"
    # The middle of 0.667, 0.905, 0.952, 0.952.
    assert found.f1_median == pytest.approx((380 / 420 + 200 / 210) / 2)


def test_tubes_with_hardly_an_event_are_not_scored() -> None:
    # P2_w4 has 10 and 20 events.
    (found,) = tube_overlaps(overlap(), 21)
    assert (found.n_tubes, found.n_scored) == (4, 3)
    assert found.f1_worst_sample == "P1_w4"


@pytest.mark.parametrize("limit", [0, 20])
def test_populations_without_events_have_no_score(limit: int) -> None:
    table = overlap().assign(count_a=0, count_b=0, count_both=0, f1=[math.nan] * 5, jaccard=[math.nan] * 5)
    (found,) = tube_overlaps(table, limit)
    assert found.n_scored == 0
    assert math.isnan(found.f1_worst)
    assert found.f1_worst_sample == ""
