"""The answer first: what changed, how surely, and what these data cannot show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from cytometry.reporting import results
from cytometry.reporting.change_forest import change_forest
from cytometry.reporting.formats import first_sentences, is_missing, p_value, percent, typeset
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.key_facts import key_facts
from cytometry.reporting.markup import render
from cytometry.reporting.responders_only import responders_only
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd

_HEADINGS = (
    Heading("label", "Population", mark="name", under="of"),
    Heading("n", "n", note="participants with both visits"),
    Heading("levels", "Median before → at visit", sort="level_sort"),
    Heading(
        "change",
        "Ratio to baseline [exact interval]",
        sort="effect",
        note="Hodges-Lehmann estimate: odds ratio of a share, fold of cells/µL",
    ),
    Heading("direction_shown", "Direction", mark="nowrap"),
    Heading("p", "p", p_value, "exact sign-flip test, two-sided unless the plan says otherwise", under="p_fraction"),
    Heading("p_maxt", "Adjusted p", p_value, note="step-down maxT over the panel's populations at this visit"),
    Heading("p_floor", "Smallest p possible", p_value, note="no data of this n could give a smaller p"),
    Heading("claim", "Says"),
    Heading("flags_shown", "Flags", tags=True),
)
# Kinds of sentences that stand at the head, under a title of their own, or with the single participants.
_ELSEWHERE = frozenset({"response", "confirmatory", "limits", "caution", "individuals"})
_VISIT = Heading("visit_title", "Visit", mark="nowrap")
_SHOWN = ("levels", "level_sort", "change", "direction_shown", "p_fraction", "flags_shown")


def _render(inputs: ReportInputs) -> Markup | None:
    comparison = inputs.tables.get("comparison")
    if comparison is None or comparison.empty:
        return None
    titles = results.visit_titles(inputs)
    primary = results.primary_visit(inputs)
    visits = inputs.study.visit_ids if inputs.study is not None else tuple(dict.fromkeys(comparison["visit"]))
    rows = _shown(results.ordered(comparison, visits), inputs)
    confirmatory = rows[rows["role"] == "confirmatory"]
    panel = rows[rows["role"] == "panel"]
    here = panel[panel["visit"] == primary]
    tables = []
    if len(confirmatory):
        tables.append(_table(_with_status(confirmatory, inputs), "confirmatory", _confirmatory_caption(inputs), _VISIT))
    if len(here):
        tables.append(
            _table(here, "panel", f"The panel at {titles.get(primary, primary)}, adjusted together (step-down maxT)")
        )
    figure = change_forest(
        rows[(rows["visit"] == primary) & rows["role"].isin(["confirmatory", "panel"])], inputs, primary
    )
    later = panel[panel["visit"] != primary]
    rest = rows[rows["role"] == "exploratory"]
    more = [
        _table(part, name, caption, _VISIT, folded=True)
        for part, name, caption in (
            (later, "panel-other-visits", "The panel at the other visits"),
            (rest, "exploratory", "Everything else that was counted: exploratory, claims nothing"),
        )
        if len(part)
    ]
    return render(
        "answer.html",
        headlines=_texts(inputs, "response", "confirmatory"),
        cannot=[first_sentences(t, 2) for t in _texts(inputs, "limits")],
        more_words=[typeset(s.text) for s in inputs.sentences if s.kind not in _ELSEWHERE],
        limits=_texts(inputs, "limits"),
        cautions=_texts(inputs, "caution"),
        departures=inputs.departures,
        changed=[f"{key} = {value}" for key, value in inputs.study.changed.items()] if inputs.study else [],
        facts=key_facts(inputs),
        tables=tables,
        figure=figure,
        visit=titles.get(primary, primary),
        more=more,
        responders=responders_only(inputs),
        levels=_attained_levels(comparison),
    )


def _texts(inputs: ReportInputs, *kinds: str) -> list[str]:
    return [typeset(s.text) for s in inputs.sentences if s.kind in kinds]


def _shown(rows: pd.DataFrame, inputs: ReportInputs) -> pd.DataFrame:
    """The comparison with the texts that the page shows beside the numbers."""
    records = rows.to_dict("records")
    return results.with_names(rows, inputs).assign(
        levels=[f"{results.level_text(r, '_baseline')} → {results.level_text(r, '')}" for r in records],
        level_sort=[_level(r) for r in records],
        change=[results.effect_text(r) for r in records],
        direction_shown=[results.direction_text(r) for r in records],
        p_fraction=[results.arrangements(r) for r in records],
        flags_shown=["; ".join(results.flag_texts(r)) for r in records],
    )


def _level(row: results.Row) -> float:
    per_ul, share = row["median_per_ul"], row["median_percent"]
    return float(share if is_missing(per_ul) else per_ul)


def _with_status(rows: pd.DataFrame, inputs: ReportInputs) -> pd.DataFrame:
    sequence = inputs.tables.get("confirmatory")
    if sequence is None:
        return rows
    status = dict(zip(sequence["plan_order"], sequence["status"], strict=True))
    return rows.assign(
        claim=[status.get(order, claim) for order, claim in zip(rows["plan_order"], rows["claim"], strict=True)]
    )


def _confirmatory_caption(inputs: ReportInputs) -> str:
    alpha = inputs.study.plan.alpha if inputs.study is not None else 0.05
    return (
        f"The plan's confirmatory list, in its order: each at {alpha:g}, and the sequence stops at the first that fails"
    )


def _table(rows: pd.DataFrame, name: str, caption: str, *more: Heading, folded: bool = False) -> Markup:
    headings = (_HEADINGS[0], *more, *_HEADINGS[1:])
    empty = {"p_maxt": rows["p_maxt"].isna().all(), "flags_shown": (rows["flags_shown"] == "").all()}
    headings = tuple(h for h in headings if not empty.get(h.field, False))
    return data_table(
        rows,
        headings,
        name=name,
        caption=caption,
        row_marks=["main" if c in {"significant", "confirmed"} else "" for c in rows["claim"]],
        download=results.without_names(rows, *_SHOWN),
        folded=folded,
    )


def _attained_levels(comparison: pd.DataFrame) -> list[tuple[int, str, bool]]:
    """For each n: the level that its exact interval attains, and whether the one asked for can be had."""
    found: dict[int, tuple[str, bool]] = {}
    for n, level, possible in comparison[["n", "ci_attained", "ci_requested_attainable"]].itertuples(index=False):
        if not is_missing(level):
            found.setdefault(int(n), (percent(level), bool(possible)))
    return [(n, *found[n]) for n in sorted(found, reverse=True)]


SECTION = Section("answer", "The answer", _render)
