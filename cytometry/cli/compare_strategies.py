"""``cytometry compare-strategies``: two strategies on the same tubes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytometry.cli.gating_output import decisions_document, say_decisions
from cytometry.cli.options import shared, worker_count
from cytometry.cli.output import Json, note, print_json, say
from cytometry.cli.progress import listener
from cytometry.errors import RequestError

if TYPE_CHECKING:
    from cytometry.pipeline.compared_sides import ComparedSides
    from cytometry.pipeline.strategy_comparison import StrategyComparison


@click.command(name="compare-strategies")
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="A_NAME=B_NAME",
    help="A population of A that B calls otherwise; repeatable. Paths are allowed.",
)
@click.option("--panel", default="", help="Whose tubes, as samples.csv names the panel; default: that of A or B.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("compared"),
    show_default=True,
    help="Output folder.",
)
@shared("jobs", "strict", "force", "dry_run", "progress", "json")
def compare_strategies(
    study: Path,
    first: str,
    second: str,
    mapping: tuple[str, ...],
    panel: str,
    out: Path,
    jobs: int | None,
    strict: bool,
    force: bool,
    dry_run: bool,
    progress: str,
    as_json: bool,
) -> int:
    """Gate the tubes of STUDY with strategies A and B; compare events, shares and conclusions.

    A and B: a shipped panel, a panel folder, a panel of the study, a GatingML file or a FlowJo workspace.
    Populations are paired by name. For each: F1 and Jaccard of the events per tube; ICC, concordance, bias and
    limits of agreement of the shares; and whether the study's plan concludes the same with both.
    """
    from cytometry.pipeline.compared_sides import SIDES, compared_sides
    from cytometry.pipeline.gate_step import GateOptions
    from cytometry.pipeline.strategy_comparison import compare_strategies, comparison_decisions
    from cytometry.pipeline.tasks import GatingSettings

    settings = GatingSettings(strict=strict, detail=False)
    sides = compared_sides(study, (first, second), out, settings, panel=panel, mapping=_mapping(mapping))
    options = GateOptions(worker_count(jobs), force, settings=settings)
    if dry_run:
        decided = comparison_decisions(sides, out, options)
        if as_json:
            documents = {n: decisions_document(j, d) for n, j, d in zip(SIDES, sides.jobs, decided, strict=True)}
            print_json({"schema_version": 1, "out": str(out), **documents})
        else:
            for side, job, decisions in zip(sides.sides, sides.jobs, decided, strict=True):
                say(side.name)
                say_decisions(job, decisions)
        return 0
    found = compare_strategies(sides, out, options, listener(progress))
    if as_json:
        print_json(_document(sides, out, found))
    else:
        _say(sides, found)
    return found.exit_code


def _mapping(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    wrong = [text for text, (a, _, b) in zip(given, pairs, strict=True) if not a.strip() or not b.strip()]
    if wrong:
        raise RequestError(f"--map '{wrong[0]}' is no pair", hint="--map NAME_IN_A=NAME_IN_B")
    names = [a.strip() for a, _, _ in pairs]
    repeated = [n for n in names if names.count(n) > 1]
    if repeated:
        raise RequestError(f"--map gives '{repeated[0]}' twice", hint="a population has one partner")
    return {a.strip(): b.strip() for a, _, b in pairs}


def _document(sides: ComparedSides, out: Path, found: StrategyComparison) -> Json:
    from cytometry.model.agreement_tables import AGREEMENT, CONCLUSIONS, MATCHED_POPULATIONS

    names = (MATCHED_POPULATIONS.name, AGREEMENT.name, CONCLUSIONS.name)
    return {
        "schema_version": 1,
        "status": "done",
        "exit_code": found.exit_code,
        "out": str(out),
        "page": str(found.page),
        "strategies": {"a": sides.sides[0].name, "b": sides.sides[1].name},
        "panel": sides.key,
        "notes": found.notes,
        "statistics": found.statistics_problem or "done",
        "failed": [{"sample_id": o.sample_id, "code": o.code, "reason": o.reason} for o in found.failures],
        **{name: found.tables[name] for name in names},
    }


def _say(sides: ComparedSides, found: StrategyComparison) -> None:
    from cytometry.cli.strategy_words import agreement_lines, conclusion_lines

    for outcome in found.failures:
        note(f"failed: {outcome.sample_id}: {outcome.code}: {outcome.reason}")
    say(f"A is {sides.sides[0].name}, B is {sides.sides[1].name}; differences are B minus A")
    for line in (*agreement_lines(found), *conclusion_lines(found)):
        say(line)
    for text in found.notes:
        note(f"note: {text}")
    if found.statistics_problem:
        note(f"warning: no conclusions: {found.statistics_problem}")
    say(str(found.page))
