"""``compare-strategies``: two strategies on the same tubes; their events, shares and conclusions beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cytometry.errors import RequestError, StatisticsError
from cytometry.io.digests import Plain
from cytometry.io.lock import output_lock
from cytometry.io.manifest import FileRecord, record_files
from cytometry.io.result_tables import read_table
from cytometry.model.agreement_tables import AGREEMENT, AGREEMENT_TABLES, CONCLUSIONS, MATCHED_POPULATIONS, OVERLAP
from cytometry.model.plan import AnalysisPlan
from cytometry.model.strategy import ROOT
from cytometry.model.tables import COUNTS, Cell
from cytometry.pipeline.collect import TABLES, write_data_package, write_tables
from cytometry.pipeline.compared_sides import SIDES, ComparedSides
from cytometry.pipeline.exit_status import DONE, INPUT_WRONG, PARTLY_DONE, exit_status
from cytometry.pipeline.frames import frame, records
from cytometry.pipeline.gate_step import GateOptions, gate_into
from cytometry.pipeline.gating_run import GatingRun, decisions_for
from cytometry.pipeline.out_folder import RunRecord, Stopwatch, check_owner, claim, finish
from cytometry.pipeline.overlap_step import OverlapWork, Rows, count_overlaps, overlap_rows, remove_other_parts
from cytometry.pipeline.progress import Listener, ignore
from cytometry.pipeline.resume import Decision
from cytometry.pipeline.stats_step import analyse_study, joined_counts, rounded
from cytometry.pipeline.strategy_page import PAGE, write_strategy_page
from cytometry.quantification.population_match import (
    PopulationMatch,
    PopulationNode,
    match_populations,
    population_nodes,
)

if TYPE_CHECKING:
    import pandas as pd

    from cytometry.model.study import Study
    from cytometry.pipeline.tasks import SampleOutcome

OVERLAP_FOLDER: Final = "overlap"


@dataclass(frozen=True, eq=False)
class StrategyComparison:
    """What a comparison found.

    Parameters
    ----------
    runs
        Gating with A and with B.
    failed
        Tubes that both gated and that could not be compared.
    tables
        Rows by table name.
    notes
        What a reader has to know of the comparison, one sentence each.
    statistics_problem
        Why there are no conclusions; empty where there are.
    """

    runs: tuple[GatingRun, GatingRun]
    match: PopulationMatch
    failed: tuple[SampleOutcome, ...]
    tables: Mapping[str, Rows]
    notes: tuple[str, ...]
    statistics_problem: str
    page: Path
    exit_code: int
    seconds: float

    @property
    def failures(self) -> tuple[SampleOutcome, ...]:
        """Tubes that either could not gate, and those that could not be compared."""
        gating = (o for run in self.runs for o in run.collected.outcomes if o.status == "failed")
        return (*gating, *self.failed)


def comparison_decisions(
    sides: ComparedSides, out: Path, options: GateOptions
) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """What gating would do for either strategy; writes nothing.

    Raises
    ------
    OutputError
        The folder belongs to something else.
    """
    check_owner(out, sides.owner, force=options.force)
    first, second = (decisions_for(job.plan, force=options.force) for job in sides.jobs)
    return first, second


def compare_strategies(
    sides: ComparedSides, out: Path, options: GateOptions, progress: Listener = ignore
) -> StrategyComparison:
    """Gate with both, count the events they share, test with both, and write tables, picture and page.

    Raises
    ------
    OutputError
        The folder is busy, belongs to something else, or cannot be written.
    RequestError
        The mapping names what is not there, or nothing is left to compare.
    """
    watch = Stopwatch()
    record = _record(sides, options)
    check_owner(out, sides.owner, force=options.force)
    with output_lock(out):
        claim(out, record, force=options.force)
        runs = [
            gate_into(job, options, _named(progress, side.name))
            for job, side in zip(sides.jobs, sides.sides, strict=True)
        ]
        found = _compare(sides, (runs[0], runs[1]), out, options, progress)
        told: dict[str, Plain] = {
            "tubes": len({str(r["sample_id"]) for r in found.tables[OVERLAP.name]}),
            "populations": len(found.match.pairs),
            "conclusions": dict(sorted(_tally(found.tables[CONCLUSIONS.name]).items())),
            "statistics": found.statistics_problem or "done",
            "failures": [{"sample_id": o.sample_id, "code": o.code, "reason": o.reason} for o in found.failures],
        }
        finish(out, record, exit_code=found.exit_code, summary=told, seconds=watch.seconds)
    return found


def _named(progress: Listener, name: str) -> Listener:
    """The listener, told which of the two strategies a group belongs to."""
    return lambda state: progress(replace(state, group=f"{name}: {state.group}"))


def _compare(
    sides: ComparedSides,
    runs: tuple[GatingRun, GatingRun],
    out: Path,
    options: GateOptions,
    progress: Listener,
) -> StrategyComparison:
    watch = Stopwatch()
    done = [{o.sample_id for o in run.collected.outcomes if o.status == "done"} for run in runs]
    if not done[0] & done[1]:
        raise RequestError(
            "no tube was gated with both strategies",
            hint=f"{_first_failure(runs)}; the results of either are in {out / SIDES[0]} and {out / SIDES[1]}",
            code="NOTHING_TO_COMPARE",
        )
    match = match_populations(_nodes(sides.jobs[0].out), _nodes(sides.jobs[1].out), sides.mapping)
    partners = {t.sample_id: task for task in sides.jobs[1].plan.tasks for t in task.tubes}
    both = [i.tube.sample_id for i in sides.jobs[0].plan.inputs if i.tube.sample_id in done[0] & done[1]]
    work = OverlapWork(out / OVERLAP_FOLDER, {s: partners[s] for s in both}, match.pairs)
    failed = count_overlaps(work, sides.jobs[0].plan, jobs=options.jobs, progress=progress)
    remove_other_parts(work, sides.jobs[0].plan)
    overlap = overlap_rows(work, sides.jobs[0].plan)
    plan, notes = common_plan(sides.study.plan, match)
    compared = frozenset(both) - {o.sample_id for o in failed}
    conclusions, problem = _conclusions(sides, match, plan, compared)
    notes = (*_tube_notes(done), *notes, *_parent_notes(match))
    tables = _tables(sides, match, overlap, conclusions)
    write_tables(out, tables, AGREEMENT_TABLES)
    write_data_package(out, sides.study.id, AGREEMENT_TABLES)
    write_strategy_page(out, sides, tables, notes, problem)
    code = _exit_code([exit_status(run.collected) for run in runs], failed=bool(failed), problem=problem)
    return StrategyComparison(runs, match, failed, tables, notes, problem, out / PAGE, code, watch.seconds)


def common_plan(plan: AnalysisPlan, match: PopulationMatch) -> tuple[AnalysisPlan, tuple[str, ...]]:
    """The plan as far as both strategies can answer it, and what had to go, in words.

    One family of tests for both: otherwise an adjusted p-value would differ because
    the other panel has more populations. A plan that calls a population as B does means A's partner of it.
    """
    plan, notes = _as_first_names(plan, match)
    names = {p.first_path: p.name for p in match.pairs} | {p.name: p.name for p in match.pairs}

    def is_possible(scale: str) -> bool:
        whole = scale.partition(":")[2]
        return not whole or whole in names

    kept = tuple(r for r in plan.confirmatory if r.population in names and is_possible(r.scale))
    lost = [f"{r.population} ({r.scale}, {r.visit})" for r in plan.confirmatory if r not in kept]
    panel = tuple(p for p in plan.panel if p in names)
    if lost:
        notes.append(f"not in both strategies, so left out of the confirmatory list: {', '.join(lost)}")
    gone = [p for p in plan.panel if p not in names]
    if gone:
        notes.append(f"not in both strategies, so left out of the panel of tests: {', '.join(gone)}")
    if plan.panel and not panel:
        notes.append(
            "none of the plan's panel is in both strategies: every population that is in both was adjusted over"
        )
    scales, other = {}, []
    for pair in match.pairs:
        scale = plan.scale_of(pair.name, pair.first_path)
        if not is_possible(scale):
            other.append(f"{pair.name} ({scale})")
            scale = "logit_parent"
        scales[pair.name] = scale
    if other:
        notes.append(f"tested as a share of the parent, for want of the plan's denominator: {', '.join(other)}")
    common = plan.model_copy(update={"confirmatory": kept, "panel": panel, "scales": scales})
    return common, tuple(notes)


def _as_first_names(plan: AnalysisPlan, match: PopulationMatch) -> tuple[AnalysisPlan, list[str]]:
    """The plan under A's names, and what B's names in it were taken for.

    What A calls by a name goes before what B does; a name that B has twice is nobody's.
    """
    firsts = {n for p in match.pairs for n in (p.name, p.first_path, _last(p.first_path))}
    firsts |= {n for node in match.only_first for n in (node.name, *node.paths)}
    seconds = Counter([*(_last(p.second_path) for p in match.pairs), *(n.name for n in match.only_second)])
    partner = {
        given: pair.name
        for pair in match.pairs
        for given in (*pair.first_paths[1:], *pair.second_paths, _last(pair.second_path))
        if given not in firsts and seconds[given] <= 1
    }
    used: dict[str, str] = {}

    def name(given: str) -> str:
        if given in partner:
            used[given] = partner[given]
        return partner.get(given, given)

    def scale(given: str) -> str:
        kind, colon, whole = given.partition(":")
        return f"{kind}{colon}{name(whole)}"

    readouts = (
        r.model_copy(update={"population": name(r.population), "scale": scale(r.scale)}) for r in plan.confirmatory
    )
    scales = sorted(plan.scales.items(), key=lambda item: item[0] not in partner)
    translated = plan.model_copy(
        update={
            "confirmatory": tuple(dict.fromkeys(readouts)),
            "panel": tuple(dict.fromkeys(name(p) for p in plan.panel)),
            "panel_scale": scale(plan.panel_scale),
            "scales": {name(population): scale(chosen) for population, chosen in scales},
        }
    )
    told = ", ".join(f"{given} is {own}" for given, own in used.items())
    return translated, [f"the plan names populations as B does; in A {told}"] if told else []


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _conclusions(
    sides: ComparedSides, match: PopulationMatch, plan: AnalysisPlan, compared: frozenset[str]
) -> tuple[Rows, str]:
    """The same plan on the counts of either; no rows, and why, where the counts allow no statistics.

    Parameters
    ----------
    compared
        The same tubes on both sides: a participant that only one side has is no other conclusion of the gates.
    """
    from cytometry.statistics.conclusions import compare_conclusions

    study: Study = sides.study.model_copy(update={"plan": plan, "sealed_plan": None})
    analyses = []
    try:
        for number, job in enumerate(sides.jobs):
            counts = joined_counts(job.out)
            counts = _common_counts(counts[counts["sample_id"].isin(compared)], match, number)
            analyses.append(analyse_study(study, counts).tables())
    except StatisticsError as error:
        return [], str(error)
    return records(compare_conclusions(analyses[0], analyses[1], plan.alpha)), ""


def _common_counts(counts: pd.DataFrame, match: PopulationMatch, number: int) -> pd.DataFrame:
    """Counts of the populations that both have, under A's names and paths; the root stays."""
    own = {path: p for p in match.pairs for path in (p.first_paths, p.second_paths)[number]}
    kept = counts[counts["path"].isin([ROOT, *own])].copy()
    kept["population"] = [own[p].name if p in own else ROOT for p in kept["path"]]
    kept["path"] = [own[p].first_path if p in own else ROOT for p in kept["path"]]
    return kept


