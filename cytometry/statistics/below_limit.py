"""Low counts as what they are: an upper limit instead of 0 %, limits per population, and runs without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.blocks import ABUNDANCE, PERCENT, ChangeBlock, change_block
from cytometry.statistics.changes import PLAIN_RULE
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.proportions import proportion_interval
from cytometry.statistics.ranks import FloatArray
from cytometry.statistics.readouts import Readouts
from cytometry.statistics.rows import table_of
from cytometry.statistics.sign_flip import sign_flip

if TYPE_CHECKING:
    import pandas as pd


def percent_text(count: float, whole: float, lod: int) -> str:
    """A share as a reader may see it: never 0 %, and below the detection limit only as less than.

    Examples
    --------
    >>> percent_text(0, 500, 20), percent_text(250, 5000, 20), percent_text(0, 0, 20)
    ('< 0.74 %', '5.00 %', 'undefined')
    """
    if not whole > 0 or np.isnan(count):
        return "undefined"
    if count < lod:
        return f"< {100 * proportion_interval(int(count), int(whole)).high:.2g} %"
    return f"{100 * count / whole:.2f} %"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """Limits of one population and how many tubes are below them.

    ``lod_percent`` and ``lloq_percent`` are the plan's counts as a share of the
    median denominator; ``largest_upper_percent`` is the highest exact upper limit
    of a tube with a count of zero.
    """

    panel: str
    population: str
    path: str
    denominator: str
    tubes: int
    median_denominator: float
    lod_count: int
    lloq_count: int
    lod_percent: float
    lloq_percent: float
    zero: int
    below_lod: int
    below_lloq: int
    largest_upper_percent: float


def limit_table(readouts: Readouts, plan: AnalysisPlan) -> pd.DataFrame:
    """One row per population."""

    rows = []
    for readout in readouts.items:
        scale = plan.scale_of(readout.population, readout.path)
        denominator, whole = readout.denominator(scale if scale.startswith("logit_of:") else "logit_parent")
        known = ~np.isnan(readout.counts) & (whole > 0)
        k, n = readout.counts[known], whole[known]
        middle = float(np.median(n)) if n.size else float("nan")
        uppers = [100 * proportion_interval(0, int(m)).high for m in n[k == 0]]
        rows.append(
            LimitRow(
                panel=readout.panel,
                population=readout.population,
                path=readout.path,
                denominator=denominator,
                tubes=int(known.sum()),
                median_denominator=middle,
                lod_count=plan.rules.lod,
                lloq_count=plan.rules.lloq,
                lod_percent=100 * plan.rules.lod / middle,
                lloq_percent=100 * plan.rules.lloq / middle,
                zero=int((k == 0).sum()),
                below_lod=int((k < plan.rules.lod).sum()),
                below_lloq=int((k < plan.rules.lloq).sum()),
                largest_upper_percent=max(uppers, default=float("nan")),
            )
        )
    return table_of(rows, LimitRow)


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """The same comparison under another treatment of low counts."""

    panel: str
    population: str
    path: str
    visit: str
    scale: str
    run: str
    n: int
    estimate: float
    ci_low: float
    ci_high: float
    ci_attained: float
    p: float
    p_floor: float
    same_direction: bool


def sensitivity_table(
    blocks: tuple[ChangeBlock, ...],
    readouts: Readouts,
    design: TrialDesign,
    plan: AnalysisPlan,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Rerun the comparisons that low counts could have moved: those with a flag or an override.

    Runs: without tubes below the LLOQ; with counts below the LLOQ set to half of
    it; without the two overrides (the plain ½ rule).
    """

    runs: dict[str, Callable[[ChangeBlock], FloatArray]] = {
        "without changes that have a count below LLOQ": lambda b: _without_low(b, plan),
        "counts below LLOQ as half of it": lambda b: _half_limit(b, readouts, design, plan),
        "plain rule, no overrides": lambda b: _plain(b, readouts, design, plan),
    }
    rows: list[SensitivityRow] = []
    for block in blocks:
        if not any(block.changes.flags):
            continue
        primary = hodges_lehmann(block.changes.values).estimate
        for name, changed in runs.items():
            d = changed(block)
            hl, flip = hodges_lehmann(d, level=1 - plan.alpha), sign_flip(d, rng=rng, draws=plan.draws)
            rows.append(
                SensitivityRow(
                    panel=block.readout.panel,
                    population=block.readout.population,
                    path=block.readout.path,
                    visit=block.visit,
                    scale=block.scale,
                    run=name,
                    n=hl.n,
                    estimate=hl.estimate,
                    ci_low=hl.low,
                    ci_high=hl.high,
                    ci_attained=hl.attained,
                    p=flip.p_value.p,
                    p_floor=flip.p_value.floor,
                    same_direction=bool(np.sign(hl.estimate) == np.sign(primary)),
                )
            )
    return table_of(rows, SensitivityRow)


def _without_low(block: ChangeBlock, plan: AnalysisPlan) -> FloatArray:
    return np.where(np.minimum(block.before, block.now) < plan.rules.lloq, np.nan, block.changes.values)


def _half_limit(block: ChangeBlock, readouts: Readouts, design: TrialDesign, plan: AnalysisPlan) -> FloatArray:
    k = block.readout.counts
    if block.scale in (ABUNDANCE, PERCENT):
        whole = np.full(k.shape, np.inf)
    else:
        _, whole = block.readout.denominator(block.scale)
    half = np.minimum(plan.rules.lloq / 2, whole)
    raised = replace(block.readout, counts=np.where(k < plan.rules.lloq, half, k))
    return change_block(readouts, raised, block.visit, block.scale, design, plan).changes.values


def _plain(block: ChangeBlock, readouts: Readouts, design: TrialDesign, plan: AnalysisPlan) -> FloatArray:
    rules = PLAIN_RULE.model_copy(update={"min_parent": plan.rules.min_parent})
    plain = plan.model_copy(update={"rules": rules})
    return change_block(readouts, block.readout, block.visit, block.scale, design, plain).changes.values
