"""GatingML 2.0 as other programs write it, and nonsense refused by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.errors import CytometryError, StrategyError
from cytometry.io.gatingml import parse_gatingml
from cytometry.model.gates import BooleanGate, Dimension, EllipsoidGate, Interval, RatioDimension, RectangleGate
from cytometry.model.strategy import GatingStrategy
from cytometry.model.transforms import Bounded, Log, Logicle
from tests.effort import counted

HEAD = (
    '<gating:Gating-ML xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes">'
)
SCALE = (
    '<transforms:transformation transforms:id="scale">'
    '<transforms:logicle transforms:T="1000" transforms:W="1" transforms:M="4" transforms:A="0"/>'
    "</transforms:transformation>"
)


def dimension(name: str = "FL1", facts: str = "", compensation: str = "uncompensated") -> str:
    return (
        f'<gating:dimension gating:compensation-ref="{compensation}" {facts}>'
        f'<data-type:fcs-dimension data-type:name="{name}"/></gating:dimension>'
    )


def rectangle(gate_id: str = "r", facts: str = 'gating:min="1"', parent: str = "", **more: str) -> str:
    parent = f'gating:parent_id="{parent}"' if parent else ""
    return (
        f'<gating:RectangleGate gating:id="{gate_id}" {parent}>{dimension(facts=facts, **more)}</gating:RectangleGate>'
    )


def polygon(points: list[tuple[object, object]], dimensions: int = 2) -> str:
    vertices = "".join(
        "<gating:vertex>" + "".join(f'<gating:coordinate data-type:value="{v}"/>' for v in point) + "</gating:vertex>"
        for point in points
    )
    return f'<gating:PolygonGate gating:id="p">{dimension() * dimensions}{vertices}</gating:PolygonGate>'


def ellipsoid(rows: list[list[object]], distance: object = 1, mean: object = 0) -> str:
    n = len(rows[0])
    matrix = "".join(
        "<gating:row>" + "".join(f'<gating:entry data-type:value="{v}"/>' for v in row) + "</gating:row>"
        for row in rows
    )
    means = f'<gating:coordinate data-type:value="{mean}"/>' * n
    return (
        f'<gating:EllipsoidGate gating:id="e">{dimension() * n}<gating:mean>{means}</gating:mean>'
        f"<gating:covarianceMatrix>{matrix}</gating:covarianceMatrix>"
        f'<gating:distanceSquare data-type:value="{distance}"/></gating:EllipsoidGate>'
    )


def boolean(operator: str, *references: str, gate_id: str = "b", parent: str = "") -> str:
    parent = f'gating:parent_id="{parent}"' if parent else ""
    body = "".join(f'<gating:gateReference gating:ref="{r}"/>' for r in references)
    inner = f"<gating:{operator}>{body}</gating:{operator}>"
    return f'<gating:BooleanGate gating:id="{gate_id}" {parent}>{inner}</gating:BooleanGate>'


def matrix(values: list[list[float]], dyes: list[str], detectors: list[str], facts: str = "") -> str:
    def names(tag: str, found: list[str]) -> str:
        return (
            f"<transforms:{tag}>"
            + "".join(f'<data-type:fcs-dimension data-type:name="{n}"/>' for n in found)
            + f"</transforms:{tag}>"
        )

    rows = "".join(
        "<transforms:spectrum>"
        + "".join(f'<transforms:coefficient transforms:value="{v}"/>' for v in row)
        + "</transforms:spectrum>"
        for row in values
    )
    return (
        f'<transforms:spectrumMatrix transforms:id="m" {facts}>{names("fluorochromes", dyes)}'
        f"{names('detectors', detectors)}{rows}</transforms:spectrumMatrix>"
    )


def read(*parts: str) -> GatingStrategy:
    return parse_gatingml((HEAD + "".join(parts) + "</gating:Gating-ML>").encode(), where="gates.xml")


def refusal(*parts: str) -> CytometryError:
    with pytest.raises(CytometryError) as caught:
        read(*parts)
    return caught.value


def first_gate(*parts: str) -> object:
    return read(*parts).populations[0].gate


def test_open_sides_are_infinite() -> None:
    gate = first_gate(rectangle(facts='gating:max="5"'))
    assert gate == RectangleGate((Interval(Dimension("FL1"), -math.inf, 5.0),))


def test_infinity_on_its_own_side_is_an_open_side() -> None:
    assert first_gate(rectangle(facts='gating:min="-INF" gating:max="2"')) == RectangleGate(
        (Interval(Dimension("FL1"), -math.inf, 2.0),)
    )


def test_a_bounded_transformation_is_clipped() -> None:
    scale = SCALE.replace('id="scale"', 'id="scale" transforms:boundMin="0.3" transforms:boundMax="0.9"')
    strategy = read(scale, rectangle(facts='gating:min="0.5" gating:transformation-ref="scale"'))
    assert strategy.transforms["scale"] == Bounded(Logicle(1000, 1, 4, 0), 0.3, 0.9)
    assert strategy.transforms["scale"].apply([-1e6, 1e9]).tolist() == [0.3, 0.9]


def test_a_ratio_may_stand_as_the_schema_or_as_the_examples_write_it() -> None:
    names = '<data-type:fcs-dimension data-type:name="A"/><data-type:fcs-dimension data-type:name="B"/>'
    facts = 'transforms:A="5" transforms:B="1" transforms:C="2"'
    use = (
        '<gating:RectangleGate gating:id="r"><gating:dimension gating:compensation-ref="FCS" gating:min="1">'
        '<data-type:new-dimension data-type:transformation-ref="q"/></gating:dimension></gating:RectangleGate>'
    )
    found = [
        first_gate(
            f'<transforms:transformation transforms:id="q" transforms:boundMax="9">{inner}</transforms:transformation>',
            use,
        )
        for inner in (f"<transforms:fratio {facts}>{names}</transforms:fratio>", f"<transforms:fratio {facts}/>{names}")
    ]
    ratio = RatioDimension("A", "B", 5.0, 1.0, 2.0, "FCS", None, -math.inf, 9.0)
    assert found == [RectangleGate((Interval(ratio, 1.0),))] * 2


def test_quadrants_become_rectangles_between_their_dividers() -> None:
    strategy = read(
        '<gating:QuadrantGate gating:id="q"><gating:divider gating:id="d" gating:compensation-ref="uncompensated">'
        '<data-type:fcs-dimension data-type:name="FL1"/><gating:value>20</gating:value><gating:value>10</gating:value>'
        "</gating:divider>"
        + "".join(
            f'<gating:Quadrant gating:id="at{x}"><gating:position gating:divider_ref="d" gating:location="{x}"/>'
            "</gating:Quadrant>"
            for x in (5, 10, 15, 25)
        )
        + "</gating:QuadrantGate>",
        rectangle("child", parent="at15"),
    )
    limits = [(i.minimum, i.maximum) for p in strategy.populations[:4] for i in p.gate.intervals]  # type: ignore[union-attr]
    assert limits == [(-math.inf, 10), (10, 20), (10, 20), (20, math.inf)]
    assert strategy.populations[4].path == "root/at15/child"


def test_parents_and_operands_may_come_later_in_the_file() -> None:
    strategy = read(boolean("and", "x", "child"), rectangle("child", parent="x"), rectangle("x"))
    assert [p.path for p in strategy.populations] == ["root/b", "root/x", "root/x/child"]
    gate = strategy.populations[0].gate
    assert isinstance(gate, BooleanGate)
    assert [o.path for o in gate.operands] == ["root/x", "root/x/child"]


def test_a_spectral_matrix_unmixes_by_least_squares() -> None:
    spectra = [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]
    strategy = read(matrix(spectra, ["dye1", "dye2"], ["D1", "D2", "D3"]), rectangle(name="dye1", compensation="m"))
    found = strategy.compensations["m"]
    observed = np.array([3.0, 4.0]) @ np.array(spectra)
    assert found.dyes == ("dye1", "dye2")
    assert observed @ found.inverse == pytest.approx([3.0, 4.0])


def test_a_matrix_that_is_inverted_already_is_applied_as_it_is() -> None:
    strategy = read(
        matrix([[2.0, 0.0], [1.0, 4.0]], ["D1", "D2"], ["D1", "D2"], 'transforms:matrix-inverted-already="true"'),
        rectangle(name="D1", compensation="m"),
    )
    assert strategy.compensations["m"].inverse == pytest.approx(np.array([[2.0, 0.0], [1.0, 4.0]]))


def test_the_suites_indefinite_ellipsoid_is_read_with_a_finding() -> None:
    strategy = read(ellipsoid([[2.5, 7.5, 17.5], [7.5, 7.0, 13.5], [15.5, 13.5, 4.3]]))
    assert isinstance(strategy.populations[0].gate, EllipsoidGate)
    assert [f.code for f in strategy.findings] == ["ELLIPSOID_NOT_DEFINITE"]


def test_gates_in_a_vendors_wrapper_are_found() -> None:
    assert [p.name for p in read(f"<sample>{rectangle('inside')}</sample>").populations] == ["inside"]


@pytest.mark.parametrize(
    ("parts", "code", "message"),
    [
        ([rectangle(facts='gating:min="5" gating:max="1"')], "GATE_NONSENSE", "gate 'r': interval on 'FL1' has"),
        ([rectangle(facts='gating:min="nan"')], "GATE_NONSENSE", "gate 'r': 'min' is 'nan'"),
        ([rectangle(facts='gating:min="INF"')], "GATE_NONSENSE", "'min' is 'INF'"),
        ([rectangle(facts='gating:min="1_000"')], "GATE_NONSENSE", "'min' is '1_000'"),
        ([rectangle(facts='gating:min="1e999"')], "GATE_NONSENSE", "'min' is '1e999'"),
        ([rectangle(facts='gating:min="1,5"')], "GATE_NONSENSE", "a finite number is needed"),
        ([polygon([(0, 0), (1, "inf"), (1, 1)])], "GATE_NONSENSE", "gate 'p': coordinate is 'inf'"),
        ([polygon([(0, 0), (1, 1)])], "GATE_NONSENSE", "gate 'p': polygon has vertices of shape (2, 2)"),
        ([polygon([(0, 0), (1, 1), (0, 1)], dimensions=3)], "GATE_NONSENSE", "polygon has 3 dimensions"),
        ([ellipsoid([[1, 2], [2, 1]])], "GATE_NONSENSE", "gate 'e': ellipsoid has a covariance that is not"),
        ([ellipsoid([[1, 5], [0, 1]])], "GATE_NONSENSE", "not symmetric and positive definite"),
        ([ellipsoid([[0, 0], [0, 0]])], "GATE_NONSENSE", "not symmetric and positive definite"),
        ([ellipsoid([[1, 0, 0], [0, 1, 0], [0, 0, -1]])], "GATE_NONSENSE", "not symmetric and positive definite"),
        ([ellipsoid([[1, 0], [0, 1]], distance=-1)], "GATE_NONSENSE", "squared distance"),
        ([ellipsoid([[1, 0], [0, "nan"]])], "GATE_NONSENSE", "entry is 'nan'"),
        ([ellipsoid([[1, 0]])], "GATE_NONSENSE", "covarianceMatrix is not square"),
        ([rectangle("a"), rectangle("a")], "GATE_DUPLICATE", "id 'a' stands twice"),
        ([rectangle("a", parent="ghost")], "GATE_UNKNOWN", "gate 'a': parent_id 'ghost' is an unknown gate"),
        ([boolean("and", "ghost", "ghost")], "GATE_UNKNOWN", "gate 'b': gateReference 'ghost' is an unknown gate"),
        ([boolean("not", "x", "x"), rectangle("x")], "GATE_NONSENSE", "boolean gate 'not' has 2 operands"),
        ([boolean("or")], "GATE_NONSENSE", "boolean gate 'or' has 0 operands"),
        ([boolean("xor", "x"), rectangle("x")], "GATE_NONSENSE", "boolean gate has 0 operators"),
        ([rectangle("a", parent="b"), rectangle("b", parent="a")], "GATE_CYCLE", "their own ancestors: a → b → a"),
        ([rectangle("a", parent="a")], "GATE_CYCLE", "their own ancestors: a → a"),
        ([rectangle(compensation="ghost")], "COMPENSATION_UNKNOWN", "gate 'r': compensation-ref 'ghost' is unknown"),
        (
            [rectangle(facts='gating:min="1" gating:transformation-ref="ghost"')],
            "TRANSFORM_UNKNOWN",
            "gate 'r': transformation-ref 'ghost' is unknown",
        ),
        ([SCALE, SCALE], "GATE_DUPLICATE", "id 'scale' stands twice"),
        ([SCALE.replace('M="4"', 'M="-4"')], "TRANSFORM_NONSENSE", "transformation 'scale'"),
        ([SCALE.replace('W="1"', 'W="3"')], "TRANSFORM_NONSENSE", "W must lie between 0 and M / 2"),
        ([SCALE.replace(' transforms:T="1000"', "")], "GATINGML_INVALID", "<logicle> lacks the attribute 'T'"),
        ([SCALE.replace("logicle", "wiggle")], "TRANSFORM_UNKNOWN", "has 0 known scales, one is needed; found: wiggle"),
        ([matrix([[1, 1], [1, 1]], ["a", "b"], ["A", "B"])], "SPILLOVER_SINGULAR", "singular"),
        ([matrix([[1, 0]], ["a", "b"], ["A", "B"])], "GATINGML_INVALID", "has 1 rows of 2 coefficients"),
        (["<gating:TreeGate/>"], "GATE_UNKNOWN", "<TreeGate> is not part of GatingML 2.0"),
        (['<gating:RectangleGate gating:id="r"/>'], "GATE_NONSENSE", "gate 'r': rectangle has no dimension"),
        ([rectangle("")], "GATINGML_INVALID", "<RectangleGate> lacks the attribute 'id'"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_name(parts: list[str], code: str, message: str) -> None:
    error = refusal(*parts)
    assert message in str(error)
    assert error.code == code
    assert str(error).startswith("gates.xml")


def test_all_problems_of_a_file_are_reported_together() -> None:
    error = refusal(rectangle("a", facts='gating:min="x"'), rectangle("b", compensation="ghost"), polygon([(0, 0)]))
    assert "3 problems" in str(error)
    assert len(error.findings) == 3
    assert all(name in str(error) for name in ("gate 'a'", "gate 'b'", "gate 'p'"))


def test_other_formats_are_named() -> None:
    with pytest.raises(StrategyError, match=r"root element is Workspace, not Gating-ML 2\.0"):
        parse_gatingml(b"<Workspace/>")
    old = HEAD.replace("v2.0/gating", "v1.5/gating") + "</gating:Gating-ML>"
    with pytest.raises(StrategyError, match=r"version 1\.5 is not read"):
        parse_gatingml(old.encode())


@pytest.mark.parametrize("parent", ["", "chain"])
def test_the_work_grows_with_the_number_of_gates_and_not_with_its_square(parent: str) -> None:
    """Ten thousand gates take seconds, in a row as side by side."""

    def lines(n: int) -> int:
        gates = [rectangle(f"g{i}", parent=f"g{i - 1}" if parent and i else "") for i in range(n)]
        with counted() as effort:
            if parent:
                assert refusal(*gates).code == "GATE_NONSENSE"
            else:
                assert len(read(*gates).populations) == n
        return effort.lines

    assert lines(4_000) < 5 * lines(1_000)


def test_a_log_scale_has_its_two_parameters() -> None:
    log = (
        '<transforms:transformation transforms:id="scale"><transforms:flog transforms:T="100" transforms:M="2"/>'
        "</transforms:transformation>"
    )
    assert read(log).transforms["scale"] == Log(100, 2)
