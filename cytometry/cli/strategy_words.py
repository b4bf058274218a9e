"""A comparison of strategies as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cytometry.model.agreement_tables import AGREEMENT, CONCLUSIONS, LOG_ODDS, MATCHED_POPULATIONS, NOT_COMPARABLE, SAME
from cytometry.model.tables import Cell, Row

if TYPE_CHECKING:
    from cytometry.pipeline.strategy_comparison import StrategyComparison

_PLANNED = ("confirmatory", "panel")


def agreement_lines(found: StrategyComparison) -> Iterator[str]:
    """A line per population that differs: tubes, F1, ICC, bias and limits; then the equal, then what only one has."""
    tables = found.tables
    shares = {r["population"]: r for r in tables[AGREEMENT.name] if r["scale"] == LOG_ODDS}
    populations = tables[MATCHED_POPULATIONS.name]
    both = [r for r in populations if r["defined_in"] == "both"]
    shared = [r for r in both if r.get("f1_worst") != 1]
    width = max([10, *(len(str(r["population"])) for r in shared)])
    if shared:
        yield f"{'population':{width}}  tubes   F1 median  worst   ICC (95 %)            log odds B - A (limits)"
    for row in shared:
        share = shares.get(row["population"], {})
        yield (
            f"{row['population']!s:{width}}  {_whole(row.get('n_tubes')):>5}   {_number(row.get('f1_median'), 3):>9}  "
            f"{_number(row.get('f1_worst'), 3):>5}   {_span(share, 'icc', 'icc_low', 'icc_high'):20}  "
            f"{_span(share, 'bias', 'lower_limit', 'upper_limit'):24}".rstrip()
        )
    equal = [str(r["population"]) for r in both if r not in shared]
    if equal:
        yield f"the same events in every tube: {', '.join(equal)}"
    for side in ("A", "B"):
        alone = [str(r["population"]) for r in populations if r["defined_in"] == side]
        if alone:
            yield f"only in {side}: {', '.join(alone)}"


def conclusion_lines(found: StrategyComparison) -> Iterator[str]:
    """How many readouts agree, and each readout of the plan that does not."""
    rows = found.tables[CONCLUSIONS.name]
    for roles, words in ((_PLANNED, "readouts of the plan"), (("exploratory",), "exploratory readouts")):
        judged = [r for r in rows if r["role"] in roles and r["conclusion"] != NOT_COMPARABLE]
        if judged:
            yield f"{sum(r['conclusion'] == SAME for r in judged)} of {len(judged)} {words}: {SAME}"
    for row in rows:
        if row["role"] in _PLANNED and row["conclusion"] not in (SAME, NOT_COMPARABLE):
            yield f"  {row['population']} {row['question']} at {row['visit']} ({row['role']}): {row['conclusion']}"
            for side in ("a", "b"):
                yield f"    {side.upper()}: {_verdict(row, side)}"


def _verdict(row: Row, side: str) -> str:
    span = _span(row, f"estimate_{side}", f"ci_low_{side}", f"ci_high_{side}")
    adjusted = _number(row[f"p_adjusted_{side}"], 4)
    judged = "significant" if row[f"significant_{side}"] else "not significant"
    tested = f"p {_number(row[f'p_{side}'], 4)}" + (f", adjusted {adjusted}" if adjusted else "")
    return f"{span} {row['scale']}, {tested}: {judged}"


def _span(row: Row, value: str, low: str, high: str) -> str:
    text = _number(row.get(value), 2)
    ends = [_number(row.get(n), 2) for n in (low, high)]
    return f"{text} ({ends[0]} to {ends[1]})" if text and all(ends) else text


def _number(value: Cell, digits: int) -> str:
    # + 0.0 makes a plain zero of one that was rounded from below.
    return f"{round(value, digits) + 0.0:.{digits}f}" if isinstance(value, int | float) and value == value else ""


def _whole(value: Cell) -> str:
    return f"{int(value)}" if isinstance(value, int | float) and value == value else ""
