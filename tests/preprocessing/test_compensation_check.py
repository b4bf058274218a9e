"""Errors put into a matrix are found by pair and size; a right matrix is left alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cytometry.preprocessing.compensation_check import group_rows, residual_spillover
from cytometry.simulation.blood import Blood
from cytometry.simulation.cytometer import tube_panel
from cytometry.simulation.tubes import SimulatedTube, TubeSpec, simulate_tube

PANEL = tube_panel("bcell")
DYES = PANEL.markers
TUBES = 4


@pytest.fixture(scope="module")
def tubes() -> list[SimulatedTube]:
    spec = TubeSpec("bcell", Blood().cell_shares(), n_events=8_000)
    return [simulate_tube(spec, np.random.default_rng(seed)) for seed in range(TUBES)]


def estimates(tubes: list[SimulatedTube], stored: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Median error over the tubes, dyes × detectors; cells of one kind as the simulator made them, live singlets."""
    found = np.full((len(tubes), *stored.shape), np.nan)
    for k, tube in enumerate(tubes):
        detectors = [tube.sample.index_of(name) for name in PANEL.detectors]
        observed = np.column_stack([np.asarray(tube.sample.linear_column(i), dtype=np.float64) for i in detectors])
        kinds = np.where(tube.truth.flags == 0, tube.truth.codes.astype(np.int64), -1)
        compensated = observed @ np.linalg.inv(stored)
        for pair in residual_spillover([compensated[r] for r in group_rows(kinds)], stored):
            found[k, pair.source, pair.target] = pair.error
    enough = np.isfinite(found).sum(axis=0) >= TUBES / 2
    return np.where(enough, np.nanmedian(np.where(enough, found, 0.0), axis=0), np.nan)


def test_a_right_matrix_is_right_to_a_percentage_point(tubes: list[SimulatedTube]) -> None:
    told = estimates(tubes, PANEL.spillover().matrix)
    told = told[np.isfinite(told)]
    assert told.size > 50
    assert np.median(np.abs(told)) < 0.003
    assert np.quantile(np.abs(told), 0.95) < 0.015


@pytest.mark.parametrize(
    ("source", "target"), [("CD3/CD14", "CD20"), ("IgD", "CD3/CD14"), ("CD19", "Viability"), ("CD20", "Viability")]
)
@pytest.mark.parametrize("wrong", [-0.05, -0.02, 0.02, 0.05])
def test_an_error_of_two_to_five_points_is_measured_to_one(
    tubes: list[SimulatedTube], source: str, target: str, wrong: float
) -> None:
    stored = PANEL.spillover().matrix.copy()
    i, j = DYES.index(source), DYES.index(target)
    stored[i, j] += wrong
    # True minus stored: a coefficient that is too large leaves a negative residue, over-compensation.
    assert estimates(tubes, stored)[i, j] == pytest.approx(-wrong, abs=0.01)


def test_one_wrong_pair_does_not_make_others_wrong(tubes: list[SimulatedTube]) -> None:
    stored = PANEL.spillover().matrix.copy()
    i, j = DYES.index("CD19"), DYES.index("Viability")
    stored[i, j] -= 0.05
    changed = estimates(tubes, stored) - estimates(tubes, PANEL.spillover().matrix)
    assert changed[i, j] == pytest.approx(0.05, abs=0.01)
    changed[i, j] = np.nan
    assert np.nanmedian(np.abs(changed)) < 0.002


