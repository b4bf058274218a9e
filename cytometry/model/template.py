"""A gating template: a tree whose gates a method still has to place.

Gates share named *cuts*, so that both sides of a split, and all quadrants, lie
on one threshold. Placing a template on data gives a
:class:`~cytometry.model.strategy.GatingStrategy`; only that can be applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cytometry.errors import StrategyError
from cytometry.model.rules import Anchor, CutRule, SameAs, ShapeRule
from cytometry.model.strategy import ROOT, join_path

Scope = Literal["sample", "subject", "batch", "study"]
SCOPES: tuple[Scope, ...] = ("sample", "subject", "batch", "study")

# A sample with a handful of cells must still get a threshold, flagged.
ALWAYS_ANSWER = ("fixed", "same_as")

_NAME = r"^[A-Za-z][A-Za-z0-9_.+-]*$"
Name = Annotated[str, Field(pattern=_NAME)]


class FrozenPart(BaseModel):
    """Immutable; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CutTemplate(FrozenPart):
    """A threshold on one marker.

    Parameters
    ----------
    on
        Marker.
    within
        Population whose events are looked at.
    rules
        Tried in order; the first that is sure of itself decides, the others
        are fallbacks.
    scope
        Which tubes share the threshold.
    """

    on: str
    within: str
    rules: Annotated[tuple[CutRule, ...], Field(min_length=1)]
    scope: Scope = "sample"

    @property
    def references(self) -> tuple[str, ...]:
        """Populations that must be known before the cut can be placed."""
        return (self.within, *(r.population for r in self.rules if isinstance(r, Anchor)))

    @property
    def other_cuts(self) -> tuple[str, ...]:
        """Cuts that must be placed before."""
        return tuple(r.cut for r in self.rules if isinstance(r, SameAs))


class Side(FrozenPart):
    """Which side of which cuts is kept."""

    above: str | None = None
    below: str | None = None

    @model_validator(mode="after")
    def _something(self) -> Side:
        if self.above is None and self.below is None:
            raise ValueError("name a cut under 'above', 'below' or both")
        return self

    @property
    def cuts(self) -> tuple[str, ...]:
        """The cuts named, lower one first."""
        return tuple(c for c in (self.above, self.below) if c is not None)


