"""The control charts of the quality section: what is out of control first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from cytometry.plotting.control_chart import ChartPoint, control_chart_picture
from cytometry.quantification.control_rules import RUNS_FOR_LIMITS, is_rejected
from cytometry.reporting.formats import percent, significant
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render, trusted
from cytometry.reporting.population_names import population_name
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd

# Charts without a fault are folded away; so are those beyond this many per panel.
_OPEN = 12
_COLUMNS = (
    Heading("item", "Charted", under="kind"),
    Heading("panel", "Panel", under="material"),
    Heading("run", "Run"),
    Heading("sample_id", "Control", mark="nowrap", under="batch"),
    Heading("acquired_at", "Acquired", mark="nowrap"),
    Heading("value", "Value", significant, "share of the parent, display scale, or linear signal, as the kind says"),
    Heading("centre", "Centre", significant),
    Heading("sd", "SD", significant),
    Heading("z", "z", significant, "(value − centre) / SD"),
    Heading("rules", "Rules", tags=True),
    Heading("limits", "Limits"),
)


@dataclass(frozen=True, slots=True)
class _Chart:
    title: str
    note: str
    svg: Markup
    worst: float
    is_out: bool


def control_charts(inputs: ReportInputs) -> Markup | None:
    """Charts and their table; None without a control."""
    frame = inputs.tables.get("control_chart")
    if frame is None or frame.empty:
        return None
    panels: dict[str, list[_Chart]] = {}
    for (panel, *_), own in frame.groupby(["panel", "material", "kind", "item"], sort=False):
        panels.setdefault(str(panel), []).append(_chart(own))
    groups = []
    for panel, charts in panels.items():
        charts.sort(key=lambda c: (not c.is_out, -c.worst))
        shown = [c for c in charts if c.is_out][:_OPEN]
        groups.append((panel, shown, charts[len(shown) :], sum(c.is_out for c in charts)))
    rejected = [is_rejected(str(r).split(";")) for r in frame["rules"]]
    order = frame.assign(out=rejected, far=frame["z"].abs()).sort_values(
        ["out", "far"], ascending=False, na_position="last", kind="stable"
    )
    return render(
        "control_charts.html",
        groups=groups,
        n_runs=int(frame["run"].max()),
        provisional=bool((frame["limits"] == "provisional").any()),
        needed=RUNS_FOR_LIMITS,
        table=data_table(
            frame.loc[order.index],
            _COLUMNS,
            name="control_chart",
            caption="Every charted value of the controls, farthest out first",
            row_marks=["flagged" if o else "" for o in order["out"]],
            folded=True,
        ),
    )


def _chart(own: pd.DataFrame) -> _Chart:
    rows: list[dict[Any, Any]] = own.to_dict("records")
    first, last = rows[0], rows[-1]
    points = [ChartPoint(float(r["z"]), str(r["rules"]), is_rejected(str(r["rules"]).split(";"))) for r in rows]
    name = _name(str(first["kind"]), str(first["item"]))
    centre, sd = float(first["centre"]), float(first["sd"])
    show = percent if first["kind"] == "population" else significant
    texts = tuple(show(centre + k * sd) for k in (-2, 0, 2))
    out = [
        f"{r['sample_id']} {str(r['rules']).replace(';', ', ')}"
        for r, p in zip(rows, points, strict=True)
        if p.is_rejected
    ]
    described = ", ".join(f"{r['sample_id']} {show(float(r['value']))}" for r in rows)
    return _Chart(
        title=name,
        note="; ".join(out),
        svg=trusted(
            control_chart_picture(
                points,
                scale=texts,
                ends=(_when(first), _when(last)),
                description=f"{name} of the control over {len(rows)} runs: {described}. Centre {texts[1]}.",
            )
        ),
        worst=max((abs(p.z) for p in points if p.z == p.z), default=0.0),
        is_out=bool(out),
    )


def _name(kind: str, item: str) -> str:
    if kind == "population":
        return f"{population_name(item)}, % of parent"
    if kind == "threshold":
        return f"boundary {item}"
    marker, _, population = item.rpartition(" in ")
    return f"median {marker} in {population_name(population)}"


def _when(row: dict[Any, Any]) -> str:
    return str(row["acquired_at"])[:10] or str(row["batch"]) or str(row["sample_id"])
