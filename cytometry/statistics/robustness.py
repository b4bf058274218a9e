"""Does a result survive other plausible gates? Each planned test again, under every draw of the gates.

A draw moves each gate by the uncertainty of its own placing, the same way in all tubes that share it
(:mod:`cytometry.gating.draws`). What changes is the counts; subjects, visits and tests stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.blocks import change_block
from cytometry.statistics.comparison import ALTERNATIVES, CONFIRMATORY, PANEL
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.ranks import FloatArray, present
from cytometry.statistics.readouts import LYMPHOCYTES, Readout, Readouts
from cytometry.statistics.rows import table_of
from cytometry.statistics.sign_flip import sign_flip

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Robustness:
    """One planned comparison under the drawn gates.

    Parameters
    ----------
    panel, population, path, visit, scale, role
        Of the comparison.
    draws
        Sets of gates in which the comparison could be made.
    estimate, p
        Under the placed gates: Hodges-Lehmann change and unadjusted exact p.
    estimate_low, estimate_high
        Range of the estimate that holds 95 % of the draws.
    sign_kept
        Share of draws whose estimate has the sign of ``estimate``.
    significance_kept
        Share of draws with p at or below alpha and the same sign, where ``p`` is; empty where it is not.
    sentence
        The same in words.
    """

    panel: str
    population: str
    path: str
    visit: str
    scale: str
    role: str
    draws: int
    estimate: float
    p: float
    estimate_low: float
    estimate_high: float
    sign_kept: float
    significance_kept: float
    sentence: str


def robustness(
    readouts: Readouts, draws: pd.DataFrame, comparison: pd.DataFrame, design: TrialDesign, plan: AnalysisPlan
) -> pd.DataFrame:
    """Test every confirmatory and panel comparison again under each draw.

    Parameters
    ----------
    readouts
        Under the placed gates.
    draws
        Rows of ``gate_draws.csv`` with ``subject_id`` and ``visit``; study samples only.
    comparison
        Rows of :class:`~cytometry.statistics.comparison.Comparison`.
    """
    drawn = [{(r.panel, r.path): r for r in items} for items in _drawn_readouts(readouts, draws)]
    rows = [
        _under_draws({str(k): v for k, v in row.items()}, readouts, drawn, design, plan)
        for row in comparison.to_dict("records")
        if row["role"] in (CONFIRMATORY, PANEL) and drawn
    ]
    return table_of(rows, Robustness)


def _drawn_readouts(readouts: Readouts, draws: pd.DataFrame) -> Iterator[tuple[Readout, ...]]:
    """The readouts with the counts of each draw in turn; lymphocytes of a draw rescale the cells that one event is."""
    counts = _grids(readouts, draws, "drawn_counts")
    parents = _grids(readouts, draws, "drawn_parent_counts")
    n_draws = min((len(g) for g in counts.values()), default=0)
    names = {
        (str(p), str(path)): str(n)
        for p, path, n in zip(*(draws[c] for c in ("panel", "path", "population")), strict=True)
    }
    for d in range(n_draws):
        whole = {panel: {names[k]: g[d] for k, g in counts.items() if k[0] == panel} for panel, _ in counts}
        yield tuple(
            replace(
                r,
                counts=counts[r.panel, r.path][d],
                parent_counts=parents[r.panel, r.path][d],
                whole_counts=whole[r.panel],
                cells_per_event=_rescaled(r, whole[r.panel]),
            )
            for r in readouts.items
            if (r.panel, r.path) in counts
        )


def _rescaled(readout: Readout, whole: Mapping[str, FloatArray]) -> FloatArray:
    if LYMPHOCYTES not in whole or LYMPHOCYTES not in readout.whole_counts:
        return readout.cells_per_event
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = readout.whole_counts[LYMPHOCYTES] / whole[LYMPHOCYTES]
    return np.asarray(readout.cells_per_event * np.where(np.isfinite(factor), factor, np.nan))


def _grids(readouts: Readouts, draws: pd.DataFrame, column: str) -> dict[tuple[str, str], FloatArray]:
    """Draws × subjects × visits, by panel and path."""
    row_of = {s: i for i, s in enumerate(readouts.subjects)}
    column_of = {v: j for j, v in enumerate(readouts.visits)}
    grids: dict[tuple[str, str], FloatArray] = {}
    for panel, path, subject, visit, text in zip(
        *(draws[c] for c in ("panel", "path", "subject_id", "visit", column)), strict=True
    ):
        if subject in row_of and visit in column_of:
            values = [float(v) if v else np.nan for v in str(text).split(";")]
            shape = (len(values), len(row_of), len(column_of))
            grid = grids.setdefault((str(panel), str(path)), np.full(shape, np.nan))
            grid[:, row_of[subject], column_of[visit]] = values
    return grids


def _under_draws(
    row: dict[str, object],
    readouts: Readouts,
    drawn: list[dict[tuple[str, str], Readout]],
    design: TrialDesign,
    plan: AnalysisPlan,
) -> Robustness:
    panel, path, visit, scale = (str(row[c]) for c in ("panel", "path", "visit", "scale"))
    estimate, p = float(str(row["estimate"])), float(str(row["p"]))
    estimates, p_values = [], []
    for items in drawn:
        if (panel, path) in items:
            block = change_block(readouts, items[panel, path], visit, scale, design, plan)
            values = present(block.changes.values)
            if values.size:
                estimates.append(hodges_lehmann(values).estimate)
                p_values.append(
                    sign_flip(
                        values, alternative=ALTERNATIVES[plan.sided], rng=np.random.default_rng(plan.seed)
                    ).p_value.p
                )
    known = np.array(estimates)
    low, high = np.quantile(known, [0.025, 0.975]) if known.size else (np.nan, np.nan)
    same_sign = np.sign(known) == np.sign(estimate)
    sign_kept = float(same_sign.mean()) if known.size and estimate else np.nan
    kept = float((same_sign & (np.array(p_values) <= plan.alpha)).mean()) if known.size and p <= plan.alpha else np.nan
    return Robustness(
        panel,
        str(row["population"]),
        path,
        visit,
        scale,
        str(row["role"]),
        int(known.size),
        estimate,
        p,
        float(low),
        float(high),
        sign_kept,
        kept,
        _sentence(sign_kept, kept),
    )


def _sentence(sign_kept: float, significance_kept: float) -> str:
    if np.isnan(sign_kept):
        return "no change whose sign could be kept"
    sign = f"the change keeps its sign in {100 * sign_kept:.0f} %"
    if np.isnan(significance_kept):
        return f"{sign} of plausible gates"
    return f"{sign} and its significance in {100 * significance_kept:.0f} % of plausible gates"
