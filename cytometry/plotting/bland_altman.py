"""Differences of two strategies against their mean, one small picture per population."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cytometry.plotting.palette import ACCENT, INK, MUTED, SubjectStyle
from cytometry.plotting.svg import drawing

FloatArray = npt.NDArray[np.float64]

COLUMNS = 3
CELL = (3.0, 2.35)
# Room for a title above and axis labels below and left, in inches.
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.74, 0.1, 0.5, 0.34
# A line of the participants' marks above all pictures, and how many fit on it.
_KEY_HEIGHT, _KEY_AT_MOST = 0.3, 12
# Longer names would run into the neighbour.
_LONGEST = 34
# Shares that an axis of log odds may be labelled with, in per cent: few where it is long, more where it is short.
_SHARES = (
    (0.01, 0.1, 1, 10, 50, 90, 99, 99.9),
    (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 50, 70, 90, 97, 99, 99.7, 99.9),
    (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9),
)
# Narrower than this the limits would be read off rounding errors.
_LEAST_HALF_HEIGHT = 0.05


@dataclass(frozen=True, eq=False, slots=True)
class AgreementPicture:
    """One population.

    Parameters
    ----------
    title
        Above the picture.
    whole
        What the share is of.
    subjects
        Participant of each tube.
    means, differences
        Of each tube, in log odds.
    lines
        Bias, lower and upper limit, each with its interval; NaN where undefined.
    """

    title: str
    whole: str
    subjects: tuple[str, ...]
    means: FloatArray
    differences: FloatArray
    lines: tuple[tuple[float, float, float], ...]


def bland_altman_figure(
    pictures: Sequence[AgreementPicture], styles: Mapping[str, SubjectStyle], *, y_label: str
) -> Figure:
    """All populations, three in a row; a band is a line's interval, cut off where it leaves the picture."""
    rows = math.ceil(len(pictures) / COLUMNS)
    has_key = len(styles) <= _KEY_AT_MOST
    width, body = CELL[0] * COLUMNS, CELL[1] * max(rows, 1)
    height = body + (_KEY_HEIGHT if has_key else 0.0)
    with drawing():
        figure = Figure(figsize=(width, height))
        for k, picture in enumerate(pictures):
            row, column = divmod(k, COLUMNS)
            left, bottom = column * CELL[0] + _LEFT, body - (row + 1) * CELL[1] + _BOTTOM
            axes = figure.add_axes(
                (
                    left / width,
                    bottom / height,
                    (CELL[0] - _LEFT - _RIGHT) / width,
                    (CELL[1] - _BOTTOM - _TOP) / height,
                )
            )
            _draw(axes, picture, styles)
            axes.set_title(_short(picture.title), fontsize=9, loc="left", color=INK, fontweight="bold")
            axes.set_xlabel(_short(f"mean, % of {picture.whole}"), fontsize=8)
            if column == 0:
                axes.set_ylabel(y_label, fontsize=8)
            axes.tick_params(labelsize=7.5)
        if has_key:
            figure.legend(
                handles=[
                    Line2D([], [], linestyle="none", marker=s.mark, color=s.colour, markeredgewidth=0, label=name)
                    for name, s in styles.items()
                ],
                loc="upper left",
                bbox_to_anchor=(_LEFT / width, 1.0),
                ncols=len(styles),
                fontsize=8,
                handletextpad=0.1,
                columnspacing=1.0,
                borderaxespad=0.2,
            )
    return figure


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _draw(axes: Axes, picture: AgreementPicture, styles: Mapping[str, SubjectStyle]) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
    for number, (value, low, high) in enumerate(picture.lines):
        if not math.isfinite(value):
            continue
        colour = ACCENT if number == 0 else INK
        if math.isfinite(low) and math.isfinite(high):
            axes.axhspan(low, high, color=colour, alpha=0.14 if number == 0 else 0.07, linewidth=0, zorder=0)
        axes.axhline(value, color=colour, linewidth=1.4, linestyle="-" if number == 0 else (0, (5, 3)), zorder=2)
    for subject in dict.fromkeys(picture.subjects):
        own = np.array([s == subject for s in picture.subjects])
        style = styles[subject]
        axes.plot(
            picture.means[own],
            picture.differences[own],
            linestyle="none",
            marker=style.mark,
            markersize=4.2,
            color=style.colour,
            markeredgewidth=0,
            alpha=0.9,
            zorder=3,
        )
    _frame(axes, picture)


def _frame(axes: Axes, picture: AgreementPicture) -> None:
    shown = [abs(v) for v in picture.differences.tolist()]
    shown += [abs(value) for value, _, _ in picture.lines if math.isfinite(value)]
    half = 1.25 * max([_LEAST_HALF_HEIGHT, *shown])
    axes.set_ylim(-half, half)
    if not picture.means.size:
        return
    low, high = float(picture.means.min()), float(picture.means.max())
    # At least a factor of three in the odds, so that a narrow cloud is not blown up.
    room = max((math.log(3) - (high - low)) / 2, 0.08 * (high - low))
    low, high = low - room, high + room
    axes.set_xlim(low, high)
    inside: list[tuple[float, str]] = []
    for shares in _SHARES:
        places = [(math.log(s / (100 - s)), f"{s:g}") for s in shares]
        inside = [p for p in places if low <= p[0] <= high]
        if len(inside) > 2:
            break
    if len(inside) < 2:
        ends = [100 / (1 + math.exp(-x)) for x in (low + (high - low) * 0.15, high - (high - low) * 0.15)]
        inside = [(math.log(s / (100 - s)), f"{s:.3g}") for s in ends if 0 < s < 100]
    axes.set_xticks([p for p, _ in inside], [t for _, t in inside])
