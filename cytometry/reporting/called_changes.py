"""Who gained or lost which population, one line per population: the calls of single participants at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cytometry.reporting import results
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.population_names import population_name

if TYPE_CHECKING:
    import pandas as pd

_KEY = ("panel", "path", "scale")


@dataclass(frozen=True, slots=True)
class CalledLine:
    """One population; a text per follow-up visit, empty where nobody's change was called."""

    name: str
    of: str
    visits: tuple[str, ...]


def called_changes(inputs: ReportInputs) -> list[CalledLine]:
    """Populations of the plan in which at least one participant's change was called."""
    calls, comparison = inputs.tables.get("individuals"), inputs.tables.get("comparison")
    study = inputs.study
    if calls is None or comparison is None or study is None:
        return []
    rows = results.ordered(comparison, study.visit_ids)
    planned = rows[rows["role"].isin(["confirmatory", "panel"])][[*_KEY, "population"]].drop_duplicates()
    lines = []
    for row in planned.to_dict("records"):
        own = results.matching(calls, row, _KEY)
        texts = tuple(_text(own[own["visit"] == v]) for v in study.visit_ids if v != study.baseline.id)
        if any(texts):
            lines.append(CalledLine(population_name(str(row["population"])), results.denominator_text(row), texts))
    return lines


def _text(rows: pd.DataFrame) -> str:
    defined = int(rows["change"].notna().sum())
    parts = []
    for call in ("gained", "lost"):
        who = [str(s) for s in rows.loc[rows["call"] == call, "subject_id"]]
        if who:
            parts.append(f"{len(who)} of {defined} {call}: {', '.join(who)}")
    return "; ".join(parts)
