"""Read a FlowJo 10 workspace; a FACSDiva experiment is handed on to its own reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element

from cytometry.errors import CytometryError, StrategyError
from cytometry.io.diva import ROOT_TAG, diva_experiment
from cytometry.io.flowjo.gates import GateReader, mark_quadrants
from cytometry.io.flowjo.names import attribute
from cytometry.io.flowjo.scales import read_compensation, read_scales
from cytometry.io.flowjo.workspace import Workspace, WorkspaceSample
from cytometry.io.xml import MEBIBYTE, parse_xml, read_xml
from cytometry.model.findings import Finding
from cytometry.model.flowjo_transforms import BIEX_CHANNELS
from cytometry.model.gates import BooleanGate, Gate, Operand
from cytometry.model.strategy import ROOT, GatingStrategy, Population, join_path

MAX_BYTES = 256 * MEBIBYTE

_BOOLEAN_NODES: Mapping[str, str] = MappingProxyType({"AndNode": "and", "OrNode": "or", "NotNode": "not"})


def read_workspace(path: Path | str) -> Workspace:
    """Read every sample of a workspace.

    A sample whose gates cannot be read becomes a finding; the others stay.

    Raises
    ------
    StrategyError
        The file is no FlowJo workspace, or no sample of it can be read.
    """
    return _workspace(read_xml(Path(path), max_bytes=MAX_BYTES), str(path))


def parse_workspace(data: bytes, *, where: str = "workspace") -> Workspace:
    """Read a workspace from memory; as :func:`read_workspace`."""
    return _workspace(parse_xml(data, where=where, max_bytes=MAX_BYTES), where)


def _workspace(root: Element, path: str) -> Workspace:
    if root.tag == ROOT_TAG:
        return diva_experiment(root, path)
    if root.tag != "Workspace":
        raise StrategyError(
            f"root element is {root.tag}, not a FlowJo workspace",
            where=path,
            hint="give a .wsp file of FlowJo 10, or an experiment of FACSDiva exported as .xml",
            code="WORKSPACE_INVALID",
        )
    if root.find("SampleList/Sample/SampleNode/Population") is not None or root.find("CalibrationTables") is not None:
        raise StrategyError(
            "was written by FlowJo 9, whose gates are not read",
            where=path,
            hint="open it in FlowJo 10 and save it as .wsp",
            code="WORKSPACE_INVALID",
        )
    samples: list[WorkspaceSample] = []
    findings: list[Finding] = []
    errors: list[CytometryError] = []
    groups = _groups(root)
    for element in root.iterfind("SampleList/Sample"):
        try:
            samples.append(_sample(element, groups, path))
        except CytometryError as error:
            errors.append(error)
            findings.append(Finding("WORKSPACE_SAMPLE_UNREADABLE", "error", str(error), file=path, fix=error.hint))
    if errors and not samples:
        raise errors[0]
    return Workspace(path, root.get("flowJoVersion") or root.get("version") or "", tuple(samples), tuple(findings))


def _groups(root: Element) -> dict[str, list[str]]:
    """Names of groups by sample id."""
    groups: dict[str, list[str]] = {}
    for node in root.iterfind("Groups/GroupNode"):
        for reference in node.iterfind("Group/SampleRefs/SampleRef"):
            groups.setdefault(reference.get("sampleID", ""), []).append(node.get("name", ""))
    return groups


def _sample(element: Element, groups: Mapping[str, list[str]], path: str) -> WorkspaceSample:
    node = element.find("SampleNode")
    if node is None:
        raise StrategyError("a sample has no SampleNode", where=path, code="WORKSPACE_INVALID")
    name, sample_id = node.get("name", ""), node.get("sampleID", "")
    where = f"{path}, sample '{name}'"
    scales = read_scales(element, where)
    compensation = read_compensation(element, where)
    nodes = tuple(_nodes(node, (), where))
    populations = _populations(nodes, GateReader(scales, compensation), where)
    dataset = element.find("DataSet")
    used = {d.compensation for p in populations for d in p.gate.dimensions}
    matrices = {} if compensation.spillover is None else {compensation.key: compensation.spillover}
    return WorkspaceSample(
        sample_id=sample_id,
        name=name,
        uri=(dataset.get("uri") or "") if dataset is not None else "",
        keywords=MappingProxyType(
            {k.get("name", ""): k.get("value", "") for k in element.iterfind("Keywords/Keyword")}
        ),
        n_events=_count(node),
        strategy=GatingStrategy(
            name=name,
            populations=populations,
            transforms=scales.transforms,
            compensations={k: m for k, m in matrices.items() if k in used},
        ),
        counts=MappingProxyType({p.path: _count(n.element) for p, n in zip(populations, nodes, strict=True)}),
        groups=tuple(groups.get(sample_id, ())),
        plot_channels=MappingProxyType({n.path: c for n in nodes if (c := _plot_channels(n.element)) is not None}),
    )


@dataclass(frozen=True, slots=True)
class _Node:
    """A population's element with the names that lead to it."""

    names: tuple[str, ...]
    element: Element

    @property
    def path(self) -> str:
        path = ROOT
        for name in self.names:
            path = join_path(path, name)
        return path

    @property
    def flowjo_path(self) -> str:
        """As FlowJo's boolean gates write it: no root, slashes not escaped."""
        return "/".join(self.names)


