"""Who responded, how many of how many, and what the cells of responders did: estimates, no claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.clinical.sri import RULE_SETS, evaluate_sri
from cytometry.clinical.visits import Course, courses
from cytometry.errors import StatisticsError
from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.attainable import paired_floor
from cytometry.statistics.blocks import ABUNDANCE, ChangeBlock
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.proportions import proportion_interval
from cytometry.statistics.ranks import present
from cytometry.statistics.rows import table_of

if TYPE_CHECKING:
    import pandas as pd


def sri_table(course_list: tuple[Course, ...], design: TrialDesign, plan: AnalysisPlan) -> pd.DataFrame:
    """SRI by subject, follow-up visit and rule set, with every component and the first failing reason.

    The plan's rule set has ``primary`` true; the others stand beside it, because
    published variants differ by a comparison sign.

    Raises
    ------
    StatisticsError
        The plan names a rule set that does not exist.
    """
    import pandas as pd

    if plan.response.rule not in RULE_SETS:
        raise StatisticsError(
            f"'{plan.response.rule}' is not a rule set of response", where="plan.response", hint=", ".join(RULE_SETS)
        )
    rows = []
    for key, rules in RULE_SETS.items():
        for visit in design.follow_up:
            for course in course_list:
                result = asdict(evaluate_sri(course, visit, rules))
                result |= {
                    "rule": key,
                    "primary": key == plan.response.rule,
                    "systems_new_a": ";".join(result["systems_new_a"]),
                    "systems_new_b": ";".join(result["systems_new_b"]),
                }
                rows.append(result)
    return pd.DataFrame(rows)


def clinical_courses(clinical: pd.DataFrame, design: TrialDesign) -> tuple[Course, ...]:
    """Courses in the design's order of visits, baseline first."""
    return courses(clinical, (design.baseline, *design.follow_up), design.days)


@dataclass(frozen=True, slots=True)
class ResponseRate:
    """Responders of all treated, with Clopper and Pearson's interval.

    ``responders`` is empty where the clinical table does not hold the rule's
    components for anybody: none judged is not none responded.
    """

    rule: str
    visit: str
    responders: int | None
    treated: int
    fraction: float
    low: float
    high: float


def response_rates(sri: pd.DataFrame) -> pd.DataFrame:
    """Rate of each rule set at each visit; a subject who cannot be judged counts as the rule set says."""
    import pandas as pd

    rows = []
    if not sri.empty:
        for rule, visit in sri[["rule", "visit"]].drop_duplicates().itertuples(index=False):
            own = sri[(sri["rule"] == rule) & (sri["visit"] == visit)]
            nan = float("nan")
            if own[["sledai_ok", "bilag_ok", "pga_ok"]].isna().any(axis=1).all():
                rows.append(asdict(ResponseRate(rule, visit, None, len(own), nan, nan, nan)))
                continue
            judged = own[own["responder"].notna()]
            hits = int(judged["responder"].astype(bool).sum())
            interval = proportion_interval(hits, len(judged))
            rows.append(
                asdict(ResponseRate(rule, visit, hits, len(judged), interval.estimate, interval.low, interval.high))
            )
    return pd.DataFrame(rows, columns=[*ResponseRate.__dataclass_fields__])


def responders_of(sri: pd.DataFrame, clinical: pd.DataFrame, design: TrialDesign, plan: AnalysisPlan) -> frozenset[str]:
    """Subjects who responded at the plan's visit; a label given in the clinical table where no rule can be judged."""
    visit = plan.response.visit or design.outcome_visit
    if not sri.empty:
        own = sri[sri["primary"] & (sri["visit"] == visit)]
        judged = own[~own["reason"].isin(["component missing", "visit missing"]) | own["responder"].eq(True)]
        if not judged.empty:
            return frozenset(own.loc[own["responder"].eq(True), "subject_id"].astype(str))
    if "responder" in clinical:
        labels = clinical.assign(label=clinical["responder"].astype(str).str.lower().isin(["true", "1", "1.0"]))
        return frozenset(labels.loc[labels["label"], "subject_id"].astype(str))
    return frozenset()


@dataclass(frozen=True, slots=True)
class ResponderEstimate:
    """One row of the responders' table: no p-value, by design.

    Selecting on response selects on the outcome, and the floor of five changes
    is 0.0625: what can be given is the estimate, its interval and the floor.
    ``others_low`` and ``others_high`` show where the non-responders lie.
    """

    panel: str
    population: str
    path: str
    visit: str
    scale: str
    n: int
    n_fell: int
    n_rose: int
    estimate: float
    ci_low: float
    ci_high: float
    ci_attained: float
    effect: float
    effect_low: float
    effect_high: float
    points: float
    points_low: float
    points_high: float
    p_floor: float
    n_others: int
    others_low: float
    others_high: float


def responder_estimates(
    blocks: tuple[ChangeBlock, ...], subjects: tuple[str, ...], responders: frozenset[str], level: float
) -> pd.DataFrame:
    """Estimates and intervals of the responders' changes."""

    chosen = np.array([s in responders for s in subjects])
    rows = []
    for block in blocks:
        own = np.where(chosen, block.changes.values, np.nan)
        there, others = present(own), present(np.where(chosen, np.nan, block.changes.values))
        hl = hodges_lehmann(own, level=level)
        points = hodges_lehmann(np.where(chosen, block.points, np.nan), level=level)
        base = 2.0 if block.scale == ABUNDANCE else float(np.e)
        rows.append(
            ResponderEstimate(
                panel=block.readout.panel,
                population=block.readout.population,
                path=block.readout.path,
                visit=block.visit,
                scale=block.scale,
                n=int(there.size),
                n_fell=int((there < 0).sum()),
                n_rose=int((there > 0).sum()),
                estimate=hl.estimate,
                ci_low=hl.low,
                ci_high=hl.high,
                ci_attained=hl.attained,
                effect=base**hl.estimate,
                effect_low=base**hl.low,
                effect_high=base**hl.high,
                points=points.estimate,
                points_low=points.low,
                points_high=points.high,
                p_floor=paired_floor(int(there.size)) if there.size else float("nan"),
                n_others=int(others.size),
                others_low=float(others.min()) if others.size else float("nan"),
                others_high=float(others.max()) if others.size else float("nan"),
            )
        )
    return table_of(rows, ResponderEstimate)


def given_responders(labels: Mapping[str, bool]) -> frozenset[str]:
    """Responders by a label from outside.

    Examples
    --------
    >>> sorted(given_responders({"P1": True, "P2": False}))
    ['P1']
    """
    return frozenset(subject for subject, label in labels.items() if label)
