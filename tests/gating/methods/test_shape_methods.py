"""Two-dimensional methods and time, on events whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytometry.errors import GatingError
from cytometry.gating.methods.boundary import place_boundary
from cytometry.gating.methods.cluster_ellipse import place_cluster_ellipse
from cytometry.gating.methods.clusters import fit_clusters
from cytometry.gating.methods.evidence import ShapeEvidence
from cytometry.gating.methods.scatter_cloud import place_scatter_cloud
from cytometry.gating.methods.singlet_band import place_singlet_band
from cytometry.gating.methods.time import place_time
from cytometry.gating.reference import shape_contains
from cytometry.model.gates import Dimension, EllipsoidGate, EventMaskGate, Gate, PolygonGate, RectangleGate
from cytometry.model.rules import Boundary, ClusterEllipse, ScatterCloud, SingletBand, Time

XY = (Dimension("x"), Dimension("y"))


def inside_of(gate: Gate, points: np.ndarray) -> np.ndarray:
    assert isinstance(gate, RectangleGate | PolygonGate | EllipsoidGate)
    return shape_contains(gate, [points[:, 0], points[:, 1]])


def test_the_singlet_band_keeps_singlets_and_drops_doublets() -> None:
    rng = np.random.default_rng(1)
    area = rng.lognormal(np.log(0.3), 0.15, 9_000)
    height = area / (1.0 + 0.02 * rng.normal(size=9_000))
    doublets = np.column_stack([2 * area[:500], height[:500] * 1.25])
    points = np.vstack([np.column_stack([area, height]), doublets])
    rule = SingletBand(on=("x", "y"), spreads=4)
    found = place_singlet_band(rule, ShapeEvidence((points,)), XY)
    inside = inside_of(found.gate, points)
    assert inside[:9_000].mean() > 0.995
    assert inside[9_000:].mean() < 0.01


def test_the_singlet_band_leaves_out_what_is_off_scale() -> None:
    rng = np.random.default_rng(2)
    area = np.minimum(rng.lognormal(np.log(0.6), 0.3, 5_000), 1.0)
    points = np.column_stack([area, area * (1.0 + 0.02 * rng.normal(size=5_000))])
    found = place_singlet_band(SingletBand(on=("x", "y")), ShapeEvidence((points,)), XY)
    inside = inside_of(found.gate, points)
    assert not inside[area >= 1.0].any()
    assert inside[area < 0.95].mean() > 0.99


def test_the_scatter_cloud_keeps_blasts_and_drops_debris_and_monocytes() -> None:
    rng = np.random.default_rng(3)

    def cells(forward: float, side: float, n: int) -> np.ndarray:
        return np.column_stack([rng.lognormal(np.log(forward), 0.1, n), rng.lognormal(np.log(side), 0.18, n)])

    kinds = {"lymphocytes": cells(0.3, 0.12, 6_000), "blasts": cells(0.45, 0.14, 200), "debris": cells(0.05, 0.04, 800)}
    kinds["monocytes"] = cells(0.55, 0.4, 700)
    rule = ScatterCloud(on=("x", "y"))
    found = place_scatter_cloud(rule, ShapeEvidence((np.vstack(list(kinds.values())),)), XY)
    kept = {name: inside_of(found.gate, points).mean() for name, points in kinds.items()}
    assert kept["lymphocytes"] > 0.98
    assert kept["blasts"] > 0.95
    assert kept["debris"] < 0.01
    assert kept["monocytes"] < 0.15


def test_no_cells_where_lymphocytes_are_expected_is_an_error() -> None:
    points = np.full((100, 2), 0.95)
    with pytest.raises(GatingError, match="where lymphocytes are expected"):
        place_scatter_cloud(ScatterCloud(on=("x", "y")), ShapeEvidence((points,)), XY)


def clusters(rng: np.random.Generator, n_small: int) -> tuple[np.ndarray, np.ndarray]:
    main = rng.multivariate_normal([0.5, 0.45], np.diag([0.05, 0.05]) ** 2, 4_000)
    small = rng.multivariate_normal([0.68, 0.66], np.diag([0.025, 0.02]) ** 2, n_small)
    return np.vstack([main, small]), np.repeat([False, True], [4_000, n_small])


RULE = ClusterEllipse(on=("x", "y"), offset=(0.16, 0.19), at=(0.5, 0.45), within=0.12)


def test_the_cluster_ellipse_finds_a_small_cluster() -> None:
    points, small = clusters(np.random.default_rng(4), 150)
    found = place_cluster_ellipse(RULE, ShapeEvidence((points,)), XY)
    inside = inside_of(found.gate, points)
    assert 2 * (inside & small).sum() / (inside.sum() + small.sum()) > 0.97
    assert found.centre == pytest.approx((0.68, 0.66), abs=4 * 0.025 / np.sqrt(150))
    assert found.confidence > 0.9


def test_a_cluster_larger_than_its_parents_main_one_is_not_taken_for_it() -> None:
    rng = np.random.default_rng(14)
    main = rng.multivariate_normal([0.5, 0.45], np.diag([0.05, 0.05]) ** 2, 600)
    large = rng.multivariate_normal([0.68, 0.66], np.diag([0.025, 0.02]) ** 2, 2_000)
    found = place_cluster_ellipse(RULE, ShapeEvidence((np.vstack([main, large]),)), XY)
    assert inside_of(found.gate, large).mean() > 0.97
    assert inside_of(found.gate, main).mean() < 0.02


def test_the_parents_cluster_is_not_taken_for_the_wanted_one_beside_a_larger_third() -> None:
    rng = np.random.default_rng(17)
    main = rng.multivariate_normal([0.5, 0.45], np.diag([0.04, 0.04]) ** 2, 400)
    third = rng.multivariate_normal([0.34, 0.26], np.diag([0.05, 0.05]) ** 2, 1_500)
    found = place_cluster_ellipse(RULE, ShapeEvidence((np.vstack([main, third]),)), XY)
    assert inside_of(found.gate, main).mean() < 0.05


def test_the_more_a_cluster_overlaps_its_neighbour_the_more_events_are_at_stake() -> None:
    stakes = []
    for distance in (0.10, 0.15, 0.20):
        rng = np.random.default_rng(15)
        main = rng.multivariate_normal([0.5, 0.5], np.diag([0.05, 0.05]) ** 2, 4_000)
        small = rng.multivariate_normal([0.5 + distance, 0.5 + distance], np.diag([0.03, 0.03]) ** 2, 400)
        rule = ClusterEllipse(on=("x", "y"), offset=(distance, distance), at=(0.5, 0.5), within=0.12)
        found = place_cluster_ellipse(rule, ShapeEvidence((np.vstack([main, small]),)), XY)
        stakes.append(found.at_stake * 4_400)
    assert stakes[0] > stakes[1] > stakes[2]
    # Four pooled spreads apart along the line between them, next to nothing overlaps.
    assert stakes[2] < 0.05 * 400


def test_the_error_of_the_size_takes_as_many_events_in_and_out_as_are_at_stake() -> None:
    rng = np.random.default_rng(16)
    main = rng.multivariate_normal([0.5, 0.5], np.diag([0.05, 0.05]) ** 2, 8_000)
    small = rng.multivariate_normal([0.62, 0.62], np.diag([0.03, 0.03]) ** 2, 800)
    points = np.vstack([main, small])[rng.permutation(8_800)][:6_000]  # as many as are looked at
    rule = ClusterEllipse(on=("x", "y"), offset=(0.12, 0.12), at=(0.5, 0.5), within=0.12)
    found = place_cluster_ellipse(rule, ShapeEvidence((points,)), XY)
    gate = found.gate
    assert isinstance(gate, EllipsoidGate)
    grown, shrunk = (
        replace(gate, distance_square=gate.distance_square * np.exp(2 * s * found.size_sd)) for s in (1, -1)
    )
    counts = [int(inside_of(g, points).sum()) for g in (grown, shrunk)]
    assert (counts[0] - counts[1]) / 2 == pytest.approx(found.at_stake * 6_000, rel=0.15)


def test_without_a_cluster_the_ellipse_stands_where_it_is_expected_and_says_so() -> None:
    points, _ = clusters(np.random.default_rng(5), 0)
    found = place_cluster_ellipse(RULE, ShapeEvidence((points,)), XY)
    assert found.confidence < 0.5


def test_with_hardly_any_parent_the_ellipse_stands_where_the_template_says() -> None:
    found = place_cluster_ellipse(RULE, ShapeEvidence((np.full((3, 2), 0.5),)), XY)
    assert isinstance(found.gate, EllipsoidGate)
    assert found.gate.mean == pytest.approx([0.66, 0.64])
    assert (found.source, found.confidence) == ("fallback", 0.0)


def test_clusters_are_recovered_from_near_starts() -> None:
    points, _ = clusters(np.random.default_rng(6), 1_000)
    fit = fit_clusters(points, np.array([[0.45, 0.5], [0.7, 0.6]]), np.array([np.eye(2) * 0.01, np.eye(2) * 0.01]))
    assert fit.shares[1] == pytest.approx(0.2, abs=0.01)
    assert fit.means[1] == pytest.approx([0.68, 0.66], abs=0.005)
    assert np.sqrt(np.diag(fit.covariances[1])) == pytest.approx([0.025, 0.02], abs=0.003)


def time_evidence(rates: list[tuple[int, float]], seed: int = 7) -> ShapeEvidence:
    rng = np.random.default_rng(seed)
    gaps = np.concatenate([rng.exponential(1.0 / rate, n) for n, rate in rates])
    ticks = np.floor(np.cumsum(gaps) * 100)
    return ShapeEvidence((ticks[:, None],), (ticks.size,))


def test_a_clog_is_left_out_and_the_rest_kept() -> None:
    found = place_time(Time(), time_evidence([(4_000, 300), (400, 60), (3_600, 300)]), (Dimension("Time"),))
    assert isinstance(found.gate, EventMaskGate)
    kept = np.zeros(8_000, dtype=bool)
    for start, stop in found.gate.kept_runs:
        kept[start:stop] = True
    assert kept[4_000:4_400].mean() < 0.3
    assert np.delete(kept, np.s_[4_000:4_400]).mean() > 0.97


def test_a_steady_run_is_kept_whole() -> None:
    for seed in range(10):
        found = place_time(Time(), time_evidence([(8_000, 300)], seed), (Dimension("Time"),))
        assert found.gate == EventMaskGate(((0, 8_000),))


@pytest.mark.parametrize("ticks", [np.arange(8_000)[::-1], np.zeros(8_000), np.arange(50)])
def test_time_that_cannot_be_used_keeps_everything_and_says_so(ticks: np.ndarray) -> None:
    tube = ShapeEvidence((ticks[:, None].astype(float),), (ticks.size,))
    found = place_time(Time(), tube, (Dimension("Time"),))
    assert found.gate == EventMaskGate(((0, ticks.size),))
    assert found.source == "fallback"


def test_a_boundary_drops_the_pile_at_the_top_and_not_the_largest_event() -> None:
    points = np.array([[0.1, 0.1], [1.0, 0.5], [1.0, 0.9]])
    found = place_boundary(Boundary(on=("x", "y")), ShapeEvidence((points,)), XY)
    assert isinstance(found.gate, RectangleGate)
    assert [i.maximum for i in found.gate.intervals] == [1.0, np.inf]
