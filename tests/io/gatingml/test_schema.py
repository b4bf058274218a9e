"""What is written follows the standard's own schema, which FlowKit carries with it."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from lxml import etree

from cytometry.gating.engine import gate_sample
from cytometry.gating.portable import portable_strategy
from cytometry.io.gatingml import gatingml_bytes, parse_gatingml
from cytometry.model.gates import Dimension, EventMaskGate, Gate, Interval, PolygonGate, RectangleGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.transforms import Log, Logicle
from cytometry.preprocessing.dimensions import channel_map_by_name
from tests.gating.everything import MATRIX, sample_of, strategy_of
from tests.io.gatingml.test_constructs import DOCUMENT


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(files("flowkit") / "_resources" / "Gating-ML.v2.0.xsd")))


def problems(schema: etree.XMLSchema, data: bytes) -> list[str]:
    schema.validate(etree.fromstring(data))
    return [str(e.message) for e in schema.error_log]


def test_the_schema_can_refuse(schema: etree.XMLSchema) -> None:
    wrong = DOCUMENT.replace("<g:and>", "<g:xor>").replace("</g:and>", "</g:xor>")
    assert "xor" in problems(schema, wrong.encode())[0]


def test_the_document_of_all_constructs_is_valid_and_so_is_what_we_write_of_it(schema: etree.XMLSchema) -> None:
    assert problems(schema, DOCUMENT.encode()) == []
    assert problems(schema, gatingml_bytes(parse_gatingml(DOCUMENT.encode()))) == []


def test_only_flowjos_own_scales_are_beyond_the_schema(schema: etree.XMLSchema) -> None:
    found = problems(schema, gatingml_bytes(strategy_of()))
    assert found
    assert all("flowjo-" in message for message in found)


def test_masks_of_events_and_names_that_are_no_identifiers_are_valid(schema: etree.XMLSchema) -> None:
    mask = Population("kept events / 1", ROOT, EventMaskGate(((0, 10), (12, 20))), label="first")
    again = Population('1. <a> & "b"', mask.path, EventMaskGate(((0, 5),)), optional=True)
    strategy = replace(strategy_of(), populations=(mask, again), transforms={}, compensations={})
    assert problems(schema, gatingml_bytes(strategy)) == []


def test_portable_gates_are_valid(schema: etree.XMLSchema) -> None:
    document = parse_gatingml(DOCUMENT.encode())
    keep = {"Range", "Open", "FromFile", "Triangle", "Ellipse", "Not"}
    strategy = replace(document, populations=tuple(p for p in document.populations if p.name in keep))
    tube = sample_of()
    names = {"FSC-A": "FSC-A", "SSC-A": "SSC-A", "B1": "FL1-A"}
    channels = {k: channel_map_by_name(tube).indices[v] for k, v in names.items()}
    portable = portable_strategy(strategy, tube, type(channel_map_by_name(tube))(channels))
    assert problems(schema, gatingml_bytes(portable)) == []


def test_gates_that_are_called_like_scales_keep_their_names(schema: etree.XMLSchema) -> None:
    """All ids of a document differ, and none holds a plus: names are kept beside them."""
    strategy = strategy_of()
    first = strategy.populations[1]
    named = tuple(replace(first, name=n, parent_path=ROOT) for n in ("logicle", "matrix", "CD27+ IgD-", "flowjo_log"))
    both = replace(strategy, populations=named)
    data = gatingml_bytes(both)
    assert all("flowjo-" in message for message in problems(schema, data))
    assert parse_gatingml(data).populations == named
    assert dict(parse_gatingml(data).transforms) == dict(strategy.transforms)


def test_a_remark_is_valid_and_changes_nothing(schema: etree.XMLSchema) -> None:
    strategy = parse_gatingml(DOCUMENT.encode())
    data = gatingml_bytes(strategy, 'For <people> & "others"')
    assert b"For &lt;people&gt; &amp;" in data
    assert problems(schema, data) == []
    assert parse_gatingml(data).populations == strategy.populations


def test_quadrants_dividers_and_insides_take_no_id_that_is_taken(schema: etree.XMLSchema) -> None:
    """A scale is called like the quadrant gate and a matrix like its first divider, populations like what follows."""
    x, y = Dimension("FL1-A", "q1.divider0", "quad"), Dimension("FL2-A", "q1.divider0", "quad")
    high, low = Interval(x, minimum=0.4), Interval(x, maximum=0.4)
    triangle = PolygonGate((x, y), np.array([(0.1, 0.1), (0.9, 0.1), (0.1, 0.9)]), complement=True)
    gates: dict[str, Gate] = {
        "q1": RectangleGate((high, Interval(y, minimum=0.5)), "quad"),
        "q2": RectangleGate((low, Interval(y, maximum=0.5)), "quad"),
        "q1.divider1": RectangleGate((high,)),
        "far": triangle,
        "far.inside": RectangleGate((low,)),
        "quad.2": RectangleGate((Interval(y, maximum=0.3),)),
    }
    populations = tuple(Population(name, ROOT, gate) for name, gate in gates.items())
    strategy = GatingStrategy(
        "s", populations, {"quad": Logicle(262144, 0.7, 4.5, 0.2), "far.inside.2": Log(10, 2)}, {"q1.divider0": MATRIX}
    )
    data = gatingml_bytes(strategy)
    ids = [v for e in etree.fromstring(data).iter() for k, v in e.attrib.items() if etree.QName(k).localname == "id"]
    # Six populations, two scales, a matrix, a quadrant gate with two dividers, the inside of what is inverted.
    assert len(ids) == len(set(ids)) == 13
    assert problems(schema, data) == []
    again = parse_gatingml(data)
    assert again.populations == strategy.populations
    assert dict(again.transforms) == dict(strategy.transforms)
    assert list(again.compensations) == ["q1.divider0"]
    tube = sample_of()
    before, after = (gate_sample(s, tube, channel_map_by_name(tube)) for s in (strategy, again))
    assert [before.mask(p.path).tolist() for p in populations] == [after.mask(p.path).tolist() for p in populations]
    assert min(c or 0 for c in before.counts.values()) > 100
