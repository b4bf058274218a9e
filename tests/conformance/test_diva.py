"""A FACSDiva experiment with the counts that FACSDiva stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cytometry.gating.binning import undecided_by_binning
from cytometry.gating.engine import gate_sample
from cytometry.io.fcs import read_fcs
from cytometry.io.flowjo import read_workspace
from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name
from tests.reference import reference_files

EXPERIMENTS = reference_files("data/diva_workspace/*.xml")


@pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda f: f.stem)
def test_differences_from_facsdiva_lie_within_its_plot_channels(file: Path) -> None:
    reference = json.loads((file.parent / "reference_counts.json").read_text())
    sample = read_fcs(file.parent / reference["fcs_file"], strict=False)
    entry = read_workspace(file).sample_for(sample)
    assert entry.name == reference["tube"]
    names = channel_map_by_name(sample)
    membership = gate_sample(entry.strategy, sample, names)
    reader = DimensionReader(sample, names, entry.strategy.transforms, entry.strategy.compensations)
    undecided = undecided_by_binning(entry.strategy, reader, entry.plot_channels)
    for full_name, stored in reference["counts"].items():
        path = full_name.replace("All Events", "root")
        if path == "root":
            assert (entry.n_events, sample.n_events) == (stored, stored)
            continue
        assert entry.counts[path] == stored
        assert abs((membership.count(path) or 0) - stored) <= undecided[path], path
