"""Damage on purpose, to see whether it is noticed: only ever to files of a qualification's own folder."""

from __future__ import annotations

from pathlib import Path


def cut_copy(source: Path, target: Path) -> None:
    """The first half of a file, as an interrupted copy leaves it."""
    data = source.read_bytes()
    target.write_bytes(data[: len(data) // 2])


def disguised_copy(source: Path, target: Path) -> None:
    """A file that begins like a picture."""
    target.write_bytes(b"\x89PNG\r\n\x1a\n" + source.read_bytes())


def flip_byte(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