def _nodes(out: Path) -> tuple[PopulationNode, ...]:
    """Every population of a side, in the order in which the counts have them."""
    trees: dict[str, list[PopulationNode]] = {}
    for row in read_table(out / TABLES / f"{COUNTS.name}.csv", COUNTS):
        if row["path"] != ROOT:
            node = PopulationNode(str(row["population"]), str(row["path"]), str(row["parent_path"]))
            trees.setdefault(str(row["sample_id"]), []).append(node)
    return population_nodes(list(trees.values()))


def _tables(sides: ComparedSides, match: PopulationMatch, overlap: Rows, conclusions: Rows) -> dict[str, Rows]:
    from cytometry.statistics.strategy_agreement import agreement_table, paired_shares, tube_overlaps

    shared = frame(OVERLAP, overlap)
    agreement = agreement_table(paired_shares(shared, sides.study.plan.rules.min_parent))
    summaries = {o.population: o for o in tube_overlaps(shared, sides.study.plan.rules.lod)}
    populations: Rows = []
    for pair in match.pairs:
        summary = summaries.get(pair.name)
        row: dict[str, Cell] = {
            "population": pair.name,
            "defined_in": "both",
            "path_a": pair.first_path,
            "path_b": pair.second_path,
            "same_parent": pair.has_same_parent,
            "denominator": pair.denominator,
        }
        if summary is not None:
            row |= {name: getattr(summary, name) for name in _OVERLAP_COLUMNS}
        populations.append(row)
    populations += [{"population": n.name, "defined_in": "A", "path_a": n.path} for n in match.only_first]
    populations += [{"population": n.name, "defined_in": "B", "path_b": n.path} for n in match.only_second]
    return {
        MATCHED_POPULATIONS.name: _rounded(populations),
        AGREEMENT.name: _rounded(records(agreement)),
        CONCLUSIONS.name: _rounded(conclusions),
        OVERLAP.name: overlap,
    }


