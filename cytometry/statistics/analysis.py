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
Their columns are documented at the value behind each row: ``comparison``
(`Comparison`), ``correlation`` (`Association`), ``responders``
(`ResponderEstimate`), ``individuals`` (`IndividualChange`), ``response_rate``
(`ResponseRate`), ``sri`` (`SriResult` with ``rule`` and ``primary``), ``changes``
(`CHANGE_COLUMNS`), ``confirmatory`` (`fixed_sequence`), ``outcome``
(``subject_id, visit, outcome, change``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.findings import Finding
from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.association import correlate_blocks, outcome_changes, outcome_table
from cytometry.statistics.blocks import change_blocks, changes_table, panel_keys
from cytometry.statistics.comparison import compare_blocks
from cytometry.statistics.confirmatory import fixed_sequence, settle_claims
from cytometry.statistics.design import TrialDesign, check_design, confounded_visits
from cytometry.statistics.individuals import control_variation, individual_changes
from cytometry.statistics.readouts import collect_readouts
from cytometry.statistics.response import (
    clinical_courses,
    responder_estimates,
    responders_of,
    response_rates,
    sri_table,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class AnalysisResult:
    """Every table of the analysis; see the module's head for the columns.

    Parameters
    ----------
    responders_found
        Subjects who responded at the outcome's visit.
    findings
        What in the design a reader has to know.
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
    findings: tuple[Finding, ...]

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, as they are written to ``tables/``."""
        import pandas as pd

        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: table for name, table in named.items() if isinstance(table, pd.DataFrame)}


def analyse(counts: pd.DataFrame, clinical: pd.DataFrame, design: TrialDesign, plan: AnalysisPlan) -> AnalysisResult:
    """Change scores, tests, correlations and responses of a trial.

    Raises
    ------
    StatisticsError
        A column is missing, a tube is there twice, or the plan names a
        population or scale that was not counted.
    """
    counts = with_lymphocytes(counts, clinical)
    findings = check_design(counts, clinical, design)
    readouts = collect_readouts(counts, design.visits)
    for readout in plan.confirmatory:
        readouts.named(readout.population)
    blocks = change_blocks(readouts, design, plan)
    panel = panel_keys(blocks, readouts, plan)
    rng = np.random.default_rng(plan.seed)
    comparison = compare_blocks(blocks, plan, panel, rng, confounded=confounded_visits(findings))
    sequence = fixed_sequence(comparison, plan)
    courses = clinical_courses(clinical, design)
    sri = sri_table(courses, design, plan)
    responders = responders_of(sri, clinical, design, plan)
    outcome = outcome_changes(clinical, plan.outcome, readouts.subjects, design)
    return AnalysisResult(
        subjects=readouts.subjects,
        responders_found=tuple(s for s in readouts.subjects if s in responders),
        changes=changes_table(blocks, readouts.subjects),
        comparison=settle_claims(comparison, sequence),
        confirmatory=sequence,
        responders=responder_estimates(blocks, readouts.subjects, responders, 1 - plan.alpha),
        outcome=outcome_table(outcome, plan.outcome, readouts.subjects),
        correlation=correlate_blocks(blocks, outcome, plan, panel, rng),
        individuals=individual_changes(blocks, readouts.subjects, control_variation(counts), design, plan),
        sri=sri,
        response_rate=response_rates(sri),
        findings=findings,
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
