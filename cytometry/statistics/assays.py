"""Assays beside cytometry: cytokines, GARP-TGFβ, autoantibodies, proteinuria go through the same tests.

Values are compared as log2 ratios. A value below the LLOQ is carried as half of
it and flagged, and the signed-rank test (which only needs the order) stands
beside. Optical densities have no unit outside their plate: a change needs both
visits on one plate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.clinical.endpoints import direction_of_benefit
from cytometry.errors import StatisticsError
from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.association import outcome_changes
from cytometry.statistics.comparison import ALTERNATIVES
from cytometry.statistics.correlation import kendall_estimate, spearman
from cytometry.statistics.correlation_intervals import correlation_interval
from cytometry.statistics.correlation_max_t import correlation_max_t
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.max_t import max_t
from cytometry.statistics.r_check import paired_check
from cytometry.statistics.rank_biserial import rank_biserial
from cytometry.statistics.ranks import FloatArray, present
from cytometry.statistics.rows import table_of
from cytometry.statistics.sign_flip import sign_flip
from cytometry.statistics.signed_rank import signed_rank

if TYPE_CHECKING:
    import pandas as pd

ASSAY_COLUMNS = ("analyte", "unit", "platform", "lloq", "subject_id", "visit", "value")
OPTICAL_DENSITY = frozenset({"od", "od450", "od 450 nm", "optical density", "absorbance"})


@dataclass(frozen=True, slots=True)
class AssayRow:
    """One analyte's change at one visit, and how it goes with the outcome's change.

    ``estimate`` is log2 of visit over baseline; ``fold`` the same as a ratio.
    ``n_below`` changes have a value below the LLOQ at either visit; ``n_plates``
    pairs were dropped because an optical density was read on two plates.
    """

    analyte: str
    unit: str
    platform: str
    visit: str
    benefit: str
    n: int
    n_fell: int
    n_rose: int
    n_below: int
    n_plates: int
    estimate: float
    ci_low: float
    ci_high: float
    ci_attained: float
    fold: float
    fold_low: float
    fold_high: float
    p: float
    p_count: int | None
    p_total: int | None
    p_floor: float
    p_at_floor: bool
    p_method: str
    p_definition: str
    p_monte_carlo_se: float
    can_be_significant: bool
    p_signed_rank: float
    p_maxt: float
    rank_biserial: float
    rho: float
    rho_low: float
    rho_high: float
    tau_b: float
    p_rho: float
    p_rho_floor: float
    p_rho_maxt: float
    r_check: str


@dataclass(frozen=True)
class _Assay:
    analyte: str
    unit: str
    platform: str
    visit: str
    changes: FloatArray
    below: int
    plates: int


def analyse_assays(
    assays: pd.DataFrame,
    clinical: pd.DataFrame,
    design: TrialDesign,
    plan: AnalysisPlan,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Compare every analyte at every visit with baseline, adjusted over the analytes of a visit.

    Parameters
    ----------
    assays
        One row per value: ``analyte, unit, platform, lloq, subject_id, visit,
        value`` and, for optical densities, ``plate``. An empty value with a LLOQ is
        below it when ``below_lloq`` says so, else missing.

    Raises
    ------
    StatisticsError
        A column is missing, an analyte has two units, a value is negative, or a value is there twice.
    """

    _check(assays)
    generator = rng or np.random.default_rng(plan.seed)
    subjects = tuple(dict.fromkeys(assays["subject_id"].astype(str)))
    outcome = outcome_changes(clinical, plan.outcome, subjects, design)
    rows: list[AssayRow] = []
    for visit in design.follow_up:
        family = [
            _changes(own, subjects, visit, design) for _, own in assays.groupby(["analyte", "platform"], sort=False)
        ]
        family = [a for a in family if present(a.changes).size > 0]
        if not family:
            continue
        stacked = np.stack([a.changes for a in family])
        joint = max_t(stacked, rng=generator, draws=plan.draws)
        change = outcome.get(visit, np.full(len(subjects), np.nan))
        correlated = correlation_max_t(stacked, change, rng=generator, draws=plan.draws).p_step_down
        rows.extend(
            _row(a, change, float(p), float(r), plan, generator)
            for a, p, r in zip(family, joint.p_step_down, correlated, strict=True)
        )
    return table_of(rows, AssayRow)


