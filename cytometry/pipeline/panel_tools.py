"""What a laboratory does to its panels: start one, try it on tubes, freeze it, compare two."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

from cytometry.errors import CytometryError, RequestError
from cytometry.gating.engine import gate_sample
from cytometry.gating.freeze import frozen_strategy
from cytometry.gating.membership import Membership
from cytometry.gating.place import place
from cytometry.gating.tubes import FMO, Tube
from cytometry.io.panels import load_panel
from cytometry.model.findings import Finding
from cytometry.model.panel import LinearScale, LogicleScale, Marker, Panel, PanelFile, Scale
from cytometry.model.placement import PlacedCut
from cytometry.model.sample import Sample
from cytometry.model.strategy import GatingStrategy
from cytometry.model.template import GatingTemplate
from cytometry.preprocessing.dimensions import ChannelMap
from cytometry.preprocessing.markers import match_channels

# Keys of the one tube, and of the batch that it and its controls are.
_TUBE, _BATCH = "tube", "batch"
_FMO_RULE: Final = "fmo_percentile"
UNCERTAIN: Final = "GATE_UNCERTAIN"
_STEM_PANEL = "bcell_v1"
_STEM = ("time_ok", "singlets", "live", "lymphocytes")
_STEM_MARKERS = ("Time", "FSC-A", "FSC-H", "SSC-A", "Viability")


@dataclass(frozen=True, slots=True)
class ControlUse:
    """What became of the rule that reads a cut from a fluorescence-minus-one control.

    Parameters
    ----------
    marker
        That the control leaves out.
    cut
        That the control can place.
    state
        ``used``; ``not needed``: an earlier rule was sure; ``missing``: no rule
        before it was sure and no control was given; ``no help``: given, and not sure either.
    decided_by
        Method that placed the cut.
    """

    marker: str
    cut: str
    state: Literal["used", "not needed", "missing", "no help"]
    decided_by: str
    confidence: float


@dataclass(frozen=True, eq=False)
class PanelTrial:
    """A panel on one tube.

    Parameters
    ----------
    channels
        Marker to the file's channel.
    controls
        Every cut that a control can place, with what became of that.
    flags
        Codes for the counts, by population name.
    membership
        None where the tube could not be gated.
    error
        Why not.
    """

    sample: Sample
    channels: Mapping[str, str]
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]
    cuts: tuple[PlacedCut, ...] = ()
    controls: tuple[ControlUse, ...] = ()
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    strategy: GatingStrategy | None = None
    channel_map: ChannelMap | None = None
    membership: Membership | None = None
    error: CytometryError | None = None


def try_panel(panel: Panel, sample: Sample, controls: Mapping[str, Sample] = MappingProxyType({})) -> PanelTrial:
    """Match, place alone and count; an input error of the tube is part of the result.

    Parameters
    ----------
    controls
        Fluorescence-minus-one controls by the marker that they leave out.

    Raises
    ------
    RequestError
        A control is of no marker of the panel.
    CytometryError
        A control cannot be matched.
    """
    strange = [m for m in controls if m not in panel.markers]
    if strange:
        raise RequestError(f"the panel has no marker '{strange[0]}'", hint=f"markers: {', '.join(panel.markers)}")
    try:
        match = match_channels(sample, panel)
    except CytometryError as error:
        return PanelTrial(sample, {}, (), (), error=error)
    names = {m: sample.channels[i].name for m, i in match.channel_map.indices.items()}
    tubes = [Tube(_TUBE, sample, match.channel_map, batch_group=_BATCH)]
    tubes += [
        Tube(f"{FMO}{m}", s, match_channels(s, panel).channel_map, batch_group=_BATCH, role=f"{FMO}{m}")
        for m, s in controls.items()
    ]
    # With one tube every scope is that tube; alone would leave out the controls.
    placement = place(panel, tubes, alone=not controls)
    findings = (*match.findings, *(replace(f, file=sample.name) for f in placement.findings_of(_TUBE)))
    if placement.failed.get(_TUBE) is not None:
        return PanelTrial(sample, names, match.missing, findings, error=placement.failed[_TUBE])
    strategy = placement.strategies[_TUBE]
    return PanelTrial(
        sample=sample,
        channels=names,
        missing=match.missing,
        findings=findings,
        cuts=placement.cuts_of(_TUBE),
        controls=_control_uses(panel, placement.cuts_of(_TUBE), frozenset(controls)),
        flags=placement.population_flags(_TUBE),
        strategy=strategy,
        channel_map=match.channel_map,
        membership=gate_sample(strategy, sample, match.channel_map),
    )


def wanted_controls(panel: Panel) -> tuple[str, ...]:
    """Markers whose cuts may be read from a fluorescence-minus-one control of the batch."""
    template = panel.template
    if template is None:
        return ()
    cuts = template.cuts.values()
    return tuple(dict.fromkeys(c.on for c in cuts if any(r.method == _FMO_RULE for r in c.rules)))


def _control_uses(panel: Panel, cuts: Sequence[PlacedCut], given: frozenset[str]) -> tuple[ControlUse, ...]:
    placed = {c.name: c for c in cuts if c.kind == "cut"}
    uses = []
    for name, cut in (panel.template.cuts if panel.template is not None else {}).items():
        methods = [r.method for r in cut.rules]
        if _FMO_RULE not in methods or name not in placed:
            continue
        found = placed[name]
        before = methods[: methods.index(_FMO_RULE)]
        state: Literal["used", "not needed", "missing", "no help"]
        if found.source == "fmo":
            state = "used"
        elif found.method in before and UNCERTAIN not in found.flags:
            state = "not needed"
        else:
            state = "no help" if cut.on in given else "missing"
        uses.append(ControlUse(cut.on, name, state, found.method, found.confidence))
    return tuple(uses)


def new_panel(sample: Sample, name: str) -> tuple[PanelFile, GatingTemplate]:
    """A panel that gates the tube from the start: the stem of the shipped panels, then each marker's positives.

    Raises
    ------
    RequestError
        The name cannot be a panel's.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name):
        raise RequestError(f"'{name}' is no panel name", hint="letters, digits, _ . -, starting with a letter")
    stem = load_panel(_STEM_PANEL)
    known = _known_channels(stem, sample)
    scales: dict[str, Scale] = {"scatter": LinearScale(kind="linear"), "logicle": LogicleScale(kind="logicle")}
    top = max((c.range for c in sample.channels if c.kind == "fluorescence"), default=262144.0)
    if top > 0:
        scales["logicle"] = LogicleScale(kind="logicle", T=top)
        scales["scatter"] = LinearScale(kind="linear", T=max((c.range for c in sample.channels), default=top) or top)
    markers = {m: stem.markers[m].model_copy(update={"channels": (sample.channels[i].name,)}) for m, i in known.items()}
    if "Viability" in known:
        markers["Viability"] = stem.markers["Viability"]
    for channel in sample.channels:
        label = channel.marker or channel.name
        if channel.kind == "fluorescence" and channel.index not in known.values() and label not in markers:
            markers[label] = Marker(channels=tuple(dict.fromkeys((label, channel.name))), scale="logicle")
    populations, cuts, parent = _stem_gates(stem, known)
    for label in markers:
        if label in _STEM_MARKERS:
            continue
        key = re.sub(r"[^A-Za-z0-9_]+", "_", label).strip("_").lower()
        key = key if key[:1].isalpha() else f"m_{key}"
        cuts[key] = {
            "on": label,
            "within": parent,
            "rules": [{"method": "valley", "between": [0.2, 0.8]}, {"method": "fixed", "at": 0.5}],
        }
        populations.append({"name": f"{key}_pos", "parent": parent, "optional": True, "keep": {label: {"above": key}}})
    described = PanelFile(
        schema_version=1, name=name, title=f"Started from {sample.name}", scales=scales, markers=markers
    )
    return described, GatingTemplate.model_validate({"cuts": cuts, "populations": populations})


