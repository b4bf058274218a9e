"""Run group tasks in supervised worker processes.

A worker that dies takes only its own group with it, after one retry in a fresh
process; a worker that hangs is ended; workers die with their parent. Apart from
``executors.py`` because one file alone needs no pool, and its imports cost a command
as much time as reading the file.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import ModuleType

from cytometry.pipeline.executors import Work, pays_to_compile, run_task
from cytometry.pipeline.tasks import GroupResult, GroupTask, failed_group

# A tube of a million events takes seconds; an hour of silence is a hang.
GROUP_TIMEOUT_S = 3600.0
_POLL_S = 0.5


class ProcessExecutor:
    """A process pool that survives its workers.

    Parameters
    ----------
    jobs
        Worker processes.
    timeout_s
        After which a group is given up and its worker ended.
    work
        What a worker runs; a test puts in one that dies.
    """

    def __init__(self, jobs: int, *, timeout_s: float = GROUP_TIMEOUT_S, work: Work | None = None) -> None:
        self.jobs = jobs
        self.timeout_s = timeout_s
        self.work: Work = work or run_task

    def run(self, tasks: Sequence[GroupTask]) -> Iterator[tuple[GroupTask, GroupResult]]:
        """See :class:`~cytometry.pipeline.executors.Executor`."""
        waiting = deque(tasks)
        while waiting:
            suspects: list[GroupTask] = []
            yield from self._until_broken(waiting, suspects)
            # One of those in flight killed its worker and the pool with it. Alone, each shows whether it was the one.
            for task in suspects:
                retry: list[GroupTask] = []
                yield from self._until_broken(deque([task]), retry)
                for dead in retry:
                    yield (
                        dead,
                        failed_group(
                            dead,
                            "WORKER_DIED",
                            "the worker process died twice on this group (killed, or out of memory)",
                        ),
                    )

    def _until_broken(
        self, waiting: deque[GroupTask], suspects: list[GroupTask]
    ) -> Iterator[tuple[GroupTask, GroupResult]]:
        """Work through ``waiting``; if the pool breaks, put what was in flight into ``suspects`` and stop."""
        running: dict[Future[GroupResult], tuple[GroupTask, float]] = {}
        workers = min(self.jobs, len(waiting))
        with _pool(workers, compiled=pays_to_compile(waiting, workers)) as pool:
            while waiting or running:
                # No more in flight than workers: so the suspects of a broken pool are few, and a clock means something.
                while waiting and len(running) < self.jobs:
                    task = waiting.popleft()
                    try:
                        running[pool.submit(self.work, task)] = (task, time.monotonic())
                    except BrokenProcessPool:
                        suspects += [task, *(t for t, _ in running.values())]
                        return
                done, _ = wait(running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                broken = False
                for future in done:
                    task, _ = running.pop(future)
                    try:
                        yield task, future.result()
                    except BrokenProcessPool:
                        suspects.append(task)
                        broken = True
                if broken:
                    suspects += [t for t, _ in running.values()]
                    return
                late = [f for f, (_, start) in running.items() if time.monotonic() - start > self.timeout_s]
                if late:
                    for future in late:
                        task, _ = running.pop(future)
                        yield task, failed_group(task, "TIMEOUT", f"took longer than {self.timeout_s:g} s")
                    # The others did nothing wrong: they start again in the next pool.
                    waiting.extendleft(t for t, _ in running.values())
                    return


def start_server(*, compiled: bool) -> None:
    """Start the process that workers are forked from: it loads what they share, while this one goes on."""
    import multiprocessing
    from multiprocessing.forkserver import ensure_running

    preload = ["cytometry.pipeline.preload", *(["cytometry.pipeline.preload_compiled"] if compiled else [])]
    multiprocessing.get_context("forkserver").set_forkserver_preload(preload)
    with _single_threaded_libraries(), _without_main():
        ensure_running()


@contextmanager
def _pool(workers: int, *, compiled: bool) -> Iterator[ProcessPoolExecutor]:
    """A pool whose processes are gone when the block ends, however it ends."""
    import multiprocessing

    start_server(compiled=compiled)
    context = multiprocessing.get_context("forkserver")
    with _single_threaded_libraries(), _without_main():
        pool = ProcessPoolExecutor(max_workers=max(1, workers), mp_context=context, initializer=_start_worker)
        # Starts every worker while the environment says one thread.
        wait([pool.submit(os.getpid) for _ in range(max(1, workers))])
    try:
        yield pool
    finally:
        # The pool has no public way to end a process that hangs (Python 3.14 will).
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join(timeout=5.0)


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep workers from running the caller's script again: no task needs anything of it.

    Without this, a script that calls us outside ``if __name__ == "__main__"`` runs once per worker.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _single_threaded_libraries() -> Iterator[None]:
    """One thread per worker: more would fight over the same cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and die with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait as wait_for

    parent = parent_process()
    if parent is not None:
        # The sentinel becomes ready when the parent ends, even by kill -9.
        wait_for([parent.sentinel])
        os._exit(1)
