"""Westgard's rules on sequences made by hand: each breaks one rule, and the step before breaks none."""

from __future__ import annotations

import math

import pytest

from cytometry.quantification.control_rules import broken_rules, control_limits, is_rejected


@pytest.mark.parametrize(
    ("z", "last"),
    [
        ([0.0, 1.9], ()),
        ([0.0, 2.1], ("1-2s",)),
        ([0.0, -2.1], ("1-2s",)),
        ([0.0, 2.0], ()),
        ([0.0, 3.1], ("1-2s", "1-3s")),
        ([0.0, -3.1], ("1-2s", "1-3s")),
        ([2.1, 2.2], ("1-2s", "2-2s")),
        ([-2.1, -2.2], ("1-2s", "2-2s")),
        ([2.1, 1.9], ()),
        ([2.1, 0.0, 2.1], ("1-2s",)),
        ([2.1, -2.1], ("1-2s", "R-4s")),
        ([-2.1, 2.1], ("1-2s", "R-4s")),
        # A range of more than 4, but not beyond 2 on both sides.
        ([1.0, -3.2], ("1-2s", "1-3s")),
        ([1.1, 1.2, 1.3], ()),
        ([1.1, 1.2, 1.3, 1.1], ("4-1s",)),
        ([-1.1, -1.2, -1.3, -1.1], ("4-1s",)),
        ([1.1, 1.2, -1.3, 1.1], ()),
        ([0.1] * 9, ()),
        ([0.1] * 10, ("10-x",)),
        ([-0.1] * 10, ("10-x",)),
        ([0.1] * 5 + [0.0] + [0.1] * 4, ()),
        ([0.1] * 5 + [math.nan] + [0.1] * 4, ()),
        ([2.1, math.nan, 2.1], ("1-2s",)),
        ([math.nan], ()),
    ],
)
def test_each_rule_is_broken_by_its_own_sequence(z: list[float], last: tuple[str, ...]) -> None:
    assert broken_rules(z)[-1] == last


def test_a_rule_over_several_runs_is_told_of_the_last_only() -> None:
    assert [bool(r) for r in broken_rules([1.1, 1.2, 1.3, 1.1, 0.5])] == [False, False, False, True, False]


def test_a_warning_alone_rejects_nothing() -> None:
    assert not is_rejected(("1-2s",))
    assert is_rejected(("1-2s", "2-2s"))
    assert not is_rejected(())


def test_twenty_runs_make_limits_that_later_runs_do_not_move() -> None:
    # 1 … 20: mean 10.5, variance (20² − 1) / 12 × 20 / 19 = 35.
    limits = control_limits([float(v) for v in range(1, 21)] + [1000.0], tolerated_sd=1.0)
    assert (limits.centre, limits.sd, limits.is_provisional) == (10.5, pytest.approx(math.sqrt(35.0)), False)


def test_nineteen_runs_are_provisional_around_their_median() -> None:
    limits = control_limits([10.0] * 10 + [90.0] * 9, tolerated_sd=2.0)
    assert (limits.centre, limits.sd, limits.is_provisional) == (10.0, 2.0, True)


def test_a_single_run_has_nothing_to_be_compared_with() -> None:
    assert math.isnan(control_limits([10.0], tolerated_sd=2.0).centre)
