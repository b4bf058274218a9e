"""``cytometry stats``: change tests and correlations from counts."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.logs import run_log
from cytometry.cli.options import shared
from cytometry.cli.output import note, print_json, say
from cytometry.pipeline.gate_step import study_job
from cytometry.pipeline.tasks import GatingSettings


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--counts",
    type=click.Path(path_type=Path),
    default=None,
    help="Counts of another program (long or wide; columns mapped under 'counts' in study.yaml).",
)
@shared("out", "set", "log_file", "json")
def stats(
    study: Path, counts: Path | None, out: Path, changes: tuple[str, ...], log_file: Path | None, as_json: bool
) -> int:
    """Test changes and correlations of STUDY from the counts in the output folder, or from --counts."""
    if counts is None:
        from cytometry.pipeline.run_step import stats_job

        job = study_job(study, out, GatingSettings(), changes)
        with run_log(out, log_file):
            analysis, _ = stats_job(job, with_report=False)
    else:
        from cytometry.io.study import load_study
        from cytometry.pipeline.run_step import foreign_counts_job

        # No FCS file is needed where the counts come from elsewhere.
        described = load_study(study, need_files=False, changes=changes)
        analysis = foreign_counts_job(described, counts, out)
    tables = analysis.tables()
    for finding in analysis.findings:
        note(f"{finding.severity}: {finding.message}")
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "status": "done",
                "exit_code": 0,
                "tables": {name: len(table) for name, table in tables.items()},
                "out": str(out),
            }
        )
    else:
        say(", ".join(f"{name} {len(table)} rows" for name, table in tables.items()))
        say(str(out / "tables"))
    return 0
