"""The main table: each population's change at each visit, with its estimate, tests and honesty marks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.attainable import paired_floor
from cytometry.statistics.blocks import ABUNDANCE, PERCENT, BlockKey, ChangeBlock
from cytometry.statistics.hodges_lehmann import HodgesLehmann, hodges_lehmann
from cytometry.statistics.leave_one_out import leave_one_out_estimates
from cytometry.statistics.max_t import MaxT, max_t
from cytometry.statistics.p_values import Alternative, PValue
from cytometry.statistics.r_check import paired_check
from cytometry.statistics.rank_biserial import rank_biserial
from cytometry.statistics.ranks import FloatArray, present
from cytometry.statistics.rows import table_of
from cytometry.statistics.sign_flip import sign_flip
from cytometry.statistics.signed_rank import signed_rank

if TYPE_CHECKING:
    import pandas as pd

ALTERNATIVES: Mapping[str, Alternative] = MappingProxyType({"two": "two.sided", "less": "less", "greater": "greater"})
CONFIRMATORY, PANEL, EXPLORATORY = "confirmatory", "panel", "exploratory"
BRANDED = "confounded with batch"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row of the table; the field names are the column names.

    ``estimate`` to ``ci_high`` are on ``scale``; ``effect`` to ``effect_high`` are the
    same as an odds ratio (composition) or fold change (abundance); ``points`` are
    percentage points of the denominator. ``claim`` says what may be said:
    ``significant``, ``not significant``, ``cannot be significant`` (the floor is above
    alpha) or ``not tested``; it is about ``p_maxt`` for the panel, about the fixed
    sequence for the confirmatory list, and always ``exploratory`` for the rest.
    """

    panel: str
    population: str
    path: str
    visit: str
    scale: str
    denominator: str
    role: str
    plan_order: int | None
    n: int
    n_fell: int
    n_rose: int
    n_unchanged: int
    direction: str
    median_percent_baseline: float
    median_percent: float
    median_per_ul_baseline: float
    median_per_ul: float
    estimate: float
    ci_low: float
    ci_high: float
    ci_attained: float
    ci_requested_attainable: bool
    effect: float
    effect_low: float
    effect_high: float
    effect_unit: str
    points: float
    points_low: float
    points_high: float
    mean: float
    t: float
    p: float
    p_count: int | None
    p_total: int | None
    p_floor: float
    p_at_floor: bool
    p_method: str
    p_definition: str
    p_alternative: str
    p_monte_carlo_se: float
    n_zeros: int
    n_ties: int
    can_be_significant: bool
    p_signed_rank: float
    p_signed_rank_count: int | None
    p_signed_rank_total: int | None
    p_signed_rank_floor: float
    w_plus: float
    w_minus: float
    p_maxt: float
    p_maxt_floor: float
    p_maxt_all_visits: float
    p_holm: float
    p_bh: float
    rank_biserial: float
    rank_biserial_low: float
    rank_biserial_high: float
    loo_low: float
    loo_high: float
    loo_sign_holds: bool | None
    n_overridden: int
    n_flagged: int
    claim: str
    remark: str
    r_check: str


def compare_blocks(
    blocks: tuple[ChangeBlock, ...],
    plan: AnalysisPlan,
    panel: frozenset[BlockKey],
    rng: np.random.Generator,
    *,
    confounded: frozenset[tuple[str, str]] = frozenset(),
) -> pd.DataFrame:
    """Compare every block with no change.

    Parameters
    ----------
    panel
        Keys of the blocks that the panel's adjustment goes over.
    confounded
        (panel, visit) whose change cannot be told from a batch's shift; the plan
        says whether these rows are branded or not tested.
    """

    adjusted = _panel_adjustments(blocks, plan, panel, confounded, rng)
    rows = [
        _compare(block, plan, _role(block, plan, panel), adjusted.get(block.key), confounded, rng) for block in blocks
    ]
    return table_of(rows, Comparison)


