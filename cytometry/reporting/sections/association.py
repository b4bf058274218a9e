"""Which changes of cells go with the change of disease activity: one point per participant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from cytometry.plotting.change_scatter import change_scatter_figure
from cytometry.plotting.svg import figure_svg
from cytometry.reporting import results
from cytometry.reporting.formats import UNDEFINED, is_missing, p_value, plain_number, significant
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render, trusted
from cytometry.reporting.participants import outcome_name, participants
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd

_HEADINGS = (
    Heading("label", "Population", mark="name", under="of"),
    Heading("visit_title", "Visit", mark="nowrap"),
    Heading("n", "n", note="participants with both changes"),
    Heading("rho_shown", "Spearman ρ [95 % interval]", sort="rho", note="Bonett and Wright's interval, approximate"),
    Heading("p_shown", "p", sort="p", note="exact over all orders of the participants"),
    Heading("p_maxt", "Adjusted p", p_value, note="step-down maxT, the outcome permuted jointly"),
    Heading("p_floor", "Smallest p possible", p_value),
    Heading("loo_shown", "Leaving one out", sort="loo_low", note="range of ρ, each participant left out in turn"),
    Heading("tau_b", "Kendall τ", significant),
    Heading("claim", "Says"),
)
_MARKED_AS_PANEL = "panel"
_KEY = ("panel", "path", "visit", "scale")


def _render(inputs: ReportInputs) -> Markup | None:
    correlation = inputs.tables.get("correlation")
    if correlation is None or correlation.empty or inputs.study is None:
        return None
    rows = _shown(correlation, inputs)
    panel = rows[rows["role"] == _MARKED_AS_PANEL]
    primary = results.primary_visit(inputs)
    here = panel[panel["visit"] == primary]
    others = rows.drop(index=here.index)
    titles = results.visit_titles(inputs)
    title = titles.get(primary, primary)
    outcome = outcome_name(inputs)
    tables = [_table(here, "correlation", f"Change of cells against change of {outcome} at {title}, adjusted together")]
    if len(others):
        tables.append(_table(others, "correlation-more", "Other visits and scales", folded=True))
    return render(
        "association.html",
        outcome=outcome,
        visit=title,
        figures=_figures(here, inputs, outcome),
        tables=tables,
        outcome_table=_outcome(inputs, outcome),
    )


def _shown(rows: pd.DataFrame, inputs: ReportInputs) -> pd.DataFrame:
    records = rows.to_dict("records")
    return results.with_names(rows, inputs).assign(
        rho_shown=[_with_interval(r["rho"], r["ci_low"], r["ci_high"]) for r in records],
        p_shown=[results.p_text(r) for r in records],
        loo_shown=[f"{_number(r['loo_low'])} to {_number(r['loo_high'])}" for r in records],
    )


def _with_interval(value: float, low: float, high: float) -> str:
    return UNDEFINED if is_missing(value) else f"{_number(value)} [{_number(low)} to {_number(high)}]"


def _number(value: float) -> str:
    """A coefficient with two decimals and its sign."""
    return UNDEFINED if is_missing(value) else f"{value:+.2f}".replace("-", "−")


def _table(rows: pd.DataFrame, name: str, caption: str, *, folded: bool = False) -> Markup:
    return data_table(
        rows,
        _HEADINGS,
        name=name,
        caption=caption,
        row_marks=["main" if c == "significant" else "" for c in rows["claim"]],
        download=results.without_names(rows, "rho_shown", "p_shown", "loo_shown"),
        folded=folded,
    )


def _figures(rows: pd.DataFrame, inputs: ReportInputs, outcome: str) -> list[dict[str, object]]:
    changes, scores = inputs.tables.get("changes"), inputs.tables.get("outcome")
    if changes is None or scores is None:
        return []
    who = participants(inputs)
    figures = []
    for number, row in enumerate(rows.to_dict("records")):
        pairs = results.matching(changes, row, list(_KEY)).merge(
            scores, on=["subject_id", "visit"], suffixes=("", "_outcome")
        )
        pairs = pairs[pairs["change"].notna() & pairs["change_outcome"].notna()]
        if pairs.empty:
            continue
        subjects = [str(s) for s in pairs["subject_id"]]
        unit = "log2 fold" if row["scale"] == results.ABUNDANCE else "log odds ratio"
        svg = change_scatter_figure(
            subjects,
            pairs["change"].to_numpy(dtype=float),
            pairs["change_outcome"].to_numpy(dtype=float),
            who.styles,
            x_label=f"change ({unit})",
            y_label=f"change of {outcome}",
            notes=who.notes,
        )
        floor = p_value(row["p_floor"])
        line = f"ρ = {row['rho_shown']}, p {row['p_shown']}, smallest possible {floor}, n = {row['n']}"
        title = f"Change of {outcome} against change of {row['label']} at {row['visit_title']}: {line}"
        figures.append(
            {
                "label": row["label"],
                "of": row["of"],
                "line": line,
                "svg": trusted(figure_svg(svg, title=title, prefix=f"scatter-{number}")),
            }
        )
    return figures


def _outcome(inputs: ReportInputs, outcome: str) -> Markup | None:
    frame = inputs.tables.get("outcome")
    if frame is None or frame.empty:
        return None
    titles = results.visit_titles(inputs)
    shown = frame.assign(visit_title=[titles.get(str(v), str(v)) for v in frame["visit"]])
    headings = (
        Heading("subject_id", "Participant"),
        Heading("visit_title", "Visit"),
        Heading("change", f"Change of {outcome}", plain_number),
    )
    return data_table(
        shown, headings, name="outcome", caption=f"Changes of {outcome} since baseline", download=frame, folded=True
    )


SECTION = Section("association", "Change of cells and of disease activity", _render)
