"""What a panel may call activated naive B cells.

Without MitoTracker Green, CD24- CD38- among IgD+ CD27- holds activated and anergic
naive cells alike. A second axis tells them apart: CD21- CD11c+, CXCR5-, CD95+, or
MitoTracker Green itself. A panel whose gate has none of them reports the cells under
a name that claims less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from cytometry.errors import StrategyError
from cytometry.model.findings import Finding
from cytometry.model.gates import BooleanGate
from cytometry.model.panel import Panel, PanelFile
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.template import GatingTemplate

ACTIVATED_NAIVE: Final = "activated_naive"
DOUBLE_LOW_LIKE: Final = "cd24_neg_cd38_neg_naive_like"
NAIVE_LIKE: Final = "naive_like"
# Any one of these is a second axis: names that have to be among the gate's markers together.
_SECOND_AXES: Final = (("cd21", "cd11c"), ("cxcr5",), ("cd185",), ("cd95",), ("fas",), ("mtg",), ("mitotracker",))
_FIRST_AXIS: Final = ("cd24", "cd38")
_WORD: Final = re.compile(r"[0-9a-z]+")


def without_overclaim(panel: Panel) -> Panel:
    """The panel, with activated naive B cells renamed and a finding where its gate has no second axis.

    Raises
    ------
    StrategyError
        The name that they would get is taken.
    """
    if not any(_leaf(path) == ACTIVATED_NAIVE for path in panel.population_paths):
        return panel
    markers = tuple(dict.fromkeys(_markers(panel)))
    words = {w for m in markers for w in _words(panel, m)}
    if any(words.issuperset(axis) for axis in _SECOND_AXES):
        return panel
    is_double_low = words.issuperset(_FIRST_AXIS)
    name = DOUBLE_LOW_LIKE if is_double_low else NAIVE_LIKE
    label = "CD24- CD38- naive-like" if is_double_low else "naive-like"
    if any(_leaf(path) == name for path in panel.population_paths):
        raise StrategyError(
            f"population '{ACTIVATED_NAIVE}' has no second axis and would be reported as '{name}', which is taken",
            where=panel.name,
            hint="gate it on CD21- CD11c+, CXCR5-, CD95+ or MitoTracker Green as well, or rename it",
        )
    finding = Finding(
        "SECOND_AXIS_MISSING",
        "warning",
        f"'{ACTIVATED_NAIVE}' of panel '{panel.name}' has no second axis that tells activated from anergic naive "
        f"cells, so it is reported as '{name}' ({label})",
        segment="panel",
        keyword=ACTIVATED_NAIVE,
        found=", ".join(markers),
        expected="CD21 with CD11c, CXCR5, CD95 or MitoTracker Green",
        fix="gate it on CD21- CD11c+, CXCR5-, CD95+ or MitoTracker Green as well",
    )
    strategy = (
        _renamed_template(panel.strategy, name, label)
        if isinstance(panel.strategy, GatingTemplate)
        else _renamed_strategy(panel.strategy, name, label)
    )
    described = PanelFile.model_validate(_renamed(panel.described.model_dump(mode="json", exclude_none=True), name))
    return replace(panel, described=described, strategy=strategy, findings=(*panel.findings, finding))


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]


def _words(panel: Panel, marker: str) -> Iterator[str]:
    """Words of a marker's name and of the channel names that it accepts."""
    known = panel.markers.get(marker)
    for text in (marker, *(known.channels if known is not None else ())):
        yield from _WORD.findall(text.casefold())


def _markers(panel: Panel) -> Iterator[str]:
    """Markers that the gate of activated naive cells rests on: its own, its operands', its ancestors'."""
    if isinstance(panel.strategy, GatingTemplate):
        yield from _template_markers(panel.strategy, ACTIVATED_NAIVE)
    else:
        tree = {p.path: p for p in panel.strategy.populations}
        for path in panel.population_paths:
            if _leaf(path) == ACTIVATED_NAIVE:
                yield from _drawn_markers(tree, path)


def _template_markers(template: GatingTemplate, name: str) -> Iterator[str]:
    for ancestor in template.ancestors(name):
        population = template[ancestor]
        # A gate that is left out where its marker is missing divides nothing there.
        if population.if_missing != "keep_parent":
            yield from population.markers
        for operand, _ in population.operands:
            yield from template[operand].markers
            yield from (m for inner, _ in template[operand].operands for m in template[inner].markers)


def _drawn_markers(tree: Mapping[str, Population], path: str) -> Iterator[str]:
    while path != ROOT:
        population = tree[path]
        yield from (d.name for d in population.gate.dimensions)
        if isinstance(population.gate, BooleanGate):
            for operand in population.gate.operands:
                if operand.path in tree:
                    yield from (d.name for d in tree[operand.path].gate.dimensions)
        path = population.parent_path


def _renamed_template(template: GatingTemplate, name: str, label: str) -> GatingTemplate:
    renamed = _renamed(template.model_dump(mode="json", exclude_none=True), name)
    for population in renamed["populations"]:
        if population["name"] == name:
            population["label"] = label
    return GatingTemplate.model_validate(renamed)


def _renamed_strategy(strategy: GatingStrategy, name: str, label: str) -> GatingStrategy:
    populations = tuple(
        replace(
            p,
            name=name if p.name == ACTIVATED_NAIVE else p.name,
            label=label if p.name == ACTIVATED_NAIVE else p.label,
            parent_path=_renamed_path(p.parent_path, name),
            gate=replace(p.gate, operands=tuple(replace(o, path=_renamed_path(o.path, name)) for o in p.gate.operands))
            if isinstance(p.gate, BooleanGate)
            else p.gate,
        )
        for p in strategy.populations
    )
    return GatingStrategy(strategy.name, populations, strategy.transforms, strategy.compensations, strategy.findings)


def _renamed_path(path: str, name: str) -> str:
    return "/".join(name if part == ACTIVATED_NAIVE else part for part in path.split("/"))


def _renamed(value: Any, name: str) -> Any:
    """A document with the name replaced wherever it stands, also behind ``not``."""
    if isinstance(value, Mapping):
        return {_renamed(k, name): _renamed(v, name) for k, v in value.items()}
    if isinstance(value, list):
        return [_renamed(v, name) for v in value]
    if value in (ACTIVATED_NAIVE, f"not {ACTIVATED_NAIVE}"):
        return value.replace(ACTIVATED_NAIVE, name)
    return value
