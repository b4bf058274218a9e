"""``cytometry compare``: our counts beside FlowJo's or FACSDiva's, gate by gate."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import MappingProxyType

import click

from cytometry.cli.options import shared
from cytometry.cli.output import print_json, say

_EXPLAINED = MappingProxyType(
    {
        "equal": "equal",
        "binning": "within {program}'s binning: as many events lie within one plot channel of an edge",
        "transform": "a slanted edge on a scale that {program} does not document",
        "real": "not explained by binning or scale: the gates or events are not those that {program} counted",
        "not stored": "{program} stored no count",
        "not ours": "this population was not gated here",
        "not examined": "the FCS file was not found; give --fcs FOLDER",
    }
)


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--workspace",
    required=True,
    type=click.Path(path_type=Path),
    help="FlowJo workspace (.wsp) or FACSDiva experiment (.xml) with stored counts.",
)
@click.option(
    "--fcs", "fcs_folder", type=click.Path(path_type=Path), help="Folder of the FCS files; default: the workspace's."
)
@shared("json")
def compare(out: Path, workspace: Path, fcs_folder: Path | None, as_json: bool) -> int:
    """List OUT's counts beside those that FlowJo or FACSDiva stored, with each difference explained."""
    from cytometry.pipeline.compare_step import compare_counts

    comparison = compare_counts(out, workspace, fcs_folder)
    rows, program = comparison.rows, comparison.program
    tally = Counter(row.reason for row in rows)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "status": "done",
                "program": program,
                "summary": dict(sorted(tally.items())),
                "populations": [
                    {
                        "sample_id": r.sample_id,
                        "path": r.path,
                        "count": r.ours,
                        "flowjo_count": r.flowjo,
                        "difference": r.difference,
                        "undecided_events": r.undecided,
                        "reason": r.reason,
                    }
                    for r in rows
                ],
            }
        )
        return 0
    sample = ""
    for row in rows:
        if row.sample_id != sample:
            sample = row.sample_id
            say(f"{sample}\n{'ours':>10} {program:>10} {'difference':>11}  population")
        ours = "" if row.ours is None else f"{row.ours:,}"
        theirs = "" if row.flowjo is None else f"{row.flowjo:,}"
        difference = "" if row.difference is None else f"{row.difference:+,}" if row.difference else "0"
        note = "" if row.reason == "equal" else f"  ({row.reason})"
        say(f"{ours:>10} {theirs:>10} {difference:>11}  {row.path}{note}")
    say(f"{len(rows)} populations: " + ", ".join(f"{n} {reason}" for reason, n in sorted(tally.items())))
    for reason in sorted(tally):
        if reason != "equal":
            say(f"  {reason}: {_EXPLAINED[reason].format(program=program)}")
    return 0
