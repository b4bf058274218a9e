"""``cytometry plan``: seal the analysis plan before unblinding, and show what departed from it."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.options import shared
from cytometry.cli.output import print_json, say


@click.group()
def plan() -> None:
    """Seal the analysis plan of a study, or show it."""


@plan.command()
@click.argument("study", type=click.Path(path_type=Path))
@shared("json")
def seal(study: Path, as_json: bool) -> int:
    """Write the plan of STUDY with its SHA-256 beside study.yaml. Later departures are listed in every report."""
    from cytometry.io.sealed_plan import SEALED_PLAN, seal_plan
    from cytometry.io.study import load_study
    from cytometry.statistics.seal import canonical_plan

    read = load_study(study, need_files=False)
    sealed = seal_plan(read.folder, read.plan, canonical_plan(read.plan))
    path = str(read.folder / SEALED_PLAN)
    if as_json:
        print_json({"schema_version": 1, "status": "done", "exit_code": 0, "file": path, "sha256": sealed.sha256})
    else:
        say(f"sealed on {sealed.sealed_on}, SHA-256 {sealed.sha256}")
        say(path)
    return 0


@plan.command()
@click.argument("study", type=click.Path(path_type=Path))
@shared("json")
def show(study: Path, as_json: bool) -> int:
    """Print the plan of STUDY with every default, its SHA-256, and what departed from the sealed one."""
    from cytometry.io.sealed_plan import read_sealed_plan
    from cytometry.io.study import load_study
    from cytometry.statistics.seal import canonical_plan, departures, plan_digest

    read = load_study(study, need_files=False)
    sealed = read_sealed_plan(read.folder)
    changed = departures(sealed.plan, read.plan) if sealed else ()
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "status": "done",
                "exit_code": 0,
                "plan": read.plan.model_dump(mode="json"),
                "sha256": plan_digest(read.plan),
                "sealed_sha256": sealed.sha256 if sealed else None,
                "sealed_on": sealed.sealed_on if sealed else None,
                "departures": list(changed),
            }
        )
        return 0
    say(canonical_plan(read.plan))
    say(f"SHA-256 {plan_digest(read.plan)}")
    say(f"sealed on {sealed.sealed_on} as {sealed.sha256}" if sealed else "not sealed")
    for sentence in changed:
        say(f"departure: {sentence}")
    return 0
