"""Each participant's course of one population over the visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytometry.plotting.axes_scales import AxisKind, axis_scale
from cytometry.plotting.labels import spread
from cytometry.plotting.palette import INK, PAPER, SubjectStyle
from cytometry.plotting.svg import drawing

FloatArray = npt.NDArray[np.float64]

SIZE = (3.9, 2.9)
# Points from label to label so that 8-point text does not overlap.
LABEL_GAP = 0.062
# More names than this cannot stand beside a figure, nor as many colours be told apart.
NAMED_AT_MOST = 24


@dataclass(frozen=True, eq=False, slots=True)
class Course:
    """One participant.

    Parameters
    ----------
    subject
        Label at the line's end.
    values, low, high
        One per visit in the natural unit (fraction or cells/µL), NaN where undefined; ``values`` never 0 on a
        logarithmic axis: the caller adds the half count that the test adds.
    is_low_count
        Drawn hollow, with its interval.
    note
        Put after the label, e.g. ``NR`` for a non-responder; such a line is dashed.
    """

    subject: str
    values: FloatArray
    low: FloatArray
    high: FloatArray
    is_low_count: npt.NDArray[np.bool_]
    note: str = ""


@dataclass(frozen=True, slots=True)
class VisitAxis:
    """Visits in order: where they stand, what stands below the tick, and what they have in common."""

    positions: tuple[float, ...]
    titles: tuple[str, ...]
    label: str = ""


def visit_axis(titles: Sequence[str], days: Sequence[float | None]) -> VisitAxis:
    """Visits at their planned days; evenly spaced where days are unknown or would crowd the labels.

    >>> visit_axis(["week 0", "week 4"], [0, 28])
    VisitAxis(positions=(0.0, 28.0), titles=('0', '4'), label='week')
    >>> visit_axis(["d0", "d1", "d700"], [0, 1, 700]).positions
    (0.0, 1.0, 2.0)
    """
    words = [t.rsplit(" ", 1) for t in titles]
    shared = {w[0] for w in words if len(w) == 2 and w[1].isdigit()}
    plain = len(shared) == 1 and all(len(w) == 2 for w in words)
    texts, label = (tuple(w[1] for w in words), shared.pop()) if plain else (tuple(titles), "")
    known = [d for d in days if d is not None]
    if len(known) == len(titles) > 1:
        gaps = np.diff(known)
        closest = float(gaps.min()) / (known[-1] - known[0])
        # An eighth of the axis holds a number, a fifth a short title.
        if (gaps > 0).all() and closest >= (1 / 8 if plain else 1 / 5):
            return VisitAxis(tuple(float(d) for d in known), texts, label)
    return VisitAxis(tuple(float(i) for i in range(len(titles))), texts, label)


def trajectory_figure(
    courses: Sequence[Course],
    visits: VisitAxis,
    styles: Mapping[str, SubjectStyle],
    *,
    kind: AxisKind,
    y_label: str,
) -> Figure:
    """Lines per participant, labelled at their last visit; a black bar is the median of each visit.

    Low-count points are hollow and carry their counting interval. More than 24
    participants are thin lines without names.
    """
    scale = axis_scale(kind)
    with drawing():
        figure = Figure(figsize=SIZE)
        axes = figure.add_axes((0.17, 0.16, 0.66, 0.8))
        heights = [scale.position(c.values) for c in courses]
        for course, y in zip(courses, heights, strict=True):
            crowded = len(courses) > NAMED_AT_MOST
            _line(axes, course, y, visits, styles[course.subject], scale.position, crowded=crowded)
        _medians(axes, heights, visits)
        low, high = _limits(axes)
        axes.set_ylim(low, high)
        positions, texts = scale.ticks(low, high)
        axes.set_yticks(positions, texts)
        span = visits.positions[-1] - visits.positions[0] or 1.0
        axes.set_xlim(visits.positions[0] - 0.05 * span, visits.positions[-1] + 0.04 * span)
        axes.set_xticks(visits.positions, visits.titles)
        axes.grid(visible=False, axis="x")
        axes.set_xlabel(visits.label)
        axes.set_ylabel(y_label)
        if len(courses) <= NAMED_AT_MOST:
            _end_labels(axes, courses, heights, visits, styles, span)
    return figure


def _line(
    axes: Axes,
    course: Course,
    y: FloatArray,
    visits: VisitAxis,
    style: SubjectStyle,
    position: Callable[[FloatArray], FloatArray],
    *,
    crowded: bool,
) -> None:
    x = np.asarray(visits.positions)
    there = np.isfinite(y)
    axes.plot(
        x[there],
        y[there],
        color=style.colour,
        linewidth=1.4,
        linestyle="--" if course.note else "-",
        zorder=2,
        alpha=0.9,
    )
    for hollow in (False, True):
        at = there & (course.is_low_count == hollow)
        axes.plot(
            x[at],
            y[at],
            linestyle="none",
            marker=style.mark,
            markersize=5.2,
            markeredgewidth=1.3,
            markeredgecolor=style.colour,
            markerfacecolor="white" if hollow else style.colour,
            zorder=3,
        )
    at = there & course.is_low_count
    if at.any():
        low, high = position(course.low[at]), position(course.high[at])
        keep = np.isfinite(low) & np.isfinite(high)
        axes.vlines(x[at][keep], low[keep], high[keep], color=style.colour, linewidth=0.9, alpha=0.7, zorder=1)


def _medians(axes: Axes, heights: Sequence[FloatArray], visits: VisitAxis) -> None:
    table = np.array(heights)
    width = 0.035 * (visits.positions[-1] - visits.positions[0] or 1.0)
    for k, x in enumerate(visits.positions):
        values = table[:, k][np.isfinite(table[:, k])]
        if values.size:
            axes.hlines(float(np.median(values)), x - width, x + width, color=INK, linewidth=2.6, zorder=4)


def _limits(axes: Axes) -> tuple[float, float]:
    low, high = axes.get_ylim()
    pad = 0.03 * (high - low)
    return float(low - pad), float(high + pad)


def _end_labels(
    axes: Axes,
    courses: Sequence[Course],
    heights: Sequence[FloatArray],
    visits: VisitAxis,
    styles: Mapping[str, SubjectStyle],
    span: float,
) -> None:
    ends = {i: int(np.flatnonzero(np.isfinite(y))[-1]) for i, y in enumerate(heights) if np.isfinite(y).any()}
    low, high = axes.get_ylim()
    for visit in sorted(set(ends.values())):
        here = [i for i, v in ends.items() if v == visit]
        wanted = [float(heights[i][visit]) for i in here]
        placed = spread(wanted, LABEL_GAP * (high - low), low, high)
        for i, y in zip(here, placed, strict=True):
            course = courses[i]
            axes.annotate(
                f"{course.subject} {course.note}".strip(),
                (visits.positions[visit] + 0.035 * span, y),
                color=styles[course.subject].ink,
                fontsize=8,
                fontweight="bold",
                va="center",
                annotation_clip=False,
                bbox=PAPER,
            )
