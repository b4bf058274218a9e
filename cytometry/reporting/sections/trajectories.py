"""Every participant's course of every population that the plan names, on the scale on which it is tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from matplotlib.figure import Figure

from cytometry.model.study import Study
from cytometry.plotting.axes_scales import AxisKind
from cytometry.plotting.svg import figure_svg
from cytometry.plotting.trajectories import VisitAxis, trajectory_figure, visit_axis
from cytometry.reporting import results
from cytometry.reporting.courses import courses
from cytometry.reporting.formats import p_value, significant, whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render, trusted
from cytometry.reporting.participants import Participants, participants
from cytometry.reporting.population_names import population_name
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd

_KEY = ("panel", "path", "scale")
_HEADINGS = (
    Heading("subject_id", "Participant", mark="nowrap"),
    Heading("label", "Population", mark="name", under="of"),
    Heading("visit_title", "Visit", mark="nowrap"),
    Heading("count_baseline", "Events before", whole),
    Heading("denominator_baseline", "of", whole),
    Heading("percent_baseline", "% before", significant),
    Heading("count", "Events at visit", whole),
    Heading("denominator_count", "of", whole),
    Heading("percent", "% at visit", significant),
    Heading("cells_per_ul_baseline", "cells/µL before", significant),
    Heading("cells_per_ul", "cells/µL at visit", significant),
    Heading("change", "Change", significant, "log odds ratio, or log2 of the fold change of cells/µL"),
    Heading("flags", "Flags", tags=True),
)


def _render(inputs: ReportInputs) -> Markup | None:
    changes, comparison = inputs.tables.get("changes"), inputs.tables.get("comparison")
    study = inputs.study
    if changes is None or comparison is None or changes.empty or study is None:
        return None
    titles = results.visit_titles(inputs)
    axis = visit_axis([v.title for v in study.visits], [v.planned_day for v in study.visits])
    rows = results.ordered(comparison, study.visit_ids)
    planned = rows[rows["role"].isin(["confirmatory", "panel"])]
    figures = []
    for number, key in enumerate(planned[list(_KEY)].drop_duplicates().to_dict("records")):
        own = results.matching(rows, key, list(_KEY))
        records = sorted(own.to_dict("records"), key=lambda r: study.visit_ids.index(str(r["visit"])))
        label, of = population_name(str(records[0]["population"])), results.denominator_text(records[0])
        lines = [_line(r, titles) for r in records]
        mine = results.matching(changes, key, list(_KEY))
        figure = _figure(mine, study, participants(inputs), axis, of)
        described = f"{label}, {of}, by participant and visit. " + " ".join(" ".join(line) for line in lines)
        svg = trusted(figure_svg(figure, title=described, prefix=f"course-{number}"))
        figures.append({"anchor": f"course-{number}", "label": label, "of": of, "lines": lines, "svg": svg})
    table = _table(changes, inputs)
    return render("trajectories.html", figures=figures, table=table, rules=study.plan.rules)


def _line(row: results.Row, titles: dict[str, str]) -> tuple[str, str]:
    """The visit, and what became of it."""
    title = titles.get(str(row["visit"]), str(row["visit"]))
    effect = f"{results.effect_text(row)}, {results.direction_text(row)}, p {results.p_text(row)}"
    floor = f", smallest possible {p_value(row['p_floor'])}" if str(row["claim"]).startswith("cannot") else ""
    return title, effect + floor


def _figure(rows: pd.DataFrame, study: Study, who: Participants, axis: VisitAxis, of: str) -> Figure:
    scale = str(rows["scale"].iloc[0])
    kind: AxisKind = "log2" if scale == results.ABUNDANCE else "percent" if scale == "percent" else "logit"
    return trajectory_figure(courses(rows, study, who.notes), axis, who.styles, kind=kind, y_label=of)


def _table(changes: pd.DataFrame, inputs: ReportInputs) -> Markup:
    shown = results.with_names(changes, inputs)
    caption = "Every participant's counts, shares and changes: all numbers of the figures above"
    return data_table(shown, _HEADINGS, name="changes", caption=caption, download=changes, folded=True)


SECTION = Section("trajectories", "Before and after", _render)
