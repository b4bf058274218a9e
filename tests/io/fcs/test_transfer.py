"""Blocks that a copy lost, found by looking at one word in thirty-two."""

import mmap
from pathlib import Path

import numpy as np
import pytest

from cytometry.io.fcs.source import Source
from cytometry.io.fcs.transfer import find_filled_block


def mapped(path: Path, data: bytes) -> Source:
    path.write_bytes(data)
    with path.open("rb") as stream:
        return Source(str(path), len(data), mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def noise(n: int) -> bytearray:
    return bytearray(np.random.default_rng(3).integers(1, 255, n, dtype=np.uint8).tobytes())


@pytest.mark.parametrize("byte", [0x00, 0xFF])
@pytest.mark.parametrize("shift", range(0, 300, 7))
def test_a_block_is_found_wherever_it_begins(tmp_path: Path, byte: int, shift: int) -> None:
    data = noise(40_000)
    data[9_000 + shift : 9_512 + shift] = bytes([byte]) * 512
    assert find_filled_block(mapped(tmp_path / "x", bytes(data)), 58, 39_001) == (9_000 + shift, 9_511 + shift)


def test_a_shorter_run_is_no_block_and_a_longer_one_is_found_whole(tmp_path: Path) -> None:
    data = noise(700_000)
    data[1_000:1_511] = bytes(511)
    data[20_003:420_000] = bytes(399_997)
    assert find_filled_block(mapped(tmp_path / "x", bytes(data)), 58, len(data)) == (20_003, 419_999)


def test_a_block_outside_the_data_does_not_count(tmp_path: Path) -> None:
    data = noise(5_000)
    data[0:600] = bytes(600)
    data[4_400:5_000] = bytes(600)
    assert find_filled_block(mapped(tmp_path / "x", bytes(data)), 300, 4_800) is None


def test_many_scattered_zeros_are_no_block(tmp_path: Path) -> None:
    words = np.random.default_rng(5).integers(1, 2**60, 32 * 20_000, dtype=np.uint64)
    words[::32] = 0
    data = bytearray(words.tobytes())
    assert find_filled_block(mapped(tmp_path / "x", bytes(data)), 0, len(data)) is None
    data[80_000:80_600] = bytes(600)
    first, last = find_filled_block(mapped(tmp_path / "x", bytes(data)), 0, len(data)) or (0, 0)
    assert first <= 80_000
    assert last >= 80_599


def test_data_shorter_than_a_word_hold_no_block(tmp_path: Path) -> None:
    assert find_filled_block(mapped(tmp_path / "x", b"abcdefg\0"), 3, 8) is None
