"""All statistics of a trial in one call: tables in, tables out.

Input columns
-------------
``counts``: rows of ``counts.csv`` joined with their sample: ``sample_id, panel,
population, path, count, parent_count`` from counts.csv; ``subject_id, visit,
batch, role`` from samples.csv; either ``cells_per_ul`` (of frequencies.csv) or
``lymphocytes_10e9_per_l`` for abundance, ``gating_sd`` (standard deviation of the
log odds that the gate's position leaves open) where known. Rows with role
``sample`` are tested; rows with role ``control`` are the bridging controls. Counts
of another program need ``subject_id, visit, panel, population, count,
parent_count`` only.

``clinical``: columns of ``clinical.csv``. ``design``: visits and baseline.
``plan``: the ``plan`` of ``study.yaml``.

Output tables
-------------
``ROW_TYPES`` names the value that documents the columns of each table. Tables
that are not in it: ``changes`` (`CHANGE_COLUMNS`), ``confirmatory``
(`fixed_sequence`), ``outcome`` (``subject_id, visit, outcome, change``),
``leave_one_out`` is part of ``comparison`` and ``correlation`` (``loo_*``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from cytometry.clinical.sri import SriResult
from cytometry.model.findings import Finding
from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.arms import ArmRow, arm_table
from cytometry.statistics.assays import AssayRow, analyse_assays
from cytometry.statistics.association import Association, correlate_blocks, outcome_changes, outcome_table
from cytometry.statistics.below_limit import LimitRow, SensitivityRow, limit_table, sensitivity_table
from cytometry.statistics.blocks import change_blocks, changes_table, panel_keys
from cytometry.statistics.changes import OVERRIDES
from cytometry.statistics.closure import ClosureRow, closure_sentences, closure_table
from cytometry.statistics.comparison import Comparison, compare_blocks
from cytometry.statistics.confirmatory import fixed_sequence, settle_claims
from cytometry.statistics.courses import CourseCorrelation, course_correlations
from cytometry.statistics.design import TrialDesign, check_design, confounded_visits
from cytometry.statistics.endpoint_table import EndpointRow, endpoint_table
from cytometry.statistics.estimands import Estimand, estimand_table
from cytometry.statistics.individuals import IndividualChange, control_variation, individual_changes
from cytometry.statistics.omnibus import OmnibusRow, omnibus_table
from cytometry.statistics.power import PowerRow, power_table
from cytometry.statistics.readouts import Readouts, collect_readouts
from cytometry.statistics.remark import ChecklistItem, StudyCounts, remark_table
from cytometry.statistics.response import (
    ResponderEstimate,
    ResponseRate,
    clinical_courses,
    responder_estimates,
    responders_of,
    response_rates,
    sri_table,
)
from cytometry.statistics.robustness import Robustness, robustness
from cytometry.statistics.rows import table_of
from cytometry.statistics.seal import departures, plan_digest
from cytometry.statistics.sentences import Sentence, sentences
from cytometry.statistics.supportive import CountRow, MixedRow, WeightedRow, count_table, mixed_table, weighted_table

if TYPE_CHECKING:
    import pandas as pd


SPREADS_OF_LOG2 = (0.5, 1.0, 1.5)
"""Standard deviations of log2 changes for the power table: quiet, usual and noisy populations."""


@dataclass(frozen=True)
class AnalysisResult:
    """Every table of the analysis; see the module's head for the columns.

    Parameters
    ----------
    responders_found
        Subjects who responded at the outcome's visit.
    findings
        What in the design a reader has to know.
    plan_digest
        SHA-256 of the plan that was used.
    departures
        What differs from the sealed plan; empty also where none was sealed.
    sentences
        The results in words, in the order in which a reader wants them.
    """

    subjects: tuple[str, ...]
    responders_found: tuple[str, ...]
    changes: pd.DataFrame
    comparison: pd.DataFrame
    confirmatory: pd.DataFrame
    responders: pd.DataFrame
    outcome: pd.DataFrame
    correlation: pd.DataFrame
    individuals: pd.DataFrame
    sri: pd.DataFrame
    response_rate: pd.DataFrame
    endpoints: pd.DataFrame
    omnibus: pd.DataFrame
    weighted: pd.DataFrame
    mixed_model: pd.DataFrame
    count_model: pd.DataFrame
    courses: pd.DataFrame
    closure: pd.DataFrame
    limits: pd.DataFrame
    sensitivity: pd.DataFrame
    robustness: pd.DataFrame
    arms: pd.DataFrame
    power: pd.DataFrame
    estimands: pd.DataFrame
    remark: pd.DataFrame
    assays: pd.DataFrame
    findings: tuple[Finding, ...]
    plan_digest: str
    departures: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, as they are written to ``tables/``."""
        import pandas as pd

        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: table for name, table in named.items() if isinstance(table, pd.DataFrame)}


