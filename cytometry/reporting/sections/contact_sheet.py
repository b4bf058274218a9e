"""Every gate of every sample as a small picture: rows are participants, those with most flags first; columns visits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from markupsafe import Markup

from cytometry.plotting.gate_picture import Frame, gate_colours, gate_picture, percent_text, shared_frame
from cytometry.quantification.preview_axes import short_number
from cytometry.quantification.previews import GatePreview, PreviewGate, PreviewThreshold
from cytometry.reporting.boundaries import boundary_table
from cytometry.reporting.formats import whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render, trusted
from cytometry.reporting.population_names import population_name
from cytometry.reporting.results import visit_titles
from cytometry.reporting.section import Section

_SOURCE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "data": "data",
        "fmo": "FMO",
        "control": "control",
        "fallback": "fallback rule",
        "override": "moved by hand",
        "drawn": "drawn",
    }
)
_FLAG_WORDS: Mapping[str, str] = MappingProxyType(
    {"GATE_FALLBACK": "second rule", "GATE_UNCERTAIN": "no clear boundary"}
)
# About 10 MB of pictures; a larger study gets wider bins.
FINE_PICTURES = 2500
_UNUSUAL_SOURCES = frozenset({"fallback", "override"})


@dataclass(frozen=True, slots=True)
class Tube:
    """Where a sample stands on the sheet."""

    sample_id: str
    panel: str
    subject: str
    visit: str
    role: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One cell of the sheet."""

    svg: Markup
    tube: Tube
    events: str
    thresholds: str
    boundaries: tuple[str, ...]
    flags: tuple[str, ...]
    is_odd: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A participant's pictures, one per visit; None where there is no sample."""

    title: str
    pictures: tuple[Picture | None, ...]


@dataclass(frozen=True, slots=True)
class GateSheet:
    """All samples of one gate."""

    anchor: str
    title: str
    axes: str
    where: str
    key: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    others: tuple[Picture, ...]
    odd: int


@dataclass(frozen=True, slots=True)
class _Look:
    """What all pictures of the page share: boundaries far from the others, and how fine the bins are."""

    outliers: frozenset[tuple[str, str, str]]
    coarse: bool


def picture_id(sample_id: str, number: int) -> str:
    """Id of a sample's n-th picture, which another section may repeat."""
    safe = "".join(c if c.isalnum() else f"_{ord(c):x}_" for c in sample_id)
    return f"p-{safe}-{number}"


def tubes_of(inputs: ReportInputs) -> dict[str, Tube]:
    """Every sample with its place in the design; bare files have only their id."""
    if "samples" not in inputs.tables:
        return {s: Tube(s, "", "", "", "sample") for s in inputs.previews}
    frame = inputs.tables["samples"]
    columns = ["sample_id", "panel", "subject_id", "visit", "role"]
    texts = frame[columns].astype("string").fillna("").itertuples(index=False, name=None)
    return {t[0]: Tube(t[0], t[1], t[2], t[3], t[4] or "sample") for t in texts}


def _render(inputs: ReportInputs) -> Markup | None:
    if not inputs.previews:
        return None
    tubes = tubes_of(inputs)
    titles = visit_titles(inputs)
    tubes = {k: replace(t, visit=titles.get(t.visit, t.visit)) for k, t in tubes.items()}
    visits = tuple(titles.values())
    panels: dict[str, dict[str, list[tuple[Tube, int, GatePreview]]]] = {}
    for sample_id, previews in inputs.previews.items():
        tube = tubes.get(sample_id, Tube(sample_id, "", "", "", "sample"))
        for number, preview in enumerate(previews):
            panels.setdefault(tube.panel, {}).setdefault(preview.key, []).append((tube, number, preview))
    pictures = sum(len(own) for gates in panels.values() for own in gates.values())
    look = _Look(_outliers(inputs), pictures > FINE_PICTURES)
    sheets = [
        (
            panel,
            [_sheet(f"gate-{i}-{j}", entries, visits, look) for j, entries in enumerate(gates.values())],
        )
        for i, (panel, gates) in enumerate(panels.items())
    ]
    return render(
        "contact_sheet.html", panels=sheets, n_pictures=pictures, n_samples=len(inputs.previews), coarse=look.coarse
    )


