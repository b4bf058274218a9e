"""The same gates in the words of the file, for programs that know neither markers nor masks."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.errors import GatingError
from cytometry.gating.engine import gate_sample
from cytometry.gating.portable import MATRIX_KEY, portable_strategy
from cytometry.model.channels import Channel
from cytometry.model.gates import BooleanGate, Dimension, EventMaskGate, Interval, Operand, RectangleGate
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.preprocessing.dimensions import ChannelMap, channel_map_by_name

CHANNELS = (Channel(0, "Time"), Channel(1, "FITC-A"), Channel(2, "PE-A"))
MATRIX = Spillover(("FITC-A", "PE-A"), np.array([[1.0, 0.3], [0.1, 1.0]]), "file")
MARKERS = ChannelMap({"CD3": 1, "CD19": 2})


def sample_of(times: list[float]) -> Sample:
    rng = np.random.default_rng(3)
    events = np.column_stack([times, rng.normal(0, 10, (len(times), 2))])
    return Sample.from_array(events, CHANNELS, spillover=MATRIX)


def strategy_of(*populations: Population) -> GatingStrategy:
    return GatingStrategy("panel", populations)


def marker(name: str, path: str = ROOT, low: float = 0.0, **facts: bool) -> Population:
    gate = RectangleGate((Interval(Dimension(name, "FCS"), low),))
    return Population(name.lower(), path, gate, **facts)


def same_members(strategy: GatingStrategy, portable: GatingStrategy, sample: Sample) -> bool:
    before = gate_sample(strategy, sample, MARKERS)
    after = gate_sample(portable, sample, channel_map_by_name(sample))
    return all(np.array_equal(before.mask(p), after.mask(p)) for p in before.paths if p not in before.undefined)


def test_markers_become_channels_and_the_files_matrix_is_written_out() -> None:
    sample, strategy = sample_of([0.0, 1.0, 2.0, 3.0]), strategy_of(marker("CD3"))
    portable = portable_strategy(strategy, sample, MARKERS)
    assert portable.populations[0].gate.dimensions == (Dimension("FITC-A", MATRIX_KEY),)
    assert portable.compensations[MATRIX_KEY] == MATRIX
    assert same_members(strategy, portable, sample)


def test_a_mask_becomes_intervals_of_time_and_their_union() -> None:
    sample = sample_of([float(t) for t in range(10)])
    strategy = strategy_of(Population("time_ok", ROOT, EventMaskGate(((0, 3), (5, 10)))))
    portable = portable_strategy(strategy, sample, MARKERS)
    assert [p.name for p in portable.populations] == ["time_ok [1]", "time_ok [2]", "time_ok"]
    gates = [p.gate for p in portable.populations if isinstance(p.gate, RectangleGate)]
    spans = [(g.intervals[0].minimum, g.intervals[0].maximum) for g in gates]
    assert spans == [(-np.inf, 3.0), (5.0, np.inf)]
    assert same_members(strategy, portable, sample)


def test_a_mask_that_cuts_between_equal_times_is_refused() -> None:
    sample = sample_of([0.0, 1.0, 1.0, 2.0])
    strategy = strategy_of(Population("time_ok", ROOT, EventMaskGate(((0, 2),))))
    with pytest.raises(GatingError, match="masks the events 0 to 2, which share their time with others"):
        portable_strategy(strategy, sample, MARKERS)


def test_what_the_sample_lacks_is_left_out_with_all_that_hangs_on_it() -> None:
    strategy = strategy_of(
        marker("CD21", optional=True),
        marker("CD3", "root/cd21"),
        marker("CD19"),
        Population("either", ROOT, BooleanGate("or", (Operand("root/cd19"), Operand("root/cd21")))),
    )
    portable = portable_strategy(strategy, sample_of([0.0, 1.0]), MARKERS)
    assert [p.path for p in portable.populations] == ["root/cd19"]
