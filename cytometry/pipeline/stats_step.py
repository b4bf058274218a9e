"""``stats``: counts and clinic in, change tests, correlations and responses out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cytometry.io.atomic import write_atomically
from cytometry.io.result_tables import read_table, table_bytes
from cytometry.model.input_tables import ASSAYS_CSV, CLINICAL_CSV
from cytometry.model.study import Study
from cytometry.model.tables import COUNTS, FREQUENCIES, GATE_DRAWS, SAMPLES, TableSchema
from cytometry.pipeline.collect import TABLES
from cytometry.pipeline.frames import documented_columns, frame, records, schema_of
from cytometry.quantification.frequencies import PARENT

if TYPE_CHECKING:
    import pandas as pd

    from cytometry.statistics.analysis import AnalysisResult
    from cytometry.statistics.design import TrialDesign

# What stats adds to a count row from samples.csv.
_FROM_SAMPLES: Final = ("subject_id", "visit", "batch", "role")
# Significant digits of statistics in files: beyond what n = 6 can mean, within what libraries agree on.
_DIGITS: Final = 12


@dataclass(frozen=True, eq=False)
class StatsResult:
    """Statistics of a study, and the names of the tables that were written."""

    analysis: AnalysisResult
    schemas: tuple[TableSchema, ...]


def analyse_study(study: Study, counts: pd.DataFrame, draws: pd.DataFrame | None = None) -> AnalysisResult:
    """Run the study's plan on joined counts.

    Parameters
    ----------
    draws
        Counts under other plausible gates; None or empty where none were drawn.

    Raises
    ------
    StatisticsError
        The counts do not allow it.
    """
    from cytometry.reporting.population_names import CANONICAL_NAMES
    from cytometry.statistics.analysis import Extras, analyse

    extras = Extras(
        assays=frame(ASSAYS_CSV, study.assays) if study.assays else None,
        sealed=study.sealed_plan,
        names=CANONICAL_NAMES,
        gate_draws=None if draws is None or draws.empty else draws,
    )
    return analyse(counts, clinical_frame(study), trial_design(study), study.plan, extras=extras)


def joined_counts(out: Path) -> pd.DataFrame:
    """Counts of an output folder with subject, visit, batch, role and cells per microlitre.

    Raises
    ------
    OutputError
        A table is missing or damaged.
    """
    counts = frame(COUNTS, read_table(out / TABLES / "counts.csv", COUNTS))
    samples = frame(SAMPLES, read_table(out / TABLES / "samples.csv", SAMPLES)).set_index("sample_id")
    shares = frame(FREQUENCIES, read_table(out / TABLES / "frequencies.csv", FREQUENCIES))
    for column in _FROM_SAMPLES:
        counts[column] = counts["sample_id"].map(samples[column])
    per_ul = shares[shares["denominator"] == PARENT].set_index(["sample_id", "path"])["cells_per_ul"]
    counts["cells_per_ul"] = [
        per_ul.get((sample, path), float("nan"))
        for sample, path in zip(counts["sample_id"], counts["path"], strict=True)
    ]
    draws = gate_draws(out)
    if len(draws):
        sd = draws.set_index(["sample_id", "path"])["gating_sd"]
        keys = zip(counts["sample_id"], counts["path"], strict=True)
        counts["gating_sd"] = [sd.get(key, float("nan")) for key in keys]
    return counts


def gate_draws(out: Path) -> pd.DataFrame:
    """Counts under other plausible gates; no row where none were drawn.

    Raises
    ------
    OutputError
        The table is damaged.
    """
    path = out / TABLES / "gate_draws.csv"
    return frame(GATE_DRAWS, read_table(path, GATE_DRAWS) if path.is_file() else [])


def drawn_study_counts(out: Path) -> pd.DataFrame:
    """Rows of :func:`gate_draws` of study samples, with their subject and visit.

    Raises
    ------
    OutputError
        A table is missing or damaged.
    """
    draws = gate_draws(out)
    samples = frame(SAMPLES, read_table(out / TABLES / "samples.csv", SAMPLES)).set_index("sample_id")
    for column in ("subject_id", "visit", "role"):
        draws[column] = draws["sample_id"].map(samples[column])
    return draws[draws["role"] == "sample"]


def clinical_frame(study: Study) -> pd.DataFrame:
    """``clinical.csv`` as a frame; columns that no row fills are left out."""
    table = frame(CLINICAL_CSV, study.clinical)
    kept = [c for c in table.columns if c in CLINICAL_CSV.key or table[c].notna().any()]
    extra = [n for n in (study.clinical[0] if study.clinical else ()) if n not in CLINICAL_CSV.names]
    result = table[kept].copy()
    for name in extra:
        result[name] = [row.get(name) for row in study.clinical]
    return result


def trial_design(study: Study) -> TrialDesign:
    """Visits, baseline, arms and titles for the statistics."""
    from cytometry.statistics.design import TrialDesign

    primary = [v.id for v in study.visits if v.primary]
    return TrialDesign(
        visits=study.visit_ids,
        baseline=study.baseline.id,
        days={v.id: v.planned_day for v in study.visits if v.planned_day is not None},
        primary_visit=study.plan.response.visit or (primary[0] if primary else ""),
        arms={str(r["subject_id"]): str(r["arm"]) for r in study.subjects if r.get("arm")},
        titles={v.id: v.title for v in study.visits},
    )


def write_statistics(out: Path, analysis: AnalysisResult) -> tuple[TableSchema, ...]:
    """Write every table of the analysis below ``tables/``; return their schemas."""
    schemas = []
    for name, table in analysis.tables().items():
        schema = schema_of(name, table, _meanings(name))
        rows = [{k: rounded(v) for k, v in row.items()} for row in records(table)]
        write_atomically(out / TABLES / f"{name}.csv", table_bytes(schema, rows))
        schemas.append(schema)
    return tuple(schemas)


def rounded(value: str | float | bool | None) -> str | float | bool | None:
    """A statistic with as many digits as files keep."""
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _meanings(name: str) -> dict[str, str]:
    """Meanings of a table's columns, from the value that documents its rows."""
    from cytometry.clinical.sri import SriResult
    from cytometry.statistics.association import Association
    from cytometry.statistics.comparison import Comparison
    from cytometry.statistics.individuals import IndividualChange
    from cytometry.statistics.response import ResponderEstimate, ResponseRate

    kinds = {
        "comparison": Comparison,
        "correlation": Association,
        "responders": ResponderEstimate,
        "individuals": IndividualChange,
        "response_rate": ResponseRate,
        "sri": SriResult,
    }
    return documented_columns(kinds[name]) if name in kinds else {}


def design_frame(study: Study) -> pd.DataFrame:
    """One row per gated tube: what the design is judged by."""
    import pandas as pd

    columns = ("sample_id", "subject_id", "visit", "panel", "batch", "role")
    rows = [[getattr(s, c) for c in columns] for s in study.samples if s.is_gated]
    return pd.DataFrame(rows, columns=list(columns), dtype=object)
