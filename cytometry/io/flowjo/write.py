"""Write strategies as a FlowJo 10 workspace.

Whoever writes one must read it back and compare the counts: the caller has the
events, this layer has not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

import numpy as np

from cytometry.errors import StrategyError
from cytometry.io.flowjo.gates import ELLIPSE_CHANNELS
from cytometry.io.flowjo.names import DATATYPES, GATING, TRANSFORMS
from cytometry.model.channels import Channel
from cytometry.model.flowjo_transforms import BIEX_CHANNELS, FlowJoBiex, FlowJoLinear, FlowJoLog
from cytometry.model.gates import (
    UNCOMPENSATED,
    AnyDimension,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    RectangleGate,
)
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.thresholds import boundary
from cytometry.model.transforms import Asinh, Hyperlog, Linear, Log, Logicle, Transform

_PREFIX = "Comp-"
# The version whose format is written; FlowJo and FlowKit look at it.
_WORKSPACE_VERSION, _FLOWJO_VERSION = "20.0", "10.7.1"
_GROUP = "All Samples"
# A gate of FlowJo lies on one plot.
_PLOT_DIMENSIONS = 2
# Where an interval is open on both sides: readers of FlowJo's files take a dimension without an edge for no gate.
_BELOW_ALL = -1e12
_NODES: Mapping[str, str] = MappingProxyType({"and": "AndNode", "or": "OrNode", "not": "NotNode"})


@dataclass(frozen=True, eq=False)
class WorkspaceEntry:
    """One sample of a workspace to be written.

    Parameters
    ----------
    name
        The file's base name, by which FlowJo finds it.
    channels
        Of the file.
    n_events
        Of the file.
    strategy
        On the file's own channel names, with its matrix inside; no masks.
    counts
        Ours, by path; FlowJo shows them until it counts itself.
    time_step
        Seconds per tick of the file's time, ``$TIMESTEP``: FlowJo's axis of time is in seconds.
    """

    name: str
    channels: tuple[Channel, ...]
    n_events: int
    strategy: GatingStrategy
    counts: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))
    time_step: float = 1.0

    def gain(self, name: str) -> float:
        """Units of FlowJo's axis per stored one."""
        return self.time_step if any(c.kind == "time" and c.name == name for c in self.channels) else 1.0


def workspace_bytes(entries: Sequence[WorkspaceEntry]) -> bytes:
    """The workspace file's content, the same bytes for the same strategies.

    Raises
    ------
    StrategyError
        A strategy has what FlowJo cannot hold: a ratio, an ellipsoid of more
        than two dimensions, two matrices, or two scales for one channel under
        shapes that depend on the scale.
    """
    for prefix, uri in (("gating", GATING), ("transforms", TRANSFORMS), ("data-type", DATATYPES)):
        register_namespace(prefix, uri)
    root = Element("Workspace", {"version": _WORKSPACE_VERSION, "flowJoVersion": _FLOWJO_VERSION, "curGroup": _GROUP})
    # FlowKit looks for these three prefixes at the root, whether used there or not.
    root.set(f"{{{GATING}}}vendor", "cytometry")
    root.set(f"{{{TRANSFORMS}}}vendor", "cytometry")
    root.set(f"{{{DATATYPES}}}vendor", "cytometry")
    SubElement(root, "Matrices")
    groups = SubElement(SubElement(root, "Groups"), "GroupNode", {"name": _GROUP, "owningGroup": _GROUP})
    references = SubElement(SubElement(groups, "Group", {"name": _GROUP}), "SampleRefs")
    samples = SubElement(root, "SampleList")
    for number, entry in enumerate(entries, start=1):
        SubElement(references, "SampleRef", {"sampleID": str(number)})
        _Writer(entry).write(samples, str(number))
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


