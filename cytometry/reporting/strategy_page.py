"""The page of a comparison of two strategies: what agrees, what does not, and whether it matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from cytometry.model.agreement_tables import LOG_ODDS, NOT_COMPARABLE, PERCENT, SAME
from cytometry.reporting.formats import is_missing, p_value, significant
from cytometry.reporting.markup import join, render, trusted
from cytometry.reporting.population_names import population_name
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from cytometry.statistics.strategy_agreement import PairedShares

# Where both panels share their stem it agrees by construction: it stands in the tables, not in the picture.
_STEM = frozenset({"time_ok", "singlets", "live", "lymphocytes"})
_DIFFERENCE = "B − A, log odds"


@dataclass(frozen=True, eq=False)
class StrategyPageInputs:
    """Everything on the page.

    Parameters
    ----------
    names
        Of the strategies A and B.
    populations, agreement, conclusions
        Tables of :mod:`cytometry.model.agreement_tables`.
    shares
        What the pictures show.
    notes
        What a reader has to know, one sentence each.
    statistics_problem
        Why there are no conclusions; empty where there are.
    tubes, participants
        Study tubes that both gated, and how many people they come from.
    """

    title: str
    names: tuple[str, str]
    populations: pd.DataFrame
    agreement: pd.DataFrame
    conclusions: pd.DataFrame
    shares: tuple[PairedShares, ...]
    notes: tuple[str, ...]
    statistics_problem: str
    is_synthetic: bool
    tubes: int
    participants: int
    version: str


def strategy_page(inputs: StrategyPageInputs, figure: Figure | None) -> str:
    """HTML of the page; no network, the same bytes for the same inputs."""
    sections = [
        ("short", "In short", _short(inputs)),
        ("conclusions", "Conclusions under the same plan", _conclusions(inputs)),
        ("events", "The same events?", _events(inputs)),
        ("shares", "The same shares?", _shares(inputs, figure)),
        ("single", "Populations of one strategy only", _single(inputs)),
    ]
    return str(
        render(
            "page.html",
            title=inputs.title,
            subtitle=f"A is {inputs.names[0]}, B is {inputs.names[1]}, on the same {inputs.tubes} tubes of "
            f"{inputs.participants} participants. Differences are B minus A.",
            synthetic=inputs.is_synthetic,
            sections=[{"id": i, "title": t, "body": b} for i, t, b in sections if b is not None],
            version=inputs.version,
            stamp="",
        )
    )


def agreement_figure(shares: Sequence[PairedShares], agreement: pd.DataFrame) -> Figure | None:
    """Bland and Altman's picture of every population but the stem, on log odds; None where there is none."""
    from cytometry.plotting.bland_altman import AgreementPicture, bland_altman_figure
    from cytometry.plotting.palette import subject_styles

    rows = {r["population"]: r for r in agreement[agreement["scale"] == LOG_ODDS].to_dict("records")}
    pictures = []
    for s in shares:
        if s.scale != LOG_ODDS or s.population in _STEM or not s.is_defined.any():
            continue
        kept, row = s.is_defined, rows[s.population]
        first, second = s.first[kept], s.second[kept]
        pictures.append(
            AgreementPicture(
                title=population_name(s.population),
                whole=population_name(s.denominator),
                subjects=tuple(np.asarray(s.subjects, dtype=object)[kept]),
                means=(first + second) / 2,
                differences=second - first,
                lines=tuple(
                    (_number(row[n]), _number(row[f"{n}_low"]), _number(row[f"{n}_high"]))
                    for n in ("bias", "lower_limit", "upper_limit")
                ),
            )
        )
    if not pictures:
        return None
    styles = subject_styles(list(dict.fromkeys(s for p in pictures for s in p.subjects)))
    return bland_altman_figure(pictures, styles, y_label=_DIFFERENCE)


