"""Run group tasks: what every executor does, and the one that does it in this process."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from cytometry.errors import OutputError
from cytometry.pipeline.tasks import GroupResult, GroupTask, failed_group

# Two million events of twenty channels: from there on the compiled loops save the time that loading them takes.
_COMPILED_FROM_BYTES = 160_000_000

Work = Callable[[GroupTask], GroupResult]


class Executor(Protocol):
    """Runs tasks and yields each with its result as it ends, in any order."""

    def run(self, tasks: Sequence[GroupTask]) -> Iterator[tuple[GroupTask, GroupResult]]:
        """Yield ``(task, result)``; never raises for what a task did, except an unusable output folder."""
        ...


class SerialExecutor:
    """One task after the other in this process."""

    def run(self, tasks: Sequence[GroupTask]) -> Iterator[tuple[GroupTask, GroupResult]]:
        """See :class:`Executor`."""
        if pays_to_compile(tasks):
            from cytometry.gating.engine import load_compiled

            load_compiled()
        for task in tasks:
            yield task, run_task(task)


def run_task(task: GroupTask) -> GroupResult:
    """Gate a group; a bug of ours fails the group and not the run."""
    from cytometry.pipeline.gate_group import gate_group

    try:
        return gate_group(task)
    except OutputError:
        raise
    except Exception as bug:  # noqa: BLE001 - one group's bug must not lose the others
        frame = bug.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        place = f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}" if frame else ""  # noqa: PTH119
        reason = f"a bug in cytometry, please report it: {type(bug).__name__}: {bug} ({place})"
        return failed_group(task, "INTERNAL_ERROR", reason, "".join(traceback.format_exception(bug)))


def pays_to_compile(tasks: Iterable[GroupTask], workers: int = 1) -> bool:
    """Whether there is enough to gate, once and for each draw of gates; a missing file is found missing later."""
    draws_and_paths = ((task.settings.gate_draws, tube.path) for task in tasks for tube in task.tubes)
    gated = sum(path.stat().st_size * (1 + draws) for draws, path in draws_and_paths if path.is_file())
    return is_much(gated, workers)


def is_much(n_bytes: int, workers: int) -> bool:
    """Whether so many bytes of events keep each worker busy for longer than loading compiled loops takes."""
    return n_bytes > _COMPILED_FROM_BYTES * workers
