"""``cytometry init``: start a study."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.options import shared
from cytometry.cli.output import print_json, say
from cytometry.errors import RequestError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--demo", is_flag=True, help="Write the synthetic demo study.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the demo.")
@click.option(
    "--from-fcs",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="FCS file or folder; repeatable. Fills samples.csv from headers, guesses marked with '?'.",
)
@shared("force", "json")
def init(folder: Path, demo: bool, seed: int, sources: tuple[Path, ...], force: bool, as_json: bool) -> int:
    """Start a study in FOLDER: the demo, or tables filled from FCS files."""
    if demo == bool(sources):
        raise RequestError("say what to start from", hint="--demo, or --from-fcs FILES")
    if demo:
        from cytometry.pipeline.demo import write_demo_study
        from cytometry.pipeline.demo_folder import clear_demo

        if force:
            clear_demo(folder)
        study = write_demo_study(folder, seed)
        message = f"a synthetic study; next: cytometry run {study}"
    else:
        from cytometry.pipeline.new_study import fcs_files, start_study

        files = fcs_files(sources)
        readable = start_study(folder, files)
        study = folder / "study.yaml"
        message = (
            f"{len(files)} files, {readable} readable; replace every '?' in study.yaml and samples.csv, "
            f"fill clinical.csv, then: cytometry check {study}"
        )
    if as_json:
        print_json({"schema_version": 1, "status": "done", "exit_code": 0, "study": str(study)})
    else:
        say(message)
        say(str(study))
    return 0
