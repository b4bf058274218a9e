"""Scales against published values and the library, and parameters that are none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.errors import StrategyError
from cytometry.model.flowjo_transforms import FlowJoBiex, FlowJoLinear, FlowJoLog
from cytometry.model.transforms import Asinh, Bounded, Hyperlog, Linear, Log, Logicle, Transform

# The standard's own examples (GatingML 2.0, section 6): T = 1000, M = 4, W = 1 where it applies, A = 0 and 1.
POINTS = [-10, -5, -1, 0, 0.3, 1, 3, 10, 100, 1000]
LOGICLE = [0.067574, 0.147986, 0.228752, 0.25, 0.256384, 0.271248, 0.312897, 0.432426, 0.739548, 1]
HYPERLOG = [0.083554, 0.155868, 0.229477, 0.25, 0.256239, 0.270523, 0.309091, 0.416446, 0.731875, 1]
ASINH_A1 = [-0.200009, -0.139829, -0.000856, 0.2, 0.303776, 0.400856, 0.495521, 0.600009, 0.8, 1]


@pytest.mark.parametrize(
    ("scale", "points", "expected"),
    [
        (Logicle(1000, 1, 4, 0), POINTS, LOGICLE),
        (Hyperlog(1000, 1, 4, 0), POINTS, HYPERLOG),
        (Asinh(1000, 4, 1), POINTS, ASINH_A1),
        (Linear(1000, 100), [-100, 0, 10, 100, 1000], [0, 0.090909, 0.1, 0.181818, 1]),
        (Log(10000, 5), [0.5, 1, 10, 100, 1000, 10000], [0.139794, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
    ids=["logicle", "hyperlog", "asinh", "linear", "log"],
)
def test_scales_give_the_standards_values(scale: Transform, points: list[float], expected: list[float]) -> None:
    assert scale.apply(points) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("scale", [Logicle(), Hyperlog(), Asinh(262144, 4.5), Linear(1000)])
def test_not_a_number_and_infinity_stay_what_they_are(scale: Transform) -> None:
    shown = scale.apply([math.nan, math.inf, -math.inf])
    assert math.isnan(shown[0])
    assert shown[1:].tolist() == [math.inf, -math.inf]


def test_a_value_where_the_library_gives_up_is_still_transformed() -> None:
    scale = Hyperlog(262144, 0.5, 4.5, 0.0)
    assert float(scale.inverse(scale.apply(1e30))) == pytest.approx(1e30, rel=1e-9)
    assert float(scale.apply(-1e30)) < -5


def test_the_log_of_zero_is_minus_infinity_and_of_a_negative_undefined() -> None:
    shown = Log(1000, 4).apply([0.0, -1.0])
    assert shown[0] == -math.inf
    assert math.isnan(shown[1])


def test_bounds_hold_the_result() -> None:
    scale = Bounded(Linear(100), 0.2, 0.8)
    assert scale.apply([0, 50, 100]).tolist() == [0.2, 0.5, 0.8]


def test_flowjos_biexponential_equals_flowkits() -> None:
    from flowkit._models.transforms import WSPBiexTransform

    x = np.concatenate([np.linspace(-5_000, 5_000, 2001), np.geomspace(10, 300_000, 500)])
    for negative, width, positive in ((0.0, -10.0, 4.41854), (0.5, -100.0, 4.0), (1.0, -1000.0, 5.0)):
        theirs = WSPBiexTransform(negative=negative, width=width, positive=positive, max_value=262144.0)
        assert FlowJoBiex(negative, width, positive, 262144.0).apply(x) == pytest.approx(theirs.apply(x), abs=1e-7)


def test_flowjos_log_starts_at_its_offset() -> None:
    assert FlowJoLog(10, 4).apply([-5, 1, 10, 1000]).tolist() == pytest.approx([0, 0, 0, 0.5])


def test_flowjos_linear_runs_between_its_ends() -> None:
    assert FlowJoLinear(-100, 300).apply([-100, 100, 300]).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Logicle(0, 0.5, 4.5, 0),
        lambda: Logicle(1000, 3, 4.5, 0),
        lambda: Logicle(1000, 0.5, 4.5, 4),
        lambda: Logicle(1000, 0.5, 4.5, -1),
        lambda: Logicle(math.nan),
        lambda: Hyperlog(1000, 0, 4.5, 0),
        lambda: Asinh(1000, 0),
        lambda: Log(-1, 4),
        lambda: Linear(10, -10),
        lambda: Bounded(Linear(1), 1, 0),
        lambda: FlowJoBiex(width=-0.5),
        lambda: FlowJoLog(0, 4),
        lambda: FlowJoLinear(5, 5),
    ],
)
def test_parameters_that_make_no_scale_are_refused(make: object) -> None:
    with pytest.raises(StrategyError, match="is not a scale"):
        make()  # type: ignore[operator]
