"""Other schemes on cells whose truth is known: they find the same cells where they mean the same cells."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.gating.membership import Membership
from cytometry.gating.place import Tube, place
from cytometry.io.panels import load_panel
from cytometry.preprocessing.markers import match_channels
from cytometry.simulation.blood import Blood
from cytometry.simulation.truth import truth_mask
from cytometry.simulation.tubes import SimulatedTube, TubeSpec, simulate_tube


@pytest.fixture(scope="module")
def tubes() -> dict[str, SimulatedTube]:
    shares = Blood(transitional=0.06).cell_shares()
    rng = np.random.default_rng(21)
    return {kind: simulate_tube(TubeSpec(kind, shares, n_events=30_000), rng) for kind in ("bcell", "treg")}


def gated(panel_name: str, tube: SimulatedTube) -> Membership:
    panel = load_panel(panel_name)
    channels = match_channels(tube.sample, panel).channel_map
    placement = place(panel, [Tube("t", tube.sample, channels)], alone=True)
    assert not placement.failed
    return gate_sample(placement.strategies["t"], tube.sample, channels)


def mask(membership: Membership, name: str) -> np.ndarray:
    return membership.mask(next(p for p in membership.paths if p.rpartition("/")[2] == name))


@pytest.mark.parametrize(
    ("panel", "population", "truth", "least"),
    [
        ("bcell_hipc_v1", "naive", "naive", 0.98),
        ("bcell_hipc_v1", "switched_memory", "switched_memory", 0.95),
        ("bcell_hipc_v1", "plasmablasts", "plasmablasts", 0.95),
        ("bcell_hipc_v1", "transitional", "transitional", 0.85),
        ("bcell_cd24cd38_v1", "transitional", "transitional", 0.80),
        ("bcell_cd24cd38_v1", "asc", "asc", 0.95),
        ("bcell_bm15_v1", "bm34", "asc", 0.90),
        ("treg_cd25cd127_v1", "treg", "treg", 0.80),
        ("treg_foxp3_v1", "treg", "treg", 0.90),
    ],
)
def test_populations_with_a_common_meaning(
    tubes: dict[str, SimulatedTube], panel: str, population: str, truth: str, least: float
) -> None:
    tube = tubes[panel.split("_")[0]]
    found, true = mask(gated(panel, tube), population), truth_mask(tube.truth, truth)
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > least


def test_bm_classes_divide_the_b_cells(tubes: dict[str, SimulatedTube]) -> None:
    membership = gated("bcell_bm15_v1", tubes["bcell"])
    parts = sum(mask(membership, n).astype(int) for n in ("bm1", "bm2", "bm2_prime", "bm34", "ebm5", "bm5"))
    np.testing.assert_array_equal(parts, mask(membership, "b_cells").astype(int))
