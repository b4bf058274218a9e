"""Gates moved by their own uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.draws import draw_strategies
from cytometry.gating.place import place
from cytometry.model.gates import Dimension, EllipsoidGate, RectangleGate
from cytometry.model.placement import PlacedCut, Placement
from cytometry.model.strategy import GatingStrategy, Population
from tests.gating.test_doubt import uniform_panel
from tests.gating.test_place import cut_of, little_panel, tube


def values(placement: Placement, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Drawn positions of the one cut, by tube."""
    found: dict[str, list[float]] = {key: [] for key in placement.strategies}
    for strategies in draw_strategies(placement, draws, np.random.default_rng(seed)):
        for key, strategy in strategies.items():
            gate = strategy.by_name("pos").gate
            assert isinstance(gate, RectangleGate)
            found[key].append(gate.intervals[0].minimum)
    return {key: np.array(v) for key, v in found.items()}


def test_draws_have_the_spread_that_the_cut_claims() -> None:
    placement = place(little_panel(), [tube("a", 0.35, 0.65, n=600)])
    found = cut_of(placement, "a")
    drawn = values(placement, 4_000, 1)["a"]
    assert drawn.mean() == pytest.approx(found.value, abs=4 * found.uncertainty_sd / np.sqrt(4_000))
    assert drawn.std() == pytest.approx(found.uncertainty_sd, rel=0.05)


def test_tubes_that_share_a_gate_share_its_error() -> None:
    tubes = [tube("a", seed=1), tube("b", seed=2), tube("c", subject="B", seed=3)]
    drawn = values(place(little_panel("subject"), tubes), 200, 2)
    np.testing.assert_array_equal(drawn["a"], drawn["b"])
    assert not np.array_equal(drawn["a"], drawn["c"])


def test_what_a_method_errs_alike_everywhere_is_one_error_for_all_tubes() -> None:
    placement = place(little_panel("subject"), [tube("a", seed=1), tube("b", subject="B", seed=2)])
    one, other = (cut_of(placement, key) for key in ("a", "b"))
    drawn = values(placement, 2_000, 5)
    # Errors of sd s and t whose parts u and v are the same error: correlation u v / (s t).
    expected = one.systematic_sd * other.systematic_sd / (one.uncertainty_sd * other.uncertainty_sd)
    assert 0.1 < expected < 0.999
    assert np.corrcoef(drawn["a"], drawn["b"])[0, 1] == pytest.approx(expected, abs=0.05)


def test_draws_do_not_depend_on_the_order_of_tubes() -> None:
    tubes = [tube("a", seed=1), tube("b", subject="B", seed=2)]
    one = values(place(little_panel(), tubes), 5, 3)
    other = values(place(little_panel(), tubes[::-1]), 5, 3)
    for key in ("a", "b"):
        np.testing.assert_array_equal(one[key], other[key])


def test_an_ellipse_grows_and_shrinks_by_the_error_of_its_size() -> None:
    gate = EllipsoidGate((Dimension("X"), Dimension("Y")), np.zeros(2), np.eye(2), 4.0)
    strategy = GatingStrategy("s", (Population("ring", "root", gate),))
    cut = PlacedCut(
        "t", "ring", "shape", "X", "cluster_ellipse", "data", 0.0, 0.0, 0.0, 1.0, "sample", "t", size_sd=0.1
    )
    placement = Placement(uniform_panel(), {"t": strategy}, (cut,))
    radii = []
    for drawn in draw_strategies(placement, 2_000, np.random.default_rng(4)):
        found = drawn["t"].by_name("ring").gate
        assert isinstance(found, EllipsoidGate)
        radii.append(np.log(found.distance_square) / 2)
    assert np.mean(radii) == pytest.approx(np.log(2.0), abs=4 * 0.1 / np.sqrt(2_000))
    assert np.std(radii) == pytest.approx(0.1, rel=0.05)
