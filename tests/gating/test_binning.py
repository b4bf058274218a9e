"""Events that a program which counts by plot channel may put on the other side of an edge."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.binning import undecided_by_binning
from cytometry.model.channels import Channel
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.sample import Sample
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name


@pytest.mark.parametrize("gain", [0.25, 1.0, 8.0])
def test_a_channel_of_a_linear_plot_is_a_part_of_the_linear_range(gain: float) -> None:
    """256 channels for 0 to 1,024: the four values on either side of the edge at 100."""
    channels = (Channel(0, "FSC-A", range=1_024.0 * gain, gain=gain),)
    sample = Sample.from_array(np.arange(1_024.0)[:, None], channels)
    gate = RectangleGate((Interval(Dimension("FSC-A"), minimum=100.0),))
    strategy = GatingStrategy("one", (Population("large", "root", gate),))
    reader = DimensionReader(sample, channel_map_by_name(sample), {}, {})
    assert undecided_by_binning(strategy, reader, {}) == {"root/large": 8}
