"""Supportive models beside the primary tests: weighted odds, mixed models of logits and of counts.

None of them is primary: the paired tests alone keep their level whatever the
variance does (benchmarks/type_one_error.py). No Wald z p-value is in any table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.errors import StatisticsError
from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.blocks import ABUNDANCE, PERCENT, ChangeBlock
from cytometry.statistics.count_model import REFITTED_UP_TO, CountFamily, count_model, relabelled_p
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.mixed_model import mixed_model
from cytometry.statistics.omnibus import course_values
from cytometry.statistics.paired_log_odds import paired_log_odds
from cytometry.statistics.r_check import mixed_model_check, paired_odds_check
from cytometry.statistics.ranks import FloatArray
from cytometry.statistics.readouts import Readout, Readouts
from cytometry.statistics.rows import table_of

if TYPE_CHECKING:
    import pandas as pd

ALL_FITTED_UP_TO = 30
COUNT_FAMILIES: tuple[CountFamily, ...] = ("binomial_olre", "betabinomial_subject")


@dataclass(frozen=True, slots=True)
class WeightedRow:
    """Precision-weighted mean of the log odds ratios at one visit.

    ``biological_sd`` is what is left of the patients' spread after counting
    noise; ``share_biological`` (I², %) says whether more events would help.
    ``p`` is the exact sign-flip p of the weighted statistic (up to ten
    patients), ``p_t`` Hartung and Knapp's with n - 1 degrees of freedom.
    """

    panel: str
    population: str
    path: str
    visit: str
    scale: str
    n: int
    estimate: float
    ci_low: float
    ci_high: float
    odds_ratio: float
    odds_ratio_low: float
    odds_ratio_high: float
    biological_sd: float
    share_biological: float
    t: float
    df: int
    p_t: float
    p: float
    p_count: int | None
    p_total: int | None
    p_floor: float
    p_at_floor: bool
    p_method: str
    p_definition: str
    r_check: str


def weighted_table(blocks: tuple[ChangeBlock, ...], plan: AnalysisPlan) -> pd.DataFrame:
    """Every block of composition; wholes below the plan's limit are left out, zeros are not."""

    rows = []
    for block in blocks:
        if block.scale in (ABUNDANCE, PERCENT):
            continue
        used = np.minimum(block.whole_before, block.whole_now) >= max(plan.rules.min_parent, 1)
        cells = (block.before[used], block.whole_before[used], block.now[used], block.whole_now[used])
        fit = paired_log_odds(*cells, level=1 - plan.alpha)
        p = fit.p_value
        rows.append(
            WeightedRow(
                panel=block.readout.panel,
                population=block.readout.population,
                path=block.readout.path,
                visit=block.visit,
                scale=block.scale,
                n=int(fit.log_odds.size),
                estimate=fit.estimate,
                ci_low=fit.low,
                ci_high=fit.high,
                odds_ratio=math.exp(fit.estimate),
                odds_ratio_low=math.exp(min(fit.low, 700.0)),
                odds_ratio_high=math.exp(min(fit.high, 700.0)),
                biological_sd=math.sqrt(fit.tau2),
                share_biological=fit.i2,
                t=fit.t,
                df=fit.df,
                p_t=fit.p,
                p=p.p,
                p_count=p.count,
                p_total=p.total,
                p_floor=p.floor,
                p_at_floor=p.at_floor,
                p_method=p.method,
                p_definition=p.definition,
                r_check=paired_odds_check(*cells),
            )
        )
    return table_of(rows, WeightedRow)


@dataclass(frozen=True, slots=True)
class MixedRow:
    """One visit's contrast of the random-intercept model, Kenward and Roger; ``note`` says what to beware of."""

    panel: str
    population: str
    path: str
    scale: str
    visit: str
    subjects: int
    rows: int
    estimate: float
    se: float
    df: float
    t: float
    p: float
    ci_low: float
    ci_high: float
    p_holm: float
    within_sd: float
    between_sd: float
    singular: bool
    omnibus_f: float
    omnibus_df: float
    omnibus_p: float
    note: str
    r_check: str


def mixed_table(
    readouts: Readouts, chosen: tuple[Readout, ...], design: TrialDesign, plan: AnalysisPlan
) -> pd.DataFrame:
    """Each chosen population on its own scale over all visits; one that cannot be fitted has no row."""

    rows: list[MixedRow] = []
    for readout in chosen:
        values = course_values(readout, plan, design)
        subjects = [s for s in readouts.subjects for _ in readouts.visits]
        visits = list(readouts.visits) * len(readouts.subjects)
        there = ~np.isnan(values.ravel())
        own_subjects = [s for s, t in zip(subjects, there, strict=True) if t]
        own_visits = [v for v, t in zip(visits, there, strict=True) if t]
        y = values.ravel()[there]
        try:
            fit = mixed_model(own_subjects, own_visits, y, reference=design.baseline, level=1 - plan.alpha)
        except StatisticsError:
            continue
        kr = fit.kenward_roger
        note = "the patients do not differ: variance between them is 0" if fit.singular else ""
        check = mixed_model_check(own_subjects, own_visits, y)
        for i, name in enumerate(kr.names):
            rows.append(
                MixedRow(
                    panel=readout.panel,
                    population=readout.population,
                    path=readout.path,
                    scale=plan.scale_of(readout.population, readout.path),
                    visit=name.removesuffix(f"-{design.baseline}"),
                    subjects=fit.subjects,
                    rows=fit.rows,
                    estimate=float(kr.estimate[i]),
                    se=float(kr.se[i]),
                    df=float(kr.df[i]),
                    t=float(kr.t[i]),
                    p=float(kr.p[i]),
                    ci_low=float(kr.low[i]),
                    ci_high=float(kr.high[i]),
                    p_holm=float(kr.p_holm[i]),
                    within_sd=math.sqrt(fit.sigma2),
                    between_sd=math.sqrt(fit.tau2),
                    singular=fit.singular,
                    omnibus_f=fit.omnibus.f,
                    omnibus_df=fit.omnibus.denominator_df,
                    omnibus_p=fit.omnibus.p,
                    note=note,
                    r_check=check,
                )
            )
    return table_of(rows, MixedRow)


