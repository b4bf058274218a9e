"""A run that is killed, or that cannot write, at any moment: nothing torn, and the next run ends as a clean one."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cytometry.cli.main import run_command_line
from cytometry.io.atomic import TEMPORARY_SUFFIX
from cytometry.io.manifest import compare_with_manifest
from tests.pipeline.tiny import command, contents, run, write_strategy, write_tubes

# Enough that a signal after the first comes before the last.
TUBES = 50
# One start, two samples of five files, eleven tables, one end.
WRITES = 1 + 2 * 5 + 11 + 1


@pytest.fixture
def tubes(tmp_path: Path) -> Path:
    write_tubes(tmp_path / "fcs", ("a", "b"))
    write_strategy(tmp_path / "tiny.gml.xml")
    return tmp_path


def _arguments(folder: Path, out: str) -> list[str]:
    strategy = str(folder / "tiny.gml.xml")
    return [
        "gate",
        str(folder / "fcs"),
        "--strategy",
        strategy,
        "-o",
        str(folder / out),
        "-j",
        "1",
        "--progress",
        "none",
    ]


def _fail_at(monkeypatch: pytest.MonkeyPatch, name: str, k: int, failure: object) -> list[int]:
    """Replace ``Path.replace`` or ``os.fsync`` by one that fails at its k-th call; the list counts calls."""
    owner = Path if name == "replace" else os
    original = getattr(owner, name)
    calls = [0]

    def failing(*arguments: object) -> object:
        calls[0] += 1
        if calls[0] == k:
            failure()  # type: ignore[operator]
        return original(*arguments)

    monkeypatch.setattr(owner, name, failing)
    return calls


def _no_space() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_number_of_writes_is_what_the_sweep_covers(tubes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _fail_at(monkeypatch, "replace", 0, _kill)
    assert run_command_line(_arguments(tubes, "out")) == 0
    assert calls[0] == WRITES


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_kill_at_every_rename_then_rerun(tubes: Path) -> None:
    assert run_command_line(_arguments(tubes, "clean")) == 0
    clean = contents(tubes / "clean")
    for k in range(1, WRITES + 1):
        out = tubes / f"out{k}"
        child = os.fork()
        if child == 0:
            with pytest.MonkeyPatch.context() as monkeypatch:
                _fail_at(monkeypatch, "replace", k, _kill)
                run_command_line(_arguments(tubes, out.name))
            os._exit(99)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        for name, data in contents(out).items():
            if TEMPORARY_SUFFIX not in name:
                assert data == clean[name], f"torn after kill {k}: {name}"
        assert run_command_line(_arguments(tubes, out.name)) == 0
        assert contents(out) == clean
        assert compare_with_manifest(out) == ()


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_full_disk_at_any_write_is_said_and_recovered_from(
    tubes: Path, call: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(_arguments(tubes, "clean")) == 0
    clean = contents(tubes / "clean")
    for k in range(1, WRITES * (2 if call == "fsync" else 1) + 1, 3):
        out = tubes / f"out{k}"
        with monkeypatch.context() as patch:
            _fail_at(patch, call, k, _no_space)
            capsys.readouterr()
            assert run_command_line(_arguments(tubes, out.name)) == 5
        told = capsys.readouterr().err
        assert "No space left on device" in told
        assert str(out) in told
        assert not [n for n in contents(out) if TEMPORARY_SUFFIX in n]
        assert run_command_line(_arguments(tubes, out.name)) == 0
        assert contents(out) == clean


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_and_its_workers(tmp_path: Path, number: signal.Signals, code: int) -> None:
    write_tubes(tmp_path / "fcs", tuple(f"t{i:03d}" for i in range(TUBES)))
    write_strategy(tmp_path / "tiny.gml.xml")
    arguments = [*_arguments(tmp_path, "out")[:-4], "-j", "2", "--progress", "plain"]
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(f"[1/{TUBES}]")
    workers = _descendants(process.pid)
    assert workers
    process.send_signal(number)
    assert process.wait(timeout=20) == code
    assert "run the same command again" in process.stderr.read()
    process.communicate()
    assert _gone(workers, within_s=10)
    assert run(*arguments).returncode == 0
    assert compare_with_manifest(tmp_path / "out") == ()


def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    write_tubes(tmp_path / "fcs", tuple(f"t{i:03d}" for i in range(TUBES)))
    write_strategy(tmp_path / "tiny.gml.xml")
    arguments = [*_arguments(tmp_path, "out")[:-4], "-j", "2", "--progress", "plain"]
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        workers = _descendants(process.pid)
        process.kill()
    assert _gone(workers, within_s=10)


def test_two_runs_in_one_folder(tmp_path: Path) -> None:
    write_tubes(tmp_path / "fcs", tuple(f"t{i:03d}" for i in range(TUBES)))
    write_strategy(tmp_path / "tiny.gml.xml")
    arguments = [*_arguments(tmp_path, "out")[:-2], "--progress", "plain"]
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        first.stderr.readline()
        second = run(*arguments)
        assert second.returncode == 5
        assert f"is in use by another run (process {first.pid}" in second.stderr
        first.communicate()
    assert first.returncode == 0


def _descendants(pid: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return found


def _gone(pids: set[int], *, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        alive = [p for p in pids if Path(f"/proc/{p}").exists() and " Z " not in Path(f"/proc/{p}/stat").read_text()]
        if not alive:
            return True
        time.sleep(0.05)
    return False
