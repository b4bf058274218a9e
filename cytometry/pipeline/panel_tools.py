"""What a laboratory does to a panel: try it on tubes, and freeze it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from cytometry.errors import CytometryError, RequestError
from cytometry.gating.engine import gate_sample
from cytometry.gating.freeze import frozen_strategy
from cytometry.gating.membership import Membership
from cytometry.gating.place import place
from cytometry.gating.tubes import FMO, Tube
from cytometry.io.fcs import read_fcs
from cytometry.model.findings import Finding
from cytometry.model.panel import Panel, PanelFile
from cytometry.model.placement import PlacedCut
from cytometry.model.sample import Sample
from cytometry.model.strategy import GatingStrategy
from cytometry.pipeline.exit_status import DONE, INPUT_WRONG, PARTLY_DONE
from cytometry.preprocessing.dimensions import ChannelMap
from cytometry.preprocessing.markers import match_channels

# Keys of the one tube, and of the batch that it and its controls are.
_TUBE, _BATCH = "tube", "batch"
_FMO_RULE: Final = "fmo_percentile"
UNCERTAIN: Final = "GATE_UNCERTAIN"


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
    name
        Of the file.
    sample
        None where the file could not be read.
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

    name: str
    sample: Sample | None
    channels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    missing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
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
    fmos = {m: match_channels(s, panel).channel_map for m, s in controls.items()}
    try:
        match = match_channels(sample, panel)
    except CytometryError as error:
        return PanelTrial(sample.name, sample, {}, (), (), error=error)
    names = {m: sample.channels[i].name for m, i in match.channel_map.indices.items()}
    tubes = [Tube(_TUBE, sample, match.channel_map, batch_group=_BATCH)]
    tubes += [
        Tube(f"{FMO}{m}", controls[m], channels, batch_group=_BATCH, role=f"{FMO}{m}") for m, channels in fmos.items()
    ]
    try:
        # With one tube every scope is that tube; alone would leave out the controls.
        placement = place(panel, tubes, alone=not controls)
        if placement.failed.get(_TUBE) is not None:
            raise placement.failed[_TUBE]
        strategy = placement.strategies[_TUBE]
        membership = gate_sample(strategy, sample, match.channel_map)
    except CytometryError as error:
        return PanelTrial(sample.name, sample, names, match.missing, match.findings, error=error)
    findings = (*match.findings, *(replace(f, file=sample.name) for f in placement.findings_of(_TUBE)))
    return PanelTrial(
        name=sample.name,
        sample=sample,
        channels=names,
        missing=match.missing,
        findings=findings,
        cuts=placement.cuts_of(_TUBE),
        controls=_control_uses(panel, placement.cuts_of(_TUBE), frozenset(controls)),
        flags=placement.population_flags(_TUBE),
        strategy=strategy,
        channel_map=match.channel_map,
        membership=membership,
    )


def try_file(
    panel: Panel, path: Path, controls: Mapping[str, Sample] = MappingProxyType({}), *, strict: bool = True
) -> PanelTrial:
    """Read a file and try the panel on it; that it cannot be read is part of the result."""
    try:
        sample = read_fcs(path, strict=strict)
    except CytometryError as error:
        return PanelTrial(path.name, None, error=error)
    return try_panel(panel, sample, controls)


def trials_exit(trials: Sequence[PanelTrial]) -> int:
    """0 if every tube was gated, 1 if none, 4 if some were not."""
    failed = sum(t.error is not None for t in trials)
    if not failed:
        return DONE
    return INPUT_WRONG if failed == len(trials) else PARTLY_DONE


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


@dataclass(frozen=True, eq=False)
class FrozenPanel:
    """Gates as placed on one tube, as a panel of drawn gates.

    Parameters
    ----------
    left_out
        Paths of populations that the tube has no channels for: nothing was placed that could be drawn.
    trial
        How the placing went.
    """

    described: PanelFile
    strategy: GatingStrategy
    left_out: tuple[str, ...]
    trial: PanelTrial


def freeze_panel(
    panel: Panel, sample: Sample, name: str, controls: Mapping[str, Sample] = MappingProxyType({})
) -> FrozenPanel:
    """Place a panel on one tube and turn the result into drawn gates.

    Parameters
    ----------
    controls
        Fluorescence-minus-one controls by the marker that they leave out.

    Raises
    ------
    GatingError
        The tube cannot be gated.
    """
    trial = try_panel(panel, sample, controls)
    if trial.error is not None:
        raise trial.error
    assert trial.strategy is not None  # no error, so it was placed
    assert trial.membership is not None  # and gated
    left_out = tuple(p.path for p in trial.strategy.populations if p.path in trial.membership.undefined)
    kept = tuple(p for p in trial.strategy.populations if p.path not in left_out)
    placed = GatingStrategy(name, kept, trial.strategy.transforms, trial.strategy.compensations)
    names = frozenset(p.name for p in kept) | {"default"}
    described = panel.described.model_copy(
        update={
            "name": name,
            "version": 1,
            "title": f"{panel.title} (frozen on one tube)".strip(),
            "targets": tuple(t for t in panel.targets if t in names),
            "denominators": {
                p: tuple(d for d in whole if d in names)
                for p, whole in panel.described.denominators.items()
                if p in names
            },
        }
    )
    return FrozenPanel(described, frozen_strategy(placed, panel, name), left_out, trial)