def _sheet(
    anchor: str,
    entries: Sequence[tuple[Tube, int, GatePreview]],
    visits: Sequence[str],
    look: _Look,
) -> GateSheet:
    frame = shared_frame([p for _, _, p in entries])
    first = entries[0][2]
    drawn = [(tube, _picture(tube, number, preview, frame, look)) for tube, number, preview in entries]
    placed = {(t.subject, t.visit): p for t, p in reversed(drawn) if t.role == "sample" and t.subject and t.visit}
    subjects = list(dict.fromkeys(t.subject for t, p in drawn if placed.get((t.subject, t.visit)) is p))
    columns = [v for v in visits if any((s, v) in placed for s in subjects)]
    shown = {id(placed[s, v]) for s in subjects for v in columns if (s, v) in placed}
    lines = [Line(s, tuple(placed.get((s, v)) for v in columns)) for s in subjects]
    others = [p for _, p in drawn if id(p) not in shown]
    return GateSheet(
        anchor=anchor,
        title=", ".join(population_name(g.name) for g in first.gates),
        axes=f"{first.x.name} × {first.y.name}",
        where=first.parent_path,
        key=tuple((_key_text(gate), colour) for gate, colour in gate_colours(first)),
        columns=tuple(columns),
        lines=tuple(sorted(lines, key=lambda line: -sum(p.is_odd for p in line.pictures if p is not None))),
        others=tuple(sorted(others, key=lambda p: not p.is_odd)),
        odd=sum(p.is_odd for _, p in drawn),
    )


def _key_text(gate: PreviewGate) -> str:
    name = population_name(gate.name)
    how = f" ({gate.label})" if gate.label.lower() not in name.lower() and gate.label != gate.name else ""
    return f"{name}{how}" if gate.outlines else f"{name}: from the other gates"


def _picture(tube: Tube, number: int, preview: GatePreview, frame: Frame, look: _Look) -> Picture:
    found = {threshold_text(t): t for gate in preview.gates for t in gate.thresholds}
    words = "; ".join(found)
    counts = ", ".join(f"{g.label} {whole(g.count)}{_share(g.count, preview.parent_count)}" for g in preview.gates)
    description = (
        f"{tube.sample_id}: {preview.x.name} against {preview.y.name} of {whole(preview.parent_count)} events in "
        f"{preview.parent_path}. {counts}. {words}"
    )
    flags = [flag for t in found.values() for flag in _flags(tube, t, look.outliers)]
    drawn = preview.parent_count - preview.outside
    return Picture(
        svg=trusted(
            gate_picture(
                preview,
                frame,
                element_id=picture_id(tube.sample_id, number),
                description=description,
                coarse=look.coarse,
            )
        ),
        tube=tube,
        events=f"{whole(drawn)} events"
        if not preview.outside
        else f"{whole(drawn)} of {whole(preview.parent_count)} events",
        thresholds=words,
        boundaries=boundary_texts(list(found.values())),
        flags=tuple(dict.fromkeys(flags)),
        is_odd=bool(flags),
    )


def _flags(tube: Tube, threshold: PreviewThreshold, outliers: frozenset[tuple[str, str, str]]) -> list[str]:
    flags = [_FLAG_WORDS.get(f, f) for f in threshold.flags]
    if threshold.source in _UNUSUAL_SOURCES:
        flags.append(_SOURCE_WORDS[threshold.source])
    if (tube.sample_id, threshold.name, threshold.dimension) in outliers:
        flags.append(f"{threshold.dimension} far from others")
    return flags


def threshold_text(threshold: PreviewThreshold) -> str:
    """Marker, place on the linear scale, and what decided it."""
    source = _SOURCE_WORDS.get(threshold.source, threshold.source)
    method = f" ({threshold.method})" if threshold.method else ""
    if math.isnan(threshold.linear_value):
        return f"{threshold.dimension}: {source}{method}"
    scope = f" per {threshold.scope}" if threshold.scope else ""
    return f"{threshold.dimension} {short_number(float(f'{threshold.linear_value:.3g}'))}: {source}{method}{scope}"


def boundary_texts(thresholds: Sequence[PreviewThreshold]) -> tuple[str, ...]:
    """The same in the few words that fit below a picture, one line per source."""
    lines: dict[str, dict[str, list[str]]] = {}
    for t in thresholds:
        places = lines.setdefault(_SOURCE_WORDS.get(t.source, t.source), {})
        if math.isnan(t.linear_value):
            places.setdefault("shape", [])
        else:
            places.setdefault(t.dimension, []).append(short_number(float(f"{t.linear_value:.2g}")))
    return tuple(f"{source}: {'; '.join(map(_places, places.items()))}" for source, places in lines.items())


def _places(entry: tuple[str, list[str]]) -> str:
    """A marker with its boundaries, each once."""
    return " ".join([entry[0], ", ".join(dict.fromkeys(v.replace("-", "−") for v in entry[1]))]).strip()


def _share(count: int, whole_count: int) -> str:
    return f" ({percent_text(count / whole_count)})" if whole_count else ""


def _outliers(inputs: ReportInputs) -> frozenset[tuple[str, str, str]]:
    table = boundary_table(inputs)
    if table is None:
        return frozenset()
    far = table[table["is_outlier"]]
    return frozenset(zip(far["sample_id"], far["cut"], far["dimension"], strict=True))


SECTION = Section("contact-sheet", "Every gate of every sample", _render)
