"""What we write is read back with the same gates, and FlowKit can read what the standard holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import StrategyError
from cytometry.io.gatingml import gatingml_bytes, parse_gatingml, read_gatingml, write_gatingml
from cytometry.model.gates import (
    BooleanGate,
    Dimension,
    EventMaskGate,
    Interval,
    Operand,
    PolygonGate,
    RectangleGate,
)
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from tests.gating.everything import strategy_of

TRIANGLE = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])


def one(gate: RectangleGate | PolygonGate | BooleanGate | EventMaskGate, **facts: object) -> GatingStrategy:
    return GatingStrategy("s", (Population("p", ROOT, gate, **facts),))  # type: ignore[arg-type]


def quadrants(thresholds: dict[str, float]) -> GatingStrategy:
    x, y = Dimension("X"), Dimension("Y")
    gates = {
        "pp": (Interval(x, minimum=thresholds["pp"]), Interval(y, minimum=2.0)),
        "pn": (Interval(x, minimum=thresholds["pn"]), Interval(y, maximum=2.0)),
        "np": (Interval(x, maximum=thresholds["np"]), Interval(y, minimum=2.0)),
    }
    return GatingStrategy("s", tuple(Population(n, ROOT, RectangleGate(i, "quad")) for n, i in gates.items()))


def test_every_kind_of_gate_and_scale_comes_back_equal() -> None:
    before = strategy_of()
    after = parse_gatingml(gatingml_bytes(before))
    assert after.name == before.name
    assert after.populations == before.populations
    assert dict(after.transforms) == dict(before.transforms)
    assert np.array_equal(after.compensations["matrix"].inverse, before.compensations["matrix"].inverse)


def test_the_same_strategy_is_written_as_the_same_bytes() -> None:
    assert gatingml_bytes(strategy_of()) == gatingml_bytes(strategy_of())


def test_numbers_keep_their_last_bit() -> None:
    value = np.nextafter(0.1, 1.0)
    strategy = one(RectangleGate((Interval(Dimension("X"), value, 1e300 / 3),)))
    assert parse_gatingml(gatingml_bytes(strategy)).populations == strategy.populations


def test_names_that_repeat_or_are_no_identifiers_survive() -> None:
    gate = RectangleGate((Interval(Dimension("X"), 0.0),))
    strategy = GatingStrategy(
        "s",
        (
            Population("CD4+/CD8−", ROOT, gate, label="helper & co <b>"),
            Population("7 of 9", ROOT, gate, optional=True),
            Population("naive", "root/7 of 9", gate),
            Population("naive", r"root/CD4+\/CD8−", gate),
            Population("union", ROOT, BooleanGate("or", (Operand("root/7 of 9/naive"), Operand("root/7 of 9", True)))),
        ),
    )
    assert parse_gatingml(gatingml_bytes(strategy)).populations == strategy.populations


def test_quadrants_are_written_as_one_quadrant_gate() -> None:
    strategy = quadrants({"pp": 1.0, "pn": 1.0, "np": 1.0})
    data = gatingml_bytes(strategy)
    assert data.count(b"<gating:QuadrantGate ") == 1
    assert b"RectangleGate" not in data
    assert parse_gatingml(data).populations == strategy.populations


def test_quadrants_whose_thresholds_were_moved_apart_are_written_as_rectangles() -> None:
    strategy = quadrants({"pp": 1.0, "pn": 1.5, "np": 1.0})
    data = gatingml_bytes(strategy)
    assert b"QuadrantGate" not in data
    again = parse_gatingml(data).populations
    assert [p.gate.intervals for p in again] == [p.gate.intervals for p in strategy.populations]  # type: ignore[union-attr]


def test_quadrant_gates_of_one_name_under_two_parents_stay_apart() -> None:
    first = quadrants({"pp": 1.0, "pn": 1.0, "np": 1.0}).populations
    second = tuple(Population(p.name, "root/pp", RectangleGate(p.gate.intervals, "quad")) for p in first)  # type: ignore[union-attr]
    strategy = GatingStrategy("s", (*first, *second))
    assert parse_gatingml(gatingml_bytes(strategy)).populations == strategy.populations


def test_an_inverted_shape_is_written_as_not(tmp_path: Path) -> None:
    strategy = one(PolygonGate((Dimension("X"), Dimension("Y")), TRIANGLE, complement=True))
    data = gatingml_bytes(strategy)
    assert b"<gating:not>" in data
    assert parse_gatingml(data).populations == strategy.populations


def test_a_mask_of_events_survives_and_stops_other_programs() -> None:
    strategy = one(EventMaskGate(((0, 10), (20, 30))))
    data = gatingml_bytes(strategy)
    assert parse_gatingml(data).populations == strategy.populations
    assert b"cytometry:kept-event" in data


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    write_gatingml(strategy_of(), tmp_path / "gates.gml.xml")
    assert read_gatingml(tmp_path / "gates.gml.xml").populations == strategy_of().populations


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"nowhere/gates\.xml: cannot be written"):
        write_gatingml(strategy_of(), tmp_path / "nowhere" / "gates.xml")
