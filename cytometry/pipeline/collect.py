"""From parts to tables: every table rebuilt from verified parts, in input order. Stale outputs are removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cytometry.io.atomic import write_atomically
from cytometry.io.parts import (
    COMPENSATION_PART,
    COUNTS_PART,
    DONE,
    FINDINGS_PART,
    GATE_DRAWS_PART,
    INTENSITIES_PART,
    QUALITY_PART,
    SETTINGS_PART,
    THRESHOLDS_PART,
    part_folder,
)
from cytometry.io.result_tables import data_package, finding_rows, read_table, table_bytes
from cytometry.model.tables import (
    COMPENSATION,
    COMPENSATION_TUBE,
    CONTROL_CHART,
    COUNTS,
    FINDINGS,
    FREQUENCIES,
    GATE_DRAWS,
    INTENSITIES,
    QUALITY,
    SAMPLES,
    SETTINGS,
    THRESHOLDS,
    Cell,
    TableSchema,
)
from cytometry.pipeline.planning import GatingPlan, PlannedInput
from cytometry.pipeline.resume import current_record
from cytometry.pipeline.tasks import SampleOutcome
from cytometry.quantification.compensation_quality import compensation_findings, pooled_compensation
from cytometry.quantification.control_chart import CONTROL, ControlRun, control_chart, control_findings
from cytometry.quantification.frequencies import FrequencyRules, SampleFacts, frequencies
from cytometry.quantification.quality import QualityLimits, quality_findings
from cytometry.quantification.settings_changes import settings_findings
from cytometry.quantification.threshold_spread import threshold_spread

if TYPE_CHECKING:
    from cytometry.model.panel import Panel

TABLES: Final = "tables"
DATA_PACKAGE: Final = f"{TABLES}/datapackage.json"

Rows = list[dict[str, Cell]]


@dataclass(frozen=True)
class Collected:
    """Tables of a gating run, and what became of every input."""

    outcomes: tuple[SampleOutcome, ...]
    tables: Mapping[str, Rows]


def collect(
    plan: GatingPlan,
    outcomes: Mapping[str, SampleOutcome],
    rules: Mapping[str, FrequencyRules],
    out: Path,
    limits: QualityLimits | None = None,
) -> Collected:
    """Read the parts of every input, in input order, and settle every outcome.

    Parameters
    ----------
    outcomes
        Of the groups that ran; inputs settled by the plan have theirs there. An
        input with neither is done if its part is current, else it was not selected.
    limits
        Of acquisition quality; a finding says where one is passed.
    """
    task_of = {t.sample_id: task for task in plan.tasks for t in task.tubes}
    settled: list[SampleOutcome] = []
    schemas = (
        COUNTS,
        FREQUENCIES,
        INTENSITIES,
        THRESHOLDS,
        GATE_DRAWS,
        QUALITY,
        COMPENSATION_TUBE,
        COMPENSATION,
        CONTROL_CHART,
        SETTINGS,
        SAMPLES,
        FINDINGS,
    )
    tables: dict[str, Rows] = {s.name: [] for s in schemas}
    tables["findings"] += finding_rows("", plan.findings)
    for planned in plan.inputs:
        sample_id = planned.tube.sample_id
        outcome = planned.outcome or outcomes.get(sample_id)
        if outcome is None or outcome.status == "done":
            task = task_of[sample_id]
            record = current_record(task, sample_id, out)
            if record is not None:
                folder = part_folder(out, task.panel, sample_id)
                for name in record.outputs:
                    _add_part(tables, out / name, folder)
                outcome = SampleOutcome(sample_id, "done", total_events=record.total_events)
            elif outcome is None:
                outcome = SampleOutcome(sample_id, "skipped", "NOT_SELECTED", "not asked for in this run")
            else:
                outcome = SampleOutcome(
                    sample_id, "failed", "PART_DAMAGED", "its results changed on disk while the run was going on"
                )
        if outcome.status != "done":
            tables["findings"] += finding_rows(sample_id, outcome.findings)
        settled.append(outcome)
        tables["samples"].append(_sample_row(planned, outcome))
    given = {p.tube.sample_id: p.tube.fcs_file for p in plan.inputs}
    for row in tables["qc"]:
        sample_id = str(row["sample_id"])
        tables["findings"] += finding_rows(
            sample_id, quality_findings(row, limits or QualityLimits(), given[sample_id])
        )
    tables["frequencies"] = frequencies(tables["counts"], rules, _facts(plan.inputs))
    # Without a study each file stands for itself: no row may depend on which others were given.
    if not all(t.settings.alone for t in plan.tasks):
        subjects = {i.tube.sample_id: i.subject_id for i in plan.inputs if i.tube.role != CONTROL}
        tables["thresholds"] = threshold_spread(tables["thresholds"], subjects)
    batch_of = {i.tube.sample_id: (i.panel, i.batch) for i in plan.inputs}
    for sample_id, changes in settings_findings(tables.pop(SETTINGS.name), batch_of, given).items():
        tables["findings"] += finding_rows(sample_id, changes)
    pairs = tables.pop(COMPENSATION_TUBE.name)
    tables[COMPENSATION.name] = pooled_compensation(pairs)
    # The first tube stands for all that carry its matrix.
    carriers = {str(r["matrix"]): given[str(r["sample_id"])] for r in reversed(pairs)}
    tables["findings"] += finding_rows("", compensation_findings(tables[COMPENSATION.name], carriers))
    controls = _controls(plan.inputs, tables["qc"])
    tables["control_chart"] = control_chart(controls, tables)
    for sample_id, findings in control_findings(tables["control_chart"], controls).items():
        tables["findings"] += finding_rows(sample_id, findings)
    return Collected(tuple(settled), tables)


def write_tables(out: Path, tables: Mapping[str, Rows], schemas: Sequence[TableSchema]) -> tuple[str, ...]:
    """Write tables below ``tables/``; return their names relative to ``out``."""
    names = []
    for schema in schemas:
        name = f"{TABLES}/{schema.name}.csv"
        write_atomically(out / name, table_bytes(schema, tables[schema.name]))
        names.append(name)
    return tuple(names)


def write_data_package(out: Path, name: str, schemas: Sequence[TableSchema]) -> None:
    """Write ``tables/datapackage.json`` for the tables that are there."""
    present = {f"{s.name}.csv": s for s in schemas if (out / TABLES / f"{s.name}.csv").is_file()}
    write_atomically(out / DATA_PACKAGE, data_package(name, present))


def remove_stale(out: Path, plan: GatingPlan, collected: Collected) -> tuple[str, ...]:
    """Delete parts and gates that no current sample vouches for; return their names.

    An older run's results of a sample that failed now, or is not an input any more,
    would otherwise stand beside the new ones.
    """
    task_of = {t.sample_id: task for task in plan.tasks for t in task.tubes}
    kept: set[str] = set()
    for outcome in collected.outcomes:
        if outcome.status == "done":
            task = task_of[outcome.sample_id]
            record = current_record(task, outcome.sample_id, out)
            folder = part_folder(out, task.panel, outcome.sample_id)
            kept |= {(folder / DONE).relative_to(out).as_posix(), *(record.outputs if record else ())}
    removed = []
    for top in ("parts", "gates"):
        for path in sorted((out / top).rglob("*"), reverse=True):
            name = path.relative_to(out).as_posix()
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif name not in kept:
                path.unlink()
                removed.append(name)
    return tuple(removed)


def frequency_rules(panels: Mapping[str, Panel]) -> dict[str, FrequencyRules]:
    """What each panel reports; see :class:`FrequencyRules`."""
    from cytometry.pipeline.gate_group import panel_limits

    rules = {}
    for key, panel in panels.items():
        names = [path.rpartition("/")[2] for path in panel.population_paths]
        rules[key] = FrequencyRules({name: panel.denominators(name) for name in names}, panel_limits(panel))
    return rules


def _add_part(tables: dict[str, Rows], path: Path, folder: Path) -> None:
    if path.parent != folder:
        return
    by_file = {
        COUNTS_PART: COUNTS,
        FINDINGS_PART: FINDINGS,
        GATE_DRAWS_PART: GATE_DRAWS,
        INTENSITIES_PART: INTENSITIES,
        QUALITY_PART: QUALITY,
        COMPENSATION_PART: COMPENSATION_TUBE,
        SETTINGS_PART: SETTINGS,
        THRESHOLDS_PART: THRESHOLDS,
    }
    schema = by_file.get(path.name)
    if schema is not None:
        tables[schema.name] += read_table(path, schema)


def _sample_row(planned: PlannedInput, outcome: SampleOutcome) -> dict[str, Cell]:
    tube = planned.tube
    return {
        "sample_id": tube.sample_id,
        "fcs_file": tube.fcs_file,
        "fcs_sha256": tube.sha256,
        "panel": planned.panel,
        "subject_id": planned.subject_id,
        "visit": planned.visit,
        "batch": planned.batch,
        "role": tube.role,
        "total_events": outcome.total_events,
        "status": outcome.status,
        "code": outcome.code,
        "reason": outcome.reason,
    }


def _controls(inputs: Sequence[PlannedInput], quality: Rows) -> list[ControlRun]:
    """Every tube of control material with its date: the study's, else the file's own."""
    by_file = {str(r["sample_id"]): str(r["acquired_at"] or "") for r in quality}
    return [
        ControlRun(
            i.tube.sample_id,
            i.panel,
            i.subject_id,
            i.batch,
            i.acquired_at or by_file.get(i.tube.sample_id, ""),
            i.tube.fcs_file,
        )
        for i in inputs
        if i.tube.role == CONTROL
    ]


def _facts(inputs: Sequence[PlannedInput]) -> dict[str, SampleFacts]:
    return {
        i.tube.sample_id: SampleFacts(i.subject_id, i.visit, i.batch, i.tube.role, i.lymphocytes_10e9_per_l)
        for i in inputs
    }