_OVERLAP_COLUMNS: Final = tuple(c for c in MATCHED_POPULATIONS.names if c.startswith(("n_", "f1_", "jaccard_")))


def _rounded(rows: Sequence[Mapping[str, Cell]]) -> Rows:
    """Numbers as files keep them; an undefined one is no number in any form of the table."""
    return [
        {name: None if isinstance(value, float) and value != value else rounded(value) for name, value in row.items()}
        for row in rows
    ]


def _tube_notes(done: Sequence[set[str]]) -> tuple[str, ...]:
    alone = [(name.upper(), sorted(done[i] - done[1 - i])) for i, name in enumerate(SIDES)]
    return tuple(f"gated with {name} only, so not compared: {', '.join(samples)}" for name, samples in alone if samples)


def _parent_notes(match: PopulationMatch) -> tuple[str, ...]:
    other = [f"{p.name} (of {p.denominator})" for p in match.pairs if not p.has_same_parent]
    if not other:
        return ()
    return (
        "the parents are not the same population in both, so agreement is over shares of the nearest ancestor "
        f"that both have: {', '.join(other)}; tests on the scale logit_parent take each strategy's own parent",
    )


def _tally(conclusions: Rows) -> dict[str, int]:
    tally: dict[str, int] = {}
    for row in conclusions:
        tally[str(row["conclusion"])] = tally.get(str(row["conclusion"]), 0) + 1
    return tally


