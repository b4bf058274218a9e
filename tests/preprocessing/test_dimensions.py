"""From a name in a gate to numbers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cytometry.errors import GatingError, StrategyError
from cytometry.model.channels import Channel
from cytometry.model.gates import Dimension, RatioDimension
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.transforms import Linear
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader, channel_map_by_name

MATRIX = Spillover(("A", "B"), np.array([[1.0, 0.5], [0.0, 1.0]]), "m")


def sample_of(*names: str, markers: tuple[str, ...] = ()) -> Sample:
    channels = tuple(Channel(i, n, marker=markers[i] if markers else "") for i, n in enumerate(names))
    return Sample.from_array(np.array([[4.0, 10.0, 7.0][: len(names)]]), channels, spillover=MATRIX)


def reader_of(sample: Sample, **facts: object) -> DimensionReader:
    return DimensionReader(sample, channel_map_by_name(sample), {"t": Linear(100)}, {"m": MATRIX}, **facts)  # type: ignore[arg-type]


def test_compensation_takes_the_spill_away() -> None:
    reader = reader_of(sample_of("A", "B", "C"))
    # 4 in A spills 2 into B.
    assert reader.linear("B", "FCS").tolist() == [8.0]
    assert reader.linear("B", "m").tolist() == [8.0]
    assert reader.linear("B", "uncompensated").tolist() == [10.0]


def test_an_infinite_event_is_compensated_without_a_warning() -> None:
    """Infinity less half of infinity is no number; warnings are errors here."""
    channels = (Channel(0, "A"), Channel(1, "B"))
    events = np.array([[np.inf, np.inf], [4.0, 10.0], [1.0, np.inf]])
    reader = reader_of(Sample.from_array(events, channels, spillover=MATRIX))
    np.testing.assert_array_equal(reader.linear("B", "FCS"), [np.nan, 8.0, np.inf])


def test_a_channel_outside_the_matrix_passes_unchanged() -> None:
    assert reader_of(sample_of("A", "B", "C")).linear("C", "FCS").tolist() == [7.0]


def test_values_are_on_the_display_scale() -> None:
    assert reader_of(sample_of("A", "B")).values(Dimension("B", "FCS", "t")).tolist() == [0.08]


def test_a_ratio_is_of_compensated_values_and_held_in_its_bounds() -> None:
    reader = reader_of(sample_of("A", "B"))
    assert reader.values(RatioDimension("B", "A", 3.0, 2.0, 1.0, "FCS")).tolist() == [3.0 * (8 - 2) / (4 - 1)]
    assert reader.values(RatioDimension("B", "A", 3.0, 2.0, 1.0, "FCS", maximum=5.0)).tolist() == [5.0]


def test_only_the_rows_asked_for_are_read() -> None:
    sample = Sample.from_array(np.arange(6.0)[:, None], (Channel(0, "A"),))
    assert reader_of(sample).linear("A", "uncompensated", np.array([1, 4])).tolist() == [1.0, 4.0]


def test_a_dye_of_a_spectral_matrix_is_unmixed() -> None:
    spectra = Spillover(("A", "B"), np.array([[1.0, 0.5]]), "s", ("CD3 dye",))
    sample = sample_of("A", "B")
    reader = DimensionReader(sample, channel_map_by_name(sample), {}, {"s": spectra})
    # Least squares of (4, 10) on (1, 0.5): (4 + 5) / 1.25.
    assert reader.linear("CD3 dye", "s").tolist() == pytest.approx([7.2])


def test_unknown_names_and_keys_are_named() -> None:
    reader = reader_of(sample_of("A", "B", markers=("CD3", "CD4")))
    with pytest.raises(GatingError, match=r"no channel measures 'CD19'.*channels: A \(CD3\), B \(CD4\)"):
        reader.linear("CD19", "FCS")
    with pytest.raises(StrategyError, match="no compensation matrix 'x'"):
        reader.linear("A", "x")
    with pytest.raises(StrategyError, match="no transform 'x'"):
        reader.values(Dimension("A", transform="x"))


def test_names_are_found_by_channel_then_marker_then_prefix() -> None:
    names = channel_map_by_name(sample_of("A", "B", "C", markers=("CD3", "A", "CD3")))
    assert names.indices["A"] == 0
    assert names.indices["Comp-B"] == 1
    # Two channels carry CD3: whichever were taken would be a guess.
    assert "CD3" not in names


def test_channel_maps_go_to_worker_processes() -> None:
    again = pickle.loads(pickle.dumps(ChannelMap({"CD3": 2})))
    assert dict(again.indices) == {"CD3": 2}
