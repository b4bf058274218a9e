"""Which population of one strategy is which of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from cytometry.errors import RequestError
from cytometry.model.strategy import ROOT


@dataclass(frozen=True, slots=True)
class PopulationNode:
    """A population's place in its tree."""

    name: str
    path: str
    parent_path: str


@dataclass(frozen=True, slots=True)
class PopulationPair:
    """A population that both strategies define.

    Parameters
    ----------
    name
        The first strategy's; the path where the first strategy repeats the name.
    first_path, second_path
        Where it stands in either.
    denominator
        Name of the nearest ancestor that both have: shares of the own parents
        would not compare where the parents are different populations.
    first_denominator, second_denominator
        Paths of that ancestor.
    has_same_parent
        Whether that ancestor is the parent in both.
    """

    name: str
    first_path: str
    second_path: str
    denominator: str
    first_denominator: str
    second_denominator: str
    has_same_parent: bool


@dataclass(frozen=True, slots=True)
class PopulationMatch:
    """Pairs in the first strategy's order, and what only one of the two has."""

    pairs: tuple[PopulationPair, ...]
    only_first: tuple[PopulationNode, ...]
    only_second: tuple[PopulationNode, ...]


def match_populations(
    first: Sequence[PopulationNode],
    second: Sequence[PopulationNode],
    mapping: Mapping[str, str] = MappingProxyType({}),
) -> PopulationMatch:
    """Pair populations by name, those of a repeated name by path; ``mapping`` pairs what is called differently.

    Parameters
    ----------
    first, second
        In tree order, without ``root``, which is the same in both.
    mapping
        Name or path in the first strategy to name or path in the second. Each
        population has one partner: one that is mapped is not paired by its own name.

    Raises
    ------
    RequestError
        The mapping names a population that is not there, a name that several
        have, or one population twice.

    Examples
    --------
    >>> one = [PopulationNode("b", "root/b", "root"), PopulationNode("dn", "root/b/dn", "root/b")]
    >>> other = [PopulationNode("b", "root/b", "root"), PopulationNode("dneg", "root/b/dneg", "root/b")]
    >>> [(p.name, p.second_path, p.denominator) for p in match_populations(one, other, {"dn": "dneg"}).pairs]
    [('b', 'root/b', 'root'), ('dn', 'root/b/dneg', 'b')]
    """
    partner = _mapped(first, second, mapping)
    taken = set(partner.values())
    first_names, second_names = (Counter(n.name for n in side) for side in (first, second))
    for node in first:
        if node.path in partner:
            continue
        is_unique = first_names[node.name] == second_names[node.name] == 1
        fitting = [n for n in second if (n.name if is_unique else n.path) == (node.name if is_unique else node.path)]
        if fitting and fitting[0].path not in taken:
            partner[node.path] = fitting[0].path
            taken.add(fitting[0].path)
    trees = ({n.path: n for n in first}, {n.path: n for n in second})
    pairs = [_pair(node, trees, partner) for node in first if node.path in partner]
    repeated = Counter(p.name for p in pairs)
    return PopulationMatch(
        tuple(p if repeated[p.name] == 1 else replace(p, name=p.first_path) for p in pairs),
        tuple(n for n in first if n.path not in partner),
        tuple(n for n in second if n.path not in taken),
    )


def _mapped(
    first: Sequence[PopulationNode], second: Sequence[PopulationNode], mapping: Mapping[str, str]
) -> dict[str, str]:
    pairs = [(_the_one(a, first, "A"), _the_one(b, second, "B")) for a, b in mapping.items()]
    for side in zip(*pairs, strict=True):
        path, n = Counter(side).most_common(1)[0]
        if n > 1:
            raise RequestError(f"'{path}' is mapped twice", hint="a population has one partner")
    return dict(pairs)


def _pair(
    node: PopulationNode,
    trees: tuple[Mapping[str, PopulationNode], Mapping[str, PopulationNode]],
    partner: Mapping[str, str],
) -> PopulationPair:
    other = trees[1][partner[node.path]]
    above = _ancestors(other, trees[1])
    for ancestor in _ancestors(node, trees[0]):
        there = ROOT if ancestor == ROOT else partner.get(ancestor, "")
        if there in above:
            return PopulationPair(
                name=node.name,
                first_path=node.path,
                second_path=other.path,
                denominator=ROOT if ancestor == ROOT else trees[0][ancestor].name,
                first_denominator=ancestor,
                second_denominator=there,
                has_same_parent=ancestor == node.parent_path and there == other.parent_path,
            )
    raise AssertionError("every population lies in the root")


def _ancestors(node: PopulationNode, tree: Mapping[str, PopulationNode]) -> list[str]:
    """Paths, the nearest first, the root last."""
    found = [node.parent_path]
    while found[-1] != ROOT:
        found.append(tree[found[-1]].parent_path)
    return found


def _the_one(given: str, nodes: Sequence[PopulationNode], side: str) -> str:
    """The path that a name or path means."""
    found = [n.path for n in nodes if n.path == given] or [n.path for n in nodes if n.name == given]
    if len(found) == 1:
        return found[0]
    if found:
        raise RequestError(f"{side} has several populations '{given}'", hint=f"give the path: {', '.join(found)}")
    known = ", ".join(dict.fromkeys(n.name for n in nodes))
    raise RequestError(f"{side} has no population '{given}'", hint=f"populations: {known}", code="POPULATION_UNKNOWN")
