"""``cytometry validate``: this installation's own qualification."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cytometry.cli.exit_codes import DONE, INPUT_WRONG
from cytometry.cli.output import note, print_json, say


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("validation"),
    show_default=True,
    help="Folder of the report.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there.")
def validate(out: Path, as_json: bool) -> int:
    """Try on this computer what the package claims, and write a report: exit 0 if every claim holds, else 1.

    Simulated tubes with known truth are gated, files written, damaged and read, closed
    forms and textbook examples computed. Takes about a quarter of a minute.
    """
    from cytometry.io.atomic import check_writable

    check_writable(out)
    from cytometry.pipeline.qualification.suite import qualify, write_qualification
    from cytometry.reporting.qualification_page import qualification_json, sentence

    found = qualify(lambda c: note(f"{'holds' if c.holds else 'FAILS'}  {c.area}: {c.says}: {c.seen} ({c.wanted})"))
    page = write_qualification(found, out)
    if as_json:
        print_json(json.loads(qualification_json(found.claims, found.versions)))
    else:
        say(f"{sentence(found.claims)} {found.seconds:.0f} s")
        say(str(page))
    return INPUT_WRONG if found.failed else DONE
