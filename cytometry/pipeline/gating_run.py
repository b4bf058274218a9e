"""Gate everything that is not up to date, then rebuild the tables. The order of the steps; no step itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cytometry.io.digests import file_digest
from cytometry.model.tables import (
    COMPENSATION,
    CONTROL_CHART,
    COUNTS,
    FINDINGS,
    FREQUENCIES,
    GATE_DRAWS,
    INTENSITIES,
    QUALITY,
    SAMPLES,
    THRESHOLDS,
)
from cytometry.pipeline import journal
from cytometry.pipeline.collect import TABLES, Collected, collect, frequency_rules, remove_stale, write_tables
from cytometry.pipeline.executors import Executor, SerialExecutor
from cytometry.pipeline.planning import GatingPlan
from cytometry.pipeline.progress import Listener, Pace, Progress, ignore
from cytometry.pipeline.resume import Decision, decide
from cytometry.pipeline.tasks import SampleOutcome
from cytometry.quantification.quality import QualityLimits

if TYPE_CHECKING:
    from cytometry.model.panel import Panel

GATING_TABLES: Final = (
    COUNTS,
    FREQUENCIES,
    INTENSITIES,
    THRESHOLDS,
    GATE_DRAWS,
    QUALITY,
    COMPENSATION,
    CONTROL_CHART,
    SAMPLES,
    FINDINGS,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Inputs found, and what became of them; the parts add up or the program is wrong."""

    found: int
    done: int
    failed: int
    skipped: int

    @property
    def sentence(self) -> str:
        """For a person."""
        return f"{self.found} inputs = {self.done} gated + {self.failed} failed + {self.skipped} skipped"


@dataclass(frozen=True)
class GatingRun:
    """What a gating run left in the output folder.

    Parameters
    ----------
    decisions
        Per group, in order.
    collected
        Outcomes and tables.
    changed
        Whether the counts differ from those that were there: later steps' outputs are then stale.
    """

    decisions: tuple[Decision, ...]
    collected: Collected
    changed: bool

    @property
    def tally(self) -> Tally:
        """How many inputs ended how."""
        return tally(self.collected.outcomes)


def tally(outcomes: Sequence[SampleOutcome]) -> Tally:
    """Count outcomes."""
    count = {s: sum(o.status == s for o in outcomes) for s in ("done", "failed", "skipped")}
    return Tally(len(outcomes), count["done"], count["failed"], count["skipped"])


def select(plan: GatingPlan, *, samples: Sequence[str] = (), panels: Sequence[str] = ()) -> GatingPlan:
    """The plan with only those groups that hold one of the samples, and are of one of the panels."""
    wanted = tuple(
        t
        for t in plan.tasks
        if (not samples or any(tube.sample_id in samples for tube in t.tubes)) and (not panels or t.panel in panels)
    )
    return GatingPlan(plan.inputs, wanted, plan.panels, plan.findings)


def decisions_for(plan: GatingPlan, *, force: bool = False) -> tuple[Decision, ...]:
    """What would be done with each group."""
    return tuple(decide(task, force=force) for task in plan.tasks)


def run_gating(
    plan: GatingPlan,
    panels: Mapping[str, Panel],
    out: Path,
    *,
    jobs: int = 1,
    force: bool = False,
    selected: GatingPlan | None = None,
    progress: Listener = ignore,
    executor: Executor | None = None,
    limits: QualityLimits | None = None,
) -> GatingRun:
    """Gate the groups of ``selected`` (default: all) that are not up to date, and rebuild every table.

    The caller holds the folder's lock.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    decisions = decisions_for(selected or plan, force=force)
    waiting = [d.task for d in decisions if d.action != "skip"]
    outcomes: dict[str, SampleOutcome] = {}
    runner = executor or _executor(min(jobs, len(waiting)))
    pace = Pace(sum(len(t.tubes) for t in waiting))
    total = sum(len(t.tubes) for t in waiting)
    for decision in decisions:
        journal.decided(decision)
    for task, result in runner.run(waiting):
        journal.gated(task.name, result)
        outcomes |= {o.sample_id: o for o in result.outcomes}
        lost = tuple(f"{o.sample_id}: {o.reason}" for o in result.outcomes if o.status == "failed")
        progress(Progress(len(outcomes), total, task.name, lost, pace.left(len(outcomes))))
    collected = collect(plan, outcomes, frequency_rules(panels), out, limits)
    remove_stale(out, plan, collected)
    before = _table_digests(out)
    write_tables(out, collected.tables, GATING_TABLES)
    changed = _table_digests(out) != before
    return GatingRun(decisions, collected, changed)


def _executor(workers: int) -> Executor:
    if workers <= 1:
        return SerialExecutor()
    from cytometry.pipeline.process_executor import ProcessExecutor

    return ProcessExecutor(workers)


def _table_digests(out: Path) -> tuple[str, ...]:
    """Of the tables that later steps rest on."""
    paths = (out / TABLES / f"{s.name}.csv" for s in (COUNTS, SAMPLES))
    return tuple(file_digest(p) if p.is_file() else "" for p in paths)


def failures(outcomes: Sequence[SampleOutcome]) -> Iterator[SampleOutcome]:
    """The outcomes that failed."""
    return (o for o in outcomes if o.status == "failed")
