"""Looking at every value of a large file does not hold the file in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.io.fcs.columns import MappedColumns
from cytometry.io.fcs.read import read_fcs
from cytometry.io.fcs.write import write_fcs


def resident_bytes() -> int:
    """Of this process, files that it maps included."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1024


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.fcs"
    events = np.random.default_rng(1).uniform(1, 1000, (500_000, 10)).astype(np.float32)
    events[123, 4] = np.nan
    write_fcs(path, events, [f"C{i}" for i in range(10)])
    return path


def test_looking_at_every_value_gives_the_memory_back(large: Path) -> None:
    sample = read_fcs(large)
    before = resident_bytes()
    assert [f.code for f in sample.findings] == ["VALUES_NOT_FINITE"]
    # The chunk that holds the NaN is looked at column by column and stays; 20 MB are in the file.
    assert resident_bytes() - before < 8_000_000


def test_forgotten_events_are_read_again(large: Path) -> None:
    sample = read_fcs(large)
    assert isinstance(sample.columns, MappedColumns)
    first = sample.linear_column(3).copy()
    sample.columns.forget(0, sample.n_events)
    sample.columns.forget(7, 1)  # less than a page
    assert np.array_equal(sample.linear_column(3), first)
