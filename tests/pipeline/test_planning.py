"""What a gate group is told of the batches beyond it, and when that makes its results stale."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cytometry.model.template import Scope
from cytometry.pipeline.planning import GatingPlan, GroupingRequest, PanelPlan, PlannedInput, all_hashed, plan_groups
from cytometry.pipeline.tasks import GroupTask, StrategySource, TubeInput

SOURCE = StrategySource("panel", Path("p"), "p", "0" * 64)


def planned(sample_id: str, subject: str, batch: str, role: str = "sample") -> PlannedInput:
    tube = TubeInput(sample_id, Path(sample_id), sample_id, role, subject or sample_id, batch, sha256=sample_id)
    return PlannedInput(tube, "p", subject, "", batch)


BY_VISIT = [planned("a1", "A", "1"), planned("a2", "A", "2"), planned("b1", "B", "1"), planned("b2", "B", "2")]
CONTROLS = [planned("c1", "", "1", "control"), planned("c2", "", "2", "control")]


def plan(inputs: list[PlannedInput], scope: Scope = "subject") -> GatingPlan:
    return plan_groups(inputs, GroupingRequest(Path("out"), {"p": PanelPlan("p", SOURCE, scope)}))


def group(made: GatingPlan, sample_id: str) -> GroupTask:
    (found,) = [t for t in made.tasks if sample_id in {i.sample_id for i in t.tubes}]
    return found


def test_a_subject_in_several_batches_knows_how_many_tubes_share_their_offsets() -> None:
    task = group(plan([*BY_VISIT, planned("d1", "D", "1"), *CONTROLS]), "a1")
    assert {t.sample_id for t in task.tubes} == {"a1", "a2"}
    assert task.batch_sizes == {"1": 3, "2": 2}


def test_a_subject_in_one_batch_needs_no_numbers_and_stays_as_it_is_when_others_come() -> None:
    before = plan([planned("a1", "A", "1"), planned("a2", "A", "1")])
    after = plan([planned("a1", "A", "1"), planned("a2", "A", "1"), planned("b1", "B", "1")])
    assert group(before, "a1").batch_sizes == {}
    assert group(before, "a1").key == group(after, "a1").key


def test_another_tube_in_a_batch_makes_those_stale_whose_offsets_it_shares() -> None:
    before, after = plan(BY_VISIT), plan([*BY_VISIT, planned("d1", "D", "1"), planned("d1b", "D", "1")])
    changed = {
        name
        for name, digest in group(after, "a1").ingredients.items()
        if group(before, "a1").ingredients[name] != digest
    }
    assert changed == {"batches"}


def test_tubes_of_a_batch_are_told_whose_subject_is_elsewhere_too() -> None:
    made = plan([*BY_VISIT, planned("d1", "D", "1"), planned("d1b", "D", "1"), *CONTROLS], "batch")
    task = group(made, "d1")
    assert {t.sample_id for t in task.tubes if t.other_batches} == {"a1", "b1"}
    assert {t.sample_id for t in task.tubes if not t.other_batches} == {"d1", "d1b", "c1"}


def test_files_hashed_at_once_keep_their_order(tmp_path: Path) -> None:
    names = [f"{i}.fcs" for i in range(20)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * 1000)
    inputs = [PlannedInput(TubeInput(n, tmp_path / n, n), "p") for n in [*names, "missing.fcs"]]
    alone, together = all_hashed(inputs, 1), all_hashed(inputs, 4)
    assert [i.tube.sha256 for i in together] == [i.tube.sha256 for i in alone]
    assert together[3].tube.sha256 == hashlib.sha256(b"3.fcs" * 1000).hexdigest()
    assert together[-1].outcome is not None
    assert together[-1].outcome.code == "FILE_MISSING"
