"""Runs whose faults are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.io.fcs import read_fcs, write_fcs
from cytometry.model.channels import Channel
from cytometry.model.sample import Sample
from cytometry.preprocessing.quality import DRIFT_LIMIT, acquisition_quality
from cytometry.simulation.blood import Blood
from cytometry.simulation.faults import with_fault
from cytometry.simulation.tubes import TubeSpec, simulate_tube

CHANNELS = (
    Channel(0, "FSC-A", range=262144.0),
    Channel(1, "PE-A", "CD3", range=262144.0, voltage=500.0),
    Channel(2, "Time", range=262144.0),
)


def run(n: int = 20_000, *, seed: int = 1, shift: float = 0.0, rate: float = 200.0) -> Sample:
    """Log-normal cells at a steady rate; the last tenth of the run shifted by ``shift`` spreads."""
    rng = np.random.default_rng(seed)
    late = np.arange(n) >= 0.9 * n
    signal = np.exp(rng.normal(9.0, 0.3, n) + 0.3 * shift * late)
    events = np.column_stack([rng.normal(80_000, 8_000, n), signal, np.cumsum(rng.exponential(1 / rate, n))])
    return Sample.from_array(events, CHANNELS, name="run")


def with_events(sample: Sample, events: np.ndarray) -> Sample:
    return Sample.from_array(events, sample.channels, name=sample.name, spillover=sample.spillover)


def test_a_steady_run_has_its_rate_and_no_faults() -> None:
    found = acquisition_quality(run())
    assert found.events_per_s == pytest.approx(200.0, rel=0.03)
    assert found.rate_spread < 0.03
    assert found.drift < 0.05
    assert (found.margin_fraction, found.negative_scatter_fraction) == (0.0, 0.0)


def test_a_shift_of_one_channel_is_measured_in_spreads() -> None:
    found = acquisition_quality(run(shift=1.0))
    assert found.drift_channel == "PE-A"
    # The last tenth is shifted by one spread, the mean of all by a tenth of one; 20 parts of 1,000 events.
    within = np.sqrt(1 + 0.1 * 0.9)
    assert found.drift == pytest.approx(0.9 / within - 3 / np.sqrt(1_000), abs=0.08)


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_loss_of_a_quarter_of_the_light_passes_the_limit_and_a_steady_run_does_not(seed: int) -> None:
    tube = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=20_000), np.random.default_rng(seed))
    assert acquisition_quality(with_fault(tube, "drift", start=0.0).tube.sample).drift > DRIFT_LIMIT
    assert acquisition_quality(tube.sample).drift < DRIFT_LIMIT / 2


def test_margin_and_negative_events_are_counted_once() -> None:
    events = run().linear()
    events[:300, 0] = 262143.0
    events[:100, 1] = 262143.0
    events[1_000:1_200, 0] = -5.0
    found = acquisition_quality(with_events(run(), events))
    assert found.margin_fraction == pytest.approx(300 / 20_000)
    assert found.negative_scatter_fraction == pytest.approx(200 / 20_000)


@pytest.mark.parametrize("gain", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("datatype", ["I", "F"])
def test_events_of_the_last_channel_are_counted_at_any_gain(tmp_path: Path, gain: float, datatype: str) -> None:
    stored = np.random.default_rng(0).integers(1, 1_020, (3_000, 1))
    stored[:1_500] = 1_023
    channel = Channel(0, "FITC-A", range=1024.0, bits=16 if datatype == "I" else 32, gain=gain)
    write_fcs(tmp_path / "g.fcs", stored, [channel], datatype=datatype)
    assert acquisition_quality(read_fcs(tmp_path / "g.fcs")).margin_fraction == 0.5


@pytest.mark.parametrize(("at_top", "fraction"), [(0, 0.0), (300, 0.1)])
def test_four_decades_end_at_ten_thousand_and_not_at_the_number_of_channels(
    tmp_path: Path, at_top: int, fraction: float
) -> None:
    """A log amplifier: channel 780 of 1,024 is 1,115 already."""
    stored = np.random.default_rng(0).integers(0, 1_020, (3_000, 1))
    stored[:at_top] = 1_023
    write_fcs(
        tmp_path / "l.fcs", stored, [Channel(0, "FL1-H", range=1024.0, bits=16, amplification=(4.0, 1.0))], datatype="I"
    )
    assert acquisition_quality(read_fcs(tmp_path / "l.fcs")).margin_fraction == pytest.approx(fraction)


def test_a_rate_that_changes_is_told_from_counting() -> None:
    events = run().linear()
    rng = np.random.default_rng(2)
    gaps = rng.exponential(1 / 200, 20_000) * np.repeat(np.where(np.arange(20) % 2, 0.7, 1.3), 1_000)
    events[:, 2] = np.cumsum(gaps)
    assert acquisition_quality(with_events(run(), events)).rate_spread > 0.2


@pytest.mark.parametrize("n", [0, 10])
def test_a_handful_of_events_is_no_error(n: int) -> None:
    found = acquisition_quality(run(n))
    assert found.n_events == n
    assert np.isnan(found.drift)
    assert np.isnan(found.events_per_s)