def _check(assays: pd.DataFrame) -> None:
    missing = [c for c in ASSAY_COLUMNS if c not in assays]
    if missing:
        raise StatisticsError(
            f"no column {', '.join(missing)}", where="assays.csv", hint=f"needed: {', '.join(ASSAY_COLUMNS)}"
        )
    units = assays.groupby(["analyte", "platform"], sort=False)["unit"].nunique()
    for (analyte, platform), number in zip(units.index.tolist(), units.tolist(), strict=True):
        if number > 1:
            raise StatisticsError(
                f"{analyte} on {platform} has {number} units", where="assays.csv, column unit", hint="one unit each"
            )
    keys = ["analyte", "platform", "subject_id", "visit"]
    twice = assays[assays.duplicated(keys)]
    if not twice.empty:
        first = twice.iloc[0]
        raise StatisticsError(
            f"{first['analyte']} of {first['subject_id']} at {first['visit']} is there twice",
            where="assays.csv",
            hint="average the replicates, or give each platform its own name",
        )
    if bool((assays["value"].astype(float) < 0).any()):
        raise StatisticsError(
            "a value is negative", where="assays.csv, column value", hint="0 or more, empty if missing"
        )


def _changes(own: pd.DataFrame, subjects: tuple[str, ...], visit: str, design: TrialDesign) -> _Assay:
    first = own.iloc[0]
    unit = str(first["unit"])
    optical = unit.strip().lower() in OPTICAL_DENSITY
    rows = {(str(r["subject_id"]), str(r["visit"])): r for r in own.to_dict("records")}
    changes, below, plates = np.full(len(subjects), np.nan), 0, 0
    for i, subject in enumerate(subjects):
        before, now = rows.get((subject, design.baseline)), rows.get((subject, visit))
        if before is None or now is None:
            continue
        if optical and ("plate" not in own or str(before.get("plate")) != str(now.get("plate"))):
            plates += 1
            continue
        (x0, low0), (x1, low1) = _value(before), _value(now)
        if not (x0 > 0 and x1 > 0):
            continue
        below += low0 or low1
        # Both below the limit: nothing is known of the change but that it was not seen.
        changes[i] = 0.0 if low0 and low1 else np.log2(x1 / x0)
    return _Assay(str(first["analyte"]), unit, str(first["platform"]), visit, changes, below, plates)


def _value(row: dict[object, object] | dict[str, object]) -> tuple[float, bool]:
    """A value with half of the LLOQ in place of one below it, and whether that was done."""
    cells = {str(k): v for k, v in row.items()}
    value, lloq = _float(cells.get("value")), _float(cells.get("lloq"))
    marked = str(cells.get("below_lloq", "")).strip().lower() in {"true", "1", "1.0", "yes"}
    if lloq > 0 and (marked or value < lloq):
        return lloq / 2, True
    return value, False


def _float(value: object) -> float:
    return float("nan") if value is None or value == "" else float(str(value))


def _row(
    assay: _Assay, outcome: FloatArray, p_maxt: float, p_rho_maxt: float, plan: AnalysisPlan, rng: np.random.Generator
) -> AssayRow:
    d = assay.changes
    there = present(d)
    alternative = ALTERNATIVES[plan.sided]
    hl = hodges_lehmann(d, level=1 - plan.alpha)
    p = sign_flip(d, alternative=alternative, rng=rng, draws=plan.draws).p_value
    rank = spearman(d, outcome, rng=rng, draws=plan.draws)
    interval = correlation_interval(rank.estimate, rank.n, level=1 - plan.alpha)
    return AssayRow(
        analyte=assay.analyte,
        unit=assay.unit,
        platform=assay.platform,
        visit=assay.visit,
        benefit=direction_of_benefit(assay.analyte),
        n=int(there.size),
        n_fell=int((there < 0).sum()),
        n_rose=int((there > 0).sum()),
        n_below=assay.below,
        n_plates=assay.plates,
        estimate=hl.estimate,
        ci_low=hl.low,
        ci_high=hl.high,
        ci_attained=hl.attained,
        fold=2**hl.estimate,
        fold_low=2**hl.low,
        fold_high=2**hl.high,
        p=p.p,
        p_count=p.count,
        p_total=p.total,
        p_floor=p.floor,
        p_at_floor=p.at_floor,
        p_method=p.method,
        p_definition=p.definition,
        p_monte_carlo_se=p.monte_carlo_se,
        can_be_significant=p.can_reach(plan.alpha),
        p_signed_rank=signed_rank(d, alternative=alternative).p_value.p,
        p_maxt=p_maxt,
        rank_biserial=rank_biserial(d).estimate,
        rho=rank.estimate,
        rho_low=interval.low,
        rho_high=interval.high,
        tau_b=kendall_estimate(d, outcome),
        p_rho=rank.p_value.p,
        p_rho_floor=rank.p_value.floor,
        p_rho_maxt=p_rho_maxt,
        r_check=paired_check(d, alternative),
    )