def _known_channels(stem: Panel, sample: Sample) -> dict[str, int]:
    only = {m: stem.markers[m] for m in _STEM_MARKERS}
    nothing = GatingTemplate.model_validate({"populations": [{"name": "all", "none_of": ["all"]}]})
    described = stem.described.model_copy(update={"markers": only})
    return dict(match_channels(sample, Panel(described, nothing)).channel_map.indices)


def _stem_gates(
    stem: Panel, known: Mapping[str, int]
) -> tuple[list[dict[str, object]], dict[str, dict[str, object]], str]:
    template = stem.template
    assert template is not None  # the shipped stem is a template
    populations: list[dict[str, object]] = []
    cuts: dict[str, dict[str, object]] = {}
    parent = "root"
    for name in _STEM:
        population = template[name]
        if not all(m in known for m in population.markers) or (name == "time_ok" and "Time" not in known):
            continue
        given = population.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if population.place is not None:
            given["place"] = population.place.model_dump(mode="json")
        populations.append({**given, "parent": parent})
        for cut in population.cuts:
            dumped = template.cuts[cut].model_dump(mode="json")
            cuts[cut] = {**dumped, "within": parent}
        parent = name
    return populations, cuts, parent


def freeze_panel(panel: Panel, sample: Sample, name: str) -> tuple[PanelFile, GatingStrategy]:
    """Place a panel on one tube and turn the result into drawn gates.

    Raises
    ------
    GatingError
        The tube cannot be gated.
    """
    trial = try_panel(panel, sample)
    if trial.error is not None:
        raise trial.error
    assert trial.strategy is not None  # no error, so it was placed
    described = panel.described.model_copy(
        update={"name": name, "version": 1, "title": f"{panel.title} (frozen on one tube)".strip()}
    )
    return described, frozen_strategy(trial.strategy, panel, name)


def panel_differences(one: Panel, other: Panel) -> tuple[str, ...]:
    """What differs, one sentence each; empty if the panels gate alike."""
    left, right = _facts(one), _facts(other)
    found = []
    for key in dict.fromkeys((*left, *right)):
        if left.get(key) != right.get(key):
            found.append(f"{key}: {left.get(key, 'not there')} | {right.get(key, 'not there')}")
    return tuple(found)


def _facts(panel: Panel) -> dict[str, str]:
    facts = {"compensation": panel.compensation}
    for key, scale in panel.scales.items():
        facts[f"scale {key}"] = scale.model_dump_json(exclude_none=True)
    for name, marker in panel.markers.items():
        facts[f"marker {name}"] = f"{', '.join(marker.channels)} ({marker.scale or 'linear'})"
    if isinstance(panel.strategy, GatingTemplate):
        for name, cut in panel.strategy.cuts.items():
            facts[f"cut {name}"] = cut.model_dump_json(exclude_none=True)
        for p in panel.strategy.populations:
            facts[f"population {p.name}"] = p.model_dump_json(exclude_none=True, exclude_defaults=True)
    else:
        for q in panel.strategy.populations:
            facts[f"population {q.path}"] = repr(q.gate)
    return facts
