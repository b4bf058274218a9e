"""The one way in which results reach the disk: whole, or not at all.

Temporary file in the same folder, write, flush, fsync, rename, fsync the folder.
A crash at any moment leaves the old file, the new file, or the old file and a
leftover whose name no reader knows.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cytometry.errors import OutputError

# Starts with a dot and ends like this: never mistaken for a result, swept by the next run.
TEMPORARY_SUFFIX: Final = ".cytometry-part"


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, making its folder.

    Raises
    ------
    OutputError
        The disk is full, the folder cannot be written, or the like; ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint="check free space and permissions, then run the same command again: finished samples are kept",
            code="OUTPUT_UNWRITABLE",
        ) from error


def check_writable(folder: Path) -> None:
    """Make a folder and try to write into it, so that long work is not lost for want of a place.

    Raises
    ------
    OutputError
        It cannot be made or written.
    """
    probe = folder / f".{os.getpid()}{TEMPORARY_SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            where=str(folder),
            hint="name another folder with -o",
            code="OUTPUT_UNWRITABLE",
        ) from error


def sweep_leftovers(folder: Path) -> int:
    """Remove temporary files that a killed run left; return how many."""
    leftovers = [p for p in folder.rglob(f".*{TEMPORARY_SUFFIX}") if p.is_file()]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
