"""Write a strategy as GatingML 2.0."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from cytometry.errors import StrategyError
from cytometry.io.gatingml.custom import CustomInfo, write_custom, write_strategy_name
from cytometry.io.gatingml.names import DATATYPES, GATING, KEY, PREFIXES
from cytometry.io.gatingml.scales import Ratio, write_matrix, write_ratio, write_transformation
from cytometry.model.gates import (
    AnyDimension,
    BooleanGate,
    EllipsoidGate,
    EventMaskGate,
    Interval,
    PolygonGate,
    RatioDimension,
    RectangleGate,
)
from cytometry.model.strategy import ROOT, GatingStrategy, Population

# xs:ID, the type of every id, allows no blank, slash, plus or leading digit.
_NOT_IN_ID = re.compile(r"[^\w.\-]", re.ASCII)
_BAD_START = re.compile(r"^[^A-Za-z_]")


def write_gatingml(strategy: GatingStrategy, path: Path | str) -> None:
    """Write a strategy; reading it back gives the same populations and the same members.

    Quadrants are written as quadrants, unless their thresholds were moved apart,
    then as rectangles. FlowJo's scales have no place in the standard and are
    written as extensions, which other programs refuse rather than misread.

    Raises
    ------
    StrategyError
        The file cannot be written.
    """
    path = Path(path)
    data = gatingml_bytes(strategy)
    try:
        with path.open("wb") as file:
            file.write(data)
    except OSError as error:
        raise StrategyError(
            f"cannot be written: {error.strerror or error}", where=str(path), code="STRATEGY_UNWRITABLE"
        ) from error


def gatingml_bytes(strategy: GatingStrategy, remark: str = "") -> bytes:
    """The file's content, the same bytes for the same strategy.

    Parameters
    ----------
    remark
        For whoever opens the file; it is not read back.
    """
    for prefix, uri in PREFIXES:
        register_namespace(prefix, uri)
    root = Element(f"{{{GATING}}}Gating-ML")
    write_strategy_name(root, strategy.name, remark)
    # The standard's ids are unique in a document: gates, scales, matrices, quadrants and dividers share them.
    taken: set[str] = set()
    ids = _ids(strategy, taken)
    references = _references(strategy, taken)
    for key, transform in strategy.transforms.items():
        _name(write_transformation(root, references.transforms[key], transform), key, references.transforms[key])
    for ratio, key in references.ratios.items():
        write_ratio(root, key, ratio)
    for key, spillover in strategy.compensations.items():
        _name(write_matrix(root, references.compensations[key], spillover), key, references.compensations[key])
    _write_gates(root, strategy, ids, references, taken)
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


class _References(NamedTuple):
    """The ids by which gates name scales and matrices."""

    transforms: Mapping[str, str]
    compensations: Mapping[str, str]
    ratios: Mapping[Ratio, str]


def _name(element: Element, key: str, written: str) -> None:
    """Keep the name of a scale or matrix where it could not be its id."""
    if key != written:
        element.set(KEY, key)


def _write_gates(
    root: Element, strategy: GatingStrategy, ids: Mapping[str, str], references: _References, taken: set[str]
) -> None:
    quadrants = _quadrant_groups(strategy)
    written: set[tuple[str, str]] = set()
    for population in strategy.populations:
        gate = population.gate
        group = (population.parent_path, getattr(gate, "quadrant_of", ""))
        if group in quadrants:
            if group not in written:
                _write_quadrants(root, quadrants[group], ids, references, taken)
                written.add(group)
            continue
        if getattr(gate, "complement", False):
            _write_inverted(root, population, ids, references, taken)
            continue
        element = _gate_element(root, population, ids, references)
        _place(element, ids[population.path], population, ids)
        write_custom(element, _custom(population, ids))


def _write_inverted(
    root: Element, population: Population, ids: Mapping[str, str], references: _References, taken: set[str]
) -> None:
    """A shape turned inside out, which the standard says with a boolean gate: the shape, and not the shape."""
    inside_id = _claim(f"{ids[population.path]}.inside", taken)
    inside = _gate_element(root, population, ids, references)
    _place(inside, inside_id, population, ids)
    write_custom(inside, CustomInfo(is_inside_of_next=True))
    outside = SubElement(root, f"{{{GATING}}}BooleanGate")
    _place(outside, ids[population.path], population, ids)
    SubElement(SubElement(outside, f"{{{GATING}}}not"), f"{{{GATING}}}gateReference", {f"{{{GATING}}}ref": inside_id})
    write_custom(outside, _custom(population, ids))


def _place(element: Element, gate_id: str, population: Population, ids: Mapping[str, str]) -> None:
    element.set(f"{{{GATING}}}id", gate_id)
    if population.parent_path != ROOT:
        element.set(f"{{{GATING}}}parent_id", ids[population.parent_path])


def _gate_element(root: Element, population: Population, ids: Mapping[str, str], references: _References) -> Element:
    gate = population.gate
    if isinstance(gate, RectangleGate):
        element = SubElement(root, f"{{{GATING}}}RectangleGate")
        for interval in gate.intervals:
            dimension = _write_dimension(element, "dimension", interval.dimension, references)
            for name, value in (("min", interval.minimum), ("max", interval.maximum)):
                if math.isfinite(value):
                    dimension.set(f"{{{GATING}}}{name}", repr(float(value)))
        return element
    if isinstance(gate, PolygonGate):
        element = SubElement(root, f"{{{GATING}}}PolygonGate")
        for d in gate.dimensions:
            _write_dimension(element, "dimension", d, references)
        for vertex in gate.vertices:
            _write_coordinates(SubElement(element, f"{{{GATING}}}vertex"), "coordinate", vertex)
        return element
    if isinstance(gate, EllipsoidGate):
        return _write_ellipsoid(root, gate, references)
    if isinstance(gate, BooleanGate):
        element = SubElement(root, f"{{{GATING}}}BooleanGate")
        operator = SubElement(element, f"{{{GATING}}}{gate.operator}")
        for operand in gate.operands:
            reference = SubElement(operator, f"{{{GATING}}}gateReference", {f"{{{GATING}}}ref": ids[operand.path]})
            if operand.complement:
                reference.set(f"{{{GATING}}}use-as-complement", "true")
        return element
    return _write_mask(root, population, gate)


def _write_ellipsoid(root: Element, gate: EllipsoidGate, references: _References) -> Element:
    element = SubElement(root, f"{{{GATING}}}EllipsoidGate")
    for d in gate.dimensions:
        _write_dimension(element, "dimension", d, references)
    _write_coordinates(SubElement(element, f"{{{GATING}}}mean"), "coordinate", gate.mean)
    matrix = SubElement(element, f"{{{GATING}}}covarianceMatrix")
    for row in gate.covariance:
        _write_coordinates(SubElement(matrix, f"{{{GATING}}}row"), "entry", row)
    SubElement(element, f"{{{GATING}}}distanceSquare", {f"{{{DATATYPES}}}value": repr(float(gate.distance_square))})
    return element


def _write_mask(root: Element, population: Population, gate: EventMaskGate) -> Element:
    """A mask of single events, which the standard cannot hold: an open gate that only we read right.

    The gate refers to a dimension that no file has, so that another program
    stops instead of counting the masked events.
    """
    element = SubElement(root, f"{{{GATING}}}RectangleGate")
    dimension = SubElement(
        element, f"{{{GATING}}}dimension", {f"{{{GATING}}}compensation-ref": "uncompensated", f"{{{GATING}}}min": "1"}
    )
    SubElement(dimension, f"{{{DATATYPES}}}fcs-dimension", {f"{{{DATATYPES}}}name": "cytometry:kept-event"})
    return element


def _write_dimension(parent: Element, tag: str, dimension: AnyDimension, references: _References) -> Element:
    compensation = references.compensations.get(dimension.compensation, dimension.compensation)
    element = SubElement(parent, f"{{{GATING}}}{tag}", {f"{{{GATING}}}compensation-ref": compensation})
    if dimension.transform is not None:
        element.set(f"{{{GATING}}}transformation-ref", references.transforms[dimension.transform])
    if isinstance(dimension, RatioDimension):
        key = references.ratios[_ratio(dimension)]
        SubElement(element, f"{{{DATATYPES}}}new-dimension", {f"{{{DATATYPES}}}transformation-ref": key})
    else:
        SubElement(element, f"{{{DATATYPES}}}fcs-dimension", {f"{{{DATATYPES}}}name": dimension.name})
    return element


def _write_coordinates(parent: Element, tag: str, values: Iterable[float]) -> None:
    for value in values:
        SubElement(parent, f"{{{GATING}}}{tag}", {f"{{{DATATYPES}}}value": repr(float(value))})


def _quadrant_groups(strategy: GatingStrategy) -> dict[tuple[str, str], list[Population]]:
    """Quadrants that still share their thresholds, by parent and quadrant gate."""
    groups: dict[tuple[str, str], list[Population]] = {}
    for population in strategy.populations:
        gate = population.gate
        if isinstance(gate, RectangleGate) and gate.quadrant_of and not gate.complement:
            groups.setdefault((population.parent_path, gate.quadrant_of), []).append(population)
    return {key: members for key, members in groups.items() if _share_dividers(members)}


def _intervals(members: list[Population]) -> list[Interval]:
    return [i for m in members if isinstance(m.gate, RectangleGate) for i in m.gate.intervals]


def _dividers(members: list[Population]) -> dict[AnyDimension, list[float]]:
    dividers: dict[AnyDimension, set[float]] = {}
    for interval in _intervals(members):
        found = dividers.setdefault(interval.dimension, set())
        found.update(v for v in (interval.minimum, interval.maximum) if math.isfinite(v))
    return {d: sorted(values) for d, values in dividers.items()}


def _share_dividers(members: list[Population]) -> bool:
    """Whether every interval lies between neighbouring divider values."""
    dividers = _dividers(members)
    neighbours = {
        d: set(zip([-math.inf, *values], [*values, math.inf], strict=True)) for d, values in dividers.items() if values
    }
    return all((i.minimum, i.maximum) in neighbours.get(i.dimension, set()) for i in _intervals(members))


def _write_quadrants(
    root: Element, members: list[Population], ids: Mapping[str, str], references: _References, taken: set[str]
) -> None:
    name = getattr(members[0].gate, "quadrant_of", "")
    gate_id = _claim(name, taken)
    element = SubElement(root, f"{{{GATING}}}QuadrantGate")
    _place(element, gate_id, members[0], ids)
    dividers = _dividers(members)
    keys = {d: _claim(f"{ids[members[0].path]}.divider{i}", taken) for i, d in enumerate(dividers)}
    for dimension, values in dividers.items():
        divider = _write_dimension(element, "divider", dimension, references)
        divider.set(f"{{{GATING}}}id", keys[dimension])
        for value in values:
            SubElement(divider, f"{{{GATING}}}value").text = repr(float(value))
    for member in members:
        quadrant = SubElement(element, f"{{{GATING}}}Quadrant", {f"{{{GATING}}}id": ids[member.path]})
        for interval in _intervals([member]):
            location = {f"{{{GATING}}}divider_ref": keys[interval.dimension]}
            location[f"{{{GATING}}}location"] = repr(_location(interval))
            SubElement(quadrant, f"{{{GATING}}}position", location)
        write_custom(quadrant, _custom(member, ids))
    write_custom(element, CustomInfo(name=name if name != gate_id else ""))


def _location(interval: Interval) -> float:
    """A point of the interval: its lower end, or anything below its upper end."""
    if math.isfinite(interval.minimum):
        return float(interval.minimum)
    return float(interval.maximum - max(1.0, abs(interval.maximum)))


def _ratio(dimension: RatioDimension) -> Ratio:
    return Ratio(
        dimension.numerator,
        dimension.denominator,
        dimension.A,
        dimension.B,
        dimension.C,
        dimension.minimum,
        dimension.maximum,
    )


def _references(strategy: GatingStrategy, taken: set[str]) -> _References:
    """Ids for scales, matrices and ratios: all ids of a document differ, those of its gates included."""
    transforms = {key: _claim(key, taken) for key in strategy.transforms}
    compensations = {key: _claim(key, taken) for key in strategy.compensations}
    ratios: dict[Ratio, str] = {}
    for population in strategy.populations:
        for dimension in population.gate.dimensions:
            if isinstance(dimension, RatioDimension) and _ratio(dimension) not in ratios:
                ratios[_ratio(dimension)] = _claim(f"ratio_{dimension.numerator}_{dimension.denominator}", taken)
    return _References(transforms, compensations, ratios)


def _ids(strategy: GatingStrategy, taken: set[str]) -> dict[str, str]:
    """A unique id per path: the name, made fit for XML; numbered where names repeat."""
    ids: dict[str, str] = {}
    for population in strategy.populations:
        ids[population.path] = _claim(population.name, taken)
    return ids


def _claim(name: str, taken: set[str]) -> str:
    """A new id like the name; it is taken from now on."""
    text = _identifier(name)
    number, claimed = 1, text
    while claimed in taken:
        number += 1
        claimed = f"{text}.{number}"
    taken.add(claimed)
    return claimed


def _identifier(name: str) -> str:
    text = _NOT_IN_ID.sub("_", name)
    return f"_{text}" if _BAD_START.match(text) or not text else text


def _custom(population: Population, ids: Mapping[str, str]) -> CustomInfo:
    return CustomInfo(
        name=population.name if ids[population.path] != population.name else "",
        label=population.label,
        optional=population.optional,
        kept_runs=population.gate.kept_runs if isinstance(population.gate, EventMaskGate) else None,
    )
