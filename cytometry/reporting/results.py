"""The comparison table as the sections read it: which rows, in which order, in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cytometry.reporting.formats import UNDEFINED, is_missing, p_value, significant
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.population_names import population_labels, population_name

if TYPE_CHECKING:
    import pandas as pd

    from cytometry.model.study import Study

ABUNDANCE = "log2_per_ul"
# One row of a result table, by column.
Row = Mapping[Any, Any]
_ROLE_ORDER = MappingProxyType({"confirmatory": 0, "panel": 1, "exploratory": 2})


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


def response_visit(study: Study) -> str:
    """Where response is judged: as the plan says, else the visit marked primary, else the last."""
    marked = [v.id for v in study.visits if v.primary]
    return study.plan.response.visit or (marked[0] if marked else study.visit_ids[-1])


def ordered(comparison: pd.DataFrame, visits: tuple[str, ...]) -> pd.DataFrame:
    """Confirmatory rows in plan order, then the panel, then the rest; visits in planned order."""
    rank = comparison["role"].map(_ROLE_ORDER).fillna(len(_ROLE_ORDER))
    visit = comparison["visit"].map({v: i for i, v in enumerate(visits)})
    keys = comparison.assign(_role=rank, _visit=visit, _row=range(len(comparison)))
    order = keys.sort_values(["_role", "plan_order", "_visit", "_row"], kind="stable", na_position="last").index
    return comparison.loc[order]


def with_names(frame: pd.DataFrame, inputs: ReportInputs) -> pd.DataFrame:
    """A result table with ``label``, ``of``, ``gated_as`` and ``visit_title`` for people to read.

    ``gated_as`` is the panel's own label where it says more than the name.
    """
    titles, labels = visit_titles(inputs), population_labels(inputs)
    records = frame.to_dict("records")
    return frame.assign(
        label=[population_name(str(r["population"])) for r in records],
        of=[denominator_text(r) for r in records],
        gated_as=[labels.get(str(r["population"]), "") for r in records],
        visit_title=[titles.get(str(r["visit"]), str(r["visit"])) for r in records],
    )


def without_names(frame: pd.DataFrame, *more: str) -> pd.DataFrame:
    """The table as it was computed, for its CSV."""
    added = {"label", "of", "gated_as", "visit_title", *more}
    return frame[[c for c in frame.columns if c not in added]]


def matching(frame: pd.DataFrame, row: Row, fields: Sequence[str]) -> pd.DataFrame:
    """Rows that share these fields with ``row``."""
    return frame[(frame[list(fields)] == [row[f] for f in fields]).all(axis=1)]


def denominator_text(row: Row) -> str:
    """What a change is a share of: ``% of B cells``, ``cells/µL``.

    >>> denominator_text({"scale": "logit_parent", "path": "root/b_cells/naive"})
    '% of B cells'
    """
    scale = str(row["scale"])
    if scale == ABUNDANCE:
        return "cells/µL"
    if scale.startswith("logit_of:"):
        return f"% of {population_name(scale.removeprefix('logit_of:'))}"
    above = str(row["path"]).rpartition("/")[0].rpartition("/")[2]
    return f"% of {population_name(above) if above else 'parent'}"


def level_text(row: Row, when: str) -> str:
    """Median before or at the visit, in percent or cells/µL; ``when`` is ``_baseline`` or empty."""
    if row["scale"] == ABUNDANCE:
        return _or_dash(row[f"median_per_ul{when}"], lambda v: significant(v, 3))
    return _or_dash(row[f"median_percent{when}"], lambda v: f"{significant(v, 3)} %")


def effect_text(row: Row) -> str:
    """The estimate with its exact interval, as a ratio to baseline or in points: ``0.65 [0.52 to 0.81]``."""
    if is_missing(row["effect"]):
        return UNDEFINED
    unit = " points" if row["effect_unit"] == "percentage points" else ""
    return f"{ratio(row['effect'])}{unit} {interval(row['effect_low'], row['effect_high'])}"


def ratio(value: float) -> str:
    """Two decimals, two significant digits where that is more.

    >>> [ratio(v) for v in (0.5531, 12.34, 0.0123)]
    ['0.55', '12.3', '0.012']
    """
    return f"{value:.2f}".replace("-", "−") if 0.1 <= abs(value) < 10 else significant(value, 3 if value >= 10 else 2)


def interval(low: float, high: float) -> str:
    """``[low–high]`` or a dash for each missing end."""
    return f"[{_or_dash(low, ratio)} to {_or_dash(high, ratio)}]"


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
    behind = arrangements(row)
    return p_value(row["p"]) + (f" ({behind})" if behind else "")


def arrangements(row: Row) -> str:
    """Arrangements at least as extreme, of all: ``2/64``."""
    if is_missing(row["p_count"]) or is_missing(row["p_total"]):
        return ""
    return f"{int(row['p_count'])}/{int(row['p_total'])}"


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
