"""Analyses that stand beside the main one: what is estimated, how robust it is, what these data could have shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from cytometry.reporting import results
from cytometry.reporting.formats import p_value, significant, whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.population_names import population_name
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Part:
    """A table and what a reader should take from it."""

    table: str
    caption: str
    note: str


PARTS: Final[tuple[Part, ...]] = (
    Part("estimands", "What exactly is estimated", "The five attributes of ICH E9(R1) for each analysis of the plan."),
    Part(
        "limits",
        "Below the limits of detection and quantification",
        "Populations with few cells, with exact upper limits. A count of zero is never printed as 0.00 %.",
    ),
    Part(
        "sensitivity",
        "Would another handling of low counts say the same?",
        "The same comparisons without the low samples, with half the limit in their place, and without the two "
        "overrides of the change score.",
    ),
    Part(
        "robustness",
        "Would other plausible gates say the same?",
        "Every planned comparison again, each gate moved by its own uncertainty, alike in all tubes that share it.",
    ),
    Part(
        "closure",
        "Is a fall only another subset's rise?",
        "Siblings sum to one. Centred log ratios of each set of siblings, as a sensitivity analysis.",
    ),
    Part(
        "omnibus",
        "Did anything change at all?",
        "One question to the whole panel at a visit, and to one population over all visits.",
    ),
    Part("courses", "Do cells follow disease activity over visits?", "Within participants, over complete courses."),
    Part("weighted", "Weighted by counting precision", "Random-effects mean of log odds ratios with its exact p."),
    Part("mixed_model", "Mixed model over visits", "Supportive: REML with Kenward-Roger degrees of freedom."),
    Part("count_model", "Binomial models of the counts", "Supportive: a random effect for every sample is included."),
    Part(
        "endpoints",
        "Low disease activity and remission",
        "SLEDAI-2K bands, LLDAS and DORIS 2021 per participant and visit, with the reason where they are not met.",
    ),
    Part("arms", "Between arms", "Exact permutation of arms."),
    Part("assays", "Assays beside cytometry", "The same change tests on analytes of assays.csv."),
    Part(
        "power",
        "What these numbers of participants could have shown",
        "Smallest effects that the exact test finds in 80 or 90 of 100 trials.",
    ),
)
# Long machine texts that are for the CSV.
_NAME_HEADINGS = (
    Heading("label", "Population", mark="name", under="of"),
    Heading("visit_title", "Visit", mark="nowrap"),
)
_NAMED = frozenset({"population", "path", "scale", "visit"})
_ONLY_IN_CSV = frozenset({"r_check", "p_definition", "path"})


def _render(inputs: ReportInputs) -> Markup | None:
    shown = [
        (part, _table(inputs.tables[part.table], part, inputs))
        for part in PARTS
        if part.table in inputs.tables and not inputs.tables[part.table].empty
    ]
    return render("supporting.html", parts=shown) if shown else None


def _table(frame: pd.DataFrame, part: Part, inputs: ReportInputs) -> Markup:
    shown, first, replaced = frame, list[Heading](), set[str]()
    if set(frame.columns) >= _NAMED:
        shown = results.with_names(frame, inputs)
        first = [
            Heading("label", "Population", mark="name", under="of"),
            Heading("visit_title", "Visit", mark="nowrap"),
        ]
        replaced = {*_NAMED, "panel", "denominator"}
    elif "population" in frame:
        shown = frame.assign(population=[population_name(str(p)) for p in frame["population"]])
    rest = [str(c) for c in frame.columns if c not in _ONLY_IN_CSV | replaced and frame[c].notna().any()]
    headings = [*first, *(_heading(c) for c in rest)]
    return data_table(shown, headings, name=part.table, caption=part.caption, download=frame, folded=True)


def _heading(column: str) -> Heading:
    is_p = column == "p" or column.startswith("p_") or column.endswith("_p")
    return Heading(column, column.replace("_", " "), _shown_p if is_p else _shown)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        return whole(value) if value == int(value) and abs(value) >= 1 else significant(value)
    return str(value)


def _shown_p(value: object) -> str:
    return p_value(value) if isinstance(value, float) and 0 <= value <= 1 else _shown(value)


SECTION = Section("supporting", "Supporting analyses", _render)
