"""From two counts to a change."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.model.plan import ChangeRules
from cytometry.statistics.changes import (
    PLAIN_RULE,
    abundance_changes,
    composition_changes,
    percentage_point_changes,
)

NO_LIMIT = ChangeRules(min_parent=0)


def test_the_change_is_the_log_odds_ratio_with_a_half_in_each_cell() -> None:
    changed = composition_changes([100], [1000], [150], [1200], NO_LIMIT)
    expected = math.log(150.5 / 1050.5) - math.log(100.5 / 900.5)
    assert changed.values[0] == pytest.approx(expected, rel=1e-14)
    assert changed.variances[0] == pytest.approx(1 / 100.5 + 1 / 900.5 + 1 / 150.5 + 1 / 1050.5)


def test_two_zero_counts_are_no_change_and_flagged() -> None:
    plain = composition_changes([0], [8800], [0], [14000], PLAIN_RULE)
    ruled = composition_changes([0], [8800], [0], [14000], NO_LIMIT)
    assert plain.values[0] == pytest.approx(-0.46, abs=0.005)  # invented by the two parents
    assert ruled.values[0] == 0
    assert "BOTH_ZERO" in ruled.flags[0].split(";")


def test_a_fall_to_zero_that_the_half_turns_into_a_rise_is_no_change() -> None:
    assert composition_changes([3], [9000], [0], [500], PLAIN_RULE).values[0] == pytest.approx(0.94, abs=0.005)
    ruled = composition_changes([3], [9000], [0], [500], NO_LIMIT)
    assert ruled.values[0] == 0
    assert "SIGN_ARTEFACT" in ruled.flags[0].split(";")


def test_a_real_fall_to_zero_stays_a_fall() -> None:
    changed = composition_changes([300], [9000], [0], [5000], ChangeRules())
    assert changed.values[0] < -4
    assert changed.flags[0] == "BELOW_LOD;ZERO_COUNT"


def test_an_empty_parent_is_undefined_and_not_zero_percent() -> None:
    changed = composition_changes([10, 10, 10], [100, 100, 1000], [0, 3, 5], [0, 30, 60], ChangeRules())
    assert np.isnan(changed.values[:2]).all()
    assert changed.flags == ("PARENT_EMPTY", "PARENT_TOO_SMALL", "PARENT_SMALL;BELOW_LOD")


def test_each_override_can_be_switched_off() -> None:
    rules = ChangeRules(sign_artefact_is_no_change=False, min_parent=0)
    changed = composition_changes([3, 0], [9000, 8800], [0, 0], [500, 14000], rules)
    assert changed.values[0] > 0
    assert changed.values[1] == 0


def test_a_missing_count_is_missing() -> None:
    changed = composition_changes([float("nan")], [100], [3], [100], NO_LIMIT)
    assert np.isnan(changed.values[0])
    assert changed.flags == ("",)


def test_abundance_is_the_log2_ratio_of_concentrations() -> None:
    changed = abundance_changes([1000], [0.1], [4000], [0.05], ChangeRules())
    assert changed.values[0] == pytest.approx(math.log2(4000.5 * 0.05 / (1000.5 * 0.1)))
    assert np.isnan(abundance_changes([10], [float("nan")], [10], [1], ChangeRules()).values[0])


def test_percentage_points_are_undefined_where_the_share_is() -> None:
    points = percentage_point_changes([10, 5], [100, 40], [30, 5], [200, 400], ChangeRules())
    assert points[0] == pytest.approx(5)
    assert np.isnan(points[1])
