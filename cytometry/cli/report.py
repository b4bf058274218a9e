"""``cytometry report``: the HTML report again, from the tables that are there."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.logs import run_log
from cytometry.cli.options import shared
from cytometry.cli.output import print_json, say
from cytometry.errors import RequestError
from cytometry.pipeline.gate_step import study_job
from cytometry.pipeline.tasks import GatingSettings


@click.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="STUDY|OUT")
@shared("out", "set", "log_file", "json")
def report(source: Path, out: Path, changes: tuple[str, ...], log_file: Path | None, as_json: bool) -> int:
    """Write the report of a study (study.yaml, with -o its output folder), or of a folder of gated files."""
    from cytometry.pipeline.run_step import file_report_job, stats_job

    if source.suffix in {".yaml", ".yml"}:
        job = study_job(source, out, GatingSettings(), changes)
        with run_log(out, log_file):
            _, path = stats_job(job, with_report=True)
    elif source.is_dir() and changes:
        raise RequestError("--set is for a study", hint="give its study.yaml")
    elif source.is_dir():
        path = file_report_job(source)
    else:
        raise RequestError(f"'{source}' is neither a study.yaml nor an output folder", hint="see --help")
    if as_json:
        print_json({"schema_version": 1, "status": "done", "exit_code": 0, "report": str(path)})
    else:
        say(str(path))
    return 0
