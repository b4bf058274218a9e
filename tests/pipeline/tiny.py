"""A few small FCS files and a drawn strategy: what the pipeline's tests gate, in milliseconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from cytometry.io.fcs import write_fcs
from cytometry.io.gatingml import write_gatingml
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.strategy import GatingStrategy, Population

LIVE, BRIGHT = "root/live", "root/live/bright"


def write_tubes(folder: Path, names: tuple[str, ...] = ("a", "b", "c"), events: int = 200) -> dict[str, int]:
    """Write one file per name; return the number of bright events of each, by construction."""
    folder.mkdir(parents=True, exist_ok=True)
    bright = {}
    for i, name in enumerate(names):
        # Below every gate; not one value throughout, which would look like a lost block of the disk.
        table = np.repeat(np.arange(events, dtype=np.float32)[:, np.newaxis] % 89 + 1, 2, axis=1)
        n_live, n_bright = events // 2 + i, 10 + i
        table[:n_live, 0] = 500
        table[:n_bright, 1] = 900
        # A value that differs between the files, outside of every gate.
        table[-1, 1] = i + 1
        write_fcs(folder / f"{name}.fcs", table, ["FSC-A", "B-A"])
        bright[name] = n_bright
    return bright


def write_strategy(path: Path) -> Path:
    """``live`` on FSC-A and within it ``bright`` on B-A."""
    above = {
        name: RectangleGate((Interval(Dimension(name), minimum=at),)) for name, at in (("FSC-A", 100), ("B-A", 500))
    }
    populations = (Population("live", "root", above["FSC-A"]), Population("bright", LIVE, above["B-A"]))
    write_gatingml(GatingStrategy("tiny", populations), path)
    return path


def command(*arguments: str | Path) -> list[str]:
    """The command line as another process runs it."""
    return [sys.executable, "-m", "cytometry", *(str(a) for a in arguments)]


def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def contents(out: Path) -> dict[str, bytes]:
    """Every result by name: all but the manifest (it holds a clock), the lock and the logs."""
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and p.name not in {"run.json", ".lock"} and "logs" not in p.parts
    }