class _Writer:
    """One sample: its scales are settled before its gates are written on them."""

    def __init__(self, entry: WorkspaceEntry) -> None:
        self._entry = entry
        self._strategy = entry.strategy
        self._matrix = self._only_matrix()
        self._scales: dict[str, Transform] = {}
        self._settle_scales()

    def write(self, parent: Element, sample_id: str) -> None:
        entry = self._entry
        sample = SubElement(parent, "Sample")
        SubElement(sample, "DataSet", {"uri": f"file:{quote(entry.name)}", "sampleID": sample_id})
        if self._matrix is not None:
            _write_matrix(sample, *self._matrix)
        transformations = SubElement(sample, "Transformations")
        for parameter, scale in self._scales.items():
            _write_scale(transformations, parameter, scale, entry.gain(parameter))
        keywords = SubElement(sample, "Keywords")
        for name, value in _keywords(entry):
            SubElement(keywords, "Keyword", {"name": name, "value": value})
        node = SubElement(
            sample,
            "SampleNode",
            {"name": entry.name, "owningGroup": "", "count": str(entry.n_events), "sampleID": sample_id},
        )
        nodes = {ROOT: node}
        for number, population in enumerate(self._strategy.populations, start=1):
            above = nodes[population.parent_path]
            under = above.find("Subpopulations")
            under = SubElement(above, "Subpopulations") if under is None else under
            nodes[population.path] = self._population(under, population, f"ID{sample_id}{number:05d}")

    def _population(self, parent: Element, population: Population, gate_id: str) -> Element:
        count = self._entry.counts.get(population.path)
        facts = {"name": population.name, "owningGroup": "", "count": str(-1 if count is None else count)}
        if isinstance(population.gate, BooleanGate):
            return self._boolean(parent, population, population.gate, facts)
        if isinstance(population.gate, RectangleGate) and len(population.gate.intervals) > _PLOT_DIMENSIONS:
            return self._box(parent, population, population.gate, facts, gate_id)
        return self._drawn(parent, population, population.gate, facts, gate_id)

    def _drawn(
        self, parent: Element, population: Population, gate: Gate, facts: dict[str, str], gate_id: str
    ) -> Element:
        node = SubElement(parent, "Population", facts)
        element = SubElement(node, "Gate", {f"{{{GATING}}}id": gate_id})
        try:
            self._shape(element, gate, gate_id)
        except StrategyError as error:
            raise self._refusal(population, error.message, error.hint) from error
        return node

    def _box(
        self, parent: Element, population: Population, gate: RectangleGate, facts: dict[str, str], gate_id: str
    ) -> Element:
        """FlowJo draws on plots: a box of more dimensions is what its sides on several plots have in common."""
        sides = [gate.intervals[i : i + _PLOT_DIMENSIONS] for i in range(0, len(gate.intervals), _PLOT_DIMENSIONS)]
        names = []
        for number, intervals in enumerate(sides, start=1):
            helper = f"{population.name} (side {number})"
            side = RectangleGate(intervals, complement=gate.complement)
            self._drawn(
                parent, population, side, {"name": helper, "owningGroup": "", "count": "-1"}, f"{gate_id}.{number}"
            )
            above = _flowjo_path(self._strategy, population.parent_path)
            names.append(f"{above}/{helper}" if above else helper)
        # Outside of the box is outside of one of its sides.
        node = SubElement(parent, _NODES["or" if gate.complement else "and"], facts)
        _write_dependents(node, names)
        return node

    def _boolean(self, parent: Element, population: Population, gate: BooleanGate, facts: dict[str, str]) -> Element:
        """FlowJo's nodes know no complement of an operand: a helper node stands in for it."""
        names = []
        for operand in gate.operands:
            path = _flowjo_path(self._strategy, operand.path)
            if operand.complement:
                helper = f"not {path.rpartition('/')[2]} ({population.name})"
                node = SubElement(parent, "NotNode", {"name": helper, "owningGroup": "", "count": "-1"})
                _write_dependents(node, [path])
                above = _flowjo_path(self._strategy, population.parent_path)
                path = f"{above}/{helper}" if above else helper
            names.append(path)
        node = SubElement(parent, _NODES[gate.operator], facts)
        _write_dependents(node, names)
        return node

    def _shape(self, parent: Element, gate: Gate, gate_id: str) -> None:
        if isinstance(gate, RectangleGate):
            shape = self._shape_element(parent, "RectangleGate", gate.complement, gate_id)
            for interval in gate.intervals:
                element = self._dimension(shape, interval.dimension)
                transform = self._transform(interval.dimension)
                for name, level in (("min", interval.minimum), ("max", interval.maximum)):
                    if math.isfinite(level):
                        element.set(f"{{{GATING}}}{name}", _text(boundary(transform, level)))
                if not math.isfinite(interval.minimum) and not math.isfinite(interval.maximum):
                    element.set(f"{{{GATING}}}min", _text(_BELOW_ALL))
        elif isinstance(gate, PolygonGate):
            shape = self._shape_element(parent, "PolygonGate", gate.complement, gate_id)
            columns = []
            for dimension, display in zip(gate.dimensions, gate.vertices.T, strict=True):
                self._dimension(shape, dimension)
                transform = self._transform(dimension)
                columns.append(display if transform is None else transform.inverse(display))
            for vertex in np.column_stack(columns):
                _write_point(shape, vertex)
        elif isinstance(gate, EllipsoidGate):
            self._ellipse(parent, gate, gate_id)
        else:
            raise StrategyError("is a mask of single events", hint="write it as intervals of time first")

    def _ellipse(self, parent: Element, gate: EllipsoidGate, gate_id: str) -> None:
        """FlowJo's ellipse: two foci and four points, on a plot of 256 channels."""
        if len(gate.dimensions) != 2:
            raise StrategyError(f"is an ellipsoid of {len(gate.dimensions)} dimensions", hint="FlowJo knows two")
        offset, unit = np.array([self._plot_scale(d) for d in gate.dimensions]).T
        centre = offset + gate.mean * unit
        spread, axes = np.linalg.eigh(gate.covariance * gate.distance_square * np.outer(unit, unit))
        short, long = np.sqrt(spread)
        focal = math.sqrt(max(long**2 - short**2, 0.0))
        shape = self._shape_element(parent, "EllipsoidGate", gate.complement, gate_id)
        shape.set(f"{{{GATING}}}distance", _text(2 * long))
        for dimension in gate.dimensions:
            self._dimension(shape, dimension)
        foci = SubElement(shape, f"{{{GATING}}}foci")
        edge = SubElement(shape, f"{{{GATING}}}edge")
        for sign in (1.0, -1.0):
            _write_point(foci, centre + sign * focal * axes[:, 1])
        for length, axis in ((long, axes[:, 1]), (short, axes[:, 0])):
            for sign in (1.0, -1.0):
                _write_point(edge, centre + sign * length * axis)

    def _plot_scale(self, dimension: AnyDimension) -> tuple[float, float]:
        """From display values to FlowJo's 256 channels: what to add, and what to multiply with before."""
        scale = self._scales[self._parameter(dimension)]
        if isinstance(scale, FlowJoLinear) and dimension.transform is None:
            width = scale.maximum - scale.minimum
            return -scale.minimum / width * ELLIPSE_CHANNELS, ELLIPSE_CHANNELS / width
        return 0.0, ELLIPSE_CHANNELS / (BIEX_CHANNELS if isinstance(scale, FlowJoBiex) else 1.0)

    def _shape_element(self, parent: Element, tag: str, complement: bool, gate_id: str) -> Element:
        inside = "0" if complement else "1"
        return SubElement(parent, f"{{{GATING}}}{tag}", {"eventsInside": inside, f"{{{GATING}}}id": gate_id})

    def _dimension(self, shape: Element, dimension: AnyDimension) -> Element:
        element = SubElement(shape, f"{{{GATING}}}dimension")
        SubElement(element, f"{{{DATATYPES}}}fcs-dimension", {f"{{{DATATYPES}}}name": self._parameter(dimension)})
        return element

    def _parameter(self, dimension: AnyDimension) -> str:
        """FlowJo's name: with the prefix where the matrix acts."""
        if not isinstance(dimension, Dimension):
            raise StrategyError(f"is on the ratio {dimension.name}", hint="FlowJo derives such parameters itself")
        acted_on = self._matrix is not None and dimension.compensation == self._matrix[0]
        known = () if self._matrix is None else self._matrix[1].dyes or self._matrix[1].channels
        return f"{_PREFIX}{dimension.name}" if acted_on and dimension.name in known else dimension.name

    def _transform(self, dimension: AnyDimension) -> Transform | None:
        return None if dimension.transform is None else self._strategy.transforms[dimension.transform]

    def _only_matrix(self) -> tuple[str, Spillover] | None:
        used = {d.compensation for p in self._strategy.populations for d in p.gate.dimensions} - {UNCOMPENSATED}
        if len(used) > 1:
            raise StrategyError(
                f"gates of '{self._entry.name}' use {len(used)} matrices: {', '.join(sorted(used))}",
                hint="a sample in FlowJo has one",
                code="WORKSPACE_UNWRITABLE",
            )
        key = next(iter(used), None)
        return None if key is None else (key, self._strategy.compensations[key])

    def _settle_scales(self) -> None:
        """FlowJo has one scale per parameter; shapes with slanted edges decide which."""
        ranges = {c.name: c.range * self._entry.gain(c.name) for c in self._entry.channels}
        wishes: dict[str, Transform] = {}
        for population in self._strategy.populations:
            is_drawn = isinstance(population.gate, PolygonGate | EllipsoidGate)
            for dimension in population.gate.dimensions:
                try:
                    parameter = self._parameter(dimension)
                except StrategyError as error:
                    raise self._refusal(population, error.message, error.hint) from error
                transform = self._transform(dimension)
                top = ranges.get(dimension.name, 0.0)
                scale = FlowJoLinear(0.0, top if top > 0 else 1.0) if transform is None else transform
                if not is_drawn:
                    wishes.setdefault(parameter, scale)
                elif self._scales.setdefault(parameter, scale) != scale:
                    raise self._refusal(
                        population,
                        f"is drawn on another scale of {parameter} than an earlier polygon or ellipse",
                        "a parameter in FlowJo has one scale",
                    )
        for parameter, scale in wishes.items():
            self._scales.setdefault(parameter, scale)
        # FlowJo lists a channel with and without compensation; FlowKit looks for the latter.
        for parameter, scale in tuple(self._scales.items()):
            self._scales.setdefault(parameter.removeprefix(_PREFIX), scale)

    def _refusal(self, population: Population, message: str, hint: str) -> StrategyError:
        return StrategyError(
            message,
            where=f"{self._entry.name}, population '{population.path}'",
            hint=hint,
            code="WORKSPACE_UNWRITABLE",
        )


