"""``gate``: files or a study in; parts, gates and count tables out, with a manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cytometry.errors import RequestError
from cytometry.io.digests import Plain
from cytometry.io.lock import output_lock
from cytometry.io.manifest import FileRecord, record_files
from cytometry.pipeline import journal
from cytometry.pipeline.collect import write_data_package
from cytometry.pipeline.definitions import drawn_gates, workspace_of
from cytometry.pipeline.exit_status import exit_status
from cytometry.pipeline.gating_run import (
    GATING_TABLES,
    GatingRun,
    decisions_for,
    run_gating,
    select,
)
from cytometry.pipeline.out_folder import (
    RunRecord,
    Stopwatch,
    check_owner,
    claim,
    finish,
    known_outputs,
    remove_outputs,
)
from cytometry.pipeline.planning import GatingPlan
from cytometry.pipeline.progress import Listener, ignore
from cytometry.pipeline.resume import Decision
from cytometry.pipeline.tasks import DRAW_SEED, GatingSettings
from cytometry.quantification.quality import QualityLimits

if TYPE_CHECKING:
    from cytometry.model.panel import Panel
    from cytometry.model.study import Study


@dataclass(frozen=True, slots=True)
class GateOptions:
    """How a gating run is done; nothing in it changes a number but ``settings``.

    Parameters
    ----------
    samples, panels
        Restrict the run to groups with these; all if empty.
    fail_on
        Severity from which findings turn the exit code into 3.
    """

    jobs: int = 1
    force: bool = False
    samples: tuple[str, ...] = ()
    panels: tuple[str, ...] = ()
    fail_on: str = ""
    settings: GatingSettings = field(default_factory=GatingSettings)


@dataclass(frozen=True)
class GatingJob:
    """A gating plan with what it came from.

    Parameters
    ----------
    study
        None for bare files.
    panels
        Loaded panels by key; empty where the strategy is a drawn file.
    """

    plan: GatingPlan
    out: Path
    study: Study | None = None
    panels: Mapping[str, Panel] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """Id of the study that the output folder belongs to."""
        return self.study.id if self.study else ""


def file_job(
    arguments: Sequence[str], strategy: str, out: Path, settings: GatingSettings, *, jobs: int = 1
) -> GatingJob:
    """Plan the gating of bare files and folders with one strategy; ``jobs`` files are hashed at once.

    Raises
    ------
    RequestError, PanelError, StrategyError
        The strategy is not found or wrong, or there is no input.
    """
    from cytometry.pipeline.file_inputs import find_strategy, plan_files, safe_name

    source = find_strategy(strategy)
    panels = {}
    if source.kind == "panel":
        from cytometry.io.panels import load_panel

        panels[safe_name(source.name)] = load_panel(source.path)
    # A strategy that is wrong stops here, once, and not in every sample.
    elif source.kind == "gatingml":
        drawn_gates(source.path, source.digest)
    else:
        workspace_of(source.path, source.digest)
    return GatingJob(plan_files(arguments, source, out, settings, jobs=jobs), out, None, panels)


def study_job(
    path: str | Path, out: Path, settings: GatingSettings, changes: Sequence[str] = (), *, jobs: int = 1
) -> GatingJob:
    """Read, check and plan a study, with ``changes`` (``KEY=VALUE``) to its settings.

    Raises
    ------
    StudyError, PanelError, StrategyError
        Anything in the study is wrong; nothing was gated.
    """
    from cytometry.io.study import load_study
    from cytometry.pipeline.study_inputs import load_panels, plan_study

    study = load_study(path, changes=changes)
    panels = load_panels(study)
    settings = replace(settings, masked=study.quality.masks == "applied")
    return GatingJob(plan_study(study, panels, out, settings, jobs=jobs), out, study, panels)


def plan_decisions(job: GatingJob, options: GateOptions) -> tuple[Decision, ...]:
    """What a run would do; writes nothing.

    Raises
    ------
    OutputError
        The folder belongs to something else.
    """
    check_owner(job.out, job.owner, force=options.force)
    return decisions_for(_selected(job, options), force=options.force)


@dataclass(frozen=True)
class GateResult:
    """What ``gate`` did and how it ended."""

    run: GatingRun
    exit_code: int
    seconds: float


def gate_job(job: GatingJob, options: GateOptions, progress: Listener = ignore) -> GateResult:
    """Gate, write tables and manifest.

    Raises
    ------
    OutputError
        The folder is busy, belongs to something else, or cannot be written.
    """
    watch = Stopwatch()
    with gating_folder(job, "gate", options) as record:
        run = gate_into(job, options, progress)
        code = exit_status(run.collected, fail_on=options.fail_on)
        finish(job.out, record, exit_code=code, summary=summary(run), seconds=watch.seconds)
        journal.ends(record.command, code, watch.seconds)
    return GateResult(run, code, watch.seconds)


@contextmanager
def gating_folder(job: GatingJob, command: str, options: GateOptions) -> Iterator[RunRecord]:
    """The job's folder, locked and claimed for a command that gates; yields what the manifest will say of it.

    Raises
    ------
    OutputError
        The folder is busy, belongs to something else, or cannot be written.
    """
    record = job_record(job, command, options)
    check_owner(job.out, job.owner, force=options.force)
    with output_lock(job.out):
        claim(job.out, record, force=options.force)
        journal.begins(record.command, record.study, len(job.plan.inputs))
        yield record


def gate_into(job: GatingJob, options: GateOptions, progress: Listener = ignore) -> GatingRun:
    """Gate into a folder that is locked and claimed; outputs of later steps go if the counts changed."""
    later = [n for n in known_outputs(job.out) if not n.startswith(("parts/", "gates/"))]
    run = run_gating(
        job.plan,
        job.panels,
        job.out,
        jobs=options.jobs,
        force=options.force,
        selected=_selected(job, options),
        progress=progress,
        limits=_quality_limits(job),
    )
    if run.changed:
        own = {f"tables/{s.name}.csv" for s in GATING_TABLES}
        remove_outputs(job.out, [n for n in later if n not in own])
    write_data_package(job.out, job.owner or "counts", GATING_TABLES)
    return run


def _quality_limits(job: GatingJob) -> QualityLimits:
    """The study's limits of acquisition quality; the defaults without one."""
    return (
        QualityLimits(**job.study.quality.model_dump(exclude={"masks"})) if job.study is not None else QualityLimits()
    )


