"""One gate of one sample as a small SVG: vector axes and outlines over a palette PNG of the density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt

from cytometry.plotting.palette import ALERT, GATE_COLOURS
from cytometry.plotting.picture_labels import LabelPlace, place_label
from cytometry.plotting.png import data_uri, density_png
from cytometry.quantification.preview_axes import TICK_GAP, PreviewAxis
from cytometry.quantification.preview_outlines import clip_to_window
from cytometry.quantification.previews import GatePreview, PreviewGate

FloatArray = npt.NDArray[np.float64]

# Drawing units; the page scales the picture. Margins hold tick texts of the style sheet's size.
PLOT = 120.0
LEFT, TOP, RIGHT, BOTTOM = 31.0, 4.0, 9.0, 22.0
# Below this a bin of 96 holds one event or none.
FEW_EVENTS = 600
WIDTH = LEFT + PLOT + RIGHT
HEIGHT = TOP + PLOT + BOTTOM


@dataclass(frozen=True, slots=True)
class Frame:
    """The window that all samples of one gate share, so that positions compare by eye."""

    x: PreviewAxis
    y: PreviewAxis


def shared_frame(previews: Sequence[GatePreview]) -> Frame:
    """The union of the windows; ticks of the widest are kept where they fit."""
    return Frame(_union([p.x for p in previews]), _union([p.y for p in previews]))


def gate_picture(preview: GatePreview, frame: Frame, *, element_id: str, description: str, coarse: bool = False) -> str:
    """SVG markup of a picture; every text in it is escaped.

    Parameters
    ----------
    preview
        Of one sample.
    frame
        From :func:`shared_frame` over the samples that are compared.
    element_id
        Of the drawing, so that another place of the page can repeat it with ``<use>``.
    description
        For readers who do not see the picture: what, how many, where the boundary lies.
    coarse
        Bins twice as wide, half the bytes: for pages of thousands of pictures.
    """
    body = [
        f'<rect class="pf" x="{LEFT:g}" y="{TOP:g}" width="{PLOT:g}" height="{PLOT:g}"/>',
        _image(preview, frame, coarse=coarse),
        *_ticks(frame),
        *(_outline(gate, frame, colour) for gate, colour in zip(preview.gates, _colours(preview), strict=True)),
        *_percentages(preview, frame),
        _text("pa", LEFT + PLOT / 2, HEIGHT - 3, _short(preview.x.name)),
        _text("pa", -(TOP + PLOT / 2), 7, _short(preview.y.name), 'transform="rotate(-90)" '),
    ]
    return (
        f'<svg class="pic" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label={quoteattr(description)}>'
        f"<g id={quoteattr(element_id)}>{''.join(body)}</g></svg>"
    )


def gate_colours(preview: GatePreview) -> tuple[tuple[PreviewGate, str], ...]:
    """Each gate with the colour of its outline, for a caption."""
    return tuple(zip(preview.gates, _colours(preview), strict=True))


def _colours(preview: GatePreview) -> list[str]:
    return [GATE_COLOURS[i % len(GATE_COLOURS)] for i in range(len(preview.gates))]


def _union(axes: Sequence[PreviewAxis]) -> PreviewAxis:
    low, high = min(a.minimum for a in axes), max(a.maximum for a in axes)
    widest = max(axes, key=lambda a: a.maximum - a.minimum)
    ticks = list(widest.ticks)
    for axis in axes:
        # Inside the widest window its own ticks are evenly spaced already.
        beyond = [t for t in axis.ticks if not widest.minimum <= t[0] <= widest.maximum]
        ticks += [t for t in beyond if all(abs(t[0] - o[0]) >= (high - low) * TICK_GAP for o in ticks)]
    return PreviewAxis(axes[0].name, axes[0].scale, low, high, tuple(sorted(ticks)))


def _px(frame: Frame, x: float) -> float:
    return LEFT + PLOT * (x - frame.x.minimum) / (frame.x.maximum - frame.x.minimum)


def _py(frame: Frame, y: float) -> float:
    return TOP + PLOT * (frame.y.maximum - y) / (frame.y.maximum - frame.y.minimum)


def _image(preview: GatePreview, frame: Frame, *, coarse: bool) -> str:
    if not preview.histogram.any():
        return ""
    left, right = _px(frame, preview.x.minimum), _px(frame, preview.x.maximum)
    top, bottom = _py(frame, preview.y.maximum), _py(frame, preview.y.minimum)
    return (
        f'<image x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
        f'preserveAspectRatio="none" href="{data_uri(density_png(_visible(preview, coarse=coarse)))}"/>'
    )


def _visible(preview: GatePreview, *, coarse: bool = False) -> npt.NDArray[Any]:
    """The histogram, in bins twice as wide where few events would be specks."""
    counts = preview.histogram
    if (preview.parent_count >= FEW_EVENTS and not coarse) or counts.shape[0] % 2 or counts.shape[1] % 2:
        return counts
    width, height = counts.shape[0] // 2, counts.shape[1] // 2
    return np.asarray(counts.reshape(width, 2, height, 2).sum(axis=(1, 3), dtype=np.int64))


def _ticks(frame: Frame) -> list[str]:
    base = TOP + PLOT
    out = []
    for position, text in frame.x.ticks:
        x = _px(frame, position)
        out.append(f'<path class="pt" d="M{x:.1f} {base:g}v2.5"/>')
        out.append(_text("px", x, base + 9, text))
    for position, text in frame.y.ticks:
        y = _py(frame, position)
        out.append(f'<path class="pt" d="M{LEFT:g} {y:.1f}h-2.5"/>')
        out.append(_text("py", LEFT - 3.5, y + 2.2, text))
    return out


def _text(kind: str, x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text class="{kind}" {attributes}x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _outline(gate: PreviewGate, frame: Frame, colour: str) -> str:
    low, high = (frame.x.minimum, frame.y.minimum), (frame.x.maximum, frame.y.maximum)
    shapes = []
    for polygon in gate.outlines:
        corners = clip_to_window(polygon, low, high)
        if len(corners):
            points = " ".join(f"{_px(frame, x):.1f},{_py(frame, y):.1f}" for x, y in corners)
            stroke = ALERT if any(t.source == "override" for t in gate.thresholds) else colour
            shapes.append(f'<polygon class="po" stroke="{stroke}" points="{points}"/>')
    return "".join(shapes)


def _percentages(preview: GatePreview, frame: Frame) -> list[str]:
    """Percent of parent in a corner of each outline."""
    if not preview.parent_count:
        return []
    low, high = (frame.x.minimum, frame.y.minimum), (frame.x.maximum, frame.y.maximum)
    out: list[str] = []
    taken: list[LabelPlace] = []
    for gate, colour in zip(preview.gates, _colours(preview), strict=True):
        corners = np.concatenate([clip_to_window(p, low, high) for p in gate.outlines] or [np.empty((0, 2))])
        if not len(corners):
            continue
        points = np.array([[_px(frame, x), _py(frame, y)] for x, y in corners])
        text = percent_text(gate.count / preview.parent_count)
        place = place_label(points, text, taken, (LEFT + PLOT / 2, TOP + PLOT / 2))
        taken.append(place)
        attributes = f'fill="{colour}" text-anchor="{place.anchor}" '
        out.append(_text("pp", place.x, place.y, text, attributes))
    return out


def percent_text(fraction: float) -> str:
    """Three significant digits at most: a picture's label, the table has the rest.

    >>> [percent_text(f) for f in (0.5, 0.0123, 0.00012, 0.0, 1.0)]
    ['50 %', '1.2 %', '0.01 %', '0 %', '100 %']
    """
    value = 100 * fraction
    if value == 0 or value == 100:
        return f"{value:g} %"
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %" if value >= 0.1 else f"{value:.2f} %"


def _short(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"
