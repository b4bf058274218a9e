"""A stamp says that a file is the one that was hashed, or nothing."""

import hashlib
import os
from pathlib import Path

from cytometry.io.digests import hash_file, is_unchanged

LONG_AGO = 1_000_000_000


def settled(path: Path, data: bytes) -> Path:
    """A file whose times are no longer new, as far as a program can set them."""
    path.write_bytes(data)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def test_a_file_that_was_written_just_now_gets_no_stamp(tmp_path: Path) -> None:
    path = settled(tmp_path / "a", b"abc")
    hashed = hash_file(path)
    assert hashed.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert hashed.stamp is None  # its status changed just now, whatever its modification time says
    assert not is_unchanged(path, hashed.stamp)


def test_a_stamp_holds_until_the_file_is_written_or_replaced() -> None:
    path = Path(__file__)
    stamp = hash_file(path).stamp
    assert stamp is not None
    assert is_unchanged(path, stamp)


def test_another_file_of_the_same_bytes_has_another_stamp(tmp_path: Path) -> None:
    stamp = hash_file(Path(__file__)).stamp
    copy = settled(tmp_path / "copy.py", Path(__file__).read_bytes())
    assert not is_unchanged(copy, stamp)