def test_two_markers_of_one_cell_are_no_spillover() -> None:
    """Half of the cells carry both, no light spills: their second marker is bright, so they say nothing of the pair."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 50, (4_000, 2))
    both = (rng.random(4_000) < 0.5)[:, None] * np.exp(rng.normal(8.5, 0.5, 4_000))[:, None] * [1.0, 0.8]
    found = residual_spillover([noise + both], np.eye(2))
    assert all(abs(pair.error) < 0.015 for pair in found)


def test_a_residue_of_a_known_slope_is_found_within_its_standard_error() -> None:
    rng = np.random.default_rng(2)
    bright = np.exp(rng.normal(9.0, 0.5, 600))
    cells = np.column_stack([bright, rng.normal(0, 60, 600) + 0.03 * bright])
    others = rng.normal(0, 60, (600, 2))
    pair = next(p for p in residual_spillover([cells, others], np.eye(2)) if (p.source, p.target) == (0, 1))
    assert pair.error == pytest.approx(0.03, abs=4 * pair.standard_error)
    # 60 / (sd of the source × sqrt(600)), by hand.
    assert pair.standard_error == pytest.approx(60 / (bright.std() * np.sqrt(600)), rel=0.25)


def test_a_residue_that_another_coefficient_explains_is_no_error_of_its_own() -> None:
    """True is S + E, E is 0.03 from 0 into 1; compensated are dyes @ (1 + E S⁻¹): slopes are E S⁻¹, and E is these @ S.

    S⁻¹ takes 0.8 of what is left in 1 from 2: a slope of -0.024 in a detector whose own coefficient is right.
    """
    rng = np.random.default_rng(5)
    stored = np.array([[1.0, 0.1, 0.0], [0.0, 1.0, 0.8], [0.0, 0.0, 1.0]])
    noise = rng.normal(0, 60, (2, 3_000, 3))
    bright = np.exp(rng.normal(9.0, 0.5, 3_000))
    noise[0] += bright[:, None] * [1.0, 0.03, -0.024]
    found = {(p.source, p.target): p for p in residual_spillover(list(noise), stored)}
    assert set(found) == {(0, 1), (0, 2)}
    assert found[0, 1].error == pytest.approx(0.03, abs=4 * found[0, 1].standard_error)
    assert found[0, 2].error == pytest.approx(0.0, abs=4 * found[0, 2].standard_error)
    # 60 / (sd × sqrt(n)) in either detector, 0.8 of the first one's added in squares.
    alone = 60 / (bright.std() * np.sqrt(3_000))
    assert found[0, 1].standard_error == pytest.approx(alone, rel=0.15)
    assert found[0, 2].standard_error == pytest.approx(alone * np.sqrt(1 + 0.8**2), rel=0.15)
    assert 4 * found[0, 2].standard_error < 0.005


@pytest.mark.parametrize("height", [0.0, 90.0])
def test_the_doubt_is_a_dim_peak_s_height_over_the_source_or_what_its_width_hides(height: float) -> None:
    rng = np.random.default_rng(6)
    bright = np.exp(rng.normal(9.0, 0.5, 5_000))
    dim = np.column_stack([bright, rng.normal(height, 60, 5_000)])
    negative = rng.normal(0, 60, (5_000, 2))
    pair = next(p for p in residual_spillover([dim, negative], np.eye(2)) if (p.source, p.target) == (0, 1))
    # 0.4 × 60 / sd is 0.0049 of 60 / e⁹; 90 / e⁹ is 0.0111.
    expected = max(height / np.median(bright), 0.4 * 60 / bright.std())
    assert pair.doubt == pytest.approx(expected, rel=0.1)
    assert pair.error == pytest.approx(0.0, abs=4 * pair.standard_error)


def test_a_dim_source_says_nothing() -> None:
    rng = np.random.default_rng(3)
    assert residual_spillover([rng.normal(0, 60, (500, 2))], np.eye(2)) == ()


@pytest.mark.parametrize("groups", [[], [np.zeros((500, 2))], [np.ones((20, 2))]])
def test_nothing_to_look_at_is_no_error(groups: list[npt.NDArray[np.float64]]) -> None:
    assert residual_spillover(groups, np.eye(2)) == ()


def test_small_groups_and_unused_events_are_left_out() -> None:
    labels = np.array([0] * 149 + [1] * 150 + [2] * 5_000 + [-1] * 900)
    rows = group_rows(labels)
    assert [len(r) for r in rows] == [150, 600]
    assert set(labels[rows[0]]) == {1}
    # Evenly thinned: first and last event of the group are among them.
    assert (rows[1][0], rows[1][-1]) == (299, 5_298)


def test_a_tube_without_events_has_no_groups() -> None:
    assert group_rows(np.array([], dtype=np.int64)) == ()
