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
    """A population's place in its tree.

    Parameters
    ----------
    other_paths
        Where it stands in other tubes: the tubes of a FlowJo workspace may have different trees.
    """

    name: str
    path: str
    parent_path: str
    other_paths: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Everywhere it stands, the usual place first."""
        return (self.path, *self.other_paths)


@dataclass(frozen=True, slots=True)
class PopulationPair:
    """A population that both strategies define.

    Parameters
    ----------
    name
        The first strategy's; the path where the first strategy repeats the name.
    first_paths, second_paths
        Where it stands in either, the usual place first.
    denominator
        Name of the nearest ancestor that both have: shares of the own parents
        would not compare where the parents are different populations.
    first_denominator_paths, second_denominator_paths
        Where that ancestor stands.
    has_same_parent
        Whether that ancestor is the parent in both.
    """

    name: str
    first_paths: tuple[str, ...]
    second_paths: tuple[str, ...]
    denominator: str
    first_denominator_paths: tuple[str, ...]
    second_denominator_paths: tuple[str, ...]
    has_same_parent: bool

    @property
    def first_path(self) -> str:
        """Its usual place in the first strategy."""
        return self.first_paths[0]

    @property
    def second_path(self) -> str:
        """Its usual place in the second strategy."""
        return self.second_paths[0]


@dataclass(frozen=True, slots=True)
class PopulationMatch:
    """Pairs in the first strategy's order, and what only one of the two has."""

    pairs: tuple[PopulationPair, ...]
    only_first: tuple[PopulationNode, ...]
    only_second: tuple[PopulationNode, ...]


def population_nodes(trees: Sequence[Sequence[PopulationNode]]) -> tuple[PopulationNode, ...]:
    """The populations of all tubes as one list, in order of appearance.

    A name that no tube has twice is one population, wherever it stands; other
    names are told apart by their path.

    Parameters
    ----------
    trees
        Nodes of each tube, without ``root``.

    Examples
    --------
    >>> usual = [PopulationNode("t", "root/t", "root")]
    >>> deeper = [PopulationNode("live", "root/live", "root"), PopulationNode("t", "root/live/t", "root/live")]
    >>> [n.paths for n in population_nodes([usual, usual, deeper])]
    [('root/t', 'root/live/t'), ('root/live',)]
    """
    repeated = {name for tree in trees for name, n in Counter(node.name for node in tree).items() if n > 1}
    places: dict[str, Counter[tuple[str, str]]] = {}
    for tree in trees:
        for node in tree:
            key = node.path if node.name in repeated else node.name
            places.setdefault(key, Counter())[node.path, node.parent_path] += 1
    names = {node.path: node.name for tree in trees for node in tree}
    nodes = []
    for counted in places.values():
        (path, parent), *others = [place for place, _ in counted.most_common()]
        nodes.append(PopulationNode(names[path], path, parent, tuple(p for p, _ in others)))
    return tuple(nodes)


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
    trees = ({p: n for n in first for p in n.paths}, {p: n for n in second for p in n.paths})
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
                first_paths=node.paths,
                second_paths=other.paths,
                denominator=ROOT if ancestor == ROOT else trees[0][ancestor].name,
                first_denominator_paths=_paths(ancestor, trees[0]),
                second_denominator_paths=_paths(there, trees[1]),
                has_same_parent=ancestor == _ancestors(node, trees[0])[0] and there == above[0],
            )
    raise AssertionError("every population lies in the root")


def _ancestors(node: PopulationNode, tree: Mapping[str, PopulationNode]) -> list[str]:
    """Usual paths, the nearest first, the root last."""
    found: list[str] = []
    path = node.parent_path
    # Trees that differ between tubes may put two populations within each other; each is an ancestor once.
    while path != ROOT and tree[path].path not in found:
        found.append(tree[path].path)
        path = tree[path].parent_path
    return [*found, ROOT]


def _paths(path: str, tree: Mapping[str, PopulationNode]) -> tuple[str, ...]:
    return (ROOT,) if path == ROOT else tree[path].paths


def _the_one(given: str, nodes: Sequence[PopulationNode], side: str) -> str:
    """The path that a name or path means."""
    found = [n.path for n in nodes if given in n.paths] or [n.path for n in nodes if n.name == given]
    if len(found) == 1:
        return found[0]
    if found:
        raise RequestError(f"{side} has several populations '{given}'", hint=f"give the path: {', '.join(found)}")
    known = ", ".join(dict.fromkeys(n.name for n in nodes))
    raise RequestError(f"{side} has no population '{given}'", hint=f"populations: {known}", code="POPULATION_UNKNOWN")