def _flowjo_path(strategy: GatingStrategy, path: str) -> str:
    """Names joined by slashes, without the root and without escapes."""
    names: list[str] = []
    while path != ROOT:
        population = strategy[path]
        names.append(population.name)
        path = population.parent_path
    return "/".join(reversed(names))


def _write_dependents(node: Element, names: Sequence[str]) -> None:
    dependents = SubElement(node, "Dependents")
    for name in names:
        SubElement(dependents, "Dependent", {"name": name})


def _write_point(parent: Element, point: Sequence[float] | np.ndarray) -> None:
    vertex = SubElement(parent, f"{{{GATING}}}vertex")
    for value in point:
        SubElement(vertex, f"{{{GATING}}}coordinate", {f"{{{DATATYPES}}}value": _text(value)})


def _write_scale(parent: Element, parameter: str, scale: Transform, gain: float) -> None:
    tag, values = _scale_facts(scale)
    element = SubElement(parent, f"{{{TRANSFORMS}}}{tag}")
    for name, value in values.items():
        element.set(f"{{{TRANSFORMS}}}{name}", value)
    if tag == "linear":
        element.set("gain", f"{gain:g}")
    SubElement(element, f"{{{DATATYPES}}}parameter", {f"{{{DATATYPES}}}name": parameter})