ROW_TYPES: Mapping[str, type] = MappingProxyType(
    {
        "comparison": Comparison,
        "correlation": Association,
        "responders": ResponderEstimate,
        "individuals": IndividualChange,
        "response_rate": ResponseRate,
        "endpoints": EndpointRow,
        "sri": SriResult,
        "omnibus": OmnibusRow,
        "weighted": WeightedRow,
        "mixed_model": MixedRow,
        "count_model": CountRow,
        "courses": CourseCorrelation,
        "closure": ClosureRow,
        "limits": LimitRow,
        "sensitivity": SensitivityRow,
        "robustness": Robustness,
        "arms": ArmRow,
        "power": PowerRow,
        "estimands": Estimand,
        "remark": ChecklistItem,
        "assays": AssayRow,
    }
)


@dataclass(frozen=True)
class Extras:
    """What a trial may bring beside counts and clinic.

    Parameters
    ----------
    assays
        Rows of ``assays.csv``.
    gate_draws
        Rows of ``gate_draws.csv`` with ``subject_id`` and ``visit``, study samples only.
    sealed
        The plan as it was sealed.
    names
        Population to the name that readers know.
    treatment
        What was given, for the estimand table.
    """

    assays: pd.DataFrame | None = None
    gate_draws: pd.DataFrame | None = None
    sealed: AnalysisPlan | None = None
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    treatment: str = "the study treatment with background therapy"


