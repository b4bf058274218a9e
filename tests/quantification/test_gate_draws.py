"""The gating interval, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.gating.membership import Membership
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.quantification.gate_draws import gate_draw_rows

GATE = RectangleGate((Interval(Dimension("CD19"), 0.5, np.inf),))
STRATEGY = GatingStrategy("test", (Population("b", "root", GATE), Population("dn", "root/b", GATE)))


def membership(b: int | None, dn: int | None) -> Membership:
    return Membership(1_000, ("root/b", "root/b/dn"), {"root/b": b, "root/b/dn": dn}, {})


Pair = tuple[int | None, int | None]


def rows(*draws: Pair, placed: Pair = (200, 20)) -> list[dict[str, object]]:
    drawn = [{"root/b": b, "root/b/dn": dn} for b, dn in draws]
    return list(gate_draw_rows("s", "bcell", STRATEGY, membership(*placed), drawn))  # type: ignore[arg-type]


def test_spread_of_the_log_odds_and_its_interval() -> None:
    first, second = math.log(10.5 / 190.5), math.log(40.5 / 160.5)
    sd = abs(first - second) / math.sqrt(2)  # of two values
    dn = rows((200, 10), (200, 40))[1]
    assert dn["gating_sd"] == pytest.approx(sd)
    middle = math.log(20.5 / 180.5)
    assert dn["gating_low"] == pytest.approx(1 / (1 + math.exp(-(middle - 1.959964 * sd))))
    assert dn["gating_high"] == pytest.approx(1 / (1 + math.exp(-(middle + 1.959964 * sd))))
    assert (dn["drawn_counts"], dn["drawn_parent_counts"]) == ("10;40", "200;200")


def test_the_parent_of_the_first_level_is_every_event() -> None:
    assert rows((200, 10), (210, 12))[0]["drawn_parent_counts"] == "1000;1000"


def test_gates_that_do_not_move_leave_no_interval_beside_the_fraction() -> None:
    dn = rows((200, 20), (200, 20))[1]
    assert (dn["gating_sd"], dn["gating_low"], dn["gating_high"]) == (0.0, 0.1, 0.1)


@pytest.mark.parametrize(
    ("draws", "placed"),
    [
        ([(200, 10)], (200, 20)),
        ([(200, None), (200, None)], (200, None)),
        ([(0, 0), (0, 0)], (0, 0)),
    ],
)
def test_undefined_where_there_is_one_draw_or_no_population_or_no_parent(draws: list[Pair], placed: Pair) -> None:
    dn = rows(*draws, placed=placed)[1]
    assert (dn["gating_low"], dn["gating_high"]) == (None, None)


def test_undefined_counts_are_empty_in_the_list() -> None:
    assert rows((200, None), (200, 5))[1]["drawn_counts"] == ";5"
