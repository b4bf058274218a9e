"""Which changes go with the change of disease activity: one point per patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.blocks import BlockKey, ChangeBlock
from cytometry.statistics.correlation import RankCorrelation, kendall, kendall_estimate, spearman, spearman_estimate
from cytometry.statistics.correlation_intervals import correlation_interval
from cytometry.statistics.correlation_max_t import correlation_max_t
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.leave_one_out import leave_one_out_pairs
from cytometry.statistics.permutations import ORDERED_UP_TO, all_orders, drawn_orders
from cytometry.statistics.r_check import spearman_check
from cytometry.statistics.ranks import FloatArray, IntArray
from cytometry.statistics.rows import table_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Association:
    """One row of the correlation table; the field names are the column names.

    ``ci_low`` and ``ci_high`` are Bonett and Wright's interval, approximate.
    ``p_tau`` is empty above nine subjects: rho is the primary coefficient.
    """

    panel: str
    population: str
    path: str
    visit: str
    scale: str
    outcome: str
    role: str
    n: int
    rho: float
    ci_low: float
    ci_high: float
    p: float
    p_count: int | None
    p_total: int | None
    p_floor: float
    p_at_floor: bool
    p_method: str
    p_definition: str
    p_monte_carlo_se: float
    n_ties: int
    can_be_significant: bool
    p_doubled: float
    p_maxt: float
    tau_b: float
    p_tau: float
    loo_low: float
    loo_high: float
    loo_sign_holds: bool | None
    claim: str
    r_check: str


def outcome_changes(
    clinical: pd.DataFrame, outcome: str, subjects: tuple[str, ...], design: TrialDesign
) -> dict[str, FloatArray]:
    """Change of the outcome since baseline at each follow-up visit, in the order of ``subjects``."""
    import pandas as pd

    if outcome not in clinical:
        return {}
    values = clinical.assign(
        subject_id=clinical["subject_id"].astype(str), value=pd.to_numeric(clinical[outcome], errors="coerce")
    )
    wide = values.pivot_table(index="subject_id", columns="visit", values="value", aggfunc="first")
    wide = wide.reindex(index=list(subjects), columns=list(design.visits))
    base = wide[design.baseline].to_numpy(dtype=np.float64)
    return {v: wide[v].to_numpy(dtype=np.float64) - base for v in design.follow_up}


def outcome_table(changes: dict[str, FloatArray], outcome: str, subjects: tuple[str, ...]) -> pd.DataFrame:
    """Long form: subject_id, visit, outcome, change."""
    import pandas as pd

    columns = ["subject_id", "visit", "outcome", "change"]
    rows = [(s, v, outcome, float(c)) for v, values in changes.items() for s, c in zip(subjects, values, strict=True)]
    return pd.DataFrame(rows, columns=columns)


def correlate_blocks(
    blocks: tuple[ChangeBlock, ...],
    outcome: dict[str, FloatArray],
    plan: AnalysisPlan,
    panel: frozenset[BlockKey],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Rank correlation of every block's changes with the outcome's change at the same visit.

    The panel's rows are adjusted together by maxT with the outcome permuted jointly.
    """

    rows: list[Association] = []
    for visit, change in outcome.items():
        here = tuple(b for b in blocks if b.visit == visit)
        if not here:
            continue
        sizes = sorted({_pairs(b, change) for b in here})
        # One set of orders for all populations of a visit: making them costs more than using them.
        orders = {n: all_orders(n) if n <= ORDERED_UP_TO else drawn_orders(n, plan.draws, rng) for n in sizes if n > 1}
        ranks = {
            b.key: spearman(b.changes.values, change, rng=rng, draws=plan.draws, orders=orders.get(_pairs(b, change)))
            for b in here
        }
        floors = {b.key: ranks[b.key].p_value.floor for b in here if b.key in panel}
        # As in the panel's comparison: two pairs have |rho| = 1 whatever happens and would drown the others.
        limit = max([plan.alpha, min((f for f in floors.values() if not np.isnan(f)), default=1.0)])
        family = [b for b in here if floors.get(b.key, np.nan) <= limit]
        adjusted: dict[BlockKey, float] = {}
        if family:
            stacked = np.stack([b.changes.values for b in family])
            joint = correlation_max_t(stacked, change, rng=rng, draws=plan.draws)
            adjusted = dict(zip([b.key for b in family], joint.p_step_down.tolist(), strict=True))
        rows.extend(
            _associate(
                b, change, plan, ranks[b.key], b.key in panel, adjusted.get(b.key), orders.get(_pairs(b, change))
            )
            for b in here
        )
    return table_of(rows, Association)


def _pairs(block: ChangeBlock, change: FloatArray) -> int:
    return int((~np.isnan(block.changes.values) & ~np.isnan(change)).sum())


def _associate(
    block: ChangeBlock,
    change: FloatArray,
    plan: AnalysisPlan,
    rank: RankCorrelation,
    in_panel: bool,
    p_maxt: float | None,
    orders: IntArray | None,
) -> Association:
    x, n = block.changes.values, rank.n
    tau = kendall(x, change, orders=orders) if n <= ORDERED_UP_TO else None
    interval = correlation_interval(rank.estimate, n, level=1 - plan.alpha)
    loo = leave_one_out_pairs(x, change, spearman_estimate)
    p = rank.p_value
    nan = float("nan")
    adjusted = nan if p_maxt is None else p_maxt
    if np.isnan(p.p):
        claim = "not tested"
    elif not p.can_reach(plan.alpha):
        claim = "cannot be significant"
    elif p_maxt is None:
        claim = "exploratory"
    else:
        claim = "significant" if adjusted <= plan.alpha else "not significant"
    return Association(
        panel=block.readout.panel,
        population=block.readout.population,
        path=block.readout.path,
        visit=block.visit,
        scale=block.scale,
        outcome=plan.outcome,
        role="panel" if in_panel else "exploratory",
        n=n,
        rho=rank.estimate,
        ci_low=interval.low,
        ci_high=interval.high,
        p=p.p,
        p_count=p.count,
        p_total=p.total,
        p_floor=p.floor,
        p_at_floor=p.at_floor,
        p_method=p.method,
        p_definition=p.definition,
        p_monte_carlo_se=p.monte_carlo_se,
        n_ties=p.ties,
        can_be_significant=p.can_reach(plan.alpha),
        p_doubled=rank.p_doubled,
        p_maxt=adjusted,
        tau_b=tau.estimate if tau else kendall_estimate(x, change),
        p_tau=tau.p_value.p if tau else nan,
        loo_low=loo.low,
        loo_high=loo.high,
        loo_sign_holds=loo.sign_holds,
        claim=claim,
        r_check=spearman_check(x, change),
    )
