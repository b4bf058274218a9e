"""Placed gates against the synthetic truth: one participant of another seed than the shipped one.

The full comparison, with figures per population, is ``benchmarks/truth.py``; here a floor that a regression of the
placing breaks, and checks of the oracle itself.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.chain import PANELS, MeasuredTube, measure
from benchmarks.oracle import f1, oracle_masks, true_members
from cytometry.io.panels import load_panel
from cytometry.simulation.study import StudyDesign, simulate_study
from cytometry.simulation.truth import truth_mask

DESIGN = StudyDesign(n_subjects=1, non_responders=(), leaves_after={}, clogged="", control_events=2_000)
MIN_TRUE = 100


@pytest.fixture(scope="module", params=list(PANELS))
def measured(request: pytest.FixtureRequest) -> list[MeasuredTube]:
    study = simulate_study(11, DESIGN)
    tubes = ((t, study.tube(t.sample_id)) for t in study.tubes if t.panel == request.param)
    found, placement = measure(load_panel(PANELS[request.param]), tubes)
    assert placement.failed == {}
    return [m for m in found if m.tube.role == "sample"]


def test_events_and_frequencies_agree_with_the_truth(measured: list[MeasuredTube]) -> None:
    seen = 0
    for tube in measured:
        for path, kept in tube.masks.items():
            true = true_members(tube.truth, path.rpartition("/")[2])
            if true is not None and true.sum() >= MIN_TRUE:
                seen += 1
                assert f1(kept, true) > 0.8, (tube.tube.sample_id, path)
                assert abs(kept.sum() / true.sum() - 1) < 0.3, (tube.tube.sample_id, path)
    assert seen >= 7 * len(measured)


def test_no_gate_beats_the_oracle_by_more_than_its_greed(measured: list[MeasuredTube]) -> None:
    """Level by level it is greedy, so that a child may lose a little; more would mean that it does not optimise."""
    tube = measured[0]
    strategy = tube.placement.strategies[tube.tube.sample_id]
    oracle = oracle_masks(strategy, tube.reader, tube.truth, tube.masks)
    for path, kept in tube.masks.items():
        true = true_members(tube.truth, path.rpartition("/")[2])
        if true is not None and true.sum() >= MIN_TRUE:
            assert f1(oracle[path], true) >= f1(kept, true) - 0.01, path


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    kept = np.array([True, True, True, False, False])
    true = np.array([True, True, False, True, False])
    assert f1(kept, true) == pytest.approx(2 / 3)  # precision 2/3, recall 2/3
    assert f1(np.zeros(3, bool), np.zeros(3, bool)) == 1.0


def test_non_secreting_cells_are_the_other_b_cells(measured: list[MeasuredTube]) -> None:
    truth = measured[0].truth
    rest = true_members(truth, "b_non_asc")
    assert rest is not None
    assert rest.sum() == truth_mask(truth, "b_cells").sum() - truth_mask(truth, "asc").sum()
    assert true_members(truth, "nothing_of_the_kind") is None
