"""Do cells and disease activity move together over all visits, within patients?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.omnibus import course_values
from cytometry.statistics.r_check import rmcorr_check
from cytometry.statistics.readouts import Readout, Readouts
from cytometry.statistics.rmcorr import rmcorr
from cytometry.statistics.rmcorr_permutation import course_permutation, swap_max_t

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class CourseCorrelation:
    """One population's repeated-measures correlation with the outcome.

    The claim *tracks disease activity* (``tracks_outcome``) needs ``p_swap_maxt``,
    the trajectory swap adjusted over the populations: plain r and ``p_within``
    are moved by the time course that all patients share.
    ``p_within`` and ``p_swap`` use the ``n_complete`` patients with every visit.
    """

    panel: str
    population: str
    path: str
    scale: str
    outcome: str
    rows: int
    r: float
    df: int
    p: float
    ci_low: float
    ci_high: float
    slope: float
    adjusted_r: float
    adjusted_df: int
    adjusted_p: float
    adjusted_ci_low: float
    adjusted_ci_high: float
    n_complete: int
    left_out: str
    complete_r: float
    p_within: float
    p_within_count: int | None
    p_within_total: int | None
    p_within_floor: float
    p_swap: float
    p_swap_count: int | None
    p_swap_total: int | None
    p_swap_floor: float
    p_swap_maxt: float
    tracks_outcome: bool
    r_check: str


def course_correlations(
    readouts: Readouts,
    chosen: tuple[Readout, ...],
    clinical: pd.DataFrame,
    design: TrialDesign,
    plan: AnalysisPlan,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Every chosen population on its own scale against the outcome, rows with both."""
    import pandas as pd

    columns = [*CourseCorrelation.__dataclass_fields__]
    if plan.outcome not in clinical:
        return pd.DataFrame(columns=columns)
    values = clinical.assign(
        subject_id=clinical["subject_id"].astype(str), value=pd.to_numeric(clinical[plan.outcome], errors="coerce")
    )
    wide = values.pivot_table(index="subject_id", columns="visit", values="value", aggfunc="first")
    outcome = wide.reindex(index=list(readouts.subjects), columns=list(readouts.visits)).to_numpy(dtype=np.float64)
    rows = [_correlate(readouts, r, outcome, design, plan, rng) for r in chosen]
    subjects = [s for s in readouts.subjects for _ in readouts.visits]
    visits = list(readouts.visits) * len(readouts.subjects)
    values_by_row = [course_values(r, plan, design).ravel() for r in chosen]
    joint = swap_max_t(subjects, visits, values_by_row, outcome.ravel(), rng=rng, draws=plan.draws)
    settled = [
        replace(row, p_swap_maxt=float(p), tracks_outcome=bool(p <= plan.alpha))
        for row, p in zip(rows, joint, strict=True)
    ]
    return pd.DataFrame([asdict(row) for row in settled], columns=columns)


def _correlate(
    readouts: Readouts,
    readout: Readout,
    outcome: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    design: TrialDesign,
    plan: AnalysisPlan,
    rng: np.random.Generator,
) -> CourseCorrelation:
    x, y = course_values(readout, plan, design).ravel(), outcome.ravel()
    subjects = [s for s in readouts.subjects for _ in readouts.visits]
    visits = list(readouts.visits) * len(readouts.subjects)
    level = 1 - plan.alpha
    plain, adjusted = rmcorr(subjects, x, y, level=level), rmcorr(subjects, x, y, visits=visits, level=level)
    permuted = course_permutation(subjects, visits, x, y, rng=rng, draws=plan.draws)
    within, swap = permuted.within_subjects, permuted.trajectory_swap
    there = ~(np.isnan(x) | np.isnan(y))
    return CourseCorrelation(
        panel=readout.panel,
        population=readout.population,
        path=readout.path,
        scale=plan.scale_of(readout.population, readout.path),
        outcome=plan.outcome,
        rows=plain.rows,
        r=plain.r,
        df=plain.df,
        p=plain.p,
        ci_low=plain.low,
        ci_high=plain.high,
        slope=plain.slope,
        adjusted_r=adjusted.r,
        adjusted_df=adjusted.df,
        adjusted_p=adjusted.p,
        adjusted_ci_low=adjusted.low,
        adjusted_ci_high=adjusted.high,
        n_complete=permuted.n,
        left_out=";".join(permuted.left_out),
        complete_r=permuted.r,
        p_within=within.p,
        p_within_count=within.count,
        p_within_total=within.total,
        p_within_floor=within.floor,
        p_swap=swap.p,
        p_swap_count=swap.count,
        p_swap_total=swap.total,
        p_swap_floor=swap.floor,
        p_swap_maxt=float("nan"),
        tracks_outcome=False,
        r_check=rmcorr_check([s for s, t in zip(subjects, there, strict=True) if t], x[there], y[there]),
    )
