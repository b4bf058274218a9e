"""``cytometry status``: what is done, stale, failed or missing."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.gating_output import decisions_document, say_decisions
from cytometry.cli.options import shared
from cytometry.cli.output import print_json, say
from cytometry.errors import RequestError


@click.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="STUDY|OUT")
@shared("out", "set", "strict", "json")
def status(source: Path, out: Path, changes: tuple[str, ...], strict: bool, as_json: bool) -> int:
    """Say per sample what is done, stale (and why), failed or never run.

    For a study.yaml the inputs are compared with the parts in -o; give the --set and --lenient
    of the run, or what they change counts as stale. For an output folder its own record is told.
    """
    if source.suffix in {".yaml", ".yml"}:
        from cytometry.pipeline.gate_step import GateOptions, plan_decisions, study_job
        from cytometry.pipeline.tasks import GatingSettings

        job = study_job(source, out, GatingSettings(strict=strict), changes)
        decisions = plan_decisions(job, GateOptions())
        if as_json:
            print_json(decisions_document(job, decisions))
        else:
            say_decisions(job, decisions)
        return 0
    if changes:
        raise RequestError("--set is for a study", hint="an output folder is told as its run left it")
    from cytometry.pipeline.status_step import folder_status

    told = folder_status(source)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "out": str(source),
                "status": told.status,
                "command": told.command,
                "samples": [{"sample_id": s.sample_id, "status": s.status, "why": s.why} for s in told.samples],
            }
        )
        return 0
    for sample in told.samples:
        say(f"{sample.status:7}  {sample.sample_id}  {sample.why}".rstrip())
    say(f"last command: {told.command}, {told.status}")
    return 0