class PopulationTemplate(FrozenPart):
    """One population: exactly one of ``keep``, ``place``, ``all_of``, ``any_of``, ``none_of``.

    Parameters
    ----------
    keep
        Marker to side: a box on cuts.
    place
        A shape that a method places.
    all_of, any_of, none_of
        Populations of the same parent; ``not x`` inside ``all_of`` takes the complement.
    optional
        Undefined, with its descendants, where a file lacks a marker.
    if_missing
        ``keep_parent``: where a file lacks the marker the gate is not applied,
        and a finding says so. For stem gates only (no viability dye, no dump).
    scope
        Of a placed shape.
    helper
        Used for placing only (a reference population); not in the strategy.
    """

    name: Name
    parent: str = ROOT
    label: str = ""
    keep: Mapping[str, Side] | None = None
    place: ShapeRule | None = None
    all_of: tuple[str, ...] | None = None
    any_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None
    optional: bool = False
    if_missing: Literal["fail", "keep_parent"] = "fail"
    scope: Scope = "sample"
    helper: bool = False

    @model_validator(mode="after")
    def _one_gate(self) -> PopulationTemplate:
        given = [k for k in ("keep", "place", "all_of", "any_of", "none_of") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(
                f"population '{self.name}' has {' and '.join(given) or 'no gate'}; "
                "give exactly one of keep, place, all_of, any_of, none_of"
            )
        if not getattr(self, given[0]) and given[0] != "place":
            raise ValueError(f"population '{self.name}' has an empty {given[0]}")
        if self.optional and self.if_missing == "keep_parent":
            raise ValueError(f"population '{self.name}' is optional and keeps its parent: choose one")
        return self

    @property
    def markers(self) -> tuple[str, ...]:
        """Markers that the gate reads itself; a time gate does without its channel."""
        if self.keep is not None:
            return tuple(self.keep)
        return self.place.on if self.place is not None and self.place.method != "time" else ()

    @property
    def cuts(self) -> tuple[str, ...]:
        """Cuts that the gate uses."""
        return tuple(c for side in (self.keep or {}).values() for c in side.cuts)

    @property
    def operands(self) -> tuple[tuple[str, bool], ...]:
        """Populations of a boolean gate, each with whether it is complemented."""
        if self.none_of is not None:
            return tuple((n, True) for n in self.none_of)
        names = self.all_of or self.any_of or ()
        return tuple((n.removeprefix("not ").strip(), n.startswith("not ")) for n in names)


class Step(FrozenPart):
    """One step of placing: a cut, or a population."""

    kind: Literal["cut", "population"]
    name: str


class GatingTemplate(FrozenPart):
    """Cuts and populations, checked to be placeable in some order.

    Raises
    ------
    StrategyError
        By :meth:`check`: all problems at once.
    """

    cuts: Mapping[Name, CutTemplate] = Field(default_factory=dict)
    populations: Annotated[tuple[PopulationTemplate, ...], Field(min_length=1)]

    def __getitem__(self, name: str) -> PopulationTemplate:
        for population in self.populations:
            if population.name == name:
                return population
        raise StrategyError(f"no population '{name}'", hint=f"populations: {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Population names in tree order."""
        return tuple(p.name for p in self.populations)

    def path(self, name: str) -> str:
        """Names from the root to a population."""
        return ROOT if name == ROOT else join_path(self.path(self[name].parent), name)

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The population itself and its ancestors up to, without, the root."""
        return () if name == ROOT else (name, *self.ancestors(self[name].parent))

    @property
    def widest_scope(self) -> Scope:
        """The widest scope of any gate: tubes that share it are placed together."""
        used = {c.scope for c in self.cuts.values()} | {p.scope for p in self.populations}
        return max(used, key=SCOPES.index)

    def problems(self, markers: frozenset[str]) -> tuple[str, ...]:
        """What is wrong, one sentence each; empty if the template can be placed."""
        found: list[str] = []
        known = {ROOT}
        for p in self.populations:
            if p.name in known:
                found.append(f"population '{p.name}' stands twice")
            if p.parent not in known:
                found.append(f"population '{p.name}': parent '{p.parent}' is unknown or stands after its child")
            known.add(p.name)
        helpers = {p.name for p in self.populations if p.helper}
        for p in self.populations:
            needed = {p.parent, *(o for o, _ in p.operands)} & helpers
            if needed and not p.helper:
                found.append(
                    f"population '{p.name}' needs the helper '{sorted(needed)[0]}', which is not in the strategy"
                )
            if p.place is not None and p.place.method == "time" and p.scope != "sample":
                found.append(f"population '{p.name}': a time gate belongs to one run; its scope is sample")
            for marker in p.markers:
                if marker not in markers:
                    found.append(f"population '{p.name}': marker '{marker}' is not in the panel")
            for marker, side in (p.keep or {}).items():
                for cut in side.cuts:
                    if cut not in self.cuts:
                        found.append(f"population '{p.name}': no cut '{cut}'")
                    elif self.cuts[cut].on != marker:
                        found.append(f"population '{p.name}': cut '{cut}' is on {self.cuts[cut].on}, not on {marker}")
            for operand, _ in p.operands:
                if operand not in known:
                    found.append(f"population '{p.name}': refers to the unknown population '{operand}'")
                elif self[operand].parent != p.parent:
                    found.append(f"population '{p.name}': operand '{operand}' has another parent than '{p.parent}'")
        for name, definition in self.cuts.items():
            if definition.on not in markers:
                found.append(f"cut '{name}': marker '{definition.on}' is not in the panel")
            found += [f"cut '{name}': no population '{r}'" for r in definition.references if r not in known]
            if name in known and name != ROOT and self[name].place is not None:
                found.append(f"cut '{name}' has the name of a placed shape")
            for other in definition.other_cuts:
                if other not in self.cuts:
                    found.append(f"cut '{name}': no cut '{other}'")
                elif self.cuts[other].on != definition.on:
                    found.append(f"cut '{name}': cut '{other}' is on {self.cuts[other].on}, not on {definition.on}")
            if definition.rules[-1].method not in ALWAYS_ANSWER:
                found.append(
                    f"cut '{name}': its last rule may find nothing; end with one of {', '.join(ALWAYS_ANSWER)}"
                )
            if name not in self._used_cuts():
                found.append(f"cut '{name}' is used by no population")
        if not found:
            try:
                self.steps()
            except StrategyError as error:
                found.append(error.message)
        return tuple(found)

    def _used_cuts(self) -> frozenset[str]:
        """Cuts of the populations, and those that other cuts fall back on."""
        in_gates = {c for p in self.populations for c in p.cuts}
        return frozenset(in_gates | {o for c in self.cuts.values() for o in c.other_cuts})

    def _with_others(self, cut: str, above: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A cut after all cuts that it falls back on."""
        if cut in above:
            raise StrategyError(
                f"cuts fall back on each other in a circle: {' > '.join((*above, cut))}", code="GATE_CYCLE"
            )
        others = (o for name in self.cuts[cut].other_cuts for o in self._with_others(name, (*above, cut)))
        return tuple(dict.fromkeys((*others, cut)))

    def steps(self) -> tuple[Step, ...]:
        """An order in which everything can be placed: tree order wherever that serves.

        Raises
        ------
        StrategyError
            A cut needs, directly or not, a population that uses it.
        """
        done: set[str] = {ROOT}
        placed: set[str] = set()
        steps: list[Step] = []
        waiting = list(self.populations)
        while waiting:
            rest = []
            for p in waiting:
                needed = [c for own in p.cuts for c in self._with_others(own) if c not in placed]
                sources = {p.parent, *(o for o, _ in p.operands), *(r for c in needed for r in self.cuts[c].references)}
                if sources <= done:
                    steps += [Step(kind="cut", name=c) for c in dict.fromkeys(needed)]
                    placed.update(needed)
                    steps.append(Step(kind="population", name=p.name))
                    done.add(p.name)
                else:
                    rest.append(p)
            if len(rest) == len(waiting):
                names = ", ".join(f"'{p.name}'" for p in rest)
                raise StrategyError(
                    f"cuts and populations need each other in a circle: {names}",
                    hint="place each cut within a population that does not use it",
                    code="GATE_CYCLE",
                )
            waiting = rest
        return tuple(steps)
