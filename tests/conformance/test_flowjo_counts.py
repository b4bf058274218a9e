"""FlowJo workspaces with the counts that FlowJo stored, and FlowKit's as a second opinion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cytometry.gating.binning import undecided_by_binning
from cytometry.gating.engine import gate_sample
from cytometry.io.fcs import read_fcs
from cytometry.io.flowjo import WorkspaceSample, parse_workspace, read_workspace
from cytometry.io.flowjo.write import WorkspaceEntry, workspace_bytes
from cytometry.model.sample import Sample
from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name
from tests.reference import reference_files

WORKSPACES = reference_files("data/flowjo_*/*.wsp")

# Their stored counts are older than their gates: the file's own name, or FlowKit, says so.
STALE = {"simple_poly_and_rect_v2_poly50.wsp"}


def gated_samples(file: Path) -> list[tuple[WorkspaceSample, Sample, dict[str, Any]]]:
    reference = json.loads((file.parent / "reference_counts.json").read_text())
    samples = reference.get("workspaces", {}).get(file.name, reference).get("samples")
    found = []
    workspace = read_workspace(file)
    for name, facts in samples.items():
        entry = next(s for s in workspace.samples if s.name == name)
        fcs = file.parent / facts.get("fcs_file", name)
        found.append((entry, read_fcs(fcs, strict=False), facts["populations"]))
    return found


@pytest.mark.parametrize("file", WORKSPACES, ids=lambda f: f.stem)
def test_counts_equal_flowkits_in_every_population(file: Path) -> None:
    for entry, sample, populations in gated_samples(file):
        membership = gate_sample(entry.strategy, sample, channel_map_by_name(sample))
        expected = {path: facts["flowkit_count"] for path, facts in populations.items()}
        assert {path: membership.count(path) for path in expected} == expected


@pytest.mark.parametrize("file", [f for f in WORKSPACES if f.name not in STALE], ids=lambda f: f.stem)
def test_differences_from_flowjo_lie_within_its_binning(file: Path) -> None:
    for entry, sample, populations in gated_samples(file):
        names = channel_map_by_name(sample)
        membership = gate_sample(entry.strategy, sample, names)
        reader = DimensionReader(sample, names, entry.strategy.transforms, entry.strategy.compensations)
        undecided = undecided_by_binning(entry.strategy, reader, entry.plot_channels)
        for path, facts in populations.items():
            stored = facts.get("flowjo_count", facts.get("count"))
            assert entry.counts[path] == stored
            if stored is not None:
                assert abs((membership.count(path) or 0) - stored) <= undecided[path], path


@pytest.mark.parametrize("file", WORKSPACES, ids=lambda f: f.stem)
def test_an_exported_workspace_reads_back_with_the_same_counts(file: Path) -> None:
    entries, before = [], []
    for entry, sample, _ in gated_samples(file):
        membership = gate_sample(entry.strategy, sample, channel_map_by_name(sample))
        counts = {p: membership.count(p) for p in membership.paths}
        before.append((sample, counts))
        entries.append(WorkspaceEntry(entry.name, sample.channels, sample.n_events, entry.strategy, counts))
    again = parse_workspace(workspace_bytes(entries))
    for (sample, counts), entry in zip(before, again.samples, strict=True):
        membership = gate_sample(entry.strategy, sample, channel_map_by_name(sample))
        assert {p: membership.count(p) for p in membership.paths} == counts
        assert dict(entry.counts) == counts
