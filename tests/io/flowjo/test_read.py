"""FlowJo 10 workspaces: what stands where, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.errors import GatingError, StrategyError
from cytometry.io.flowjo import Workspace, parse_workspace
from cytometry.model.channels import Channel
from cytometry.model.gates import FROM_FILE, BooleanGate, Dimension, EllipsoidGate, PolygonGate, RectangleGate
from cytometry.model.sample import Sample

HEAD = (
    '<Workspace version="20.0" flowJoVersion="10.8.1" '
    'xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes">'
    '<Groups><GroupNode name="Tregs"><Group><SampleRefs><SampleRef sampleID="1"/></SampleRefs></Group></GroupNode>'
    "</Groups>"
)
MATRIX = (
    '<transforms:spilloverMatrix prefix="Comp-" name="Acquisition-defined" suffix=""><data-type:parameters/>'
    + "".join(
        f'<transforms:spillover data-type:parameter="{dye}">'
        f'<transforms:coefficient data-type:parameter="B" transforms:value="{b}"/>'
        f'<transforms:coefficient data-type:parameter="A" transforms:value="{a}"/></transforms:spillover>'
        for dye, a, b in (("A", 1, 0.2), ("B", 0.1, 1))
    )
    + "</transforms:spilloverMatrix>"
)


def scale(kind: str, facts: str, parameter: str) -> str:
    return f'<transforms:{kind} {facts}><data-type:parameter data-type:name="{parameter}"/></transforms:{kind}>'


LINEAR = 'transforms:minRange="0" transforms:maxRange="1000"'


def dimension(name: str, facts: str = "") -> str:
    return f'<gating:dimension {facts}><data-type:fcs-dimension data-type:name="{name}"/></gating:dimension>'


def points(*pairs: tuple[float, float]) -> str:
    return "".join(
        "<gating:vertex>" + "".join(f'<gating:coordinate data-type:value="{v}"/>' for v in pair) + "</gating:vertex>"
        for pair in pairs
    )


def population(name: str, shape: str, inner: str = "", count: int = 5) -> str:
    below = f"<Subpopulations>{inner}</Subpopulations>"
    return f'<Population name="{name}" count="{count}"><Gate>{shape}</Gate>{below}</Population>'


def rectangle(*dimensions: str, facts: str = "") -> str:
    return f"<gating:RectangleGate {facts}>{''.join(dimensions)}</gating:RectangleGate>"


def workspace(populations: str, *, scales: str = "", matrix: str = "", name: str = "tube.fcs") -> Workspace:
    sample = (
        f'<Sample><DataSet uri="file:/D:/data/{name}" sampleID="1"/>{matrix}<Transformations>{scales}</Transformations>'
        f'<Keywords><Keyword name="$FIL" value="original.fcs"/></Keywords>'
        f'<SampleNode name="{name}" sampleID="1" count="100">'
        f"<Subpopulations>{populations}</Subpopulations></SampleNode>"
        "</Sample>"
    )
    return parse_workspace(f"{HEAD}<SampleList>{sample}</SampleList></Workspace>".encode(), where="x.wsp")


def gate_of(shape: str, **facts: str) -> object:
    return workspace(population("p", shape), **facts).samples[0].strategy.populations[0].gate


def sample_named(name: str, n_events: int = 100, fil: str = "") -> Sample:
    return Sample.from_array(np.zeros((n_events, 1)), (Channel(0, "A"),), name=name, keywords={"$FIL": fil})


def test_tree_counts_and_groups_are_read() -> None:
    inner = population("child", rectangle(dimension("A", 'gating:min="5"')), count=-1)
    entry = workspace(population("p", rectangle(dimension("A", 'gating:min="1"')), inner)).samples[0]
    assert [p.path for p in entry.strategy.populations] == ["root/p", "root/p/child"]
    assert dict(entry.counts) == {"root/p": 5, "root/p/child": None}
    assert entry.groups == ("Tregs",)
    assert entry.n_events == 100


def test_a_prefixed_dimension_is_compensated_and_a_bare_one_is_not() -> None:
    shape = rectangle(dimension("Comp-A", 'gating:min="1"'), dimension("A", 'gating:max="9"'))
    entry = workspace(population("p", shape), matrix=MATRIX).samples[0]
    compensated, bare = entry.strategy.populations[0].gate.dimensions
    assert compensated == Dimension("A", "Acquisition-defined", None)
    assert bare == Dimension("A", "uncompensated", None)
    matrix = entry.strategy.compensations["Acquisition-defined"]
    # Coefficients stand in any order and are placed by their own names.
    assert matrix.channels == ("A", "B")
    assert matrix.matrix.tolist() == [[1.0, 0.2], [0.1, 1.0]]


def test_without_a_matrix_a_prefix_means_the_files_own() -> None:
    gate = gate_of(rectangle(dimension("Comp-A", 'gating:min="1"')))
    assert gate.dimensions[0] == Dimension("A", FROM_FILE, None)  # type: ignore[attr-defined]


def test_coordinates_move_to_the_display_scale() -> None:
    gate = gate_of(
        f"<gating:PolygonGate>{dimension('A')}{dimension('B')}{points((0, 10), (500, 100), (1000, 1000))}"
        "</gating:PolygonGate>",
        scales=scale("linear", LINEAR, "A") + scale("log", 'transforms:offset="10" transforms:decades="2"', "B"),
    )
    assert isinstance(gate, PolygonGate)
    assert gate.vertices == pytest.approx(np.array([(0, 0), (0.5, 0.5), (1, 1)]))


def test_an_ellipse_comes_from_its_foci_and_long_axis() -> None:
    shape = (
        f"<gating:EllipsoidGate>{dimension('A')}{dimension('B')}"
        f"<gating:foci>{points((96, 128), (160, 128))}</gating:foci>"
        f"<gating:edge>{points((168, 128), (88, 128), (128, 152), (128, 104))}</gating:edge></gating:EllipsoidGate>"
    )
    gate = gate_of(shape, scales=scale("linear", LINEAR, "A") + scale("linear", LINEAR, "B"))
    assert isinstance(gate, EllipsoidGate)
    # Half axes of 40 and √(40² − 32²) = 24 channels of 256.
    assert gate.mean == pytest.approx([0.5, 0.5])
    assert gate.covariance == pytest.approx(np.diag([(40 / 256) ** 2, (24 / 256) ** 2]))


def test_events_outside_are_a_complement() -> None:
    gate = gate_of(rectangle(dimension("A", 'gating:min="1"'), facts='eventsInside="0"'))
    assert isinstance(gate, RectangleGate)
    assert gate.complement


def test_booleans_refer_by_path() -> None:
    shape = rectangle(dimension("A", 'gating:min="1"'))
    union = (
        '<OrNode name="u" count="7"><Dependents><Dependent name="p/a|b"/><Dependent name="p"/></Dependents></OrNode>'
    )
    populations = workspace(population("p", shape, population("a|b", shape)) + union).samples[0].strategy.populations
    gate = populations[-1].gate
    assert isinstance(gate, BooleanGate)
    assert (gate.operator, [o.path for o in gate.operands]) == ("or", ["root/p/a|b", "root/p"])


def test_four_quadrants_are_recognised() -> None:
    sides = {True: 'gating:min="5"', False: 'gating:max="5"'}
    gates = "".join(
        population(f"Q{i}", rectangle(dimension("A", sides[x]), dimension("B", sides[y])))
        for i, (x, y) in enumerate([(False, True), (True, True), (True, False), (False, False)])
    )
    found = workspace(gates).samples[0].strategy.populations
    assert {p.gate.quadrant_of for p in found} == {"Quadrants 1"}  # type: ignore[union-attr]


def test_a_scale_that_is_not_documented_only_matters_under_a_gate() -> None:
    scales = scale("miltenyi", "", "B") + scale("linear", LINEAR, "A")
    assert gate_of(rectangle(dimension("A", 'gating:min="1"')), scales=scales)
    with pytest.raises(StrategyError, match="gate is on B, which cannot be scaled: FlowJo's transformation 'miltenyi'"):
        workspace(population("p", rectangle(dimension("B", 'gating:min="1"'))), scales=scales)


def test_curly_quadrants_are_refused_by_name() -> None:
    with pytest.raises(StrategyError, match=r"population 'root/p': gate type 'CurlyQuad' is not read"):
        workspace(population("p", "<gating:CurlyQuad/>"))


def test_nonsense_is_refused_with_sample_and_population() -> None:
    shape = rectangle(dimension("A", 'gating:min="9" gating:max="1"'))
    with pytest.raises(
        StrategyError, match=r"x\.wsp, sample 'tube\.fcs', population 'root/p': 'min' is above 'max' on A"
    ):
        workspace(population("p", shape))


def test_other_xml_is_no_workspace() -> None:
    with pytest.raises(StrategyError, match="root element is Gating, not a FlowJo workspace"):
        parse_workspace(b"<Gating/>", where="x.wsp")


def test_a_file_is_found_by_name_and_number_of_events() -> None:
    found = workspace("", name="my tube.fcs".replace(" ", "%20"))
    assert found.sample_for(sample_named("folder/original.fcs")).sample_id == "1"
    assert found.sample_for(sample_named("renamed.fcs", fil="original.fcs")).sample_id == "1"
    with pytest.raises(GatingError, match=r"has 99 events, but the workspace knows 'my%20tube\.fcs' with 100"):
        found.sample_for(sample_named("original.fcs", n_events=99))
    with pytest.raises(GatingError, match=r"is not in the workspace x\.wsp"):
        found.sample_for(sample_named("other.fcs"))
