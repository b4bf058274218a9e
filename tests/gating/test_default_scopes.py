"""Which scope the shipped panels give to which gate, and why: a jackknife over a subject's visits."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.place import Tube, place
from cytometry.io.panels import load_panel, shipped_panel_names
from cytometry.model.placement import Placement
from cytometry.preprocessing.markers import match_channels
from cytometry.simulation.study import simulate_study

# What the tube decides itself, with thousands of events on both sides.
STEM_AND_LINEAGE = {"Viability", "CD19", "CD3/CD14", "CD3", "CD4", "CD8"}


@pytest.mark.parametrize("name", [n for n in shipped_panel_names() if load_panel(n).template is not None])
def test_lineages_are_placed_per_tube_and_subsets_per_subject(name: str) -> None:
    template = load_panel(name).template
    assert template is not None
    scopes = {cut: c.scope for cut, c in template.cuts.items()}
    assert scopes == {cut: "sample" if c.on in STEM_AND_LINEAGE else "subject" for cut, c in template.cuts.items()}
    shapes = {p.name: p.scope for p in template.populations if p.place is not None}
    assert {n for n, scope in shapes.items() if scope == "sample"} <= {"time_ok", "singlets", "lymphocytes"}
    assert set(shapes.values()) <= {"sample", "subject"}


def positions(placement: Placement, key: str, cuts: list[str]) -> np.ndarray:
    found = {c.name: c.value for c in placement.cuts_of(key) if c.kind == "cut"}
    return np.array([found[name] for name in cuts])


@pytest.mark.parametrize(("panel_name", "tubes_of"), [("bcell_v1", "bcell"), ("treg_v1", "treg")])
def test_no_single_visit_decides_a_subjects_gate(panel_name: str, tubes_of: str) -> None:
    """Leave each of four visits out in turn.

    The jackknife's standard error of a shared position is below the scatter of positions placed visit by visit, which
    is what a subject's gates save the change from; and it is covered by the error that the position states.
    """
    panel = load_panel(panel_name)
    study = simulate_study(301)
    tubes = [
        Tube(t.sample_id, s, match_channels(s, panel).channel_map, "A", "1")
        for t in study.tubes
        if t.panel == tubes_of and t.subject_id == "P01"
        for s in [study.tube(t.sample_id).sample]
    ]
    n = len(tubes)
    shared = [c for c in place(panel, tubes).cuts_of(tubes[0].key) if c.kind == "cut" and c.scope == "subject"]
    names = [c.name for c in shared]
    left_out = np.array(
        [positions(place(panel, tubes[:i] + tubes[i + 1 :]), tubes[(i + 1) % n].key, names) for i in range(n)]
    )
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    alone = place(panel, tubes, alone=True)
    by_visit = np.array([positions(alone, t.key, names) for t in tubes]).std(axis=0, ddof=1)
    stated = np.array([c.uncertainty_sd for c in shared])
    assert n == 4
    assert np.median(jackknife / by_visit) < 0.7
    assert np.mean(jackknife <= 2.0 * stated) >= 0.9
