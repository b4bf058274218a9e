"""SHA-256 of files and of values: what identity and resuming rest on."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Plain = None | bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"]


# The coarsest clock of a file system in use (FAT): a later change to the file may bear the same time.
_CLOCK_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What changes when a file is written or replaced; equal stamps mean the same bytes."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file's SHA-256, and how to see later that it still holds.

    Parameters
    ----------
    stamp
        None for a file so new that its times could not tell a later change.
    """

    sha256: str
    stamp: FileStamp | None


def hash_file(path: Path) -> HashedFile:
    """Hash a file, and stamp it: hashing again costs as much as gating, and a stamp tells as well."""
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        is_settled = time.time() - max(status.st_mtime, status.st_ctime) > _CLOCK_S
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return HashedFile(digest, _stamp(status) if is_settled else None)


def is_unchanged(path: Path, stamp: FileStamp | None) -> bool:
    """Whether a file is certainly the one that was stamped."""
    return stamp is not None and _stamp(path.stat()) == stamp


def _stamp(status: os.stat_result) -> FileStamp:
    return FileStamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def bytes_digest(data: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def value_digest(value: Plain) -> str:
    """SHA-256 of a value's canonical JSON: sorted keys, no blanks, no NaN."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return bytes_digest(text.encode())
