"""What exactly is estimated: the five attributes of ICH E9(R1) for every analysis of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.rows import table_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Estimand:
    """One analysis; the field names are the attributes of ICH E9(R1)."""

    analysis: str
    treatment: str
    population: str
    variable: str
    intercurrent_events: str
    summary: str


def variable_text(scale: str) -> str:
    """What a change on a scale is, in words.

    Examples
    --------
    >>> variable_text("log2_per_ul")
    'log2 of cells/µL at the visit over baseline'
    """
    if scale == "log2_per_ul":
        return "log2 of cells/µL at the visit over baseline"
    if scale == "percent":
        return "difference of the percentage of the parent"
    whole = scale.removeprefix("logit_of:") if scale.startswith("logit_of:") else "its parent"
    return f"log odds ratio of the share of {whole}, visit against baseline, ½ added to each count"


def estimand_table(design: TrialDesign, plan: AnalysisPlan, treatment: str) -> pd.DataFrame:
    """Confirmatory readouts, the panel, the association and the response."""

    everybody = "all treated participants with both visits"
    policy = "treatment policy: values count whatever drugs were changed; a missing visit is missing, not imputed"
    summary = "Hodges-Lehmann pseudomedian of the changes with its exact interval"
    rows = [
        Estimand(
            f"confirmatory {order}: {r.population} at {design.title(r.visit)}",
            treatment,
            everybody,
            variable_text(r.scale),
            policy,
            summary,
        )
        for order, r in enumerate(plan.confirmatory, start=1)
    ]
    rows += [
        Estimand("panel", treatment, everybody, variable_text(plan.panel_scale), policy, summary),
        Estimand(
            f"association with {plan.outcome}",
            treatment,
            f"all treated participants with both visits and {plan.outcome}",
            f"(change of the population, change of {plan.outcome}) at the same visit",
            policy,
            "Spearman's rho over participants",
        ),
        Estimand(
            "responders only",
            treatment,
            "participants who responded: chosen by the outcome, so no causal reading and no test",
            variable_text(plan.panel_scale),
            "a set like a principal stratum, without a control arm",
            summary,
        ),
        Estimand(
            f"response ({plan.response.rule}) at {design.title(plan.response.visit or design.outcome_visit)}",
            treatment,
            "all treated participants",
            "met the index or not",
            "composite: withdrawal, rescue treatment and a missing component are failures",
            "proportion with Clopper and Pearson's interval",
        ),
    ]
    return table_of(rows, Estimand)
