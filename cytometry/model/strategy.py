"""A gating strategy: plain gates only, ready to be applied to one sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cytometry.errors import StrategyError
from cytometry.model.findings import Finding
from cytometry.model.gates import FROM_FILE, UNCOMPENSATED, AnyDimension, BooleanGate, Gate
from cytometry.model.spillover import Spillover
from cytometry.model.transforms import Transform

ROOT = "root"


def join_path(parent_path: str, name: str) -> str:
    r"""Path of a child: ``/``-joined, a literal ``/`` in a name written ``\/``.

    >>> join_path("root/live", "CD4+/CD8-")
    'root/live/CD4+\\/CD8-'
    """
    return f"{parent_path}/{name.replace('/', chr(92) + '/')}"


@dataclass(frozen=True, slots=True)
class Population:
    """One node of the tree: the events of its parent that its gate keeps.

    Parameters
    ----------
    name
        Canonical id in a panel of ours; any text in an imported tree.
    parent_path
        ``root`` for the first level.
    gate
        In display coordinates.
    label
        For people.
    optional
        Undefined, not failed, where a file lacks a dimension.
    """

    name: str
    parent_path: str
    gate: Gate
    label: str = ""
    optional: bool = False

    @property
    def path(self) -> str:
        """Names from the root, the key of the population."""
        return join_path(self.parent_path, self.name)


@dataclass(frozen=True, eq=False)
class GatingStrategy:
    """Populations in tree order with the scales and matrices that they use.

    Parameters
    ----------
    name
        Panel or file that it came from.
    populations
        Every parent stands before its children.
    transforms, compensations
        By the keys that dimensions use.
    findings
        What a reader of the results should know about the file it was read from.

    Raises
    ------
    StrategyError
        Two populations have one path, a parent or operand is unknown or comes
        later as its own ancestor, or a key is unknown.
    """

    name: str
    populations: tuple[Population, ...]
    transforms: Mapping[str, Transform] = field(default_factory=lambda: MappingProxyType({}))
    compensations: Mapping[str, Spillover] = field(default_factory=lambda: MappingProxyType({}))
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "transforms", MappingProxyType(dict(self.transforms)))
        object.__setattr__(self, "compensations", MappingProxyType(dict(self.compensations)))
        seen: set[str] = {ROOT}
        every = {p.path for p in self.populations}
        for population in self.populations:
            where = f"{self.name}, population '{population.path}'"
            if population.path in seen:
                raise StrategyError("stands twice in the tree", where=where, code="POPULATION_DUPLICATE")
            if population.parent_path not in seen:
                raise StrategyError(
                    f"parent '{population.parent_path}' is unknown or stands after its child",
                    where=where,
                    hint="parents come first",
                    code="POPULATION_UNKNOWN",
                )
            if isinstance(population.gate, BooleanGate):
                for operand in population.gate.operands:
                    if operand.path not in every:
                        raise StrategyError(
                            f"refers to the unknown population '{operand.path}'",
                            where=where,
                            hint=f"populations: {', '.join(sorted(every))}",
                            code="POPULATION_UNKNOWN",
                        )
            for dimension in population.gate.dimensions:
                self._check_keys(dimension, where)
            seen.add(population.path)

    def _check_keys(self, dimension: AnyDimension, where: str) -> None:
        if dimension.transform is not None and dimension.transform not in self.transforms:
            raise StrategyError(
                f"dimension '{dimension.name}' has the unknown transform '{dimension.transform}'",
                where=where,
                hint=f"transforms: {', '.join(self.transforms) or 'none'}",
                code="TRANSFORM_UNKNOWN",
            )
        known = (UNCOMPENSATED, FROM_FILE, *self.compensations)
        if dimension.compensation not in known:
            raise StrategyError(
                f"dimension '{dimension.name}' has the unknown compensation '{dimension.compensation}'",
                where=where,
                hint=f"compensations: {', '.join(known)}",
                code="COMPENSATION_UNKNOWN",
            )

    def __reduce__(self) -> tuple[object, ...]:
        """Strategies go to worker processes; a mapping proxy cannot be pickled."""
        state = (self.name, self.populations, dict(self.transforms), dict(self.compensations), self.findings)
        return (GatingStrategy, state)

    def __getitem__(self, path: str) -> Population:
        for population in self.populations:
            if population.path == path:
                return population
        raise StrategyError(
            f"no population '{path}'",
            where=self.name,
            hint=f"populations: {', '.join(p.path for p in self.populations)}",
            code="POPULATION_UNKNOWN",
        )

    def by_name(self, name: str) -> Population:
        """The population with that name, where names are unique.

        Raises
        ------
        StrategyError
            No population, or more than one, has the name.
        """
        hits = [p for p in self.populations if p.name == name]
        if len(hits) != 1:
            raise StrategyError(
                f"{len(hits)} populations are named '{name}'",
                where=self.name,
                hint=f"use a path: {', '.join(p.path for p in hits or self.populations)}",
                code="POPULATION_UNKNOWN",
            )
        return hits[0]
