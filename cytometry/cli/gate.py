"""``cytometry gate``: files, folders or a study in, counts out."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.gating_output import decisions_document, gate_document, say_decisions, say_gating
from cytometry.cli.logs import run_log
from cytometry.cli.options import shared, worker_count
from cytometry.cli.output import print_json
from cytometry.cli.progress import listener
from cytometry.errors import RequestError
from cytometry.pipeline.gate_step import GateOptions, GatingJob, file_job, gate_job, plan_decisions, study_job
from cytometry.pipeline.tasks import GatingSettings


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@click.option(
    "--strategy",
    default=None,
    help="Shipped panel's name, panel folder, GatingML file or FlowJo .wsp. Not for a study.",
)
@click.option(
    "--pictures/--no-pictures",
    default=None,
    help="Also medians and gate pictures; default: for studies and panels, not for drawn files.",
)
@shared(
    "out", "jobs", "sample", "panel", "set", "strict", "fail_on", "force", "dry_run", "progress", "log_file", "json"
)
def gate(
    inputs: tuple[str, ...],
    strategy: str | None,
    pictures: bool | None,
    out: Path,
    jobs: int | None,
    samples: tuple[str, ...],
    panels: tuple[str, ...],
    changes: tuple[str, ...],
    strict: bool,
    fail_on: str | None,
    force: bool,
    dry_run: bool,
    progress: str,
    log_file: Path | None,
    as_json: bool,
) -> int:
    """Gate INPUTS and count.

    INPUTS are FCS files and folders, gated with --strategy, or one study (.yaml).
    Without a study each file stands alone: no result depends on the others.
    """
    workers = worker_count(jobs)
    job = _job(inputs, strategy, out, changes, workers, strict=strict, pictures=pictures)
    settings = job.plan.tasks[0].settings if job.plan.tasks else GatingSettings(strict=strict)
    options = GateOptions(workers, force, samples, panels, fail_on or "", settings)
    if dry_run:
        decisions = plan_decisions(job, options)
        if as_json:
            print_json(decisions_document(job, decisions))
        else:
            say_decisions(job, decisions)
        return 0
    with run_log(out, log_file):
        result = gate_job(job, options, listener(progress))
    if as_json:
        print_json(gate_document(job, result))
    else:
        say_gating(job, result)
    return result.exit_code


def _job(
    inputs: tuple[str, ...],
    strategy: str | None,
    out: Path,
    changes: tuple[str, ...],
    workers: int,
    *,
    strict: bool,
    pictures: bool | None,
) -> GatingJob:
    studies = [i for i in inputs if i.endswith((".yaml", ".yml"))]
    if studies:
        if len(inputs) > 1:
            raise RequestError("a study is gated alone", hint="give one .yaml, or files and folders")
        if strategy is not None:
            raise RequestError("a study names its own panels", hint="leave out --strategy")
        detail = True if pictures is None else pictures
        return study_job(studies[0], out, GatingSettings(strict=strict, detail=detail), changes, jobs=workers)
    if changes:
        raise RequestError("--set is for a study", hint="files have no study.yaml whose values it could change")
    if strategy is None:
        raise RequestError(
            "files need gates", hint="--strategy PANEL, FOLDER, GATES.gml.xml or WORKSPACE.wsp", code="STRATEGY_NEEDED"
        )
    drawn = strategy.lower().endswith((".xml", ".wsp"))
    detail = not drawn if pictures is None else pictures
    settings = GatingSettings(alone=True, strict=strict, detail=detail)
    return file_job(inputs, strategy, out, settings, jobs=workers)
