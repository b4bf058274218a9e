"""``cytometry inspect``: what FCS files hold, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import click

from cytometry.cli.exit_codes import DONE, INPUT_WRONG, PARTLY_DONE
from cytometry.cli.options import shared
from cytometry.cli.output import Json, finding_line, note, print_json, say
from cytometry.errors import RequestError

if TYPE_CHECKING:
    from cytometry.io.fcs import FcsInspection
    from cytometry.io.fcs.discover import Listed


@click.command(name="inspect")
@click.argument("files", nargs=-1, required=True)
@click.option("--second-opinion", is_flag=True, help="Let FlowIO and fcsparser read each file too, and compare.")
@shared("strict", "json")
def inspect(files: tuple[str, ...], second_opinion: bool, strict: bool, as_json: bool) -> int:
    """Show channels, events, spillover and every finding of FCS FILES; folders are searched.

    Exit 0 where all can be read, 1 where none can, 4 where some cannot.
    """
    from cytometry.io.fcs import inspect_fcs
    from cytometry.io.fcs.discover import duplicate_findings, list_fcs_files

    listed = list_fcs_files(files)
    paths = [item.path for item in listed if item.is_read]
    if not paths:
        raise RequestError(
            f"no FCS file in {', '.join(files)}",
            hint="name the files, or a folder with files that end in .fcs or .lmd",
            code="NO_INPUT",
        )
    inspections = []
    for path in paths:
        inspection = inspect_fcs(path, second_opinion=second_opinion, strict=strict)
        if not as_json:
            _say_card(inspection)
        inspections.append(inspection)
    duplicates = duplicate_findings({i.path: i.sha256 for i in inspections})
    if as_json:
        document = {
            "schema_version": 1,
            "files": [i.to_dict() for i in inspections],
            "duplicates": [d.to_dict() for d in duplicates],
            "skipped": [{"path": str(s.path), "reason": s.reason} for s in listed if not s.is_read],
        }
        print_json(cast(Json, document))
    else:
        for duplicate in duplicates:
            note(finding_line(duplicate))
        _say_summary(inspections, listed)
    return _exit_code(inspections)


def _exit_code(inspections: Sequence[FcsInspection]) -> int:
    refused = sum(i.status == "error" for i in inspections)
    if refused == 0:
        return DONE
    return INPUT_WRONG if refused == len(inspections) else PARTLY_DONE


def _say_card(inspection: FcsInspection) -> None:
    say(f"{inspection.path}: {inspection.status}")
    survey = inspection.survey
    if survey is not None:
        keywords = survey.keywords
        facts = [
            survey.version,
            f"{survey.columns.n_events:,} events",
            f"{len(survey.channels)} channels",
            f"$DATATYPE {survey.data_type}",
            f"$BYTEORD {survey.byte_order}",
            keywords.get("$CYT", ""),
            keywords.get("$DATE", ""),
        ]
        say("  " + " · ".join(f for f in facts if f))
        for channel in survey.channels:
            marker = f"  {channel.marker}" if channel.marker else ""
            say(f"  {channel.index + 1:3}  {channel.name}{marker}  [{channel.kind}, range {channel.range:g}]")
        if survey.spillover is not None:
            say(f"  spillover over {', '.join(survey.spillover.channels)}")
    if inspection.agreement is not None:
        say(f"  other readers: {inspection.agreement}")
    say(f"  sha256 {inspection.sha256 or 'unknown'}")
    for finding in inspection.findings:
        note(finding_line(finding))
        if finding.severity == "error" and finding.expected:
            note(f"  expected: {finding.expected}")


def _say_summary(inspections: Sequence[FcsInspection], listed: Sequence[Listed]) -> None:
    skipped = [item for item in listed if not item.is_read]
    for item in skipped:
        note(f"skipped: {item.path}: {item.reason}")
    if len(inspections) > 1 or skipped:
        count = {status: sum(i.status == status for i in inspections) for status in ("ok", "warning", "error")}
        say(
            f"{len(inspections)} files: {count['ok']} ok, {count['warning']} with warnings, {count['error']} refused; "
            f"{len(skipped)} paths skipped"
        )
