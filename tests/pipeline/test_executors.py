"""Workers that die or hang take only their own group with them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from cytometry.pipeline.executors import Executor, SerialExecutor, run_task
from cytometry.pipeline.gate_step import file_job
from cytometry.pipeline.process_executor import ProcessExecutor
from cytometry.pipeline.tasks import GatingSettings, GroupResult, GroupTask
from tests.pipeline.tiny import write_strategy, write_tubes

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def tasks(tmp_path: Path) -> tuple[GroupTask, ...]:
    write_tubes(tmp_path / "fcs", NAMES)
    strategy = write_strategy(tmp_path / "tiny.gml.xml")
    settings = GatingSettings(detail=False)
    return file_job([str(tmp_path / "fcs")], str(strategy), tmp_path / "out", settings).plan.tasks


def _dies_on_b(task: GroupTask) -> GroupResult:
    if task.tubes[0].sample_id == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(task)


def _dies_once_on_b(task: GroupTask) -> GroupResult:
    seen = task.out.parent / "died"
    if task.tubes[0].sample_id == "b" and not seen.exists():
        seen.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(task)


def _hangs_on_b(task: GroupTask) -> GroupResult:
    if task.tubes[0].sample_id == "b":
        time.sleep(600)
    return run_task(task)


def _ends(executor: Executor, tasks: tuple[GroupTask, ...]) -> dict[str, tuple[str, str]]:
    return {o.sample_id: (o.status, o.code) for _, result in executor.run(tasks) for o in result.outcomes}


def test_every_executor_does_every_task(tasks: tuple[GroupTask, ...]) -> None:
    done = dict.fromkeys(NAMES, ("done", ""))
    assert _ends(SerialExecutor(), tasks) == done
    assert _ends(ProcessExecutor(2), tasks) == done


def test_a_worker_that_dies_twice_fails_its_group_alone(tasks: tuple[GroupTask, ...]) -> None:
    ends = _ends(ProcessExecutor(2, work=_dies_on_b), tasks)
    assert ends == {**dict.fromkeys(NAMES, ("done", "")), "b": ("failed", "WORKER_DIED")}


def test_a_worker_that_dies_once_is_tried_again(tasks: tuple[GroupTask, ...]) -> None:
    assert _ends(ProcessExecutor(2, work=_dies_once_on_b), tasks) == dict.fromkeys(NAMES, ("done", ""))


def test_a_worker_that_hangs_is_ended(tasks: tuple[GroupTask, ...]) -> None:
    ends = _ends(ProcessExecutor(2, timeout_s=8, work=_hangs_on_b), tasks)
    assert ends == {**dict.fromkeys(NAMES, ("done", "")), "b": ("failed", "TIMEOUT")}


def test_a_bug_of_ours_fails_one_group_and_says_that_it_is_ours(
    tasks: tuple[GroupTask, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytometry.pipeline import gate_group

    original = gate_group.gate_group

    def buggy(task: GroupTask) -> GroupResult:
        if task.tubes[0].sample_id == "b":
            raise ZeroDivisionError("unforeseen")
        return original(task)

    monkeypatch.setattr(gate_group, "gate_group", buggy)
    results = [o for _, result in SerialExecutor().run(tasks) for o in result.outcomes]
    assert [o.code for o in results] == ["", "INTERNAL_ERROR", "", ""]
    assert "a bug in cytometry, please report it: ZeroDivisionError: unforeseen" in results[1].reason
