"""Pairs of populations of two trees."""

from __future__ import annotations

import pytest

from cytometry.errors import RequestError
from cytometry.quantification.population_match import (
    PopulationMatch,
    PopulationNode,
    match_populations,
    population_nodes,
)


def tree(*paths: str) -> list[PopulationNode]:
    """Nodes of paths without a slash in a name."""
    return [PopulationNode(p.rpartition("/")[2], p, p.rpartition("/")[0]) for p in paths]


ONE = tree("root/live", "root/live/b", "root/live/b/rest", "root/live/b/rest/naive", "root/live/b/rest/dn")
OTHER = tree("root/live", "root/live/b", "root/live/b/cd20", "root/live/b/cd20/naive", "root/live/b/cd20/dneg")


def pairs(match: PopulationMatch) -> dict[str, tuple[str, str]]:
    """Second path and denominator by name."""
    return {p.name: (p.second_path, p.denominator) for p in match.pairs}


def test_same_name_is_the_same_population_wherever_it_stands() -> None:
    match = match_populations(ONE, OTHER)
    assert pairs(match) == {
        "live": ("root/live", "root"),
        "b": ("root/live/b", "live"),
        # The parents are different populations: the share is of the nearest ancestor that both have.
        "naive": ("root/live/b/cd20/naive", "b"),
    }
    assert [p.has_same_parent for p in match.pairs] == [True, True, False]
    assert [n.name for n in match.only_first] == ["rest", "dn"]
    assert [n.name for n in match.only_second] == ["cd20", "dneg"]


def test_mapped_parents_are_the_same_parent() -> None:
    match = match_populations(ONE, OTHER, {"rest": "cd20", "dn": "root/live/b/cd20/dneg"})
    assert pairs(match)["naive"] == ("root/live/b/cd20/naive", "rest")
    assert pairs(match)["dn"] == ("root/live/b/cd20/dneg", "rest")
    assert match.only_first == match.only_second == ()


def test_a_mapped_population_is_not_paired_by_its_own_name_again() -> None:
    match = match_populations(tree("root/a", "root/b"), tree("root/a", "root/b"), {"a": "b"})
    assert pairs(match) == {"a": ("root/b", "root")}
    assert [n.name for n in match.only_first] == ["b"]
    assert [n.name for n in match.only_second] == ["a"]


def test_a_repeated_name_is_paired_by_path_and_named_by_it() -> None:
    twice = tree("root/cd4", "root/cd4/treg", "root/cd8", "root/cd8/treg")
    match = match_populations(twice, twice)
    assert [p.name for p in match.pairs] == ["cd4", "root/cd4/treg", "cd8", "root/cd8/treg"]
    assert all(p.first_path == p.second_path for p in match.pairs)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"nothing": "b"}, "A has no population 'nothing' (populations: live, b, rest, naive, dn)"),
        ({"b": "nothing"}, "B has no population 'nothing'"),
        ({"rest": "cd20", "dn": "cd20"}, "'root/live/b/cd20' is mapped twice (a population has one partner)"),
    ],
)
def test_a_wrong_mapping_says_what_is_there(mapping: dict[str, str], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        match_populations(ONE, OTHER, mapping)
    assert words in str(caught.value)


def test_a_name_that_several_have_asks_for_the_path() -> None:
    twice = tree("root/cd4", "root/cd4/treg", "root/cd8", "root/cd8/treg")
    with pytest.raises(RequestError, match="give the path: root/cd4/treg, root/cd8/treg"):
        match_populations(twice, twice, {"treg": "cd4"})


USUAL = tree("root/t", "root/t/cd4", "root/t/cd4/treg")
DEEPER = tree("root/non_b", "root/non_b/t", "root/non_b/t/cd4", "root/non_b/t/cd4/treg")


def test_trees_that_differ_between_tubes_hold_the_same_populations() -> None:
    nodes = population_nodes([DEEPER, USUAL, USUAL])
    assert {n.name: n.paths for n in nodes} == {
        "non_b": ("root/non_b",),
        "t": ("root/t", "root/non_b/t"),
        "cd4": ("root/t/cd4", "root/non_b/t/cd4"),
        "treg": ("root/t/cd4/treg", "root/non_b/t/cd4/treg"),
    }
    match = match_populations(tree("root/cells", "root/cells/cd4", "root/cells/cd4/treg"), nodes, {"cells": "t"})
    treg = match.pairs[-1]
    assert treg.second_paths == ("root/t/cd4/treg", "root/non_b/t/cd4/treg")
    assert (treg.denominator, treg.second_denominator_paths) == ("cd4", ("root/t/cd4", "root/non_b/t/cd4"))
    assert [n.name for n in match.only_second] == ["non_b"]


def test_a_name_that_one_tube_has_twice_is_told_apart_by_path() -> None:
    twice = tree("root/cd4", "root/cd4/tfh", "root/tfh")
    assert [n.paths for n in population_nodes([twice, tree("root/cd4")])] == [
        ("root/cd4",),
        ("root/cd4/tfh",),
        ("root/tfh",),
    ]


def test_populations_within_each_other_end_at_the_root() -> None:
    nodes = population_nodes([tree("root/a", "root/a/b"), tree("root/b", "root/b/a")])
    assert [p.denominator for p in match_populations(nodes, nodes).pairs] == ["root", "a"]
