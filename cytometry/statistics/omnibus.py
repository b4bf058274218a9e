"""Anything at all? One test for a whole panel, and one over all visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.blocks import ChangeBlock
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.friedman import friedman
from cytometry.statistics.max_t import t_statistics
from cytometry.statistics.p_values import RELATIVE_TIE, PValue, monte_carlo_p, untestable
from cytometry.statistics.ranks import FloatArray
from cytometry.statistics.readouts import Readout
from cytometry.statistics.rows import table_of
from cytometry.statistics.scales import log2_concentration, logit_half
from cytometry.statistics.sign_flip import DRAWS, ENUMERATED_UP_TO, drawn_signs, sign_patterns

if TYPE_CHECKING:
    import pandas as pd

LARGEST_T = 1e6
"""Changes without any spread have an infinite t; the sum of squares needs a number that orders the same."""


def sum_of_squares_flip(
    differences: FloatArray, *, rng: np.random.Generator | None = None, draws: int = DRAWS
) -> tuple[float, PValue]:
    """Sum of t² over hypotheses (rows), p by flipping all of a subject's changes (columns) together.

    Finds a panel of middling changes where maxT, which looks at the largest one,
    does not; says nothing about which.

    Examples
    --------
    >>> statistic, p = sum_of_squares_flip(np.array([[1.0, 2.0, 1.5, 0.8, 1.2, 0.9]]))
    >>> p.fraction
    '2/64'
    """
    d = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    there = ~np.isnan(d)
    counts = there.sum(axis=1).astype(np.float64)
    testable = counts >= 2
    if not testable.any():
        return float("nan"), untestable(0, "sum of t² over the panel")
    used = there[testable].any(axis=0)
    values = np.where(there, d, 0.0)[testable][:, used]
    n, sizes = int(used.sum()), counts[testable]
    squares = (values**2).sum(axis=1)

    def statistic(sums: FloatArray) -> FloatArray:
        t = np.clip(t_statistics(sums, squares, sizes), -LARGEST_T, LARGEST_T)
        return np.asarray((t**2).sum(axis=-1), dtype=np.float64)

    observed = float(statistic(values.sum(axis=1)))
    complete = n <= ENUMERATED_UP_TO
    signs = sign_patterns(n) if complete else drawn_signs(n, draws, rng)
    flipped = statistic(signs @ values.T)
    exceeding = int((flipped >= observed * (1 - RELATIVE_TIE)).sum())
    floor = min(1.0, 2.0 ** (1 - n))
    definition = "P(sum of t*² >= sum of t²), one sign per patient"
    if complete:
        method = f"sum of t² over the panel, all {2**n} joint sign flips"
        return observed, PValue(exceeding / 2**n, n, exceeding, 2**n, floor, method, definition=definition)
    p, error = monte_carlo_p(exceeding, draws)
    method = f"sum of t² over the panel, {draws} random joint sign flips"
    marks = PValue(
        p, n, exceeding + 1, draws + 1, max(floor, 1 / (draws + 1)), method, definition=definition,
        monte_carlo_se=error,
    )  # fmt: skip
    return observed, marks


@dataclass(frozen=True, slots=True)
class OmnibusRow:
    """One omnibus test.

    ``test`` is ``panel at a visit`` (sum of t²) or ``population over visits``
    (Friedman); ``statistic`` belongs to it; ``kendall_w`` only to Friedman.
    """

    test: str
    panel: str
    population: str
    visit: str
    n: int
    hypotheses: int
    statistic: float
    kendall_w: float
    p: float
    p_count: int | None
    p_total: int | None
    p_floor: float
    p_at_floor: bool
    p_method: str
    p_definition: str
    p_monte_carlo_se: float


def omnibus_table(
    family: tuple[ChangeBlock, ...],
    readouts: tuple[Readout, ...],
    design: TrialDesign,
    plan: AnalysisPlan,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The panel at each visit, and each population of the panel over all visits."""

    rows = []
    for visit in dict.fromkeys(b.visit for b in family):
        own = [b for b in family if b.visit == visit]
        statistic, p = sum_of_squares_flip(np.stack([b.changes.values for b in own]), rng=rng, draws=plan.draws)
        rows.append(_row("panel at a visit", "", "", visit, len(own), statistic, float("nan"), p))
    for readout in readouts:
        result = friedman(course_values(readout, plan, design), rng=rng, draws=plan.draws)
        rows.append(
            _row(
                "population over visits", readout.panel, readout.population, "", 1, result.statistic,
                result.kendall_w, result.p_value,
            )
        )  # fmt: skip
    return table_of(rows, OmnibusRow)


def course_values(readout: Readout, plan: AnalysisPlan, design: TrialDesign) -> FloatArray:
    """A population's values on its own scale, subjects by visits in planned order; NaN where undefined."""
    scale = plan.scale_of(readout.population, readout.path)
    if scale == "log2_per_ul":
        return log2_concentration(readout.counts.ravel(), readout.cells_per_event.ravel()).reshape(readout.counts.shape)
    _, whole = readout.denominator(scale)
    enough = whole >= max(plan.rules.min_parent, 1)
    logits = logit_half(readout.counts.ravel(), whole.ravel()).reshape(whole.shape)
    return np.where(enough, logits, np.nan)


def _row(
    test: str, panel: str, population: str, visit: str, hypotheses: int, statistic: float, w: float, p: PValue
) -> OmnibusRow:
    return OmnibusRow(
        test=test,
        panel=panel,
        population=population,
        visit=visit,
        n=p.n,
        hypotheses=hypotheses,
        statistic=statistic,
        kendall_w=w,
        p=p.p,
        p_count=p.count,
        p_total=p.total,
        p_floor=p.floor,
        p_at_floor=p.at_floor,
        p_method=p.method,
        p_definition=p.definition,
        p_monte_carlo_se=p.monte_carlo_se,
    )
