"""Medians are taken on the linear compensated scale."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.model.channels import Channel
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader
from cytometry.quantification.intensities import population_medians


def test_medians_are_those_of_the_dyes_before_they_spilled() -> None:
    true = np.array([[10.0, 100.0], [20.0, 300.0], [30.0, 200.0], [900.0, 50.0]])
    spillover = Spillover(("A", "B"), np.array([[1.0, 0.3], [0.1, 1.0]]))
    sample = Sample.from_array(true @ spillover.matrix, (Channel(0, "A"), Channel(1, "B")), spillover=spillover)
    low = RectangleGate((Interval(Dimension("CD1", "FCS"), maximum=500),))
    strategy = GatingStrategy("t", (Population("low", "root", low),))
    channels = ChannelMap({"CD1": 0, "CD2": 1})
    membership = gate_sample(strategy, sample, channels)
    reader = DimensionReader(sample, channels, {}, {})
    wanted = [Dimension("CD1", "FCS"), Dimension("CD2", "FCS"), Dimension("CD3", "FCS")]
    rows = population_medians("S", "p", strategy, membership, reader, wanted)
    medians = {(r["path"], r["marker"]): (r["n_events"], r["median"]) for r in rows}
    assert medians == {
        ("root", "CD1"): (4, pytest.approx(25.0)),
        ("root", "CD2"): (4, pytest.approx(150.0)),
        ("root/low", "CD1"): (3, pytest.approx(20.0)),
        ("root/low", "CD2"): (3, pytest.approx(200.0)),
    }
    assert {r["flags"] for r in rows} == {"BELOW_LOD"}