def _scale_facts(scale: Transform) -> tuple[str, dict[str, str]]:
    length = {"length": str(ELLIPSE_CHANNELS)}
    if isinstance(scale, FlowJoLinear):
        return "linear", {"minRange": _text(scale.minimum), "maxRange": _text(scale.maximum)}
    if isinstance(scale, Linear):
        return "linear", {"minRange": _text(-scale.A), "maxRange": _text(scale.T)}
    if isinstance(scale, FlowJoLog):
        return "log", {"offset": _text(scale.offset), "decades": _text(scale.decades)}
    if isinstance(scale, Log):
        return "log", {"offset": _text(scale.T / 10.0**scale.M), "decades": _text(scale.M)}
    if isinstance(scale, FlowJoBiex):
        facts = {"neg": scale.negative, "width": scale.width, "pos": scale.positive, "maxRange": scale.maximum}
        return "biex", length | {n: _text(v) for n, v in facts.items()}
    if isinstance(scale, Asinh):
        facts = {"T": scale.T, "A": scale.A, "M": scale.M, "maxRange": scale.T, "W": 0.0}
        return "fasinh", length | {n: _text(v) for n, v in facts.items()}
    if isinstance(scale, Logicle | Hyperlog):
        tag = "logicle" if isinstance(scale, Logicle) else "hyperlog"
        return tag, length | {n: _text(getattr(scale, n)) for n in ("T", "A", "W", "M")}
    raise StrategyError(
        f"FlowJo has no scale like {scale}",
        hint="use linear, log, arcsinh, logicle, hyperlog or biexponential",
        code="WORKSPACE_UNWRITABLE",
    )


