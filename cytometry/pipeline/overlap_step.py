"""Per tube: the gates that two strategies left on disk, applied to the same events and counted together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cytometry.errors import CytometryError, FcsError, GatingError, OutputError
from cytometry.gating.engine import gate_sample
from cytometry.gating.membership import Membership
from cytometry.io.digests import value_digest
from cytometry.io.gatingml import read_gatingml
from cytometry.io.parts import (
    COUNTS_PART,
    PartRecord,
    damaged_outputs,
    gates_file,
    part_folder,
    read_part_record,
    write_part,
)
from cytometry.io.result_tables import read_table, table_bytes
from cytometry.model.agreement_tables import OVERLAP
from cytometry.model.findings import Finding
from cytometry.model.tables import COUNTS, Cell
from cytometry.pipeline.gate_group import read_tube, study_matrix
from cytometry.pipeline.planning import GatingPlan
from cytometry.pipeline.progress import Listener, Pace, Progress, ignore
from cytometry.pipeline.tasks import GroupResult, GroupTask, SampleOutcome, TubeInput
from cytometry.quantification.overlap import SharedEvents, shared_events
from cytometry.quantification.population_match import PopulationPair
from cytometry.statistics.agreement import f1_score, jaccard

OVERLAP_PART: Final = "overlap.csv"
# Results of another format are never taken for these.
_FORMAT: Final = 1

Rows = list[dict[str, Cell]]


@dataclass(frozen=True)
class OverlapWork:
    """What a worker does with a group of the first strategy; picklable.

    Parameters
    ----------
    out
        Folder of the overlap's parts.
    partners
        Task of the second strategy by sample; samples without one are left alone.
    pairs
        Populations that both define.
    """

    out: Path
    partners: Mapping[str, GroupTask]
    pairs: tuple[PopulationPair, ...]

    def __call__(self, task: GroupTask) -> GroupResult:
        """Count what is not up to date, one tube in memory at a time."""
        return GroupResult(tuple(self._tube(task, tube) for tube in task.tubes if tube.sample_id in self.partners))

    def is_current(self, task: GroupTask, sample_id: str) -> bool:
        """Whether the part on disk was made from both strategies' present results, and is whole."""
        record = read_part_record(self.out, task.panel, sample_id)
        return record is not None and record.key == self.key(task, sample_id) and not damaged_outputs(self.out, record)

    def key(self, task: GroupTask, sample_id: str) -> str:
        """Content key of a part."""
        pairs = [
            [p.name, *map(list, (p.first_paths, p.second_paths, p.first_denominator_paths, p.second_denominator_paths))]
            for p in self.pairs
        ]
        return value_digest([_FORMAT, task.key, self.partners[sample_id].key, pairs])

    def _tube(self, task: GroupTask, tube: TubeInput) -> SampleOutcome:
        sample_id = tube.sample_id
        if self.is_current(task, sample_id):
            return SampleOutcome(sample_id, "done")
        try:
            first, second = _regated(task, tube), _regated(self.partners[sample_id], tube)
            rows = [_row(sample_id, tube.role, s) for s in shared_events(first, second, self.pairs)]
        except OutputError:
            raise
        except CytometryError as error:
            finding = Finding(error.code, "error", error.message, file=tube.fcs_file, fix=error.hint)
            return SampleOutcome(sample_id, "failed", error.code, error.message, findings=(finding,))
        except MemoryError:
            memory = FcsError("does not fit into memory", hint="give the run more memory or fewer --jobs")
            return SampleOutcome(sample_id, "failed", memory.code, memory.message)
        name = (part_folder(self.out, task.panel, sample_id) / OVERLAP_PART).relative_to(self.out).as_posix()
        record = PartRecord(sample_id, self.key(task, sample_id), {}, first.n_events, {})
        write_part(self.out, task.panel, record, {name: table_bytes(OVERLAP, rows)})
        return SampleOutcome(sample_id, "done", total_events=first.n_events)


