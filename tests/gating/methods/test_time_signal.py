"""The time gate leaves out what the signal says, or only says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube, place
from cytometry.io.panels import load_panel
from cytometry.model.gates import EventMaskGate
from cytometry.preprocessing.markers import match_channels
from cytometry.simulation.blood import Blood
from cytometry.simulation.faults import FaultyTube, with_fault
from cytometry.simulation.tubes import TubeSpec, simulate_tube

N = 12_000


@pytest.fixture(scope="module")
def run() -> FaultyTube:
    tube = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=N), np.random.default_rng(11))
    return with_fault(tube, "jump", start=0.4)


def placed_tube(run: FaultyTube) -> Tube:
    sample = run.tube.sample
    return Tube("t", sample, match_channels(sample, load_panel("bcell_v1")).channel_map)


def test_a_jump_is_left_out_of_every_population(run: FaultyTube) -> None:
    tube = placed_tube(run)
    placement = place(load_panel("bcell_v1"), [tube], alone=True)
    membership = gate_sample(placement.strategies["t"], tube.sample, tube.channel_map)
    kept = membership.mask("root/time_ok")
    assert kept[run.is_faulty].mean() < 0.1
    assert kept[~run.is_faulty].mean() > 0.96
    assert not (membership.mask(membership.paths[5]) & ~kept).any()


def test_a_study_that_wants_faults_reported_keeps_them_and_hears_how_many(run: FaultyTube) -> None:
    tube = replace(placed_tube(run), is_masked=False)
    placement = place(load_panel("bcell_v1"), [tube], alone=True)
    gate = placement.strategies["t"].populations[0].gate
    assert gate == EventMaskGate(((0, N),))
    (cut,) = [c for c in placement.cuts_of("t") if c.name == "time_ok"]
    assert cut.confidence == pytest.approx(0.92, abs=0.03)