def _nodes(parent: Element, names: tuple[str, ...], where: str) -> Iterator[_Node]:
    for element in parent.iterfind("Subpopulations/*"):
        if element.tag != "Population" and element.tag not in _BOOLEAN_NODES:
            continue  # statistics and plots stand here too
        name = element.get("name")
        if not name:
            raise StrategyError("a population has no name", where=where, code="WORKSPACE_INVALID")
        node = _Node((*names, name), element)
        yield node
        yield from _nodes(element, node.names, where)


def _populations(nodes: tuple[_Node, ...], reader: GateReader, where: str) -> tuple[Population, ...]:
    by_flowjo_path = {n.flowjo_path: n.path for n in nodes}
    gates: dict[str, dict[str, Gate]] = {}
    for node in nodes:
        place = f"{where}, population '{node.path}'"
        if node.element.tag in _BOOLEAN_NODES:
            gate: Gate = _boolean(node.element, by_flowjo_path, place)
        else:
            element = node.element.find("Gate")
            if element is None:
                raise StrategyError("has no gate", where=place, code="WORKSPACE_INVALID")
            gate = reader.read(element, place)
        siblings = gates.setdefault("/".join(node.names[:-1]), {})
        if node.names[-1] in siblings:
            raise StrategyError("stands twice in the tree", where=place, hint="rename one", code="POPULATION_DUPLICATE")
        siblings[node.names[-1]] = gate
    marked = {parent: mark_quadrants(siblings) for parent, siblings in gates.items()}
    return tuple(
        Population(
            name=n.names[-1],
            parent_path=_Node(n.names[:-1], n.element).path,
            gate=marked["/".join(n.names[:-1])][n.names[-1]],
        )
        for n in nodes
    )


def _boolean(element: Element, by_flowjo_path: Mapping[str, str], where: str) -> BooleanGate:
    operands = []
    for dependent in element.iterfind("Dependents/Dependent"):
        name = dependent.get("name", "")
        if name not in by_flowjo_path:
            raise StrategyError(
                f"refers to the unknown population '{name}'",
                where=where,
                hint=f"populations: {', '.join(list(by_flowjo_path)[:30])}",
                code="POPULATION_UNKNOWN",
            )
        operands.append(Operand(by_flowjo_path[name]))
    return BooleanGate(_BOOLEAN_NODES[element.tag], tuple(operands))  # type: ignore[arg-type]


def _count(element: Element) -> int | None:
    """FlowJo writes -1 where it has not counted."""
    text = attribute(element, "count") or ""
    return int(text) if text.isascii() and text.isdigit() else None


def _plot_channels(element: Element) -> int | None:
    shape = next(iter(element.iterfind("Gate/*")), None)
    text = "" if shape is None else shape.get("gateResolution", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= BIEX_CHANNELS else None
