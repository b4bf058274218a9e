"""SHA-256 of files and of values: what identity and resuming rest on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Plain = None | bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"]


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
