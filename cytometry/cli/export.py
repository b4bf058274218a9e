"""``cytometry export``: gated results in other programs' formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytometry.cli.exit_codes import DONE, INPUT_WRONG, PARTLY_DONE
from cytometry.cli.options import shared
from cytometry.cli.output import finding_document, finding_line, note, print_json, say
from cytometry.errors import RequestError

if TYPE_CHECKING:
    from cytometry.pipeline.gate_step import GatingJob
    from cytometry.pipeline.tasks import GatingSettings, SampleOutcome


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
    from cytometry.pipeline.tasks import GatingSettings

    job = _job(inputs, strategy, out, GatingSettings(strict=strict, detail=False))
    result = export_populations(job, populations, out, membership=membership)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "exported": [
                    {"sample_id": e.sample_id, "population": e.population, "file": str(e.file), "n_events": e.n_events}
                    for e in result.exported
                ],
                "failed": _failures(result.failed),
            }
        )
    else:
        for written in result.exported:
            say(f"{written.file}: {written.n_events:,} events of {written.population}")
    return _ended(result.failed, some_written=bool(result.exported))


@export.command(name="flowjo")
@click.argument("inputs", nargs=-1, required=True)
@click.option("--strategy", default=None, help="Panel's name or folder, GatingML file or FlowJo .wsp. Not for a study.")
@click.option("--workspace", default="gates.wsp", show_default=True, help="Name of the workspace in the output folder.")
@shared("out", "strict", "json")
def export_flowjo(
    inputs: tuple[str, ...], strategy: str | None, workspace: str, out: Path, strict: bool, as_json: bool
) -> int:
    """Write the gates of INPUTS (FCS files and folders, or one study) as a FlowJo workspace.

    It is read back and counted again before it is called written.
    """
    from cytometry.pipeline.tasks import GatingSettings
    from cytometry.pipeline.workspace_export import export_job

    file = out / workspace
    findings, failed = export_job(_job(inputs, strategy, out, GatingSettings(strict=strict, detail=False)), file)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "workspace": str(file),
                "findings": [finding_document(f) for f in findings],
                "failed": _failures(failed),
            }
        )
    else:
        say(f"{file}: read back with the same counts")
        for finding in findings:
            note(finding_line(finding))
    return _ended(failed, some_written=True)


@export.command(name="gatingml")
@click.argument("inputs", nargs=-1, required=True)
@click.option("--strategy", default=None, help="Panel's name or folder, GatingML file or FlowJo .wsp. Not for a study.")
@shared("out", "strict", "json")
def export_gates(inputs: tuple[str, ...], strategy: str | None, out: Path, strict: bool, as_json: bool) -> int:
    """Write each sample's own gates as GatingML 2.0 on its own channel names, for other programs."""
    from cytometry.pipeline.gatingml_export import export_gatingml
    from cytometry.pipeline.tasks import GatingSettings

    result = export_gatingml(_job(inputs, strategy, out, GatingSettings(strict=strict, detail=False)), out)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "files": [str(f) for f in result.files],
                "failed": _failures(result.failed),
            }
        )
    else:
        for file in result.files:
            say(f"{file}: read back with the same counts")
    return _ended(result.failed, some_written=bool(result.files))


def _failures(failed: tuple[SampleOutcome, ...]) -> list[dict[str, str]]:
    return [{"sample_id": f.sample_id, "code": f.code, "reason": f.reason} for f in failed]


def _ended(failed: tuple[SampleOutcome, ...], *, some_written: bool) -> int:
    """Name the samples that failed; the exit code."""
    for failure in failed:
        note(f"error: {failure.sample_id}: {failure.reason}")
    if not failed:
        return DONE
    return PARTLY_DONE if some_written else INPUT_WRONG


def _job(inputs: tuple[str, ...], strategy: str | None, out: Path, settings: GatingSettings) -> GatingJob:
    from cytometry.pipeline.gate_step import file_job, study_job

    if any(i.endswith((".yaml", ".yml")) for i in inputs):
        if len(inputs) > 1 or strategy is not None:
            raise RequestError("a study is exported alone and names its own panels", hint="leave out the rest")
        return study_job(inputs[0], out, settings)
    if strategy is None:
        raise RequestError("files need gates", hint="--strategy PANEL, GATES.gml.xml or WORKSPACE.wsp")
    return file_job(inputs, strategy, out, replace(settings, alone=True))