def count_overlaps(
    work: OverlapWork, plan: GatingPlan, *, jobs: int = 1, progress: Listener = ignore
) -> tuple[SampleOutcome, ...]:
    """Count every tube that both strategies gated; return the failed.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    waiting = [
        task
        for task in plan.tasks
        if any(t.sample_id in work.partners and not work.is_current(task, t.sample_id) for t in task.tubes)
    ]
    total = sum(t.sample_id in work.partners for task in waiting for t in task.tubes)
    pace, failed, done = Pace(total), [], 0
    for task, result in _run(work, waiting, min(jobs, len(waiting))):
        failed += [o for o in result.outcomes if o.status == "failed"]
        done += len(result.outcomes)
        lost = tuple(f"{o.sample_id}: {o.reason}" for o in result.outcomes if o.status == "failed")
        progress(Progress(done, total, f"{task.name}: both strategies", lost, pace.left(done)))
    return tuple(failed)


def overlap_rows(work: OverlapWork, plan: GatingPlan) -> Rows:
    """Rows of every tube that was counted, in input order, with its place in the design."""
    task_of = {t.sample_id: task for task in plan.tasks for t in task.tubes}
    rows: Rows = []
    for planned in plan.inputs:
        sample_id = planned.tube.sample_id
        if sample_id not in work.partners or not work.is_current(task_of[sample_id], sample_id):
            continue
        part = read_table(part_folder(work.out, task_of[sample_id].panel, sample_id) / OVERLAP_PART, OVERLAP)
        design = {"subject_id": planned.subject_id, "visit": planned.visit}
        rows += [{**row, **design} for row in part]
    return rows


def remove_other_parts(work: OverlapWork, plan: GatingPlan) -> None:
    """Delete parts of tubes that are not compared any more."""
    panel_of = {t.sample_id: task.panel for task in plan.tasks for t in task.tubes}
    kept = {part_folder(work.out, panel_of[s], s) for s in work.partners}
    for path in sorted(work.out.rglob("*"), reverse=True):
        if path.is_file() and path.parent not in kept:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _run(work: OverlapWork, tasks: Sequence[GroupTask], workers: int) -> Iterator[tuple[GroupTask, GroupResult]]:
    if workers > 1:
        from cytometry.pipeline.process_executor import ProcessExecutor

        yield from ProcessExecutor(workers, work=work).run(tasks)
    else:
        for task in tasks:
            yield task, work(task)


def _regated(task: GroupTask, tube: TubeInput) -> Membership:
    """The tube under the gates that the run stored for it; they have to give the counts that it stored."""
    given = next(t for t in task.tubes if t.sample_id == tube.sample_id)
    read = read_tube(task, given)
    strategy = read_gatingml(task.out / gates_file(tube.sample_id))
    found = gate_sample(strategy, read.sample, read.channels, file_compensation=study_matrix(task))
    stored = read_table(part_folder(task.out, task.panel, tube.sample_id) / COUNTS_PART, COUNTS)
    for row in stored:
        if found.count(str(row["path"])) != row["count"]:
            raise GatingError(
                f"'{row['path']}' has {row['count']} events in the counts and {found.count(str(row['path']))} "
                "under the stored gates",
                where=tube.fcs_file,
                hint="please report this",
                code="RECOUNT_DIFFERS",
            )
    return found


def _row(sample_id: str, role: str, shared: SharedEvents) -> dict[str, Cell]:
    is_defined = shared.first is not None and shared.second is not None and shared.both is not None
    counts = (shared.first or 0, shared.second or 0, shared.both or 0)
    return {
        "sample_id": sample_id,
        "role": role,
        "population": shared.name,
        "count_a": shared.first,
        "count_b": shared.second,
        "count_both": shared.both,
        "denominator": shared.denominator,
        "denominator_count_a": shared.first_denominator,
        "denominator_count_b": shared.second_denominator,
        "f1": f1_score(*counts) if is_defined else None,
        "jaccard": jaccard(*counts) if is_defined else None,
    }
