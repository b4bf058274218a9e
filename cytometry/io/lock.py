"""One run per output folder. The lock belongs to the process: when it dies, in whatever way, the lock is free."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cytometry.errors import OutputError

LOCK_FILE: Final = ".lock"


@contextmanager
def output_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock.

    The operating system releases it with the process, so a killed run leaves
    nothing to unlock by hand; the file stays and says who held it last.

    Raises
    ------
    OutputError
        Another run holds it, or the folder cannot be written.
    """
    path = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            where=str(folder),
            hint="name another folder with -o",
            code="OUTPUT_UNWRITABLE",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 4096, 0).decode(errors="replace").strip()
            raise OutputError(
                f"is in use by another run {_holder(holder)}".rstrip(),
                where=str(folder),
                hint="wait for it, stop it, or name another folder with -o",
                code="OUTPUT_BUSY",
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "host": os.uname().nodename}).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(text: str) -> str:
    try:
        stored = json.loads(text)
        return f"(process {stored['pid']} on {stored['host']})"
    except (ValueError, KeyError, TypeError):
        return ""