def verdict_sentences(conclusions: pd.DataFrame) -> tuple[str, ...]:
    """How many readouts lead to the same conclusion, and every one that does not, the plan's own first."""
    if conclusions.empty:
        return ()
    tested = conclusions[conclusions["role"] != "exploratory"]
    sentences = []
    for rows, what in ((tested, "readouts of the plan"), (conclusions, "readouts with the exploratory ones")):
        judged = rows[rows["conclusion"] != NOT_COMPARABLE]
        same = int((judged["conclusion"] == SAME).sum())
        if len(judged):
            sentences.append(f"{same} of {len(judged)} {what} lead to the same conclusion.")
    other = tested[~tested["conclusion"].isin([SAME, NOT_COMPARABLE])]
    sentences += [_difference_sentence(row) for row in other.to_dict("records")]
    return tuple(sentences)


def _difference_sentence(row: Mapping[Any, Any]) -> str:
    sides = []
    for side in ("a", "b"):
        p = _number(row[f"p_adjusted_{side}"])
        shown = p if row["role"] == "panel" and p == p else _number(row[f"p_{side}"])
        word = {"up": "rose", "down": "fell"} if row["question"] == "change" else {"up": "rho > 0", "down": "rho < 0"}
        sides.append(
            f"{word.get(str(row[f'direction_{side}']), 'no change')} with {side.upper()} "
            f"({significant(_number(row[f'estimate_{side}']), 2)}, p {p_value(shown)}, "
            f"{'significant' if row[f'significant_{side}'] else 'not significant'})"
        )
    what = population_name(str(row["population"]))
    return f"{what} at {row['visit']} ({row['question']}, {row['role']}) {row['conclusion']}: {'; '.join(sides)}."


def _short(inputs: StrategyPageInputs) -> Markup:
    shared = [r for r in inputs.populations.to_dict("records") if r["defined_in"] == "both"]
    leads = list(verdict_sentences(inputs.conclusions))
    cautions = [f"No conclusions: {inputs.statistics_problem}"] if inputs.statistics_problem else []
    rows = inputs.agreement[inputs.agreement["scale"] == LOG_ODDS].to_dict("records")
    known = [r for r in rows if r["population"] not in _STEM and not is_missing(r["icc"])]
    if known:
        low = min(known, key=lambda r: _number(r["icc"]))
        leads.append(
            f"{len(shared)} populations are in both. Least agreement of shares: "
            f"{population_name(str(low['population']))}, ICC {_span(low, 'icc')}."
        )
    scored = [r for r in shared if r["population"] not in _STEM and not is_missing(r["f1_median"])]
    if scored:
        worst = min(scored, key=lambda r: _number(r["f1_median"]))
        leads.append(
            f"Least agreement of events: {population_name(str(worst['population']))}, median F1 "
            f"{significant(_number(worst['f1_median']), 2)}, worst tube {worst['f1_worst_sample']} "
            f"({significant(_number(worst['f1_worst']), 2)})."
        )
    notes = [f"{n[:1].upper()}{n[1:]}." for n in inputs.notes]
    return render("strategies.html", leads=leads, cautions=cautions, notes=notes)


def _conclusions(inputs: StrategyPageInputs) -> Markup | None:
    if inputs.conclusions.empty:
        return None
    planned = inputs.conclusions["role"] != "exploratory"
    parts = [
        _conclusion_table(
            inputs.conclusions[chosen],
            name=f"conclusions_{name}",
            caption=caption,
            folded=folded,
        )
        for chosen, name, caption, folded in (
            (planned, "plan", "Readouts of the plan, each significant or not as the plan judges it.", False),
            (~planned, "exploratory", "Exploratory readouts, judged by their plain p-value.", True),
        )
        if chosen.any()
    ]
    return join(parts)


