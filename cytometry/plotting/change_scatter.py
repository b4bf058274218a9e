"""Change of a population against change of the clinical score, every participant named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytometry.plotting.palette import MUTED, PAPER, SubjectStyle
from cytometry.plotting.svg import drawing

FloatArray = npt.NDArray[np.float64]

SIZE = (3.7, 2.9)
# Width of a bold 8-point letter and height of a line, as fractions of the axes.
LETTER = 0.03
LINE = 0.065
# More names than this would hide the points.
NAMED_AT_MOST = 24


def change_scatter_figure(
    subjects: Sequence[str],
    x: FloatArray,
    y: FloatArray,
    styles: Mapping[str, SubjectStyle],
    *,
    x_label: str,
    y_label: str,
    notes: Mapping[str, str],
) -> Figure:
    """One mark per participant; lines at no change; no fitted line, which six points would not carry.

    ``notes`` adds a word to a participant's label and makes its mark hollow.
    """
    with drawing():
        figure = Figure(figsize=SIZE)
        axes = figure.add_axes((0.16, 0.17, 0.8, 0.79))
        axes.axhline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        for i, subject in enumerate(subjects):
            style = styles[subject]
            axes.plot(
                x[i],
                y[i],
                linestyle="none",
                marker=style.mark,
                markersize=7,
                markeredgewidth=1.5,
                markeredgecolor=style.colour,
                markerfacecolor="white" if subject in notes else style.colour,
                zorder=3,
            )
        axes.margins(0.14)
        if len(subjects) <= NAMED_AT_MOST:
            _name_points(axes, subjects, x, y, styles, notes)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
    return figure


def _name_points(
    axes: Axes,
    subjects: Sequence[str],
    x: FloatArray,
    y: FloatArray,
    styles: Mapping[str, SubjectStyle],
    notes: Mapping[str, str],
) -> None:
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    points = [((float(a) - left) / (right - left), (float(b) - low) / (high - low)) for a, b in zip(x, y, strict=True)]
    taken: list[_Box] = [_Box(u - 0.03, u + 0.03, v) for u, v in points]
    for i in np.argsort(-y, kind="stable"):
        text = f"{subjects[i]} {notes.get(subjects[i], '')}".strip()
        u, v = points[i]
        box, side, rise = _free_place(u, v, LETTER * len(text), [b for k, b in enumerate(taken) if k != i])
        taken.append(box)
        axes.annotate(
            text,
            (float(x[i]), float(y[i])),
            xytext=(7 * side, rise * 160),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=8,
            fontweight="bold",
            bbox=PAPER,
            color=styles[subjects[i]].ink,
        )


@dataclass(frozen=True, slots=True)
class _Box:
    """A label's or mark's place, in fractions of the axes."""

    left: float
    right: float
    middle: float

    def meets(self, other: _Box) -> bool:
        return self.left < other.right and other.left < self.right and abs(self.middle - other.middle) < LINE


def _free_place(u: float, v: float, width: float, taken: Sequence[_Box]) -> tuple[_Box, int, float]:
    """The first place beside the mark that is inside the axes and free; right of it and level if none is."""
    for rise in (0.0, LINE, -LINE, 2 * LINE, -2 * LINE):
        for side in (1, -1):
            start = u + 0.035 if side > 0 else u - 0.035 - width
            box = _Box(start, start + width, v + rise)
            if box.left >= 0 and box.right <= 1.02 and not any(box.meets(b) for b in taken):
                return box, side, rise
    return _Box(u + 0.035, u + 0.035 + width, v), 1, 0.0
