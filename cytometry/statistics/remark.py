"""The REMARK checklist (20 items) as far as a program can fill it; the rest is named as outstanding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.rows import table_of

if TYPE_CHECKING:
    import pandas as pd

OUTSTANDING = "outstanding: for the authors"


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One item of REMARK with what the analysis knows of it."""

    number: int
    item: str
    answer: str
    filled: bool


@dataclass(frozen=True, slots=True)
class StudyCounts:
    """Numbers that the checklist quotes."""

    subjects: int
    visits_with_sample: int
    visits_planned: int
    populations: int
    changes: int
    changes_undefined: int
    changes_flagged: int
    changes_overridden: int


def remark_table(design: TrialDesign, plan: AnalysisPlan, numbers: StudyCounts, digest: str) -> pd.DataFrame:
    """All twenty items in order."""

    confirmatory = (
        "; ".join(f"{r.population} ({r.scale}) at {design.title(r.visit)}" for r in plan.confirmatory)
        or "none declared"
    )
    arms = len(set(design.arms.values()))
    visits = f"visits {', '.join(map(design.title, design.visits))}; baseline {design.title(design.baseline)}"
    handling = f"{numbers.changes_flagged} changes flagged for low counts, {numbers.changes_overridden} overridden to 0"
    missing = f"exact paired tests; missing visits are missing, never imputed; plan {digest[:12]}"
    further = "tables 'sensitivity', 'closure', 'weighted', 'mixed_model', 'count_model'"
    answers: tuple[tuple[str, str], ...] = (
        ("Markers, objectives and hypotheses", f"confirmatory readouts in order: {confirmatory}"),
        ("Patients: source, inclusion, exclusion", f"{numbers.subjects} participants; criteria {OUTSTANDING}"),
        ("Treatments received", "" if arms < 2 else f"{arms} arms"),
        ("Specimens and controls", ""),
        ("Assay, quality control, blinding to endpoint", "gating cannot see visit, arm, response or clinical data"),
        ("Study design and time period", visits),
        ("Clinical endpoints", f"change of {plan.outcome}; {plan.response.rule}"),
        ("Candidate variables", f"{numbers.populations} populations, all of them in the tables"),
        ("Sample-size rationale", "smallest reachable p and minimal detectable effects are in the table 'power'"),
        ("Statistical methods, missing data", missing),
        ("Handling of marker values and cut-points", handling),
        ("Flow of patients", f"{numbers.visits_with_sample} of {numbers.visits_planned} planned visits have a sample"),
        ("Distributions, missing values", f"{numbers.changes_undefined} of {numbers.changes} changes are undefined"),
        ("Relation of markers to standard variables", "table 'correlation'"),
        ("Univariable analyses", "table 'comparison', every population"),
        ("Effect estimates with intervals", "table 'comparison': estimate, interval and its attained level"),
        ("Multivariable analyses", "not estimable at this number of participants" if numbers.subjects < 20 else ""),
        ("Sensitivity and further analyses", further),
        ("Interpretation", ""),
        ("Implications and limitations", ""),
    )
    rows = [
        ChecklistItem(i, item, answer or OUTSTANDING, bool(answer) and OUTSTANDING not in answer)
        for i, (item, answer) in enumerate(answers, start=1)
    ]
    return table_of(rows, ChecklistItem)
