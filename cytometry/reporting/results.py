"""The comparison table as the sections read it: which rows, in which order, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cytometry.reporting.formats import UNDEFINED, is_missing, p_value, significant
from cytometry.reporting.inputs import ReportInputs

if TYPE_CHECKING:
    import pandas as pd

ABUNDANCE = "log2_per_ul"
# One row of a result table, by column.
Row = Mapping[Any, Any]
_ROLE_ORDER = {"confirmatory": 0, "panel": 1, "exploratory": 2}
_UNITS = {"odds ratio": "OR", "fold change": "×", "percentage points": "points"}


def population_labels(inputs: ReportInputs) -> dict[str, str]:
    """Name of a population to what people call it, as the panels say."""
    labels: dict[str, str] = {}
    for panel in inputs.panels.values():
        for population in panel.strategy.populations:
            labels.setdefault(population.name, population.label or readable(population.name))
    return labels


def readable(name: str) -> str:
    """A canonical id as words.

    >>> readable("double_negative")
    'double negative'
    """
    return name.replace("_", " ")


def visit_titles(inputs: ReportInputs) -> dict[str, str]:
    """Visit id to title."""
    return {v.id: v.title for v in inputs.study.visits} if inputs.study is not None else {}


def primary_visit(inputs: ReportInputs) -> str:
    """The visit that the plan confirms, else the one marked primary, else the last."""
    study = inputs.study
    if study is None:
        return ""
    if study.plan.confirmatory:
        return study.plan.confirmatory[0].visit
    marked = [v.id for v in study.visits if v.primary]
    return marked[0] if marked else study.visit_ids[-1]


def ordered(comparison: pd.DataFrame, visits: tuple[str, ...]) -> pd.DataFrame:
    """Confirmatory rows in plan order, then the panel, then the rest; visits in planned order."""
    rank = comparison["role"].map(_ROLE_ORDER).fillna(len(_ROLE_ORDER))
    visit = comparison["visit"].map({v: i for i, v in enumerate(visits)})
    keys = comparison.assign(_role=rank, _visit=visit, _row=range(len(comparison)))
    order = keys.sort_values(["_role", "plan_order", "_visit", "_row"], kind="stable", na_position="last").index
    return comparison.loc[order]


def denominator_text(row: Row, labels: Mapping[str, str]) -> str:
    """What a change is a share of: ``% of B cells``, ``% of parent (naive)``, ``cells/µL``."""
    if row["scale"] == ABUNDANCE:
        return "cells/µL"
    if row["denominator"] == "parent":
        parent = str(row["path"]).rsplit("/", 2)[-2] if "/" in str(row["path"]) else "parent"
        return f"% of {labels.get(parent, readable(parent))}"
    return f"% of {labels.get(str(row['denominator']), readable(str(row['denominator'])))}"


def level_text(row: Row, when: str) -> str:
    """Median before or at the visit, in percent or cells/µL; ``when`` is ``_baseline`` or empty."""
    if row["scale"] == ABUNDANCE:
        return _or_dash(row[f"median_per_ul{when}"], lambda v: significant(v, 3))
    return _or_dash(row[f"median_percent{when}"], lambda v: f"{significant(v, 3)} %")


def effect_text(row: Row) -> str:
    """The estimate as a ratio with its exact interval: ``OR 0.65 [0.52–0.81]``."""
    if is_missing(row["effect"]):
        return UNDEFINED
    unit = _UNITS.get(str(row["effect_unit"]), str(row["effect_unit"]))
    return f"{unit} {significant(row['effect'], 3)} {interval(row['effect_low'], row['effect_high'])}"


def interval(low: float, high: float) -> str:
    """``[low–high]`` or a dash for each missing end."""
    return f"[{_or_dash(low, significant)} to {_or_dash(high, significant)}]"


def direction_text(row: Row) -> str:
    """How many went the common way: ``6/6 fell``."""
    n, fell, rose = int(row["n"]), int(row["n_fell"]), int(row["n_rose"])
    if n == 0:
        return UNDEFINED
    return f"{fell}/{n} fell" if fell >= rose else f"{rose}/{n} rose"


def p_text(row: Row) -> str:
    """p with the arrangements behind it: ``0.031 (2/64)``."""
    if is_missing(row["p"]):
        return UNDEFINED
    known = not is_missing(row["p_count"]) and not is_missing(row["p_total"])
    return p_value(row["p"]) + (f" ({int(row['p_count'])}/{int(row['p_total'])})" if known else "")


def flag_texts(row: Row) -> tuple[str, ...]:
    """What a reader of the row has to know."""
    flags = []
    if not is_missing(row["remark"]) and row["remark"]:
        flags.append(str(row["remark"]))
    if int(row["n_flagged"]):
        flags.append(f"{int(row['n_flagged'])} of {int(row['n'])} flagged for counts")
    if int(row["n_overridden"]):
        flags.append(f"{int(row['n_overridden'])} set to no change")
    if row["loo_sign_holds"] is False:
        flags.append("sign depends on one participant")
    return tuple(flags)


def _or_dash(value: Any, show: Any) -> str:
    return UNDEFINED if is_missing(value) else str(show(float(value)))
