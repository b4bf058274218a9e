"""Event for event the same members as FlowKit, where FlowKit follows the standard."""

from __future__ import annotations

from pathlib import Path

import flowkit
import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.io.fcs import read_fcs, write_fcs
from cytometry.io.gatingml import read_gatingml, write_gatingml
from cytometry.model.channels import Channel
from cytometry.model.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    Interval,
    Operand,
    PolygonGate,
    RatioDimension,
    RectangleGate,
)
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.transforms import Asinh, Hyperlog, Linear, Log, Logicle
from cytometry.preprocessing.dimensions import channel_map_by_name
from tests.gating.everything import MATRIX, NAMES, sample_of

SCALES = {
    "logicle": Logicle(262144, 0.7, 4.5, 0.2),
    "wide": Logicle(1000, 1.0, 4.0, 1.0),
    "hyperlog": Hyperlog(262144, 0.6, 4.5, 0.0),
    "asinh": Asinh(262144, 4.0, 0.5),
    "log": Log(262144, 5),
    "linear": Linear(20000, 2000),
}
_SHAPE = np.array([(0.3, 0.2), (0.7, 0.15), (0.95, 0.6), (0.4, 0.95), (0.2, 0.6), (0.8, 0.4)])


def strategy_of(compensation: str) -> GatingStrategy:
    """FlowKit takes one matrix per gate, so scatter stays out of the compensated shapes."""
    gates: dict[str, tuple[str, Gate]] = {}
    dyes = ("FL1-A", "FL2-A", "FL3-A")
    corners = 1e5 * _SHAPE
    gates["cells"] = (ROOT, PolygonGate((Dimension("FSC-A"), Dimension("SSC-A")), corners))
    for i, key in enumerate(SCALES):
        x, y = (Dimension(dyes[(i + j) % 3], compensation, key) for j in (0, 1))
        gates[f"{key}_polygon"] = ("root/cells", PolygonGate((x, y), _SHAPE))
        gates[f"{key}_range"] = ("root/cells", RectangleGate((Interval(x, 0.4, 0.6),)))
        gates[f"{key}_box"] = ("root/cells", RectangleGate((Interval(x, minimum=0.3), Interval(y, maximum=0.7))))
        covariance = np.array([[0.05, 0.01], [0.01, 0.03]])
        gates[f"{key}_ellipse"] = (ROOT, EllipsoidGate((x, y), np.array([0.5, 0.4]), covariance, 1.5))
    x, y = Dimension("FL1-A", compensation, "logicle"), Dimension("FL2-A", compensation, "asinh")
    for name, low_x, low_y in (("pp", True, True), ("pn", True, False), ("np", False, True), ("nn", False, False)):
        sides = tuple(
            Interval(d, minimum=0.5) if is_above else Interval(d, maximum=0.5)
            for d, is_above in ((x, low_x), (y, low_y))
        )
        gates[name] = ("root/cells", RectangleGate(sides, quadrant_of="quad"))
    z = Dimension("FL3-A", compensation, "linear")
    gates["three"] = (ROOT, EllipsoidGate((x, y, z), np.array([0.4, 0.6, 0.1]), np.diag([0.1, 0.1, 0.01])))
    gates["and"] = (ROOT, BooleanGate("and", (Operand("root/cells"), Operand("root/three", complement=True))))
    gates["or"] = ("root/cells", BooleanGate("or", (Operand("root/three"), Operand("root/cells/pp"))))
    gates["not"] = (ROOT, BooleanGate("not", (Operand("root/cells/log_polygon"),)))
    gates["ratio"] = (
        "root/cells",
        RectangleGate((Interval(RatioDimension("FL1-A", "FL2-A", 2.0, -10.0, -400.0), 0.1, 1.0),)),
    )
    populations = tuple(Population(name, parent, gate) for name, (parent, gate) in gates.items())
    return GatingStrategy("flowkit", populations, SCALES, {"matrix": MATRIX})


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "vectorised"])
@pytest.mark.parametrize("compensation", ["uncompensated", "FCS", "matrix"])
def test_members_equal_flowkits_on_every_event(compensation: str, compiled: bool, tmp_path: Path) -> None:
    source = sample_of(n_events=20_000, seed=4)
    file, drawn = tmp_path / "tube.fcs", tmp_path / "drawn.gml.xml"
    write_fcs(file, source.linear(), [Channel(i, n, range=262144.0) for i, n in enumerate(NAMES)], spillover=MATRIX)
    write_gatingml(strategy_of(compensation), drawn)
    theirs = flowkit.parse_gating_xml(str(drawn))
    with np.errstate(divide="ignore", invalid="ignore"):
        result = theirs.gate_sample(flowkit.Sample(str(file), null_channel_list=["FL4-A"]))
    sample = read_fcs(file)
    strategy = read_gatingml(drawn)
    membership = gate_sample(strategy, sample, channel_map_by_name(sample), compiled=compiled)
    filled = 0
    for population in strategy.populations:
        gate_path = tuple(population.parent_path.split("/"))
        if isinstance(population.gate, RectangleGate) and population.gate.quadrant_of:
            gate_path = (*gate_path, population.gate.quadrant_of)
        expected = result.get_gate_membership(population.name, gate_path)
        filled += 0 < expected.sum() < sample.n_events
        assert np.array_equal(membership.mask(population.path), expected), population.path
    # A gate that holds nothing would test nothing.
    assert filled > 0.9 * len(strategy.populations)


@pytest.mark.parametrize("compensation", ["uncompensated", "FCS", "matrix"])
def test_what_flowkit_writes_is_read_with_the_same_members(compensation: str, tmp_path: Path) -> None:
    strategy = strategy_of(compensation)
    write_gatingml(strategy, tmp_path / "ours.gml.xml")
    with (tmp_path / "theirs.gml.xml").open("wb") as stream:
        flowkit.export_gatingml(flowkit.parse_gating_xml(str(tmp_path / "ours.gml.xml")), stream)
    sample = sample_of(n_events=5_000)
    names = channel_map_by_name(sample)
    before = gate_sample(strategy, sample, names, compiled=False)
    again = read_gatingml(tmp_path / "theirs.gml.xml")
    after = gate_sample(again, sample, names, compiled=False)
    for population in strategy.populations:
        assert np.array_equal(before.mask(population.path), after.mask(again.by_name(population.name).path))