def _first_failure(runs: Sequence[GatingRun]) -> str:
    failed = [o for run in runs for o in run.collected.outcomes if o.status == "failed"]
    return f"{failed[0].sample_id}: {failed[0].reason}" if failed else "no tube of this panel is to be gated"


def _exit_code(gated: Sequence[int], *, failed: bool, problem: str) -> int:
    if INPUT_WRONG in gated:
        return INPUT_WRONG
    return PARTLY_DONE if PARTLY_DONE in gated or failed or problem else DONE


def _record(sides: ComparedSides, options: GateOptions) -> RunRecord:
    study = sides.study
    tables = [p.relative_to(study.folder).as_posix() for p in study.inputs]
    inputs = [
        FileRecord(i.tube.fcs_file, i.tube.path.stat().st_size if i.tube.path.is_file() else 0, i.tube.sha256)
        for i in sides.jobs[0].plan.inputs
    ]
    strategies: dict[str, Plain] = {
        name: {"kind": s.source.kind, "name": s.name, "sha256": s.source.digest}
        for name, s in zip(SIDES, sides.sides, strict=True)
    }
    settings: dict[str, Plain] = {
        "strategies": strategies,
        "panel": sides.key,
        "map": dict(sides.mapping),
        "strict": options.settings.strict,
        "compensation": study.compensation,
        "plan": study.plan.model_dump(mode="json"),
    }
    seeds = {"statistics": study.plan.seed}
    return RunRecord("compare-strategies", sides.owner, settings, [*record_files(study.folder, tables), *inputs], seeds)