def analyse(
    counts: pd.DataFrame,
    clinical: pd.DataFrame,
    design: TrialDesign,
    plan: AnalysisPlan,
    extras: Extras | None = None,
) -> AnalysisResult:
    """Change scores, tests, models, correlations and responses of a trial.

    Raises
    ------
    StatisticsError
        A column is missing, a tube is there twice, or the plan names a
        population or scale that was not counted.
    """
    import pandas as pd

    extras = extras or Extras()
    counts = with_lymphocytes(counts, clinical)
    findings = check_design(counts, clinical, design)
    readouts = collect_readouts(counts, design.visits)
    for readout in plan.confirmatory:
        readouts.named(readout.population)
    blocks = change_blocks(readouts, design, plan)
    panel = panel_keys(blocks, readouts, plan)
    own_scale = tuple(b for b in blocks if b.key in panel)
    members = tuple(r for r in readouts.items if any(b.readout is r for b in own_scale))
    rng = np.random.default_rng(plan.seed)
    level = 1 - plan.alpha
    compared = compare_blocks(blocks, plan, panel, rng, confounded=confounded_visits(findings))
    sequence = fixed_sequence(compared, plan)
    comparison = settle_claims(compared, sequence)
    courses = clinical_courses(clinical, design)
    sri = sri_table(courses, design, plan)
    rates = response_rates(sri)
    responders = responders_of(sri, clinical, design, plan)
    outcome = outcome_changes(clinical, plan.outcome, readouts.subjects, design)
    correlation = correlate_blocks(blocks, outcome, plan, panel, rng)
    together = course_correlations(readouts, members, clinical, design, plan, rng)
    individuals = individual_changes(blocks, readouts.subjects, control_variation(counts), design, plan)
    closure = closure_table(readouts, design, plan.rules.min_parent, level)
    digest = plan_digest(plan)
    changes = changes_table(blocks, readouts.subjects)
    return AnalysisResult(
        subjects=readouts.subjects,
        responders_found=tuple(s for s in readouts.subjects if s in responders),
        changes=changes,
        comparison=comparison,
        confirmatory=sequence,
        responders=responder_estimates(blocks, readouts.subjects, responders, level),
        outcome=outcome_table(outcome, plan.outcome, readouts.subjects),
        correlation=correlation,
        individuals=individuals,
        sri=sri,
        response_rate=rates,
        endpoints=endpoint_table(courses),
        omnibus=omnibus_table(own_scale, members, design, plan, rng),
        weighted=weighted_table(own_scale, plan),
        mixed_model=mixed_table(readouts, members, design, plan),
        count_model=count_table(readouts, members, design, plan),
        courses=together,
        closure=closure,
        limits=limit_table(readouts, plan),
        sensitivity=sensitivity_table(own_scale, readouts, design, plan, rng),
        robustness=table_of([], Robustness)
        if extras.gate_draws is None
        else robustness(readouts, extras.gate_draws, comparison, design, plan),
        arms=arm_table(blocks, readouts.subjects, design, rng),
        power=_power(comparison, plan),
        estimands=estimand_table(design, plan, extras.treatment),
        remark=remark_table(design, plan, _study_counts(readouts, changes), digest),
        assays=pd.DataFrame(columns=[*AssayRow.__dataclass_fields__])
        if extras.assays is None
        else analyse_assays(extras.assays, clinical, design, plan, rng),
        findings=findings,
        plan_digest=digest,
        departures=() if extras.sealed is None else departures(extras.sealed, plan),
        sentences=sentences(
            comparison=comparison,
            correlation=correlation,
            courses=together,
            individuals=individuals,
            rates=rates,
            sri=sri,
            findings=findings,
            closure=closure_sentences(comparison, closure, design, extras.names),
            design=design,
            plan=plan,
            names=extras.names,
        ),
    )


def _power(comparison: pd.DataFrame, plan: AnalysisPlan) -> pd.DataFrame:
    """What the numbers of patients at hand could have shown, for three spreads of log2 change."""

    sizes = tuple(sorted({int(n) for n in comparison["n"] if n > 1}))
    return table_of(power_table(sizes, SPREADS_OF_LOG2, plan.alpha), PowerRow)


def _study_counts(readouts: Readouts, changes: pd.DataFrame) -> StudyCounts:
    """Numbers for the checklist."""
    flags = changes["flags"].astype(str)
    first = next(iter(readouts.batches))
    seen = next(r for r in readouts.items if r.panel == first)
    return StudyCounts(
        subjects=len(readouts.subjects),
        visits_with_sample=int((~np.isnan(seen.parent_counts)).sum()),
        visits_planned=len(readouts.subjects) * len(readouts.visits),
        populations=len(readouts.items),
        changes=len(changes),
        changes_undefined=int(changes["change"].isna().sum()),
        changes_flagged=int(flags.str.contains("LOD|LLOQ|PARENT_SMALL").sum()),
        changes_overridden=int(flags.str.contains("|".join(OVERRIDES)).sum()),
    )


def with_lymphocytes(counts: pd.DataFrame, clinical: pd.DataFrame) -> pd.DataFrame:
    """Counts with the clinical table's lymphocyte count where the sample's own row has none."""
    column = "lymphocytes_10e9_per_l"
    if column not in clinical or not {"subject_id", "visit"} <= set(counts.columns):
        return counts
    known = clinical.dropna(subset=[column]).drop_duplicates(["subject_id", "visit"])
    keys = zip(known["subject_id"].astype(str), known["visit"].astype(str), strict=True)
    by_visit = dict(zip(keys, known[column].astype(float), strict=True))
    own = zip(counts["subject_id"].astype(str), counts["visit"].astype(str), strict=True)
    clinic = np.array([by_visit.get(key, np.nan) for key in own], dtype=np.float64)
    if column not in counts:
        return counts.assign(**{column: clinic})
    given = counts[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return counts.assign(**{column: np.where(np.isnan(given), clinic, given)})
