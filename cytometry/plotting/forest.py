"""Change of every population at one visit: estimate, interval, and each participant's own change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytometry.plotting.palette import ACCENT, INK, MUTED, SubjectStyle
from cytometry.plotting.svg import drawing

FloatArray = npt.NDArray[np.float64]

# Ratios that an axis of odds ratios or folds is labelled with.
_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)
WIDTH = 8.6
ROW_HEIGHT = 0.34


@dataclass(frozen=True, eq=False, slots=True)
class ForestRow:
    """One population.

    Parameters
    ----------
    label
        At the left.
    estimate, low, high
        As ratios.
    subjects, values
        Each participant's change as a ratio.
    is_strong
        Drawn in the accent colour: adjusted p at or below alpha.
    """

    label: str
    estimate: float
    low: float
    high: float
    subjects: tuple[str, ...]
    values: FloatArray
    is_strong: bool


def forest_figure(rows: Sequence[ForestRow], styles: Mapping[str, SubjectStyle], *, x_label: str) -> Figure:
    """Diamonds with intervals over the participants' marks, on a logarithmic axis, no change at 1."""
    with drawing():
        height = ROW_HEIGHT * len(rows) + 0.75
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0.34, 0.55 / height, 0.63, 1 - 0.65 / height))
        axes.axvline(0, color=MUTED, linewidth=1.0, zorder=1)
        for place, row in enumerate(rows):
            _row(axes, -place, row, styles)
        axes.set_yticks([-i for i in range(len(rows))], [r.label for r in rows])
        axes.set_ylim(-len(rows) + 0.4, 0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False, axis="y")
        low, high = axes.get_xlim()
        ticks = [(float(np.log2(r)), f"{r:g}") for r in _RATIOS if low <= np.log2(r) <= high]
        axes.set_xticks([t for t, _ in ticks], [t for _, t in ticks])
        axes.set_xlabel(x_label)
    return figure


def _row(axes: Axes, y: float, row: ForestRow, styles: Mapping[str, SubjectStyle]) -> None:
    colour = ACCENT if row.is_strong else INK
    for subject, value in zip(row.subjects, row.values, strict=True):
        style = styles[subject]
        axes.plot(
            np.log2(value),
            y - 0.17,
            linestyle="none",
            marker=style.mark,
            markersize=4,
            color=style.colour,
            alpha=0.9,
            markeredgewidth=0,
            zorder=2,
        )
    if np.isfinite([row.low, row.high]).all():
        axes.hlines(y + 0.13, np.log2(row.low), np.log2(row.high), color=colour, linewidth=2.2, zorder=3)
    if np.isfinite(row.estimate):
        axes.plot(np.log2(row.estimate), y + 0.13, linestyle="none", marker="D", markersize=6, color=colour, zorder=4)