def job_record(job: GatingJob, command: str, options: GateOptions) -> RunRecord:
    """What the manifest says of the job."""
    inputs = [
        FileRecord(i.tube.fcs_file, i.tube.path.stat().st_size if i.tube.path.is_file() else 0, i.tube.sha256)
        for i in job.plan.inputs
    ]
    settings: dict[str, Plain] = {
        "alone": all(t.settings.alone for t in job.plan.tasks),
        "strict": options.settings.strict,
        "detail": options.settings.detail,
        "gate_draws": options.settings.gate_draws,
        "panels": {
            key: {"kind": p.source.kind, "name": p.source.name, "sha256": p.source.digest, "scope": p.scope}
            for key, p in job.plan.panels.items()
        },
    }
    seeds: dict[str, int] = {}
    if job.study is not None:
        from cytometry.statistics.seal import plan_digest

        inputs = [*_table_records(job.study), *inputs]
        settings["compensation"] = job.study.compensation
        settings["plan"] = job.study.plan.model_dump(mode="json")
        settings["plan_sha256"] = plan_digest(job.study.plan)
        settings["quality"] = job.study.quality.model_dump(mode="json")
        if job.study.changed:
            settings["set"] = dict(job.study.changed)
        seeds = {"statistics": job.study.plan.seed}
    if options.settings.gate_draws:
        seeds["gate draws"] = DRAW_SEED
    return RunRecord(command, job.owner, settings, inputs, seeds)


def summary(run: GatingRun) -> dict[str, Plain]:
    """Inputs found and what became of them, and every failure with its reason."""
    t = run.tally
    return {
        "found": t.found,
        "done": t.done,
        "failed": t.failed,
        "skipped": t.skipped,
        "failures": [
            {"sample_id": o.sample_id, "code": o.code, "reason": o.reason}
            for o in run.collected.outcomes
            if o.status == "failed"
        ],
    }


def _table_records(study: Study) -> list[FileRecord]:
    names = [p.relative_to(study.folder).as_posix() for p in study.inputs]
    return list(record_files(study.folder, names))


def _selected(job: GatingJob, options: GateOptions) -> GatingPlan:
    if not options.samples and not options.panels:
        return job.plan
    known = [i.tube.sample_id for i in job.plan.inputs]
    unknown = [s for s in options.samples if s not in known]
    if unknown:
        raise RequestError(f"no sample '{unknown[0]}'", hint=f"samples: {', '.join(known[:40])}")
    strange = [p for p in options.panels if p not in job.plan.panels]
    if strange:
        raise RequestError(f"no panel '{strange[0]}'", hint=f"panels: {', '.join(job.plan.panels)}")
    return select(job.plan, samples=options.samples, panels=options.panels)
