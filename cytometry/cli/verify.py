"""``cytometry verify``: is an output folder as its manifest says, to the byte."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.exit_codes import DONE, INPUT_WRONG
from cytometry.cli.options import shared
from cytometry.cli.output import note, print_json, say
from cytometry.io.manifest import compare_with_manifest


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@shared("json")
def verify(out: Path, as_json: bool) -> int:
    """Name every file in OUT that is changed, missing or extra. Exit 0 if there is none, else 1."""
    differences = compare_with_manifest(out)
    code = INPUT_WRONG if differences else DONE
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "status": "different" if differences else "verified",
                "exit_code": code,
                "differences": [{"file": d.name, "kind": d.kind, "detail": d.detail} for d in differences],
            }
        )
        return code
    for difference in differences:
        note(f"{difference.kind}: {difference.name}" + (f" ({difference.detail})" if difference.detail else ""))
    say(f"{len(differences)} differences in {out}" if differences else f"{out} is as its manifest says")
    return code
