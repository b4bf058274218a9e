"""All changes at one visit as a figure: estimates, intervals, and the participants behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from cytometry.plotting.forest import ForestRow, forest_figure
from cytometry.plotting.palette import subject_styles
from cytometry.plotting.svg import figure_svg
from cytometry.reporting import results
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import trusted

if TYPE_CHECKING:
    import pandas as pd


def change_forest(rows: pd.DataFrame, inputs: ReportInputs, visit: str) -> Markup | None:
    """Figure of the rows, which carry ``label``, ``of`` and ``change`` as texts; None if nothing can be drawn."""
    changes = inputs.tables.get("changes")
    if changes is None or rows.empty:
        return None
    styles = subject_styles(list(dict.fromkeys(changes["subject_id"])))
    drawn = [r for row in rows.to_dict("records") if (r := _forest_row(row, changes)) is not None]
    if not drawn:
        return None
    title = results.visit_titles(inputs).get(visit, visit)
    figure = forest_figure(
        drawn, styles, x_label=f"{title} as a ratio to baseline: odds ratio of the share, × for cells/µL"
    )
    described = "; ".join(f"{r['label']} ({r['of']}) {r['change']}" for r in rows.to_dict("records"))
    return trusted(figure_svg(figure, title=f"Change at {title}: {described}", prefix="forest"))


def _forest_row(row: results.Row, changes: pd.DataFrame) -> ForestRow | None:
    import numpy as np

    own = results.matching(changes, row, ("panel", "path", "visit", "scale"))
    own = own[own["change"].notna()]
    if own.empty or row["effect_unit"] == "percentage points":
        return None
    base = 2.0 if row["scale"] == results.ABUNDANCE else np.e
    return ForestRow(
        label=f"{row['label']}, {row['of']}",
        estimate=float(row["effect"]),
        low=float(row["effect_low"]),
        high=float(row["effect_high"]),
        subjects=tuple(own["subject_id"]),
        values=base ** own["change"].to_numpy(dtype=np.float64),
        is_strong=row["claim"] in {"significant", "confirmed"},
    )
