"""The two strategies of a comparison: found, loaded, and planned on the same tubes of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cytometry.errors import RequestError
from cytometry.model.strategy import GatingStrategy
from cytometry.model.study import Study
from cytometry.pipeline.file_inputs import find_strategy
from cytometry.pipeline.gate_step import GatingJob
from cytometry.pipeline.planning import PanelPlan
from cytometry.pipeline.study_inputs import located_panel, plan_samples
from cytometry.pipeline.tasks import GatingSettings, StrategySource
from cytometry.quantification.population_match import PopulationNode, match_populations

if TYPE_CHECKING:
    from cytometry.model.panel import Panel

# Folders of the two strategies' results.
SIDES: Final = ("a", "b")


@dataclass(frozen=True)
class Side:
    """One strategy.

    Parameters
    ----------
    given
        As it was asked for.
    panel
        None where the gates are drawn in a file.
    nodes
        Its populations; none for a workspace, which has gates of its own for each tube.
    """

    given: str
    source: StrategySource
    panel: Panel | None
    nodes: tuple[PopulationNode, ...] = ()

    @property
    def name(self) -> str:
        """Of the panel or file."""
        return self.source.name


@dataclass(frozen=True)
class ComparedSides:
    """Both strategies on the tubes of one panel of the study.

    Parameters
    ----------
    study
        With those tubes only.
    key
        The panel as ``samples.csv`` names it.
    jobs
        What has to be gated with either; each in a folder of its own.
    mapping
        Population of A to population of B where they are called differently.
    """

    study: Study
    key: str
    sides: tuple[Side, Side]
    jobs: tuple[GatingJob, GatingJob]
    mapping: Mapping[str, str]

    @property
    def owner(self) -> str:
        """Whose the output folder is: neither a plain run of the study nor another comparison may share it."""
        return f"{self.study.id}: {self.sides[0].name} beside {self.sides[1].name} on {self.key}"


def compared_sides(
    path: str | Path,
    strategies: tuple[str, str],
    out: Path,
    settings: GatingSettings,
    *,
    panel: str = "",
    mapping: Mapping[str, str] = MappingProxyType({}),
) -> ComparedSides:
    """Read the study and plan both strategies.

    Corrections made by hand are left out: strategies are compared as they place.

    Parameters
    ----------
    strategies
        Each a shipped panel, a panel folder, a panel key of the study, a GatingML
        file or a FlowJo workspace.
    panel
        Whose tubes, as ``samples.csv`` names it. By default those of the panel that
        is one of the two strategies, or of the only panel of the study.
    mapping
        Population of A to population of B where they are called differently.

    Raises
    ------
    StudyError, PanelError, StrategyError, RequestError
        Something that was named is wrong or not there; nothing was gated.
    """
    from cytometry.io.study import load_study

    study = load_study(path)
    first, second = (_side(study, given) for given in strategies)
    if first.source.digest == second.source.digest:
        raise RequestError(f"'{strategies[0]}' and '{strategies[1]}' are the same gates", hint="name two that differ")
    if first.nodes and second.nodes:
        # A mistake in a name is found now, not after gating.
        match_populations(first.nodes, second.nodes, mapping)
    key = _panel_key(study, (first, second), panel)
    own = tuple(s for s in study.samples if s.panel == key)
    narrowed = study.model_copy(update={"samples": own, "overrides": None})
    jobs = tuple(
        GatingJob(
            plan_samples(narrowed, {key: _plan(key, side)}, out / name, settings),
            out / name,
            narrowed,
            {} if side.panel is None else {key: side.panel},
        )
        for name, side in zip(SIDES, (first, second), strict=True)
    )
    return ComparedSides(narrowed, key, (first, second), (jobs[0], jobs[1]), dict(mapping))


def _side(study: Study, given: str) -> Side:
    source = find_strategy(str(located_panel(study, study.panels[given])) if given in study.panels else given)
    if source.kind == "panel":
        from cytometry.io.panels import load_panel

        panel = load_panel(source.path)
        return Side(given, source, panel, _panel_nodes(panel))
    if source.kind == "gatingml":
        # A file that is wrong stops here, once, and not in every tube.
        from cytometry.io.gatingml import read_gatingml

        return Side(given, source, None, _nodes(read_gatingml(source.path)))
    return Side(given, source, None)


def _panel_nodes(panel: Panel) -> tuple[PopulationNode, ...]:
    if isinstance(panel.strategy, GatingStrategy):
        return _nodes(panel.strategy)
    pairs = (path.rpartition("/") for path in panel.population_paths)
    return tuple(PopulationNode(name, f"{parent}/{name}", parent) for parent, _, name in pairs)


def _nodes(strategy: GatingStrategy) -> tuple[PopulationNode, ...]:
    return tuple(PopulationNode(p.name, p.path, p.parent_path) for p in strategy.populations)


def _plan(key: str, side: Side) -> PanelPlan:
    return PanelPlan(key, side.source) if side.panel is None else PanelPlan(key, side.source, side.panel.widest_scope)


def _panel_key(study: Study, sides: Sequence[Side], asked: str) -> str:
    keys = ", ".join(study.panels)
    if asked:
        if asked not in study.panels:
            raise RequestError(f"no panel '{asked}'", hint=f"panels of the study: {keys}")
        return asked
    if len(study.panels) == 1:
        return next(iter(study.panels))
    digests = {side.source.digest for side in sides}
    own = [k for k, name in study.panels.items() if find_strategy(str(located_panel(study, name))).digest in digests]
    if len(own) == 1:
        return own[0]
    raise RequestError(
        "cannot tell which tubes to gate: "
        + ("neither strategy is" if not own else "both strategies are")
        + " a panel of the study",
        hint=f"say whose tubes with --panel: {keys}",
        code="PANEL_UNCLEAR",
    )
