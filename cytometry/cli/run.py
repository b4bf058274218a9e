"""``cytometry run``: the main job."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.gating_output import decisions_document, gate_document, say_decisions, say_gating
from cytometry.cli.logs import run_log
from cytometry.cli.options import shared, worker_count
from cytometry.cli.output import note, print_json, say
from cytometry.cli.progress import listener
from cytometry.pipeline.gate_step import GateOptions, plan_decisions, study_job
from cytometry.pipeline.tasks import GatingSettings


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--gate-draws",
    type=click.IntRange(0, 1000),
    default=20,
    show_default=True,
    help="Sets of other plausible gates under which everything is counted and tested again; 0 for none.",
)
@shared("out", "jobs", "set", "strict", "fail_on", "force", "dry_run", "progress", "log_file", "json")
def run(
    study: Path,
    gate_draws: int,
    out: Path,
    jobs: int | None,
    changes: tuple[str, ...],
    strict: bool,
    fail_on: str | None,
    force: bool,
    dry_run: bool,
    progress: str,
    log_file: Path | None,
    as_json: bool,
) -> int:
    """Check STUDY (study.yaml), gate what is not up to date, test, and write the report."""
    settings = GatingSettings(strict=strict, gate_draws=gate_draws)
    workers = worker_count(jobs)
    job = study_job(study, out, settings, changes, jobs=workers)
    options = GateOptions(workers, force, fail_on=fail_on or "", settings=settings)
    if dry_run:
        decisions = plan_decisions(job, options)
        if as_json:
            print_json(decisions_document(job, decisions))
        else:
            say_decisions(job, decisions)
        return 0
    from cytometry.pipeline.run_step import run_job

    with run_log(out, log_file):
        result = run_job(job, options, listener(progress))
    report = str(result.report) if result.report else None
    if as_json:
        document = gate_document(job, result.gating)
        document |= {"exit_code": result.exit_code, "report": report, "statistics": result.statistics_problem or "done"}
        print_json(document)
        return result.exit_code
    say_gating(job, result.gating)
    if result.statistics_problem:
        note(f"warning: no statistics: {result.statistics_problem}")
    say(f"{result.seconds:.0f} s")
    if report:
        say(report)
    return result.exit_code
