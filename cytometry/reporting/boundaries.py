"""Boundaries with their distances from those of other tubes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cytometry.quantification.threshold_spread import is_outlier, threshold_spread
from cytometry.reporting.inputs import ReportInputs

if TYPE_CHECKING:
    import pandas as pd

_DISTANCES = ("robust_z", "subject_z")


def boundary_table(inputs: ReportInputs) -> pd.DataFrame | None:
    """The ``thresholds`` table with ``is_outlier``, farthest from the others first; None without boundaries.

    Files without a study are gated each for itself, so that their table holds no
    distances; a page that shows them together may compare them.
    """
    frame = inputs.tables.get("thresholds")
    if frame is None or frame.empty:
        return None
    if frame[[*_DISTANCES]].isna().all(axis=None):
        rows: list[dict[Any, Any]] = frame.to_dict("records")
        spread = threshold_spread(rows, {})
        frame = frame.assign(robust_z=[_float(r["robust_z"]) for r in spread])
    distances = frame[[*_DISTANCES]]
    order = distances.abs().max(axis=1).sort_values(ascending=False, na_position="last", kind="stable").index
    far = [is_outlier(*pair) for pair in distances.itertuples(index=False, name=None)]
    return frame.assign(is_outlier=far).loc[order]


def _float(value: object) -> float:
    return float(value) if isinstance(value, float | int) else float("nan")
