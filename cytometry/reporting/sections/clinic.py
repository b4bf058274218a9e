"""Who responded by which rule, the first reason of a failure, and single participants whose cells changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from cytometry.plotting.svg import figure_svg
from cytometry.plotting.trajectories import Course, trajectory_figure, visit_axis
from cytometry.reporting import results
from cytometry.reporting.called_changes import called_changes
from cytometry.reporting.formats import UNDEFINED, is_missing, percent, plain_number, significant
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render, trusted
from cytometry.reporting.participants import outcome_name, participants
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table
from cytometry.statistics.individuals import rule_text

if TYPE_CHECKING:
    import pandas as pd

_SRI = (
    Heading("subject_id", "Participant", mark="name"),
    Heading("responder_shown", "Responder"),
    Heading("reason", "First reason of failure"),
    Heading("sledai_change", "ΔSLEDAI", plain_number),
    Heading("sledai_shown", "fell enough"),
    Heading("bilag_shown", "no worse BILAG"),
    Heading("new_shown", "New A or B", note="systems"),
    Heading("pga_change", "ΔPGA", plain_number),
    Heading("pga_shown", "PGA not worse"),
    Heading("prednisone", "Prednisone mg/day", plain_number),
    Heading("drugs_shown", "drug rules"),
)
_CALLS = (
    Heading("subject_id", "Participant", mark="name"),
    Heading("label", "Population", mark="name", under="of"),
    Heading("visit_title", "Visit"),
    Heading("call", "Call"),
    Heading("change", "Change", significant, "log odds ratio"),
    Heading("limit", "Had to exceed", significant),
    Heading("counting_sd", "SD counting", significant),
    Heading("gating_sd", "SD gating", significant),
    Heading("control_sd", "SD between control tubes", significant),
    Heading("control_tubes", "Control tubes"),
    Heading("reason", "Remark"),
)


def _render(inputs: ReportInputs) -> Markup | None:
    study = inputs.study
    sri = inputs.tables.get("sri")
    if study is None or sri is None or sri.empty:
        return None
    visit = results.response_visit(study)
    titles = results.visit_titles(inputs)
    own = sri[sri["primary"].astype(bool) & (sri["visit"] == visit)]
    rules = str(own["rules"].iloc[0]) if len(own) else ""
    values = _outcome_values(inputs)
    return render(
        "clinic.html",
        visit=titles.get(visit, visit),
        rules=rules,
        rates=_rates(inputs, titles),
        table=_sri(own, "sri", f"{rules} at {titles.get(visit, visit)} by component"),
        more=_sri(sri.drop(index=own.index), "sri-other", "Other visits and rule sets", folded=True),
        course=None if values is None else _outcome_course(values, inputs),
        values=None if values is None else _outcome_table(values, inputs),
        rule=rule_text(study.plan),
        calls=_individuals(inputs),
        called=called_changes(inputs),
        visits=[titles[v] for v in study.visit_ids if v != study.baseline.id],
    )


def _rates(inputs: ReportInputs, titles: dict[str, str]) -> Markup | None:
    rates = inputs.tables.get("response_rate")
    if rates is None:
        return None
    # A visit that nobody has reached has no rate, and stays in the CSV.
    rates = rates[rates["responders"].notna()]
    if rates.empty:
        return None
    records = rates.to_dict("records")
    shown = rates.assign(
        visit_title=[titles.get(str(r["visit"]), str(r["visit"])) for r in records],
        of=[f"{int(r['responders'])}/{int(r['treated'])}" for r in records],
        interval=[f"{percent(r['low'])} to {percent(r['high'])}" for r in records],
    )
    headings = (
        Heading("rule", "Rule set"),
        Heading("visit_title", "Visit"),
        Heading("of", "Responders of treated", sort="responders"),
        Heading("fraction", "Rate", percent),
        Heading("interval", "Exact 95 % interval (Clopper–Pearson)", sort="low"),
    )
    return data_table(shown, headings, name="response_rate", caption="Responders by rule set and visit", download=rates)


def _sri(rows: pd.DataFrame, name: str, caption: str, *, folded: bool = False) -> Markup | None:
    if rows.empty:
        return None
    records = rows.to_dict("records")
    shown = rows.assign(
        responder_shown=[_yes_no(r["responder"]) for r in records],
        sledai_shown=[_yes_no(r["sledai_ok"]) for r in records],
        bilag_shown=[_yes_no(r["bilag_ok"]) for r in records],
        pga_shown=[_yes_no(r["pga_ok"]) for r in records],
        new_shown=[
            "; ".join(str(r[c]) for c in ("systems_new_a", "systems_new_b") if r[c]) or UNDEFINED for r in records
        ],
        drugs_shown=[_both(r["prednisone_ok"], r["immunosuppressant_ok"]) for r in records],
    )
    headings = _SRI if not folded else (_SRI[0], Heading("visit", "Visit"), Heading("rules", "Rules"), *_SRI[1:])
    marks = ["flagged" if r["responder_shown"] == "no" else "" for r in shown.to_dict("records")]
    return data_table(shown, headings, name=name, caption=caption, download=rows, row_marks=marks, folded=folded)


def _yes_no(value: object) -> str:
    if is_missing(value):
        return UNDEFINED
    return "yes" if str(value) in {"True", "1", "1.0"} else "no"


def _both(one: object, other: object) -> str:
    words = [w for w in (_yes_no(one), _yes_no(other)) if w != UNDEFINED]
    return UNDEFINED if not words else "no" if "no" in words else "yes"


def _outcome_values(inputs: ReportInputs) -> pd.DataFrame | None:
    """The clinical score by participant and visit, as recorded; None where there is none."""
    import pandas as pd

    study = inputs.study
    if study is None:
        return None
    rows = [
        (str(r["subject_id"]), str(r["visit"]), float(str(r[study.plan.outcome])))
        for r in study.clinical
        if str(r["visit"]) in study.visit_ids and not is_missing(r.get(study.plan.outcome))
    ]
    if not rows:
        return None
    wide = pd.DataFrame(rows, columns=["subject_id", "visit", "value"]).pivot_table(
        index="subject_id", columns="visit", values="value", aggfunc="first", sort=False
    )
    return wide.reindex(columns=list(study.visit_ids)).reset_index()


def _outcome_course(values: pd.DataFrame, inputs: ReportInputs) -> Markup:
    """The course as a figure; :func:`_outcome_table` shows the same values."""
    import numpy as np

    study = inputs.study
    visits = [] if study is None else study.visits
    who = participants(inputs)
    nothing = np.full(len(visits), np.nan)
    low = np.zeros(len(visits), dtype=bool)
    courses = [
        Course(str(row[0]), np.array(row[1:], dtype=np.float64), nothing, nothing, low, who.notes.get(str(row[0]), ""))
        for row in values.itertuples(index=False, name=None)
        if row[0] in who.styles
    ]
    axis = visit_axis([v.title for v in visits], [v.planned_day for v in visits])
    name = outcome_name(inputs)
    figure = trajectory_figure(courses, axis, who.styles, kind="plain", y_label=name)
    return trusted(
        figure_svg(figure, title=f"{name} by participant and visit; the table has the values", prefix="outcome")
    )


def _outcome_table(values: pd.DataFrame, inputs: ReportInputs) -> Markup:
    titles = results.visit_titles(inputs)
    headings = [Heading("subject_id", "Participant", mark="name")]
    headings += [Heading(str(c), titles.get(str(c), str(c)), plain_number) for c in values.columns[1:]]
    return data_table(values, headings, name="outcome-values", caption=f"{outcome_name(inputs)} as recorded")


def _individuals(inputs: ReportInputs) -> Markup | None:
    frame = inputs.tables.get("individuals")
    if frame is None or frame.empty or inputs.study is None:
        return None
    order = {"gained": 0, "lost": 0, "within variation": 1, "not callable": 2}
    rows = frame.assign(_order=frame["call"].map(order)).sort_values("_order", kind="stable").drop(columns="_order")
    shown = results.with_names(rows, inputs)
    called = int(rows["call"].isin(["gained", "lost"]).sum())
    caption = f"Single participants: {called} of {len(rows)} changes called"
    marks = ["main" if c in {"gained", "lost"} else "" for c in rows["call"]]
    return data_table(shown, _CALLS, name="individuals", caption=caption, download=frame, row_marks=marks, folded=True)


SECTION = Section("clinic", "Clinical response and single participants", _render)
