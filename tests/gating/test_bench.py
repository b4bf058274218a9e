"""The bench keeps the events that the engine keeps, those without a value included."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.bench import Bench, open_bench, transforms_for
from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube
from cytometry.io.panels import load_panel
from cytometry.model.gates import Gate, Interval, PolygonGate, RectangleGate
from cytometry.model.sample import Sample
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.preprocessing.markers import match_channels
from cytometry.simulation.blood import Blood
from cytometry.simulation.tubes import TubeSpec, simulate_tube

PANEL = load_panel("bcell_v1")
X, Y = PANEL.dimension("FSC-A"), PANEL.dimension("SSC-A")
TRIANGLE = np.array([(0.08, 0.04), (0.8, 0.04), (0.08, 0.8)])


@pytest.fixture(scope="module")
def bench() -> Bench:
    """A tube of which every seventh event has no forward scatter."""
    good = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=2_000), np.random.default_rng(8)).sample
    events = good.linear()
    events[::7, good.index_of("FSC-A")] = np.nan
    tube = Sample.from_array(events, good.channels, name="odd", spillover=good.spillover)
    return open_bench(Tube("odd", tube, match_channels(tube, PANEL).channel_map, "A", "1"), PANEL)


@pytest.mark.parametrize(
    ("gate", "without_value"),
    [
        (RectangleGate((Interval(X), Interval(Y, minimum=0.1))), True),
        (RectangleGate((Interval(X, maximum=0.35), Interval(Y, minimum=0.1))), False),
        (RectangleGate((Interval(X, minimum=0.25),)), False),
        (PolygonGate((X, Y), TRIANGLE), False),
        (PolygonGate((X, Y), TRIANGLE, complement=True), True),
    ],
)
def test_a_shape_keeps_the_same_events_as_in_the_engine(bench: Bench, gate: Gate, without_value: bool) -> None:
    kept = bench.kept(gate, ROOT)
    assert kept[::7].any() == without_value
    strategy = GatingStrategy("s", (Population("p", ROOT, gate),), transforms_for(bench.tube, PANEL))
    decided = gate_sample(strategy, bench.tube.sample, bench.tube.channel_map).mask("root/p")
    assert kept.tolist() == decided.tolist()
    assert 100 < kept.sum() < 1_950