def adjustable(blocks: Sequence[ChangeBlock], alpha: float) -> list[ChangeBlock]:
    """Blocks that an adjustment goes over: those with enough patients to matter.

    A hypothesis that could not be significant by itself (two patients left
    after depletion, say) has \\|t\\| near infinity under half of all flips and
    would take every other hypothesis down with it. Who is left out depends on
    which changes are missing, never on their values, so the level is kept.
    Where no hypothesis can reach alpha, those with the most patients stay.
    """
    floors = {b.key: paired_floor(present(b.changes.values).size) for b in blocks}
    limit = max(alpha, min(floors.values(), default=1.0))
    return [b for b in blocks if floors[b.key] <= limit]


@dataclass(frozen=True, slots=True)
class _Adjusted:
    p_maxt: float
    floor: float
    p_all_visits: float
    p_holm: float
    p_bh: float


def _role(block: ChangeBlock, plan: AnalysisPlan, panel: frozenset[BlockKey]) -> tuple[str, int | None]:
    for order, readout in enumerate(plan.confirmatory, start=1):
        named = readout.population in (block.readout.population, block.readout.path)
        if named and (readout.scale, readout.visit) == (block.scale, block.visit):
            return CONFIRMATORY, order
    return (PANEL if block.key in panel else EXPLORATORY), None


def _panel_adjustments(
    blocks: tuple[ChangeBlock, ...],
    plan: AnalysisPlan,
    panel: frozenset[BlockKey],
    confounded: frozenset[tuple[str, str]],
    rng: np.random.Generator,
) -> dict[BlockKey, _Adjusted]:
    """Step-down maxT within each visit, and once over all visits."""
    refused = confounded if plan.on_confounded == "refuse" else frozenset()
    tested = [b for b in blocks if b.key in panel and (b.readout.panel, b.visit) not in refused]
    if not tested or plan.panel_adjust == "none":
        return {}
    family = adjustable(tested, plan.alpha)
    everything = max_t(np.stack([b.changes.values for b in family]), rng=rng, draws=plan.draws)
    together = dict(zip([b.key for b in family], everything.p_step_down.tolist(), strict=True))
    adjusted = {}
    for visit in dict.fromkeys(b.visit for b in tested):
        own = adjustable([b for b in tested if b.visit == visit], plan.alpha)
        result: MaxT = max_t(np.stack([b.changes.values for b in own]), rng=rng, draws=plan.draws)
        for i, block in enumerate(own):
            adjusted[block.key] = _Adjusted(
                float(result.p_step_down[i]),
                result.floor,
                together.get(block.key, float("nan")),
                float(result.p_holm[i]),
                float(result.p_bh[i]),
            )
    return adjusted


