"""Spillover computed from controls, against the matrix that made them."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.errors import SpilloverError
from cytometry.model.channels import Channel
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.preprocessing.single_stain import compare_spillover, spillover_from_single_stains

NAMES = ("FITC-A", "PE-A", "APC-A")
# Asymmetric, so that a transposed answer is a wrong one.
TRUTH = np.array([[1, 0.25, 0.01], [0.03, 1, 0.002], [0, 0.06, 1]])


def tube(dye: int | None, n: int = 4000, seed: int = 1, share: float = 0.6) -> Sample:
    rng = np.random.default_rng(seed + (dye or 0))
    dyes = np.zeros((n, 3))
    if dye is not None:
        stained = rng.random(n) < share
        dyes[stained, dye] = rng.lognormal(np.log(20_000), 0.4, stained.sum())
    observed = dyes @ TRUTH + rng.normal(100, 60, (n, 3))
    channels = tuple(Channel(i, name, range=262_144.0) for i, name in enumerate(NAMES))
    return Sample.from_array(observed.astype(np.float32), channels, name=f"tube {dye}")


def test_matrix_that_made_the_controls_comes_out() -> None:
    computed = spillover_from_single_stains({n: tube(i) for i, n in enumerate(NAMES)})
    assert computed.spillover.channels == NAMES
    np.testing.assert_allclose(computed.spillover.matrix, TRUTH, atol=0.002)
    assert all(c.separation > 50 for c in computed.controls)


def test_unstained_tube_serves_controls_without_dull_events() -> None:
    controls = {n: tube(i, share=1.0) for i, n in enumerate(NAMES)}
    computed = spillover_from_single_stains(controls, unstained=tube(None))
    np.testing.assert_allclose(computed.spillover.matrix, TRUTH, atol=0.005)


def test_order_of_controls_is_the_order_of_the_matrix() -> None:
    computed = spillover_from_single_stains({NAMES[i]: tube(i) for i in (2, 0, 1)})
    assert computed.spillover.channels == ("APC-A", "FITC-A", "PE-A")
    np.testing.assert_allclose(computed.spillover.matrix, TRUTH[np.ix_([2, 0, 1], [2, 0, 1])], atol=0.002)


def test_compensating_a_control_leaves_nothing_in_the_other_detectors() -> None:
    spillover = spillover_from_single_stains({n: tube(i) for i, n in enumerate(NAMES)}).spillover
    values = tube(0, seed=9).linear() @ spillover.inverse
    bright = values[values[:, 0] > 5_000]
    dull = values[values[:, 0] < 500]
    assert abs(np.median(bright[:, 1]) - np.median(dull[:, 1])) < 60


def test_swapped_tubes_are_named() -> None:
    with pytest.raises(SpilloverError, match="control of FITC-A is brighter in PE-A"):
        spillover_from_single_stains({"FITC-A": tube(1), "PE-A": tube(0), "APC-A": tube(2)}, unstained=tube(None))


def test_unstained_in_place_of_a_control_is_named() -> None:
    with pytest.raises(SpilloverError, match="FITC-A"):
        spillover_from_single_stains({"FITC-A": tube(None), "PE-A": tube(1)}, unstained=tube(None, seed=5))


def test_too_few_events_are_counted() -> None:
    with pytest.raises(SpilloverError, match=r"FITC-A has \d+ bright and \d+ dull"):
        spillover_from_single_stains({"FITC-A": tube(0, n=120), "PE-A": tube(1)})


def test_empty_control_is_refused() -> None:
    with pytest.raises(SpilloverError, match="0 bright"):
        spillover_from_single_stains({"FITC-A": tube(0, n=0)})


def test_missing_detector_is_named() -> None:
    with pytest.raises(SpilloverError, match="no detector BV421-A"):
        spillover_from_single_stains({"FITC-A": tube(0), "BV421-A": tube(1)})


def test_difference_from_the_acquisition_matrix_names_dye_and_detector() -> None:
    acquired = Spillover(NAMES, np.array([[1, 0.15, 0.01], [0.03, 1, 0], [0, 0.06, 1]]))
    found = compare_spillover(Spillover(NAMES, TRUTH), acquired, file="tube.fcs")
    assert [f.message for f in found] == ["single stains give 0.2500 of FITC-A in PE-A, the acquisition matrix 0.1500"]


def test_equal_matrices_have_no_difference() -> None:
    assert compare_spillover(Spillover(NAMES, TRUTH), Spillover(NAMES, TRUTH)) == ()


@pytest.mark.parametrize("gain", [0.125, 1.0, 8.0])
def test_events_off_scale_are_left_out_at_any_gain(gain: float) -> None:
    """A third of the bright ones are cut off in their own detector; with them FITC would give PE too much."""
    controls = {}
    for i, name in enumerate(NAMES):
        events = np.array(tube(i).linear(), dtype=np.float64)
        ceiling = float(np.quantile(events[:, i], 0.8))
        events[:, i] = np.minimum(events[:, i], ceiling)
        channels = tuple(
            Channel(k, n, range=gain * (ceiling if k == i else 262_144.0), gain=gain) for k, n in enumerate(NAMES)
        )
        controls[name] = Sample.from_array(events, channels, name=name)
    np.testing.assert_allclose(spillover_from_single_stains(controls).spillover.matrix, TRUTH, atol=0.004)
