"""``run``: check, gate, test, report, in one folder under one manifest. Also its later steps alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cytometry.errors import OutputError, StatisticsError
from cytometry.io.digests import Plain, file_digest
from cytometry.io.external_counts import read_external_counts
from cytometry.io.lock import output_lock
from cytometry.io.manifest import FileRecord, read_manifest
from cytometry.pipeline import journal
from cytometry.pipeline.collect import TABLES, write_data_package
from cytometry.pipeline.exit_status import DONE, PARTLY_DONE, exit_status
from cytometry.pipeline.gate_step import (
    GateOptions,
    GateResult,
    GatingJob,
    gate_into,
    gating_folder,
    job_record,
    summary,
)
from cytometry.pipeline.gating_run import GATING_TABLES
from cytometry.pipeline.out_folder import RunRecord, Stopwatch, check_owner, claim, finish, stored_record
from cytometry.pipeline.progress import Listener, ignore
from cytometry.pipeline.report_step import write_report
from cytometry.pipeline.stats_step import analyse_study, drawn_study_counts, joined_counts, write_statistics

if TYPE_CHECKING:
    from cytometry.model.study import Study
    from cytometry.model.tables import TableSchema
    from cytometry.statistics.analysis import AnalysisResult


@dataclass(frozen=True, eq=False)
class RunResult:
    """What ``run`` did.

    Parameters
    ----------
    analysis
        None where the counts allowed no statistics; ``statistics_problem`` says why.
    """

    gating: GateResult
    analysis: AnalysisResult | None
    statistics_problem: str
    report: Path | None
    exit_code: int
    seconds: float


def run_job(job: GatingJob, options: GateOptions, progress: Listener = ignore) -> RunResult:
    """Gate, test and report a study.

    Raises
    ------
    OutputError
        The folder is busy, belongs to something else, or cannot be written.
    """
    watch = Stopwatch()
    with gating_folder(job, "run", options) as record:
        gating = gate_into(job, options, progress)
        code = exit_status(gating.collected, fail_on=options.fail_on)
        analysis: AnalysisResult | None = None
        problem = ""
        report = None
        if gating.tally.done:
            analysis, problem = _statistics(job)
            report = write_report(job.out, record, study=job.study, panels=job.panels, analysis=analysis)
        if problem:
            journal.noticed(f"no statistics: {problem}")
            code = PARTLY_DONE if code == DONE else code
        told: dict[str, Plain] = {**summary(gating), "statistics": problem or "done"}
        finish(job.out, record, exit_code=code, summary=told, seconds=watch.seconds)
        journal.ends(record.command, code, watch.seconds)
    return RunResult(GateResult(gating, code, watch.seconds), analysis, problem, report, code, watch.seconds)


def stats_job(job: GatingJob, *, with_report: bool) -> tuple[AnalysisResult, Path | None]:
    """Statistics, and the report if asked for, from the tables that are in the folder.

    Raises
    ------
    OutputError
        Nothing was gated into the folder, or it belongs to something else.
    StatisticsError
        The counts do not allow the analysis.
    """
    watch = Stopwatch()
    record = job_record(job, "report" if with_report else "stats", GateOptions())
    with output_lock(job.out):
        before = read_manifest(job.out)
        record = _as_gated(record, stored_record(before, record.command))
        claim(job.out, record)
        journal.begins(record.command, record.study, len(job.plan.inputs))
        analysis, schemas = _analyse(job)
        write_data_package(job.out, job.owner, (*GATING_TABLES, *schemas))
        report = None
        if with_report:
            report = write_report(job.out, record, study=job.study, panels=job.panels, analysis=analysis)
        kept = before.get("summary", {})
        finish(job.out, record, exit_code=DONE, summary=kept if isinstance(kept, dict) else {}, seconds=watch.seconds)
        journal.ends(record.command, DONE, watch.seconds)
    return analysis, report


def foreign_counts_job(study: Study, counts: Path, out: Path) -> AnalysisResult:
    """Statistics from a counts table that another program made, in a folder of their own.

    Raises
    ------
    StudyError
        The table cannot be understood.
    OutputError
        The folder holds gated samples: statistics of other counts would stand beside them.
    """
    import pandas as pd

    watch = Stopwatch()
    rows, findings = read_external_counts(counts, study)
    names = (study.folder / "study.yaml", counts)
    inputs = [FileRecord(p.name, p.stat().st_size, file_digest(p)) for p in names if p.is_file()]
    plan: Plain = study.plan.model_dump(mode="json")
    settings: dict[str, Plain] = {"plan": plan, "counts": counts.name}
    if study.changed:
        settings["set"] = dict(study.changed)
    record = RunRecord("stats", study.id, settings, inputs)
    check_owner(out, study.id)
    with output_lock(out):
        if (out / TABLES / "counts.csv").is_file():
            raise OutputError(
                "holds gated samples, and these counts come from elsewhere",
                where=str(out),
                hint="name another folder with -o",
                code="OUTPUT_FOREIGN",
            )
        claim(out, record)
        analysis = analyse_study(study, pd.DataFrame(rows))
        schemas = write_statistics(out, analysis)
        write_data_package(out, study.id, schemas)
        told: dict[str, Plain] = {"rows": len(rows), "findings": [f.message for f in findings]}
        finish(out, record, exit_code=DONE, summary=told, seconds=watch.seconds)
    return analysis


def file_report_job(out: Path) -> Path:
    """The report of a folder of files that were gated without a study.

    Raises
    ------
    OutputError
        It is not such a folder.
    """
    watch = Stopwatch()
    with output_lock(out):
        before = read_manifest(out)
        if before.get("study"):
            raise OutputError(
                f"belongs to study '{before['study']}'",
                where=str(out),
                hint=f"cytometry report STUDY.yaml -o {out}",
                code="STUDY_NEEDED",
            )
        record = stored_record(before, "report")
        claim(out, record)
        report = write_report(out, record, study=None, panels={}, analysis=None)
        kept = before.get("summary", {})
        finish(out, record, exit_code=DONE, summary=kept if isinstance(kept, dict) else {}, seconds=watch.seconds)
    return report


def _as_gated(record: RunRecord, gated: RunRecord) -> RunRecord:
    """The record of a later step, with the gating settings and seeds of the run that gated."""
    kept = {k: gated.settings[k] for k in ("alone", "strict", "detail", "gate_draws") if k in gated.settings}
    return replace(record, settings={**record.settings, **kept}, seeds={**gated.seeds, **record.seeds})


def _statistics(job: GatingJob) -> tuple[AnalysisResult | None, str]:
    """Statistics where the counts allow them; a study that has too little still gets its report."""
    try:
        analysis, schemas = _analyse(job)
    except StatisticsError as error:
        write_data_package(job.out, job.owner, GATING_TABLES)
        return None, str(error)
    write_data_package(job.out, job.owner, (*GATING_TABLES, *schemas))
    return analysis, ""


def _analyse(job: GatingJob) -> tuple[AnalysisResult, tuple[TableSchema, ...]]:
    if job.study is None:
        raise StatisticsError("files without a study have no visits to compare", hint="describe them in a study.yaml")
    analysis = analyse_study(job.study, joined_counts(job.out), drawn_study_counts(job.out))
    return analysis, write_statistics(job.out, analysis)
