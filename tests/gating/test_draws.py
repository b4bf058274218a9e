"""Gates moved by their uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.draws import draw_strategies, moved
from cytometry.model.gates import Dimension, EllipsoidGate, Interval, PolygonGate, RectangleGate
from cytometry.model.placement import PlacedCut, Placement, Source
from cytometry.model.strategy import GatingStrategy, Population

X, Y = Dimension("CD27"), Dimension("IgD")
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
STRATEGY = GatingStrategy(
    "test",
    (
        Population("cloud", "root", PolygonGate((X, Y), SQUARE)),
        Population("positive", "root", RectangleGate((Interval(X, 0.4, np.inf), Interval(Y, -np.inf, 0.5)))),
        Population("negative", "root", RectangleGate((Interval(X, -np.inf, 0.4),))),
        Population("cluster", "root/negative", EllipsoidGate((X, Y), np.array([0.2, 0.7]), np.eye(2))),
    ),
)


def cut(
    key: str, name: str, dimension: str, value: float, sd: float, populations: tuple[str, ...], **other: str
) -> PlacedCut:
    return PlacedCut(
        sample_key=key,
        name=name,
        kind="shape" if other.get("kind") == "shape" else "cut",
        dimension=dimension,
        method="valley",
        source="override" if other.get("source") == "override" else "data",
        value=value,
        value_linear=value,
        uncertainty_sd=sd,
        confidence=1.0,
        scope="subject",
        group=other.get("group", "subject A"),
        populations=populations,
    )


def cd27(key: str, *, sd: float = 0.02, group: str = "subject A", source: Source = "data") -> PlacedCut:
    return PlacedCut(
        sample_key=key,
        name="cd27",
        kind="cut",
        dimension="CD27",
        method="valley",
        source=source,
        value=0.4,
        value_linear=400.0,
        uncertainty_sd=sd,
        confidence=1.0,
        scope="subject",
        group=group,
        populations=("positive", "negative"),
    )


def placement(*cuts: PlacedCut) -> Placement:
    keys = dict.fromkeys(c.sample_key for c in cuts)
    return Placement(None, dict.fromkeys(keys, STRATEGY), cuts)  # type: ignore[arg-type]


def bounds(strategy: GatingStrategy, path: str) -> list[tuple[float, float]]:
    gate = strategy[path].gate
    assert isinstance(gate, RectangleGate)
    return [(i.minimum, i.maximum) for i in gate.intervals]


def test_both_sides_of_a_cut_move_together_and_other_bounds_stay() -> None:
    after = moved(STRATEGY, {("positive", "CD27"): {0.4: 0.05}, ("negative", "CD27"): {0.4: 0.05}})
    assert bounds(after, "root/positive") == [(pytest.approx(0.45), np.inf), (-np.inf, 0.5)]
    assert bounds(after, "root/negative") == [(-np.inf, pytest.approx(0.45))]


def test_shapes_move_as_a_whole() -> None:
    after = moved(STRATEGY, {("cloud", "IgD"): {0.5: 0.1}, ("cluster", "CD27"): {0.2: -0.1}})
    cloud, cluster = after["root/cloud"].gate, after["root/negative/cluster"].gate
    assert isinstance(cloud, PolygonGate)
    assert isinstance(cluster, EllipsoidGate)
    assert np.allclose(cloud.vertices, SQUARE + np.array([0.0, 0.1]))
    assert np.allclose(cluster.mean, [0.1, 0.7])


def test_tubes_of_a_group_share_the_error_and_groups_do_not() -> None:
    given = placement(cd27("a"), cd27("b"), cd27("c", group="subject B"))
    for drawn in draw_strategies(given, 5, np.random.default_rng(1)):
        a, b, c = (bounds(drawn[k], "root/negative")[0][1] for k in "abc")
        assert a == b
        assert a != c


def test_draws_have_the_standard_deviation_that_the_method_gave() -> None:
    drawn = draw_strategies(placement(cd27("a", sd=0.02)), 4_000, np.random.default_rng(1))
    values = np.array([bounds(d["a"], "root/negative")[0][1] for d in drawn])
    assert values.mean() == pytest.approx(0.4, abs=0.001)  # 3 standard errors
    assert values.std() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("given", [cd27("a", source="override"), cd27("a", sd=float("nan"))])
def test_a_position_without_uncertainty_stays(given: PlacedCut) -> None:
    (drawn,) = draw_strategies(placement(given), 1, np.random.default_rng(1))
    assert bounds(drawn["a"], "root/negative") == [(-np.inf, 0.4)]


def test_cuts_that_cross_leave_an_empty_interval() -> None:
    window = GatingStrategy("w", (Population("mid", "root", RectangleGate((Interval(X, 0.4, 0.41),))),))
    after = moved(window, {("mid", "CD27"): {0.4: 0.2}})
    assert bounds(after, "root/mid") == [(pytest.approx(0.6), pytest.approx(0.6))]


def test_the_same_generator_gives_the_same_draws() -> None:
    one, two = (
        [bounds(d["a"], "root/positive") for d in draw_strategies(placement(cd27("a")), 3, np.random.default_rng(4))]
        for _ in range(2)
    )
    assert one == two