def _conclusion_table(conclusions: pd.DataFrame, *, name: str, caption: str, folded: bool) -> Markup:
    """Differing conclusions first."""
    order = np.argsort([c in (SAME, NOT_COMPARABLE) for c in conclusions["conclusion"]], kind="stable")
    shown = conclusions.iloc[order]
    records = shown.to_dict("records")
    table = _with_texts(
        shown,
        {
            "name": [population_name(str(r["population"])) for r in records],
            "what": [f"{r['question']}, {r['role']}" for r in records],
            "shown_a": [_with_interval(r, "a") for r in records],
            "shown_b": [_with_interval(r, "b") for r in records],
            "tested_a": [_p(r, "a") for r in records],
            "tested_b": [_p(r, "b") for r in records],
        },
    )
    note = "on the scale, with its interval; rho for a correlation"
    headings = (
        Heading("name", "Population", mark="name"),
        Heading("conclusion", "Conclusion", mark="nowrap"),
        Heading("visit", "Visit", mark="nowrap", under="what"),
        Heading("scale", "Scale", mark="code nowrap"),
        Heading("shown_a", "A: estimate, p", note=note, sort="estimate_a", under="tested_a"),
        Heading("shown_b", "B: estimate, p", note=note, sort="estimate_b", under="tested_b"),
    )
    return data_table(
        table,
        headings,
        name=name,
        caption=f"{caption} Signs count only where at least one of the two is significant.",
        row_marks=["" if r["conclusion"] in (SAME, NOT_COMPARABLE) else "flagged" for r in records],
        download=conclusions,
        folded=folded,
    )


def _events(inputs: StrategyPageInputs) -> Markup:
    shared = inputs.populations[inputs.populations["defined_in"] == "both"]
    table = shared.assign(name=[population_name(str(p)) for p in shared["population"]])
    headings = (
        Heading("name", "Population", mark="name"),
        Heading("n_tubes", "Tubes", show=_whole),
        Heading("n_scored", "scored", show=_whole, note="with a detectable number of events in either"),
        Heading("f1_median", "F1, median", show=_three),
        Heading("f1_worst", "F1, worst tube", show=_three, under="f1_worst_sample"),
        Heading("jaccard_median", "Jaccard, median", show=_three),
        Heading("jaccard_worst", "Jaccard, worst tube", show=_three, under="jaccard_worst_sample"),
        Heading("path_a", "Path in A", mark="path"),
        Heading("path_b", "Path in B", mark="path"),
    )
    return data_table(
        table,
        headings,
        name="populations",
        caption="Overlap of the events of either strategy, tube by tube. F1 = 2 × shared / (A + B); Jaccard = shared / "
        "either. Every tube is in the table overlap.csv.",
        download=inputs.populations,
    )


def _shares(inputs: StrategyPageInputs, figure: Figure | None) -> Markup:
    parts = []
    if figure is not None:
        from cytometry.plotting.svg import figure_svg

        svg = figure_svg(figure, title="Bland-Altman picture of every population, log odds", prefix="ba")
        parts.append(render("figure.html", svg=trusted(svg), caption=_PICTURE_CAPTION))
    for scale, words in ((LOG_ODDS, "log odds"), (PERCENT, "percentage points")):
        rows = inputs.agreement[inputs.agreement["scale"] == scale]
        texts: dict[str, list[str | None]] = {
            "name": [population_name(str(p)) for p in rows["population"]],
            "of": [f"of {population_name(str(d))}" for d in rows["denominator"]],
        }
        for n in _SPANS:
            texts[f"shown_{n}"] = [_value(r[n]) for r in rows.to_dict("records")]
            texts[f"ends_{n}"] = [_ends(r[f"{n}_low"], r[f"{n}_high"]) for r in rows.to_dict("records")]
        table = _with_texts(rows, texts)
        headings = (
            Heading("name", "Population", mark="name", under="of"),
            Heading("n_tubes", "Tubes", show=_whole),
            Heading(
                "shown_icc", "ICC(2,1)", note="absolute agreement; McGraw and Wong 1996", sort="icc", under="ends_icc"
            ),
            Heading("shown_concordance", "Concordance", note="Lin 1989", sort="concordance", under="ends_concordance"),
            Heading(
                "shown_bias", f"Bias, {words}", note="B minus A, mean over participants", sort="bias", under="ends_bias"
            ),
            Heading(
                "shown_lower_limit",
                "Lower limit",
                note="of agreement, 95 %; Zou 2013",
                sort="lower_limit",
                under="ends_lower_limit",
            ),
            Heading(
                "shown_upper_limit",
                "Upper limit",
                note="of agreement, 95 %; Zou 2013",
                sort="upper_limit",
                under="ends_upper_limit",
            ),
            Heading(
                "shown_slope",
                "Slope",
                note="of the difference on the mean: proportional bias",
                sort="slope",
                under="ends_slope",
            ),
        )
        parts.append(
            data_table(
                table,
                headings,
                name=f"agreement_{scale}",
                caption=f"Agreement of shares in {words}, with 95 % intervals. {_TUBES_ARE_TARGETS}",
                download=rows,
                folded=scale == PERCENT,
            )
        )
    return join(parts)


