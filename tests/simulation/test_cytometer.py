"""The simulated instrument, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.errors import RequestError
from cytometry.simulation.cytometer import (
    ELECTRONIC_SD,
    PHOTOELECTRONS_PER_UNIT,
    TOP,
    TUBE_PANELS,
    detect,
    tube_panel,
)


@pytest.mark.parametrize("panel", TUBE_PANELS)
def test_matrix_is_asymmetric_with_entries_of_10_to_30_percent(panel: str) -> None:
    matrix = TUBE_PANELS[panel].spillover().matrix
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    assert np.diagonal(matrix).tolist() == [1.0] * len(matrix)
    assert off.max() == pytest.approx(0.29, abs=0.07)
    assert np.count_nonzero((off >= 0.10) & (off <= 0.30)) >= 10
    assert not np.allclose(matrix, matrix.T)


@pytest.mark.parametrize("panel", TUBE_PANELS)
def test_a_single_dye_lands_in_every_detector_by_its_row_of_the_matrix(panel: str) -> None:
    tube = TUBE_PANELS[panel]
    matrix = tube.spillover().matrix
    n, light = 20_000, 20_000.0
    for row in range(len(matrix)):
        dyes = np.zeros((n, len(matrix)))
        dyes[:, row] = light
        seen = detect(dyes, np.zeros_like(dyes), matrix, np.random.default_rng(row))
        # Standard error of the mean of n events: photon variance light / q, electronic variance s².
        error = np.sqrt((light * matrix[row] / PHOTOELECTRONS_PER_UNIT + ELECTRONIC_SD**2) / n)
        assert np.all(np.abs(seen.mean(axis=0) - light * matrix[row]) < 5 * error)


def test_noise_of_a_detector_is_photon_noise_plus_electronic_noise() -> None:
    dyes = np.full((200_000, 1), 4_000.0)
    seen = detect(dyes, np.zeros_like(dyes), np.eye(1), np.random.default_rng(1))
    assert seen.var() == pytest.approx(4_000.0 / PHOTOELECTRONS_PER_UNIT + ELECTRONIC_SD**2, rel=0.02)


def test_compensation_leaves_the_photon_noise_of_the_neighbour() -> None:
    """Two detectors, 20 % spill: the negative one keeps variance 0.2 L/q + s² + 0.04 (L/q + s²)."""
    light, spill = 30_000.0, 0.2
    matrix = np.array([[1.0, spill], [0.0, 1.0]])
    dyes = np.zeros((200_000, 2))
    dyes[:, 0] = light
    seen = detect(dyes, np.zeros_like(dyes), matrix, np.random.default_rng(2)) @ np.linalg.inv(matrix)
    photons, electronics = light / PHOTOELECTRONS_PER_UNIT, ELECTRONIC_SD**2
    expected = spill * photons + electronics + spill**2 * (photons + electronics)
    assert seen[:, 1].mean() == pytest.approx(0.0, abs=5 * np.sqrt(expected / 200_000))
    assert seen[:, 1].var() == pytest.approx(expected, rel=0.02)


def test_what_is_off_scale_is_cut_at_the_top() -> None:
    seen = detect(np.array([[1e6]]), np.zeros((1, 1)), np.eye(1), np.random.default_rng(1))
    assert seen.tolist() == [[TOP]]
    assert TOP == 262_143.0


def test_channels_name_detectors_and_markers() -> None:
    channels = {c.name: c for c in TUBE_PANELS["bcell"].channels()}
    assert channels["BV421-A"].marker == "CD24"
    assert [c.index for c in channels.values()] == list(range(19))
    assert channels["Time"].kind == "time"
    bcell = "Viability CD3/CD14 CD19 CD20 IgD CD27 CD38 CD24 CD21 CD11c CXCR5 CD95"
    treg = "Viability CD3 CD4 CD8 CD25 CD127 FoxP3 Helios CD45RA GARP LAP"
    for name, markers in (("bcell", bcell), ("treg", treg)):
        assert sorted(c.marker for c in TUBE_PANELS[name].channels() if c.marker) == sorted(markers.split())


def test_an_unknown_panel_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"no simulated panel is called 'nk'.*bcell, treg"):
        tube_panel("nk")
