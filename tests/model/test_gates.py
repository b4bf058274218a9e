"""Gates and strategies as values: equal by content, and refused where they make no sense."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cytometry.errors import StrategyError
from cytometry.model.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Interval,
    Operand,
    PolygonGate,
    RatioDimension,
    RectangleGate,
)
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from tests.gating.everything import strategy_of

X, Y = Dimension("X"), Dimension("Y")
TRIANGLE = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
ANY = RectangleGate((Interval(X, 0.0),))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Interval(X, 2.0, 1.0), "minimum 2 and maximum 1"),
        (lambda: Interval(X, np.nan, 1.0), "minimum nan"),
        (lambda: RectangleGate(()), "rectangle has no dimension"),
        (lambda: PolygonGate((X, Y), np.array(TRIANGLE[:2])), r"vertices of shape \(2, 2\)"),
        (lambda: PolygonGate((X, Y), np.array([*TRIANGLE, (np.inf, 0)])), "a vertex that is not finite"),
        (lambda: EllipsoidGate((X,), np.zeros(1), np.eye(1)), "ellipsoid has 1 dimensions"),
        (lambda: EllipsoidGate((X, Y), np.zeros(3), np.eye(2)), r"mean \(3,\) and covariance \(2, 2\)"),
        (lambda: EllipsoidGate((X, Y), np.zeros(2), np.array([[1, 2], [2, 1]])), "not symmetric and positive definite"),
        (lambda: EllipsoidGate((X, Y), np.zeros(2), np.eye(2), 0.0), "squared distance"),
        (lambda: BooleanGate("not", (Operand("a"), Operand("b"))), "'not' has 2 operands"),
        (lambda: BooleanGate("and", ()), "'and' has 0 operands"),
        (lambda: RatioDimension("X", "Y", A=np.inf), "ratio X/Y has a parameter that is not finite"),
    ],
)
def test_nonsense_is_refused_by_name(make: object, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        make()  # type: ignore[operator]


def test_arrays_of_a_gate_cannot_be_changed_and_are_its_own() -> None:
    corners = np.array(TRIANGLE)
    gate = PolygonGate((X, Y), corners)
    corners[0] = 9.0
    assert gate.vertices[0].tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        gate.vertices[0] = 1.0


def test_gates_are_equal_by_content() -> None:
    first, second = (PolygonGate((X, Y), np.array(TRIANGLE)) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != PolygonGate((X, Y), np.array(TRIANGLE), complement=True)
    ellipse = EllipsoidGate((X, Y), np.zeros(2), np.eye(2))
    assert ellipse == EllipsoidGate((X, Y), np.zeros(2), np.eye(2))
    assert ellipse != EllipsoidGate((X, Y), np.zeros(2), np.eye(2), 2.0)


@pytest.mark.parametrize(
    ("populations", "message"),
    [
        ((Population("a", ROOT, ANY), Population("a", ROOT, ANY)), "population 'root/a': stands twice in the tree"),
        ((Population("b", "root/a", ANY), Population("a", ROOT, ANY)), "parent 'root/a' is unknown or stands after"),
        (
            (Population("b", ROOT, BooleanGate("not", (Operand("root/x"),))),),
            "refers to the unknown population 'root/x'",
        ),
        (
            (Population("a", ROOT, RectangleGate((Interval(Dimension("X", transform="t"), 0.0),))),),
            "dimension 'X' has the unknown transform 't'",
        ),
        (
            (Population("a", ROOT, RectangleGate((Interval(Dimension("X", "matrix"), 0.0),))),),
            "dimension 'X' has the unknown compensation 'matrix'",
        ),
    ],
)
def test_a_strategy_that_does_not_hang_together_is_refused(populations: tuple[Population, ...], message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        GatingStrategy("s", populations)


def test_a_slash_in_a_name_is_escaped_in_the_path() -> None:
    assert Population("CD4+/CD8-", "root/live", ANY).path == r"root/live/CD4+\/CD8-"


def test_a_name_that_repeats_must_be_given_as_path() -> None:
    strategy = GatingStrategy("s", (Population("a", ROOT, ANY), Population("a", "root/a", ANY)))
    with pytest.raises(StrategyError, match=r"2 populations are named 'a'.*use a path: root/a, root/a/a"):
        strategy.by_name("a")
    assert strategy["root/a/a"].parent_path == "root/a"


def test_strategies_go_to_worker_processes() -> None:
    before = strategy_of()
    after = pickle.loads(pickle.dumps(before))
    assert after.populations == before.populations
    assert dict(after.transforms) == dict(before.transforms)
