"""What the responders' cells did: estimates and intervals, and why no test stands beside them."""

from __future__ import annotations

from markupsafe import Markup

from cytometry.reporting import results
from cytometry.reporting.formats import UNDEFINED, is_missing, p_value, significant
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.table import Heading, data_table


def responders_only(inputs: ReportInputs) -> Markup | None:
    """The table of the plan's populations; None where nobody was judged."""
    frame = inputs.tables.get("responders")
    if frame is None or frame.empty or inputs.study is None:
        return None
    labels, titles = results.population_labels(inputs), results.visit_titles(inputs)
    listed = set(inputs.study.plan.panel) | {r.population for r in inputs.study.plan.confirmatory}
    own = frame[frame["population"].isin(listed)] if listed else frame
    records = own.to_dict("records")
    shown = own.assign(
        label=[labels.get(str(r["population"]), results.readable(str(r["population"]))) for r in records],
        on=[_scale_words(str(r["scale"]), labels) for r in records],
        visit_title=[titles.get(str(r["visit"]), str(r["visit"])) for r in records],
        change=[f"{_ratio(r)} {results.interval(r['effect_low'], r['effect_high'])}" for r in records],
        direction=[results.direction_text(r) for r in records],
        others=[results.interval(r["others_low"], r["others_high"]) if r["n_others"] else UNDEFINED for r in records],
    )
    headings = (
        Heading("label", "Population", mark="name", under="on"),
        Heading("visit_title", "Visit", mark="nowrap"),
        Heading("n", "n"),
        Heading("change", "Change [exact interval]", sort="effect"),
        Heading("direction", "Direction", mark="nowrap"),
        Heading("p_floor", "Smallest p possible", p_value, "why no test is made"),
        Heading("others", "Non-responders lie at", note="on the scale of the test: log odds ratio or log2 fold"),
    )
    return data_table(
        shown,
        headings,
        name="responders",
        caption="Responders only: estimates and intervals, no test",
        download=own,
        folded=True,
    )


def _scale_words(scale: str, labels: dict[str, str]) -> str:
    if scale == results.ABUNDANCE:
        return "cells/µL"
    whole = scale.removeprefix("logit_of:")
    return "% of parent" if whole == scale else f"% of {labels.get(whole, results.readable(whole))}"


def _ratio(row: results.Row) -> str:
    value = row["effect"]
    return UNDEFINED if is_missing(value) else significant(float(value))
