"""A small invented trial for tests of the report: six participants, four visits, one leaves early."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from cytometry.model.plan import AnalysisPlan, Readout, ResponsePlan
from cytometry.model.study import SampleRow, Study, StudyFacts, VisitSpec
from cytometry.quantification.previews import GatePreview, gate_previews
from cytometry.reporting.inputs import InputFile, ReportInputs, RunFacts
from cytometry.statistics.analysis import AnalysisResult, analyse
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.sentences import Sentence
from tests.quantification.tubes import gated_tube

SUBJECTS = ("P01", "P02", "P03", "P04", "P05", "P06")
LEAVER = "P06"
VISITS = (("w00", 0.0), ("w04", 28.0), ("w08", 56.0), ("w24", 168.0))
TREE = {"b_cells": "root", "naive": "root/b_cells", "switched_memory": "root/b_cells", "dn2": "root/b_cells"}
# Shares of the parent at baseline, and what each visit multiplies them by.
BASELINE = {"b_cells": 0.3, "naive": 0.6, "switched_memory": 0.2, "dn2": 0.01}
FACTORS = {"b_cells": 1.0, "naive": 1.1, "switched_memory": 0.7, "dn2": 1.0}


def invented_study(**facts: object) -> Study:
    """Samples of one panel in three batches; P06 leaves after week 8."""
    samples = tuple(
        SampleRow(
            sample_id=f"{subject}_{visit}",
            fcs_file=f"fcs/{subject}_{visit}.fcs",
            panel="bcell",
            subject_id=subject,
            visit=visit,
            batch=f"B{i // 2 + 1}",
        )
        for i, subject in enumerate(SUBJECTS)
        for visit, _ in VISITS
        if (subject, visit) != (LEAVER, "w24")
    )
    plan = AnalysisPlan(
        confirmatory=(Readout(population="switched_memory", scale="logit_of:b_cells", visit="w08"),),
        panel=("b_cells", "naive", "switched_memory", "dn2"),
        response=ResponsePlan(rule="sri4", visit="w24"),
    )
    visits = tuple(
        VisitSpec(id=v, label=f"week {int(day // 7)}", day=day, baseline=v == "w00", primary=v == "w08")
        for v, day in VISITS
    )
    return Study(
        folder=Path(),
        samples_folder=Path(),
        facts=StudyFacts.model_validate({"id": "invented", "title": "An invented trial", **facts}),
        visits=visits,
        samples=samples,
        clinical=tuple(_clinic().to_dict("records")),
        panels={"bcell": "bcell_v1"},
        plan=plan,
    )


def invented_counts(study: Study) -> pd.DataFrame:
    """Binomial counts, seeded; the columns of counts.csv with those of the sample."""
    rng = np.random.default_rng(7)
    rows = []
    for sample in study.samples:
        counts = {"root": 4000}
        at = study.visit_ids.index(sample.visit)
        common = {
            "sample_id": sample.sample_id,
            "fcs_file": sample.fcs_file,
            "fcs_sha256": "0" * 64,
            "panel": "bcell",
            "total_events": 4000,
            "subject_id": sample.subject_id,
            "visit": sample.visit,
            "batch": sample.batch,
            "role": sample.role,
            "flags": "",
        }
        rows.append(
            common | {"population": "root", "path": "root", "parent_path": "", "count": 4000, "parent_count": None}
        )
        for name, parent in TREE.items():
            share = BASELINE[name] * (FACTORS[name] if at else 1.0) * float(np.exp(rng.normal(0, 0.05)))
            counts[f"{parent}/{name}"] = int(rng.binomial(counts[parent], min(share, 0.95)))
            rows.append(
                common
                | {
                    "population": name,
                    "path": f"{parent}/{name}",
                    "parent_path": parent,
                    "count": counts[f"{parent}/{name}"],
                    "parent_count": counts[parent],
                }
            )
    return pd.DataFrame(rows)


@functools.cache
def _analysed() -> tuple[pd.DataFrame, AnalysisResult]:
    """Counts and what the analysis makes of them; seconds, and the same each time."""
    study = invented_study()
    counts = invented_counts(study)
    design = TrialDesign(
        study.visit_ids,
        study.baseline.id,
        days=dict(VISITS),
        primary_visit="w24",
        titles={v.id: v.title for v in study.visits},
    )
    return counts, analyse(counts, _clinic(), design, study.plan)


def invented_inputs(**facts: object) -> ReportInputs:
    """Everything that a report can show, from invented numbers."""
    study = invented_study(**facts)
    counts, analysis = _analysed()
    tables = {
        "counts": counts,
        "samples": _samples(study),
        "findings": _findings(),
        "thresholds": _thresholds(study),
        **analysis.tables(),
    }
    return ReportInputs(
        title="An invented trial",
        tables=tables,
        study=study,
        sentences=(
            Sentence("confirmatory", "Switched memory B cells fell in 6 of 6."),
            Sentence("limits", "Week 24 has five participants: nothing can be significant there."),
            Sentence("caution", "There is no control arm."),
        ),
        previews=invented_previews(study),
        run=RunFacts(
            versions={"cytometry": "0.1.0", "python": "3.11"},
            settings={"compensation": "from_file"},
            settings_digest="ab" * 32,
            inputs=(InputFile("fcs/P01_w00.fcs", 1234, "cd" * 32),),
        ),
    )


def invented_previews(study: Study) -> dict[str, tuple[GatePreview, ...]]:
    """Pictures of the hand-gated tube under the study's sample ids."""
    tubes = [gated_tube(n_events=3300, seed=seed) for seed in range(3)]
    pictures = [gate_previews(t.strategy, t.reader, t.membership) for t in tubes]
    return {s.sample_id: pictures[i % len(pictures)] for i, s in enumerate(study.samples)}