def _write_matrix(parent: Element, key: str, spillover: Spillover) -> None:
    element = SubElement(
        parent,
        f"{{{TRANSFORMS}}}spilloverMatrix",
        {
            "prefix": _PREFIX,
            "name": key,
            "suffix": "",
            "version": f"FlowJo-{_FLOWJO_VERSION}",
            "spectral": "0" if spillover.dyes in ((), spillover.channels) else "1",
            "weightOptAlgorithmType": "OLS",
        },
    )
    rows = spillover.dyes or spillover.channels
    parameters = SubElement(element, f"{{{DATATYPES}}}parameters")
    for name in rows:
        SubElement(parameters, f"{{{DATATYPES}}}parameter", {f"{{{DATATYPES}}}name": name})
    for name, values in zip(rows, spillover.matrix, strict=True):
        row = SubElement(element, f"{{{TRANSFORMS}}}spillover", {f"{{{DATATYPES}}}parameter": name})
        for detector, value in zip(spillover.channels, values, strict=True):
            facts = {f"{{{DATATYPES}}}parameter": detector, f"{{{TRANSFORMS}}}value": _text(value)}
            SubElement(row, f"{{{TRANSFORMS}}}coefficient", facts)


def _keywords(entry: WorkspaceEntry) -> list[tuple[str, str]]:
    """What FlowJo needs to recognise the file, and nothing that may name a person."""
    pairs = [("$TOT", str(entry.n_events)), ("$PAR", str(len(entry.channels))), ("$TIMESTEP", f"{entry.time_step:g}")]
    for number, channel in enumerate(entry.channels, start=1):
        pairs += [
            (f"$P{number}N", channel.name),
            (f"$P{number}S", channel.marker),
            (f"$P{number}R", f"{channel.range:g}"),
            (f"$P{number}B", str(channel.bits)),
        ]
    return pairs


def _text(value: float) -> str:
    return repr(float(value))