def _compare(
    block: ChangeBlock,
    plan: AnalysisPlan,
    role: tuple[str, int | None],
    adjusted: _Adjusted | None,
    confounded: frozenset[tuple[str, str]],
    rng: np.random.Generator,
) -> Comparison:
    d = block.changes.values
    there = present(d)
    branded = (block.readout.panel, block.visit) in confounded
    refused = branded and plan.on_confounded == "refuse"
    level = 1 - plan.alpha
    hl, points = hodges_lehmann(d, level=level), hodges_lehmann(block.points, level=level)
    tested = np.full(d.size, np.nan) if refused else d
    flip = sign_flip(tested, alternative=ALTERNATIVES[plan.sided], level=level, rng=rng, draws=plan.draws)
    ranked = signed_rank(tested, zero_method="pratt", alternative=ALTERNATIVES[plan.sided])
    biserial = rank_biserial(d, level=level)
    loo = leave_one_out_estimates(d)
    p = flip.p_value
    effect, effect_low, effect_high, unit = _effect(block.scale, hl)
    medians = _medians(block)
    nan = float("nan")
    return Comparison(
        panel=block.readout.panel,
        population=block.readout.population,
        path=block.readout.path,
        visit=block.visit,
        scale=block.scale,
        denominator=block.denominator,
        role=role[0],
        plan_order=role[1],
        n=int(there.size),
        n_fell=int((there < 0).sum()),
        n_rose=int((there > 0).sum()),
        n_unchanged=int((there == 0).sum()),
        direction=_direction(hl.estimate),
        median_percent_baseline=medians[0],
        median_percent=medians[1],
        median_per_ul_baseline=medians[2],
        median_per_ul=medians[3],
        estimate=hl.estimate,
        ci_low=hl.low,
        ci_high=hl.high,
        ci_attained=hl.attained,
        ci_requested_attainable=hl.requested_attainable,
        effect=effect,
        effect_low=effect_low,
        effect_high=effect_high,
        effect_unit=unit,
        points=points.estimate,
        points_low=points.low,
        points_high=points.high,
        mean=flip.mean,
        t=_t(there),
        p=p.p,
        p_count=p.count,
        p_total=p.total,
        p_floor=p.floor,
        p_at_floor=p.at_floor,
        p_method=p.method,
        p_definition=p.definition,
        p_alternative=p.alternative,
        p_monte_carlo_se=p.monte_carlo_se,
        n_zeros=p.zeros,
        n_ties=p.ties,
        can_be_significant=p.can_reach(plan.alpha),
        p_signed_rank=ranked.p_value.p,
        p_signed_rank_count=ranked.p_value.count,
        p_signed_rank_total=ranked.p_value.total,
        p_signed_rank_floor=ranked.p_value.floor,
        w_plus=ranked.w_plus,
        w_minus=ranked.w_minus,
        p_maxt=adjusted.p_maxt if adjusted else nan,
        p_maxt_floor=adjusted.floor if adjusted else nan,
        p_maxt_all_visits=adjusted.p_all_visits if adjusted else nan,
        p_holm=adjusted.p_holm if adjusted else nan,
        p_bh=adjusted.p_bh if adjusted else nan,
        rank_biserial=biserial.estimate,
        rank_biserial_low=biserial.low,
        rank_biserial_high=biserial.high,
        loo_low=loo.low,
        loo_high=loo.high,
        loo_sign_holds=loo.sign_holds,
        n_overridden=block.overridden,
        n_flagged=sum(bool(f) for f, k in zip(block.changes.flags, d, strict=True) if not math.isnan(k)),
        claim=_claim(role[0], p, adjusted, plan),
        remark=BRANDED if branded else "",
        r_check=paired_check(there, p.alternative),
    )


def _claim(role: str, p: PValue, adjusted: _Adjusted | None, plan: AnalysisPlan) -> str:
    """What a panel row may claim; the confirmatory rows are settled by their sequence afterwards."""
    if math.isnan(p.p):
        return "not tested"
    if not p.can_reach(plan.alpha):
        return "cannot be significant"
    if role == EXPLORATORY or (role == PANEL and adjusted is None):
        return "exploratory"
    relevant = adjusted.p_maxt if role == PANEL and adjusted else p.p
    if math.isnan(relevant):
        return "not tested"
    return "significant" if relevant <= plan.alpha else "not significant"


def _direction(estimate: float) -> str:
    if math.isnan(estimate):
        return ""
    return "fell" if estimate < 0 else "rose" if estimate > 0 else "unchanged"


def _effect(scale: str, hl: HodgesLehmann) -> tuple[float, float, float, str]:
    """Back from the scale to what people say."""
    if scale == PERCENT:
        return hl.estimate, hl.low, hl.high, "percentage points"
    base, unit = (2.0, "fold change") if scale == ABUNDANCE else (math.e, "odds ratio")
    return base**hl.estimate, base**hl.low, base**hl.high, unit


def _t(d: FloatArray) -> float:
    if d.size < 2:
        return float("nan")
    spread = float(d.std(ddof=1))
    if spread == 0:
        return float("nan")
    return float(d.mean()) / (spread / math.sqrt(d.size))


def _medians(block: ChangeBlock) -> tuple[float, float, float, float]:
    """Median level before and now, over subjects whose change is defined: percent, then cells/µL."""
    used = ~np.isnan(block.changes.values)
    nan = float("nan")
    if not used.any():
        return nan, nan, nan, nan
    if block.scale == ABUNDANCE:
        before, now = block.before * block.whole_before, block.now * block.whole_now
        return nan, nan, float(np.median(before[used])), float(np.median(now[used]))
    before, now = 100 * block.before[used] / block.whole_before[used], 100 * block.now[used] / block.whole_now[used]
    return float(np.median(before)), float(np.median(now)), nan, nan
