"""The compensation check of the quality section: a grid per matrix, wrong pairs first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from cytometry.plotting.pair_matrix import PairCell, pair_matrix_picture
from cytometry.reporting.formats import significant
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render, trusted
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd


def _points(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", "−")


_COLUMNS = (
    Heading("source", "Dye", mark="nowrap", under="source_marker"),
    Heading("target", "Detector", mark="nowrap", under="target_marker"),
    Heading("panel", "Panel", under="matrix"),
    Heading("verdict", "Compensated", tags=True),
    Heading("coefficient", "Matrix, %", _points),
    Heading("error", "Error, points", _points, "true minus stored coefficient; positive: compensated too little"),
    Heading("standard_error", "± SE", lambda v: significant(100 * v, 2)),
    Heading("limit", "Limit", _points, "error beyond which the pair is called wrong"),
    Heading("tubes", "Tubes"),
)
# So many matrices are drawn; the table holds all.
_DRAWN = 6


@dataclass(frozen=True, slots=True)
class _Grid:
    title: str
    svg: Markup
    wrong: int
    unsure: int
    silent: int


def compensation_pairs(inputs: ReportInputs) -> Markup | None:
    """Grids and their table; None where nothing was compensated or checked."""
    frame = inputs.tables.get("qc_compensation")
    if frame is None or frame.empty:
        return None
    grids = [_grid(str(panel), own) for (panel, _), own in frame.groupby(["panel", "matrix"], sort=False)]
    grids.sort(key=lambda g: -g.wrong)
    wrong = frame["verdict"].isin(["under", "over"])
    order = frame.assign(wrong=wrong, size=frame["error"].abs(), unsure=frame["verdict"] == "cannot tell")
    order = order.sort_values(["wrong", "unsure", "size"], ascending=[False, True, False], kind="stable")
    return render(
        "compensation_pairs.html",
        grids=grids[:_DRAWN],
        more=max(len(grids) - _DRAWN, 0),
        n_wrong=int(wrong.sum()),
        n_pairs=len(frame),
        table=data_table(
            frame.loc[order.index],
            _COLUMNS,
            name="qc_compensation",
            caption="Every pair that cells say something about, wrong ones first",
            row_marks=["flagged" if w else "" for w in order["wrong"]],
            folded=True,
        ),
    )


def _grid(panel: str, own: pd.DataFrame) -> _Grid:
    rows: list[dict[Any, Any]] = own.to_dict("records")
    names = list(dict.fromkeys([r["source"] for r in rows] + [r["target"] for r in rows]))
    labels: Mapping[str, str] = {r[e]: str(r[f"{e}_marker"] or "") for r in rows for e in ("source", "target")}
    cells = {(r["source"], r["target"]): PairCell(100 * float(r["error"]), r["verdict"]) for r in rows}
    wrong = [r for r in rows if r["verdict"] in ("under", "over")]
    unsure = sum(r["verdict"] == "cannot tell" for r in rows)
    silent = len(names) * (len(names) - 1) - len(rows)
    told = ", ".join(f"{r['source']} into {r['target']} {100 * r['error']:+.1f} points" for r in wrong) or "none wrong"
    return _Grid(
        title=f"Panel {panel}, matrix {rows[0]['matrix']}, {max(int(r['tubes']) for r in rows)} tubes",
        svg=trusted(pair_matrix_picture(names, cells, labels, description=f"Errors of the matrix by pair: {told}.")),
        wrong=len(wrong),
        unsure=unsure,
        silent=silent,
    )
