"""Every reference file: read as the readers that read it rightly do, and no disagreement unexplained."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytometry.io.fcs import read_fcs
from tests.reference import reference_files
from tools.compare_fcs_readers import compare

FILES = [p for p in reference_files("data/*/*") if p.suffix.lower() in (".fcs", ".lmd", ".001", ".b08")]
# Bytes that hold no events: junk, and HEADER and TEXT alone.
WITHOUT_EVENTS = ("corrupted.fcs", "cytek-nl-2000_sample_header.fcs")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_disagreement_is_explained(path: Path) -> None:
    assert [row for row in compare(path) if not row.is_explained] == []


@pytest.mark.parametrize("path", [p for p in FILES if p.name not in WITHOUT_EVENTS], ids=lambda p: p.name)
def test_every_file_with_events_is_read_strictly(path: Path) -> None:
    assert read_fcs(path).raw().shape[0] > 0


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "Beckman_Cytomics_FC500.LMD"], ids=lambda p: p.name)
def test_ten_bit_values_are_the_upper_ten_of_the_second_data_set(path: Path) -> None:
    ten = read_fcs(path, dataset=0).raw()[:, :2]
    twenty = read_fcs(path, dataset=1).raw()[:, :2]
    # The instrument rounds or clips a few; a wrong packing agrees with hardly any.
    assert (abs(ten - twenty // 1024) <= 1).mean() > 0.99


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "Beckman_Cyan.fcs"], ids=lambda p: p.name)
def test_offset_at_which_the_event_counter_counts_is_believed(path: Path) -> None:
    sample = read_fcs(path)
    disagreement = next(f for f in sample.findings if f.code == "DATA_OFFSETS_DISAGREE")
    assert disagreement.expected == "2284"
    assert "100% of steps of the event counter" in disagreement.message


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "FACSCalibur_0877408774.B08"], ids=lambda p: p.name)
def test_empty_values_do_not_swallow_the_keywords_behind(path: Path) -> None:
    assert read_fcs(path).channel_names == ("FSC-H", "SSC-H", "FL1-H", "FL2-H", "FL3-H", "FL1-A", "FL4-H", "Time")
