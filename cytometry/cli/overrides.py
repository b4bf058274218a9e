"""``cytometry overrides``: a person's corrections of placed gates, in a ledger that only grows."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.options import shared
from cytometry.cli.output import print_json, say
from cytometry.errors import RequestError


@click.group()
def overrides() -> None:
    """Correct placed gates by hand; every correction has an author and a reason."""


@overrides.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--sample", required=True, help="Sample whose gate is moved.")
@click.option("--cut", required=True, help="Cut, as thresholds.csv names it.")
@click.option("--value", type=float, default=None, help="New position on the display scale.")
@click.option("--revert", is_flag=True, help="Take an earlier correction back.")
@click.option("--author", envvar="CYTOMETRY_AUTHOR", default="", help="Who decided.")
@click.option("--reason", default="", help="Why.")
def add(study: Path, sample: str, cut: str, value: float | None, revert: bool, author: str, reason: str) -> int:
    """Append a correction to the ledger of STUDY; the next run takes it."""
    from cytometry.io.overrides import append_override
    from cytometry.io.study import load_study

    if (value is None) != revert:
        raise RequestError("give either --value or --revert")
    read = load_study(study)
    if read.overrides is None:
        raise RequestError("the study has no ledger", hint="add 'overrides: overrides.jsonl' to study.yaml")
    known = [s.sample_id for s in read.samples if s.is_gated]
    if sample not in known:
        raise RequestError(f"no gated sample '{sample}'", hint=f"samples: {', '.join(known[:40])}")
    append_override(read.overrides, sample_id=sample, cut=cut, value=value, author=author, reason=reason)
    say(str(read.overrides))
    return 0


@overrides.command(name="list")
@click.argument("study", type=click.Path(path_type=Path))
@shared("json")
def list_(study: Path, as_json: bool) -> int:
    """List the corrections of STUDY; the chain is checked."""
    from cytometry.io.overrides import active_overrides, read_overrides
    from cytometry.io.study import load_study

    read = load_study(study, need_files=False)
    ledger = read_overrides(read.overrides) if read.overrides else ()
    active = active_overrides(ledger)
    if as_json:
        entries = [
            {
                "sample_id": e.sample_id,
                "cut": e.cut,
                "value": e.value,
                "author": e.author,
                "reason": e.reason,
                "at": e.at,
                "active": e in active,
            }
            for e in ledger
        ]
        print_json({"schema_version": 1, "status": "done", "exit_code": 0, "overrides": entries})
        return 0
    for entry in ledger:
        state = "active" if entry in active else "past  "
        value = "taken back" if entry.value is None else f"{entry.value:g}"
        say(f"{state}  {entry.sample_id}  {entry.cut}  {value}  {entry.author}, {entry.at}: {entry.reason}")
    say(f"{len(ledger)} corrections, {len(active)} in force")
    return 0
