"""``cytometry export``: gated results in other programs' formats."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.exit_codes import DONE, INPUT_WRONG, PARTLY_DONE
from cytometry.cli.options import shared
from cytometry.cli.output import note, print_json, say
from cytometry.errors import RequestError


@click.group()
def export() -> None:
    """Write gated results in the formats of other programs."""


@export.command(name="fcs")
@click.argument("inputs", nargs=-1, required=True)
@click.option("--population", "populations", multiple=True, required=True, help="Name or path; root for every event.")
@click.option("--strategy", default=None, help="Panel's name or folder, GatingML file or FlowJo .wsp. Not for a study.")
@click.option("--membership", is_flag=True, help="Add a channel of 0 and 1 for every population.")
@shared("out", "strict", "json")
def export_fcs(
    inputs: tuple[str, ...],
    populations: tuple[str, ...],
    strategy: str | None,
    membership: bool,
    out: Path,
    strict: bool,
    as_json: bool,
) -> int:
    """Write gated populations of INPUTS (FCS files and folders, or one study) as FCS files.

    Stored values and keywords stay as they are; one file per sample and population.
    """
    from cytometry.pipeline.export_fcs import export_populations
    from cytometry.pipeline.gate_step import file_job, study_job
    from cytometry.pipeline.tasks import GatingSettings

    if any(i.endswith((".yaml", ".yml")) for i in inputs):
        if len(inputs) > 1 or strategy is not None:
            raise RequestError("a study is exported alone and names its own panels", hint="leave out the rest")
        job = study_job(inputs[0], out, GatingSettings(strict=strict, detail=False))
    elif strategy is None:
        raise RequestError("files need gates", hint="--strategy PANEL, GATES.gml.xml or WORKSPACE.wsp")
    else:
        job = file_job(inputs, strategy, out, GatingSettings(alone=True, strict=strict, detail=False))
    result = export_populations(job, populations, out, membership=membership)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "exported": [
                    {"sample_id": e.sample_id, "population": e.population, "file": str(e.file), "n_events": e.n_events}
                    for e in result.exported
                ],
                "failed": [{"sample_id": f.sample_id, "code": f.code, "reason": f.reason} for f in result.failed],
            }
        )
    else:
        for written in result.exported:
            say(f"{written.file}: {written.n_events:,} events of {written.population}")
    for failure in result.failed:
        note(f"error: {failure.sample_id}: {failure.reason}")
    if not result.failed:
        return DONE
    return PARTLY_DONE if result.exported else INPUT_WRONG
