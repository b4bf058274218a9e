"""Shared events of two strategies, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.membership import Membership
from cytometry.quantification.overlap import shared_events
from cytometry.quantification.population_match import PopulationNode, match_populations


def membership(n_events: int, **members: list[int] | None) -> Membership:
    """Events of populations below the root, by name; None for undefined."""
    masks = {}
    for name, rows in members.items():
        if rows is not None:
            masks[f"root/{name}"] = np.isin(np.arange(n_events), rows)
    paths = tuple(f"root/{name}" for name in members)
    return Membership(
        n_events=n_events,
        paths=paths,
        counts={p: int(masks[p].sum()) if p in masks else None for p in paths},
        bits={p: np.packbits(m) for p, m in masks.items()},
        undefined={p: "no such channel" for p in paths if p not in masks},
    )


NODES = [PopulationNode("b", "root/b", "root"), PopulationNode("t", "root/t", "root")]
PAIRS = match_populations(NODES, NODES).pairs


def test_shared_events_are_those_in_both() -> None:
    # 11 events: not a whole number of bytes.
    first, second = membership(11, b=[0, 1, 2, 10], t=[5]), membership(11, b=[2, 3, 10], t=[6, 7])
    b, t = shared_events(first, second, PAIRS)
    assert (b.first, b.second, b.both) == (4, 3, 2)
    assert (t.first, t.second, t.both) == (1, 2, 0)
    assert (b.denominator, b.first_denominator, b.second_denominator) == ("root", 11, 11)


def test_an_undefined_population_shares_nothing_that_is_known() -> None:
    b, t = shared_events(membership(4, b=[1], t=None), membership(4, b=[1], t=[2]), PAIRS)
    assert b.both == 1
    assert (t.first, t.second, t.both) == (None, 1, None)


def test_memberships_of_different_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="same events"):
        shared_events(membership(4, b=[1], t=[]), membership(5, b=[1], t=[]), PAIRS)


def test_a_population_is_found_where_this_tube_has_it() -> None:
    """The trees of a workspace's tubes may differ."""
    places = [PopulationNode("b", "root/b", "root", ("root/t",))]
    (pair,) = match_populations([PopulationNode("b", "root/b", "root")], places).pairs
    usual, other, without = membership(8, b=[1, 2]), membership(8, t=[2, 3]), membership(8, x=[1])
    assert shared_events(usual, usual, [pair])[0].both == 2
    assert shared_events(usual, other, [pair])[0].both == 1
    assert (shared_events(usual, without, [pair])[0].second, shared_events(usual, without, [pair])[0].both) == (
        None,
        None,
    )
