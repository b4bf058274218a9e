"""Which channel of a file measures which marker of a panel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cytometry.errors import GatingError
from cytometry.model.channels import Channel
from cytometry.model.findings import Finding
from cytometry.model.panel import Marker, Panel
from cytometry.model.sample import Sample
from cytometry.preprocessing.dimensions import ChannelMap

# FlowJo and DIVA exports put these before a compensated channel's name.
_PREFIX = re.compile(r"^\s*(fjcomp|comp)[-_ ]+", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^0-9a-z]+")
_PULSE = re.compile(r"^(.*?)[-_. ]([AHW])$", re.IGNORECASE)

# How well a name fits, best first.
_WHOLE_MARKER, _WHOLE_NAME, _PART_OF_MARKER, _PART_OF_NAME = range(4)


@dataclass(frozen=True)
class MarkerMatch:
    """The channels found, and what a reader should know.

    Parameters
    ----------
    channel_map
        Marker to channel.
    missing
        Markers of the panel that no channel measures, in panel order.
    findings
        Those of the panel, and one per missing marker that a file may lack.
    """

    channel_map: ChannelMap
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]


def match_channels(sample: Sample, panel: Panel) -> MarkerMatch:
    """Find each marker of a panel among the channels of a sample.

    Case, blanks and punctuation do not count, nor do the prefixes ``Comp-`` and
    ``FJComp-``. A name fits a channel best as its whole ``$PnS``, next as its
    whole ``$PnN``, then as whole words within either (``CD27 BV421``,
    ``IgD-FITC``; ``CD4`` is no word of ``CD45RA``). Scatter and time fit by
    whole names only. Each channel measures one marker: the one it fits best.
    Where area, height and width of one detector fit alike, area is taken.

    Raises
    ------
    GatingError
        Two channels fit a marker equally well, two markers fit a channel
        equally well, or no channel measures a marker that the panel needs.
    """
    fits = {
        name: {c.index: fit for c in sample.channels if (fit := _fit(marker, c)) is not None}
        for name, marker in panel.markers.items()
    }
    owned = _each_channel_to_its_best_marker(fits, sample)
    found: dict[str, int] = {}
    missing: list[str] = []
    for name, candidates in owned.items():
        chosen = _best(name, candidates, sample)
        if chosen is None:
            missing.append(name)
        else:
            found[name] = chosen
    findings = tuple(_missing(name, panel, sample) for name in missing if panel.gates_on(name))
    of_panel = tuple(f.in_file(sample.name) for f in panel.findings)
    return MarkerMatch(ChannelMap(found), tuple(missing), (*of_panel, *findings))


def _fit(marker: Marker, channel: Channel) -> int | None:
    label, name = _PREFIX.sub("", channel.marker), _PREFIX.sub("", channel.name)
    fits = [f for accepted in marker.channels if (f := _fit_of(accepted, label, name, marker)) is not None]
    return min(fits, default=None)


def _fit_of(accepted: str, label: str, name: str, marker: Marker) -> int | None:
    wanted = _words(accepted)
    glued = "".join(wanted)
    if not glued:
        return None
    if marker.kind != "fluorescence":
        return _WHOLE_NAME if glued == "".join(_words(name)) else None
    pulse = _PULSE.match(name)
    if glued == "".join(_words(label)):
        return _WHOLE_MARKER
    if glued in ("".join(_words(name)), "".join(_words(pulse.group(1))) if pulse else None):
        return _WHOLE_NAME
    if _contains(_words(label), glued):
        return _PART_OF_MARKER
    return _PART_OF_NAME if _contains(_words(name), glued) else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(w for w in _SEPARATORS.split(text.casefold()) if w)


def _contains(words: tuple[str, ...], glued: str) -> bool:
    """Whether neighbouring words, written together, are the name."""
    return any("".join(words[i:j]) == glued for i in range(len(words)) for j in range(i + 1, len(words) + 1))


def _each_channel_to_its_best_marker(
    fits: Mapping[str, Mapping[int, int]], sample: Sample
) -> Mapping[str, Mapping[int, int]]:
    owned: dict[str, dict[int, int]] = {name: dict(candidates) for name, candidates in fits.items()}
    for channel in sample.channels:
        claims = {name: candidates[channel.index] for name, candidates in fits.items() if channel.index in candidates}
        best = min(claims.values(), default=0)
        winners = [name for name, fit in claims.items() if fit == best]
        if len(winners) > 1:
            raise GatingError(
                f"channel {_label(channel)} fits the markers {', '.join(winners)} equally well",
                where=sample.name,
                hint="give the channel's full name under one marker of the panel",
                code="MARKER_AMBIGUOUS",
            )
        for name, fit in claims.items():
            if fit > best:
                del owned[name][channel.index]
    return owned


def _best(name: str, candidates: Mapping[int, int], sample: Sample) -> int | None:
    if not candidates:
        return None
    best = min(candidates.values())
    winners = [sample.channels[i] for i, fit in candidates.items() if fit == best]
    winners = _area_of_one_detector(winners)
    if len(winners) > 1:
        raise GatingError(
            f"marker '{name}' fits the channels {', '.join(_label(c) for c in winners)} equally well",
            where=sample.name,
            hint=f"give the full channel name first under markers.{name}.channels of the panel",
            code="MARKER_AMBIGUOUS",
        )
    return winners[0].index


def _area_of_one_detector(channels: list[Channel]) -> list[Channel]:
    pulses = [_PULSE.match(c.name) for c in channels]
    if len(channels) > 1 and all(pulses) and len({p.group(1).casefold() for p in pulses if p}) == 1:
        areas = [c for c, p in zip(channels, pulses, strict=True) if p and p.group(2).upper() == "A"]
        return areas or channels
    return channels


def _missing(name: str, panel: Panel, sample: Sample) -> Finding:
    used_by = panel.gates_on(name)
    accepted = ", ".join(panel.markers[name].channels)
    channels = ", ".join(_label(c) for c in sample.channels)
    names = ", ".join(path.rpartition("/")[2] for path, _ in used_by)
    required = [path for path, optional in used_by if not optional]
    if required:
        raise GatingError(
            f"no channel measures the marker '{name}' that population '{required[0]}' needs; channels: {channels}",
            where=sample.name,
            hint=f"accepted names: {accepted}; add the file's name for it under markers.{name}.channels",
            code="MARKER_MISSING",
        )
    return Finding(
        code="MARKER_MISSING",
        severity="warning",
        message=f"no channel measures '{name}': {names} cannot be gated on it",
        file=sample.name,
        segment="panel",
        keyword=name,
        found=channels,
        expected=accepted,
        fix=f"add the file's name for it under markers.{name}.channels, if it was stained",
    )


def _label(channel: Channel) -> str:
    return f"{channel.name} ({channel.marker})" if channel.marker else channel.name
