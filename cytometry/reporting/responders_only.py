"""What the responders' cells did: estimates and intervals, and why no test stands beside them."""

from __future__ import annotations

from markupsafe import Markup

from cytometry.reporting import results
from cytometry.reporting.formats import UNDEFINED, is_missing, p_value
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.table import Heading, data_table


def responders_only(inputs: ReportInputs) -> Markup | None:
    """The table of the plan's populations; None where nobody was judged."""
    frame = inputs.tables.get("responders")
    if frame is None or frame.empty or inputs.study is None:
        return None
    listed = set(inputs.study.plan.panel) | {r.population for r in inputs.study.plan.confirmatory}
    own = frame[frame["population"].isin(listed)] if listed else frame
    records = own.to_dict("records")
    shown = results.with_names(own, inputs).assign(
        change=[_ratio(r) for r in records],
        direction=[results.direction_text(r) for r in records],
        others=[results.interval(r["others_low"], r["others_high"]) if r["n_others"] else UNDEFINED for r in records],
    )
    headings = (
        Heading("label", "Population", mark="name", under="of"),
        Heading("visit_title", "Visit", mark="nowrap"),
        Heading("n", "n"),
        Heading("change", "Ratio to baseline [exact interval]", sort="effect"),
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


def _ratio(row: results.Row) -> str:
    if is_missing(row["effect"]):
        return UNDEFINED
    return f"{results.ratio(row['effect'])} {results.interval(row['effect_low'], row['effect_high'])}"
