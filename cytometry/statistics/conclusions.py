"""Whether a reader would conclude the same from two analyses of one trial under one plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cytometry.model.agreement_tables import NOT_COMPARABLE, OTHER_SIGN, OTHER_SIGNIFICANCE, SAME
from cytometry.statistics.rows import table_of

if TYPE_CHECKING:
    import pandas as pd

CHANGE, CORRELATION = "change", "correlation"
# Column that holds the estimate of each question.
_ESTIMATES = ((CHANGE, "estimate"), (CORRELATION, "rho"))
_KEY = ("population", "visit", "scale")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one analysis says of one readout.

    Parameters
    ----------
    is_significant
        As the plan judges the readout's role; None where it was not tested.
    """

    n: int
    estimate: float
    ci_low: float
    ci_high: float
    p: float
    p_adjusted: float
    is_significant: bool | None

    @property
    def direction(self) -> str:
        """Of the estimate; empty where there is none."""
        if math.isnan(self.estimate):
            return ""
        return "up" if self.estimate > 0 else "down" if self.estimate < 0 else "none"


@dataclass(frozen=True, slots=True)
class ComparedReadout:
    """One row of ``conclusions.csv``; the field names are the column names."""

    question: str
    population: str
    visit: str
    scale: str
    role: str
    n_a: int | None
    n_b: int | None
    estimate_a: float
    estimate_b: float
    ci_low_a: float
    ci_low_b: float
    ci_high_a: float
    ci_high_b: float
    p_a: float
    p_b: float
    p_adjusted_a: float
    p_adjusted_b: float
    direction_a: str
    direction_b: str
    significant_a: bool | None
    significant_b: bool | None
    conclusion: str


def judge(first: Verdict | None, second: Verdict | None) -> str:
    """One of the four conclusions.

    Opposite signs of two estimates that both show nothing are noise, not another
    conclusion. Opposite signs weigh more than another significance.

    Examples
    --------
    >>> rose, fell = (Verdict(6, e, e, e, 0.03, 0.04, True) for e in (0.5, -0.5))
    >>> judge(rose, fell), judge(rose, rose)
    ('differs in sign', 'same conclusion')
    """
    if first is None or second is None or first.is_significant is None or second.is_significant is None:
        return NOT_COMPARABLE
    shown = first.is_significant or second.is_significant
    if shown and {first.direction, second.direction} == {"up", "down"}:
        return OTHER_SIGN
    return SAME if first.is_significant == second.is_significant else OTHER_SIGNIFICANCE


def compare_conclusions(
    first: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame], alpha: float
) -> pd.DataFrame:
    """Every readout of either analysis, in the first one's order.

    Parameters
    ----------
    first, second
        Tables ``comparison`` and ``correlation`` of either analysis.
    alpha
        Of the plan.
    """
    rows = []
    for question, estimate in _ESTIMATES:
        name = {CHANGE: "comparison", CORRELATION: "correlation"}[question]
        sides = [
            {tuple(str(row[k]) for k in _KEY): row for row in table[name].to_dict("records")}
            for table in (first, second)
        ]
        for key in dict.fromkeys([*sides[0], *sides[1]]):
            there = [side.get(key) for side in sides]
            role = str(next(row["role"] for row in there if row is not None))
            verdicts = [None if row is None else _verdict(row, estimate, alpha) for row in there]
            rows.append(_compared(question, key, role, verdicts[0], verdicts[1]))
    return table_of(rows, ComparedReadout)


def _verdict(row: Mapping[Any, Any], estimate: str, alpha: float) -> Verdict:
    p = float(row["p"])
    is_significant: bool | None = row["claim"] == "significant"
    if math.isnan(p):
        is_significant = None
    elif row["claim"] == "exploratory":
        is_significant = p <= alpha
    return Verdict(
        n=int(row["n"]),
        estimate=float(row[estimate]),
        ci_low=float(row["ci_low"]),
        ci_high=float(row["ci_high"]),
        p=p,
        p_adjusted=float(row["p_maxt"]),
        is_significant=is_significant,
    )


def _compared(
    question: str, key: tuple[str, ...], role: str, first: Verdict | None, second: Verdict | None
) -> ComparedReadout:
    nan = float("nan")
    nothing = Verdict(0, nan, nan, nan, nan, nan, None)
    a, b = first or nothing, second or nothing
    population, visit, scale = key
    return ComparedReadout(
        question=question,
        population=population,
        visit=visit,
        scale=scale,
        role=role,
        n_a=first.n if first else None,
        n_b=second.n if second else None,
        estimate_a=a.estimate,
        estimate_b=b.estimate,
        ci_low_a=a.ci_low,
        ci_low_b=b.ci_low,
        ci_high_a=a.ci_high,
        ci_high_b=b.ci_high,
        p_a=a.p,
        p_b=b.p,
        p_adjusted_a=a.p_adjusted,
        p_adjusted_b=b.p_adjusted,
        direction_a=a.direction,
        direction_b=b.direction,
        significant_a=a.is_significant,
        significant_b=b.is_significant,
        conclusion=judge(first, second),
    )
