"""Start a panel from the channels of one tube: the stem of the shipped panels, then each marker's positives."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cytometry.errors import RequestError
from cytometry.io.panels import load_panel
from cytometry.model.channels import Channel
from cytometry.model.panel import PANEL_NAME, AsinhScale, LinearScale, LogicleScale, Marker, Panel, PanelFile, Scale
from cytometry.model.sample import Sample
from cytometry.model.template import GatingTemplate
from cytometry.preprocessing.markers import match_channels

_STEM_PANEL: Final = "bcell_v1"
_STEM: Final = ("time_ok", "singlets", "live", "lymphocytes")
_STEM_MARKERS: Final = ("Time", "FSC-A", "FSC-H", "SSC-A", "Viability")
# Abbreviations that laboratories write and that would be too short for a panel used on many files.
_MORE_NAMES: Final = ("Viab", "Viable", "Via")
_SIDE_HEIGHT: Final = re.compile(r"^SSC?[-._ ]?H$", re.IGNORECASE)
# Channels of a mass cytometer: 142Nd becomes (Nd142)Di or Nd142Dd.
_MASS: Final = re.compile(r"[A-Z][a-z]?\d{2,3}\)?D[di]$|\(\d+:\d+\)D[di]$")
# Usual for counts of ions: linear below, logarithmic above.
_MASS_COFACTOR: Final = 5.0
# Ten bits without log amplification: the file holds positions on a display, not intensities.
_CHANNEL_NUMBERS: Final = 1024.0


@dataclass(frozen=True)
class NewPanel:
    """A panel to go on from, and what its author should know.

    Parameters
    ----------
    stem
        Populations of the stem that the tube has the channels for.
    left_out
        Stem populations without a channel, with the markers that were not recognised.
    unlabelled
        Channels without ``$PnS`` beside labelled ones: markers of the panel, without a gate.
    """

    described: PanelFile
    template: GatingTemplate
    stem: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    unlabelled: tuple[str, ...]


def new_panel(sample: Sample, name: str) -> NewPanel:
    """A panel that gates the tube from the start.

    Raises
    ------
    RequestError
        The name cannot be a panel's, or the tube has no fluorescence.
    """
    if not re.fullmatch(PANEL_NAME, name):
        raise RequestError(f"'{name}' is no panel name", hint="letters, digits, _ . -, starting with a letter")
    measured = [c for c in sample.channels if c.kind == "fluorescence"]
    if not measured:
        names = ", ".join(c.name for c in sample.channels)
        raise RequestError("has no fluorescence channel", where=sample.name, hint=f"its channels: {names}")
    shipped = load_panel(_STEM_PANEL)
    known = _known_channels(shipped, sample)
    markers = {
        m: _stem_marker(shipped.markers[m], sample.channels[i]) for m, i in known.items() if m in shipped.markers
    }
    if "SSC-H" in known:
        markers["SSC-H"] = markers["FSC-H"].model_copy(update={"channels": (sample.channels[known["SSC-H"]].name,)})
    has_labels = any(c.marker for c in measured)
    unlabelled: list[str] = []
    gated: list[str] = []
    for channel in measured:
        label = channel.marker or channel.name
        if channel.index in known.values() or label in markers:
            continue
        markers[label] = Marker(channels=tuple(dict.fromkeys((label, channel.name))), scale="signal")
        (gated if channel.marker or not has_labels else unlabelled).append(label)
    populations, cuts, parent, left_out = _stem_gates(shipped, known)
    for label in gated:
        key = _key(label, cuts)
        cuts[key] = {
            "on": label,
            "within": parent,
            "rules": [{"method": "valley", "between": [0.2, 0.8]}, {"method": "fixed", "at": 0.5}],
        }
        populations.append({"name": f"{key}_pos", "parent": parent, "optional": True, "keep": {label: {"above": key}}})
    if not populations:
        raise RequestError(
            "no channel of the file can be gated", where=sample.name, hint="its labelled channels are all of the stem"
        )
    scatter = [c.linear_top for c in sample.channels if c.kind == "scatter"]
    scales: dict[str, Scale] = {
        "scatter": LinearScale(kind="linear", T=max([t for t in scatter if t > 0], default=262144.0)),
        "signal": _signal_scale(measured),
    }
    described = PanelFile(
        schema_version=1,
        name=name,
        title=f"Started from {Path(sample.name).name}",
        scales=scales,
        markers=markers,
    )
    template = GatingTemplate.model_validate({"cuts": cuts, "populations": populations})
    stem = tuple(s for s in _STEM if s in template.names)
    return NewPanel(described, template, stem, left_out, tuple(unlabelled))


def _stem_marker(shipped: Marker, channel: Channel) -> Marker:
    """The shipped marker with this file's name first; scatter and time by that name only."""
    scale = "signal" if shipped.kind == "fluorescence" else shipped.scale
    names = (channel.marker or channel.name, *shipped.channels) if shipped.kind == "fluorescence" else (channel.name,)
    return shipped.model_copy(update={"channels": tuple(dict.fromkeys(names)), "scale": scale})


