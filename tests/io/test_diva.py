"""FACSDiva experiments: the three scales of a coordinate, the tree, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.errors import StrategyError
from cytometry.io.flowjo import Workspace, parse_workspace
from cytometry.model.gates import BooleanGate, Dimension, Interval, PolygonGate, RectangleGate
from cytometry.model.transforms import Logicle


def gate(name: str, kind: str, points: list[tuple[float, float]], facts: str = "", parent: str = "All Events") -> str:
    corners = "".join(f'<point x="{x}" y="{y}"/>' for x, y in points)
    return (
        f'<gate fullname="{parent}\\{name}" type="Region_Classifier"><name>{name}</name><num_events>5</num_events>'
        f'<parent>{parent}</parent><region xparm="A" yparm="B" type="{kind}"><points>{corners}</points></region>'
        f"{facts}</gate>"
    )


def scaled(axis: str, width: float) -> str:
    return (
        f"<is_{axis}_parameter_scaled>true</is_{axis}_parameter_scaled><is_{axis}_parameter_log>true"
        f"</is_{axis}_parameter_log><{axis}_parameter_scale_value>{width}</{axis}_parameter_scale_value>"
    )


def experiment(*gates: str, compensated: str = "true") -> Workspace:
    data = (
        '<bdfacs version="Version 8.0"><experiment><specimen><tube name="t1"><data_filename>1.fcs</data_filename>'
        f"<instrument_settings><compensation_enabled>{compensated}</compensation_enabled></instrument_settings>"
        '<gates><gate fullname="All Events"><num_events>100</num_events></gate>'
        f"{''.join(gates)}</gates></tube></specimen></experiment></bdfacs>"
    )
    return parse_workspace(data.encode(), where="e.xml")


BOX = [(1.0, 20.0), (5.0, 20.0), (5.0, 80.0), (1.0, 80.0)]


def test_the_tree_and_its_counts_are_read() -> None:
    inner = gate("P2", "RECTANGLE_REGION", BOX, parent="All Events\\P1")
    entry = experiment(gate("P1", "RECTANGLE_REGION", BOX), inner).samples[0]
    assert dict(entry.counts) == {"root/P1": 5, "root/P1/P2": 5}
    assert (entry.uri, entry.n_events) == ("1.fcs", 100)


def test_linear_corners_are_intervals() -> None:
    found = experiment(gate("P1", "RECTANGLE_REGION", BOX), compensated="false").samples[0].strategy.populations[0].gate
    assert found == RectangleGate((Interval(Dimension("A"), 1.0, 5.0), Interval(Dimension("B"), 20.0, 80.0)))


def test_decades_become_a_share_of_the_scale() -> None:
    log = "<is_x_parameter_log>true</is_x_parameter_log>"
    strategy = experiment(gate("P1", "INTERVAL_REGION", [(3.0, 0.0), (4.0, 0.0)], log)).samples[0].strategy
    found = strategy.populations[0].gate
    assert isinstance(found, RectangleGate)
    # Three decades are a linear 1000.
    assert float(strategy.transforms["log"].inverse(found.intervals[0].minimum)) == pytest.approx(1000.0)
    assert found.intervals[0].dimension.compensation == "FCS"


def test_plot_channels_of_a_biexponential_become_a_logicle() -> None:
    strategy = experiment(gate("P1", "POLYGON_REGION", BOX, scaled("x", 262.144))).samples[0].strategy
    found = strategy.populations[0].gate
    assert isinstance(found, PolygonGate)
    assert found.vertices[:, 0] == pytest.approx(np.array([1, 5, 5, 1]) / 4096)
    # Three decades from the width to the top leave half of the other 1.5 for each side of zero.
    assert strategy.transforms["biexponential 262.144"] == Logicle(262144, (4.5 - math.log10(1000)) / 2, 4.5, 0)


def test_the_rest_of_a_parent_is_what_no_sibling_holds() -> None:
    rest = (
        '<gate fullname="All Events\\rest" type="RestOf_Classifier"><name>rest</name><parent>All Events</parent>'
        "<input>All Events\\P1</input></gate>"
    )
    populations = experiment(rest, gate("P1", "RECTANGLE_REGION", BOX)).samples[0].strategy.populations
    found = populations[0].gate
    assert isinstance(found, BooleanGate)
    assert [(o.path, o.complement) for o in found.operands] == [("root/P1", True)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            gate("P1", "BINNER_REGION", BOX),
            r"tube 't1', gate 'All Events\\P1': region type 'BINNER_REGION' is not read",
        ),
        (gate("P1", "POLYGON_REGION", BOX, scaled("y", 0)), "biexponential scale of B has the width 0"),
        (gate("P1", "POLYGON_REGION", [(math.nan, 1.0)] * 3), "point x is 'nan'"),
        (gate("P1", "POLYGON_REGION", BOX, parent="All Events\\P9"), r"has the unknown parent 'All Events\\P9'"),
    ],
)
def test_what_is_not_understood_is_named(text: str, message: str) -> None:
    with pytest.raises(StrategyError) as caught:
        experiment(text)
    assert message.replace("\\\\", "\\") in str(caught.value)