_PICTURE_CAPTION = (
    "One mark per tube; colour and shape are the participant. Line: bias. Broken lines: 95 % limits of agreement. "
    "Bands: 95 % intervals of the three, over participants, cut off at the picture's edge."
)
_TUBES_ARE_TARGETS = (
    "ICC and concordance take every tube as its own target, so their intervals are too narrow where a participant has "
    "several tubes; bias, limits and slope are over participants."
)
_SPANS = ("icc", "concordance", "bias", "lower_limit", "upper_limit", "slope")


def _single(inputs: StrategyPageInputs) -> Markup | None:
    alone = inputs.populations[inputs.populations["defined_in"] != "both"]
    if alone.empty:
        return None
    table = alone.assign(
        name=[population_name(str(p)) for p in alone["population"]],
        path=[b if is_missing(a) or a == "" else a for a, b in zip(alone["path_a"], alone["path_b"], strict=True)],
    )
    headings = (
        Heading("name", "Population", mark="name"),
        Heading("defined_in", "Only in"),
        Heading("path", "Path", mark="path"),
    )
    return data_table(
        table,
        headings,
        name="single_populations",
        caption="Not compared. Give --map NAME_IN_A=NAME_IN_B where two of these are the same population.",
    )


def _with_texts(table: pd.DataFrame, texts: Mapping[str, Sequence[str | None]]) -> pd.DataFrame:
    """The table with columns of text for people; None is undefined."""
    result = table.copy()
    for name, values in texts.items():
        result[name] = np.array(values, dtype=object)
    return result


def _number(value: object) -> float:
    return float("nan") if is_missing(value) else float(str(value))


def _three(value: object) -> str:
    return f"{_number(value):.3f}"


def _whole(value: object) -> str:
    return f"{int(_number(value))}"


def _value(value: object) -> str | None:
    return None if is_missing(value) else significant(_number(value), 2)


def _ends(low: object, high: object) -> str | None:
    return None if is_missing(low) or is_missing(high) else f"{_value(low)} to {_value(high)}"


def _span(row: Mapping[Any, Any], name: str, low: str = "", high: str = "") -> str | None:
    value, ends = _value(row[name]), _ends(row[low or f"{name}_low"], row[high or f"{name}_high"])
    return value if value is None or ends is None else f"{value} ({ends})"


def _with_interval(row: Mapping[Any, Any], side: str) -> str | None:
    return _span(row, f"estimate_{side}", f"ci_low_{side}", f"ci_high_{side}")


def _p(row: Mapping[Any, Any], side: str) -> str | None:
    plain, adjusted = _number(row[f"p_{side}"]), _number(row[f"p_adjusted_{side}"])
    if plain != plain:
        return None
    return f"p {p_value(plain)}" + ("" if adjusted != adjusted else f", adjusted {p_value(adjusted)}")