def _clinic() -> pd.DataFrame:
    rows = []
    for i, subject in enumerate(SUBJECTS):
        for at, (visit, day) in enumerate(VISITS):
            gone = subject == LEAVER and visit == "w24"
            row = {
                "subject_id": subject,
                "visit": visit,
                "study_day": None if gone else day,
                "sledai": None if gone else 12 - i - (at * (2 + i % 2) if subject != LEAVER else 0),
                "pga": None if gone else 1.5 - 0.2 * at,
                "prednisone_mg_per_day": None if gone else 10.0,
                "withdrawn": gone,
                "new_immunosuppressant": False,
            }
            rows.append(row | {f"bilag_{s}": None if gone else "E" for s in _SYSTEMS})
    return pd.DataFrame(rows)


_SYSTEMS = (
    "constitutional",
    "mucocutaneous",
    "neuropsychiatric",
    "musculoskeletal",
    "cardiorespiratory",
    "gastrointestinal",
    "ophthalmic",
    "renal",
    "haematological",
)


def _samples(study: Study) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "sample_id": s.sample_id,
                "fcs_file": s.fcs_file,
                "fcs_sha256": "0" * 64,
                "panel": s.panel,
                "subject_id": s.subject_id,
                "visit": s.visit,
                "batch": s.batch,
                "role": s.role,
                "total_events": 4000,
                "status": "failed" if s.sample_id == "P03_w04" else "done",
                "code": "FCS_UNREADABLE" if s.sample_id == "P03_w04" else "",
                "reason": "no HEADER" if s.sample_id == "P03_w04" else "",
            }
            for s in study.samples
        ]
    )


def _findings() -> pd.DataFrame:
    columns = ["sample_id", "file", "code", "severity", "segment", "keyword", "message", "found", "expected", "fix"]
    rows = [
        ("P01_w00", "GATE_FALLBACK", "warning", "", "cd27", "a second rule decided", ""),
        ("P02_w00", "GATE_FALLBACK", "warning", "", "cd27", "a second rule decided", ""),
        ("P03_w04", "FCS_UNREADABLE", "error", "HEADER", "", "no HEADER", "export again"),
    ]
    return pd.DataFrame([(r[0], f"fcs/{r[0]}.fcs", *r[1:6], "", "", r[6]) for r in rows], columns=columns)


def _thresholds(study: Study) -> pd.DataFrame:
    """One cut per tube; the last tube's lies far off."""
    rng = np.random.default_rng(3)
    n = len(study.samples)
    values = 0.5 + rng.normal(0, 0.01, n)
    values[-1] = 0.9
    return pd.DataFrame(
        {
            "sample_id": [s.sample_id for s in study.samples],
            "panel": "bcell",
            "cut": "cd27",
            "dimension": "CD27",
            "method": "valley",
            "source": "data",
            "value_display": values,
            "value_linear": values * 1000,
            "uncertainty_sd": 0.01,
            "confidence": 0.9,
            "scope": "subject",
            "robust_z": (values - np.median(values)) / 0.01,
            "subject_z": np.nan,
            "flags": "",
        }
    )