@dataclass(frozen=True, slots=True)
class CountRow:
    """One visit's effect in a model of the counts; ``p_t`` by Student with subjects - 1 degrees of freedom.

    ``p_relabelled`` exchanges the two visits within patients and refits; it is
    computed for the confirmatory readouts of up to ten patients.
    """

    panel: str
    population: str
    path: str
    scale: str
    visit: str
    family: str
    subjects: int
    rows: int
    estimate: float
    se: float
    odds_ratio: float
    t: float
    df: int
    p_t: float
    p_relabelled: float
    p_relabelled_count: int | None
    p_relabelled_total: int | None
    sd_subject: float
    sd_observation: float
    phi: float
    log_likelihood: float
    note: str


def count_table(
    readouts: Readouts, chosen: tuple[Readout, ...], design: TrialDesign, plan: AnalysisPlan
) -> pd.DataFrame:
    """Binomial and beta-binomial mixed models of each chosen population of composition.

    In a trial of more than thirty subjects only of the confirmatory readouts:
    the models are supportive, and sixty of them would take longer than all tests.
    """

    if len(readouts.subjects) > ALL_FITTED_UP_TO:
        listed = {r.population for r in plan.confirmatory}
        chosen = tuple(r for r in chosen if r.population in listed or r.path in listed)
    rows: list[CountRow] = []
    for readout in chosen:
        scale = plan.scale_of(readout.population, readout.path)
        if scale == ABUNDANCE:
            continue
        _, whole = readout.denominator(scale)
        data = _CountData.of(readouts, readout, whole, plan)
        for family in COUNT_FAMILIES:
            rows.extend(_count_rows(data, readout, scale, family, design, plan))
    return table_of(rows, CountRow)


@dataclass(frozen=True)
class _CountData:
    subjects: list[str]
    visits: list[str]
    count: FloatArray
    whole: FloatArray

    @classmethod
    def of(cls, readouts: Readouts, readout: Readout, whole: FloatArray, plan: AnalysisPlan) -> _CountData:
        k, n = readout.counts.ravel(), whole.ravel()
        used = (n >= max(plan.rules.min_parent, 1)) & ~np.isnan(k)
        subjects = [s for s in readouts.subjects for _ in readouts.visits]
        visits = list(readouts.visits) * len(readouts.subjects)
        return cls(
            [s for s, u in zip(subjects, used, strict=True) if u],
            [v for v, u in zip(visits, used, strict=True) if u],
            k[used],
            n[used],
        )


def _count_rows(
    data: _CountData, readout: Readout, scale: str, family: CountFamily, design: TrialDesign, plan: AnalysisPlan
) -> Iterator[CountRow]:
    try:
        fit = count_model(data.subjects, data.visits, data.count, data.whole, family=family, reference=design.baseline)
    except StatisticsError:
        return
    subjects = len(set(data.subjects))
    confirmatory = {r.visit for r in plan.confirmatory if r.population in (readout.population, readout.path)}
    nan = float("nan")
    for i, visit in enumerate(fit.visits[1:]):
        p = None
        if visit in confirmatory and subjects <= REFITTED_UP_TO and family == "binomial_olre" and fit.converged:
            p = relabelled_p(data.subjects, data.visits, data.count, data.whole, visit=visit, reference=design.baseline)
        estimate, se = (float(fit.beta[i + 1]), float(fit.se[i + 1])) if fit.converged else (nan, nan)
        yield CountRow(
            panel=readout.panel,
            population=readout.population,
            path=readout.path,
            scale=scale,
            visit=visit,
            family=family,
            subjects=subjects,
            rows=len(data.subjects),
            estimate=estimate,
            se=se,
            odds_ratio=math.exp(estimate),
            t=float(fit.t[i]) if fit.converged else nan,
            df=fit.df,
            p_t=float(fit.p_t[i]) if fit.converged else nan,
            p_relabelled=p.p if p else nan,
            p_relabelled_count=p.count if p else None,
            p_relabelled_total=p.total if p else None,
            sd_subject=fit.sd_subject,
            sd_observation=fit.sd_observation,
            phi=fit.phi,
            log_likelihood=fit.log_likelihood,
            note="" if fit.converged else "the fit did not converge and nothing of it is shown",
        )
