"""Runs whose faults are known, event by event."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cytometry.model.channels import Channel
from cytometry.model.sample import Sample
from cytometry.preprocessing.steady_rate import steady_rate
from cytometry.preprocessing.steady_signal import COFACTOR, SignalStretches, signal_stretches
from cytometry.simulation.blood import Blood
from cytometry.simulation.faults import FaultyTube, with_fault
from cytometry.simulation.tubes import TubeSpec, simulate_tube


def faulty(kind: str, n: int, seed: int) -> FaultyTube:
    rng = np.random.default_rng(seed)
    tube = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=n), rng)
    return with_fault(tube, kind, start=float(rng.uniform(0.15, 0.75)))


def masked(found: SignalStretches, n: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(n, dtype=np.bool_)
    for k in np.flatnonzero(found.is_unsteady):
        mask[found.edges[k] : found.edges[k + 1]] = True
    return mask


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["clog", "jump", "one detector"])
def test_a_stretch_of_wrong_signal_is_found_with_little_around_it(kind: str, seed: int) -> None:
    run = faulty(kind, 20_000, seed)
    mask = masked(signal_stretches(run.tube.sample), 20_000)
    assert mask[run.is_faulty].mean() > 0.85
    # Stretches of 250 events: half of one on either side is 1.3 % of a run.
    assert mask[~run.is_faulty].mean() < 0.04


@pytest.mark.parametrize("kind", ["none", "drift", "surge"])
@pytest.mark.parametrize("n", [4_000, 8_000, 20_000])
def test_a_steady_signal_loses_nothing_and_a_drift_is_not_masked(kind: str, n: int) -> None:
    shares = [signal_stretches(faulty(kind, n, seed).tube.sample).fraction for seed in range(3)]
    assert np.mean(shares) < 0.01


def unsteady_stretches(shifts: dict[int, npt.NDArray[np.float64]]) -> list[int]:
    """Which of 80 stretches are found in a run of twenty detectors with a dim and a bright half each.

    ``shifts`` moves the bright events of a stretch, by detector, in standard errors of their mean.
    """
    rng = np.random.default_rng(3)
    width, n, detectors = 0.3, 20_000, 20
    is_bright = rng.permuted(np.tile([False, True], (detectors, n // 2)), axis=1).T
    scaled = rng.normal(np.where(is_bright, 5.0, 1.0), width)
    for stretch, by_detector in shifts.items():
        own = slice(250 * stretch, 250 * (stretch + 1))
        scaled[own] += np.where(is_bright[own], by_detector * width / np.sqrt(125), 0.0)
    channels = tuple(Channel(i, f"B{i}-A", range=262144.0) for i in range(detectors))
    found = signal_stretches(Sample.from_array(COFACTOR * np.sinh(scaled), channels))
    assert len(found.is_unsteady) == 80
    return [int(k) for k in np.flatnonzero(found.is_unsteady)]


def only(detector: int, shift: float) -> npt.NDArray[np.float64]:
    return np.where(np.arange(20) == detector, shift, 0.0)


def test_nothing_is_found_where_nothing_was_moved() -> None:
    assert unsteady_stretches({}) == []


def test_one_detector_far_off_is_enough() -> None:
    # Mean square over forty lobes 1 + 8.5² / 40 = 2.8, within what chance lets it be (exp(4 × 0.3) = 3.3).
    assert unsteady_stretches({30: only(4, 8.5)}) == [30]
    assert unsteady_stretches({30: only(4, 3.0)}) == []


def test_all_detectors_a_little_off_together_are_enough() -> None:
    # None of twenty is 6.5 off; the mean square is 1 + 3.5² / 2 = 7.
    assert unsteady_stretches({30: np.full(20, 3.5)}) == [30]


def test_a_single_steady_stretch_between_two_faults_is_not_trusted_and_two_are() -> None:
    assert unsteady_stretches({30: only(4, 9.0), 32: only(7, 9.0)}) == [30, 31, 32]
    assert unsteady_stretches({30: only(4, 9.0), 33: only(7, 9.0)}) == [30, 33]


def test_a_change_of_composition_is_no_fault_of_the_signal() -> None:
    """Twice as many bright cells in a tenth of the run, each as bright as before."""
    rng = np.random.default_rng(1)
    share = np.where((np.arange(20_000) // 2_000) == 6, 0.6, 0.3)
    signal = np.where(rng.random(20_000) < share, np.exp(rng.normal(9, 0.4, 20_000)), rng.normal(0, 60, 20_000))
    events = np.column_stack([rng.normal(8e4, 8e3, 20_000), signal])
    channels = (Channel(0, "FSC-A", range=262144.0), Channel(1, "PE-A", range=262144.0))
    assert signal_stretches(Sample.from_array(events, channels)).fraction < 0.01


@pytest.mark.parametrize("n", [0, 1, 2_999])
def test_a_short_run_is_not_looked_at(n: int) -> None:
    sample = Sample.from_array(np.ones((n, 1)), (Channel(0, "PE-A", range=1024.0),))
    assert np.isnan(signal_stretches(sample).fraction)


def test_constant_and_odd_values_are_no_error() -> None:
    events = np.column_stack([np.ones(5_000), np.full(5_000, np.nan)])
    channels = (Channel(0, "PE-A", range=1024.0), Channel(1, "APC-A", range=1024.0))
    assert signal_stretches(Sample.from_array(events, channels)).fraction == 0.0


def test_a_surge_and_a_clog_break_the_rate() -> None:
    for kind in ("surge", "clog"):
        run = faulty(kind, 20_000, 5)
        sample = run.tube.sample
        runs = steady_rate(np.asarray(sample.linear_column(sample.index_of("Time")), dtype=np.float64)) or ()
        kept = np.zeros(20_000, dtype=np.bool_)
        for start, stop in runs:
            kept[start:stop] = True
        assert kept[run.is_faulty].mean() < 0.1
        assert kept[~run.is_faulty].mean() > 0.98


@pytest.mark.parametrize("ticks", [np.arange(999.0), np.arange(2_000.0)[::-1], np.zeros(2_000)])
def test_times_that_are_none_give_no_runs(ticks: npt.NDArray[np.float64]) -> None:
    assert steady_rate(ticks) is None