def _known_channels(shipped: Panel, sample: Sample) -> dict[str, int]:
    """Channels of the stem's markers; heights stand in where a file has no areas."""
    only = {m: shipped.markers[m] for m in _STEM_MARKERS}
    viability = only["Viability"]
    only["Viability"] = viability.model_copy(update={"channels": (*viability.channels, *_MORE_NAMES)})
    nothing = GatingTemplate.model_validate({"populations": [{"name": "all", "none_of": ["all"]}]})
    described = shipped.described.model_copy(update={"markers": only})
    known = dict(match_channels(sample, Panel(described, nothing)).channel_map.indices)
    heights = [c.index for c in sample.channels if _SIDE_HEIGHT.match(c.name.strip())]
    if "SSC-A" not in known and "FSC-A" not in known and "FSC-H" in known and heights:
        known["SSC-H"] = heights[0]
    return known


def _stem_gates(
    shipped: Panel, known: Mapping[str, int]
) -> tuple[list[dict[str, object]], dict[str, dict[str, object]], str, dict[str, tuple[str, ...]]]:
    template = shipped.template
    assert template is not None  # the shipped stem is a template
    populations: list[dict[str, object]] = []
    cuts: dict[str, dict[str, object]] = {}
    left_out: dict[str, tuple[str, ...]] = {}
    parent = "root"
    for name in _STEM:
        population = template[name]
        axes = population.place.on if population.place is not None else population.markers
        if name == "lymphocytes" and "SSC-H" in known:
            axes = ("FSC-H", "SSC-H")
        missing = tuple(m for m in axes if m not in known)
        if missing:
            left_out[name] = missing
            continue
        given = population.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if population.place is not None:
            given["place"] = {**population.place.model_dump(mode="json"), "on": list(axes)}
        populations.append({**given, "parent": parent})
        for cut in population.cuts:
            cuts[cut] = {**template.cuts[cut].model_dump(mode="json"), "within": parent}
        parent = name
    return populations, cuts, parent, left_out


def _key(label: str, taken: Mapping[str, object]) -> str:
    """A name for a cut from a marker's label; two labels of one spelling are told apart."""
    key = re.sub(r"[^A-Za-z0-9_]+", "_", label).strip("_").lower()
    key = key if key[:1].isalpha() else f"m_{key}"
    number, found = 1, key
    while found in taken:
        number += 1
        found = f"{key}_{number}"
    return found


def _signal_scale(measured: list[Channel]) -> Scale:
    """A scale that shows all of the signal, by what the file says of its channels."""
    top = max(c.linear_top for c in measured)
    if all(_MASS.search(c.name) for c in measured):
        top = top if top > 0 else 1e4
        return AsinhScale(kind="asinh", T=top, M=math.asinh(top / _MASS_COFACTOR) / math.log(10), A=0.0)
    if 0 < top <= _CHANNEL_NUMBERS and not any(c.amplification[0] for c in measured):
        return LinearScale(kind="linear", T=top)
    return LogicleScale(kind="logicle", T=top) if top > 0 else LogicleScale(kind="logicle")
