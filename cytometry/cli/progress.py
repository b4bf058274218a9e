"""Progress on stderr: a line that renews itself on a terminal, one line per group elsewhere."""

from __future__ import annotations

import os
import sys

from cytometry.cli.output import note, printable
from cytometry.pipeline.progress import Listener, Progress, ignore


def listener(mode: str) -> Listener:
    """The listener for ``--progress``."""
    if mode == "none":
        return ignore
    dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("CI"))
    if mode == "auto" and sys.stderr.isatty() and not dumb:
        return _renew
    return _line


def _line(progress: Progress) -> None:
    for failure in progress.failed:
        note(f"failed: {failure}")
    note(f"[{progress.done}/{progress.total}] {progress.group}{_left(progress)}")


def _renew(progress: Progress) -> None:
    for failure in progress.failed:
        sys.stderr.write("\r\x1b[K")
        note(f"failed: {failure}")
    text = printable(f"[{progress.done}/{progress.total}] {progress.group}{_left(progress)}")
    end = "\n" if progress.done >= progress.total else ""
    sys.stderr.write(f"\r\x1b[K{text}{end}")
    sys.stderr.flush()


def _left(progress: Progress) -> str:
    if progress.done >= progress.total:
        return ""
    seconds = progress.seconds_left
    return f", about {seconds / 60:.0f} min left" if seconds >= 120 else f", about {seconds:.0f} s left"
