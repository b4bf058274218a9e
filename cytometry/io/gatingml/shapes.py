"""One gate element to one or more gates of the model, references still by id."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree.ElementTree import Element

from cytometry.errors import StrategyError
from cytometry.io.gatingml.custom import read_custom
from cytometry.io.gatingml.names import (
    DATATYPES,
    GATING,
    attribute,
    bound,
    children,
    local_name,
    number,
    only_child,
    required,
)
from cytometry.io.gatingml.scales import Ratio
from cytometry.model.gates import (
    FROM_FILE,
    UNCOMPENSATED,
    AnyDimension,
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

_OPERATORS = ("and", "or", "not")


@dataclass(frozen=True, slots=True)
class Keys:
    """What dimensions may refer to: by id, the names of scales and matrices, and ratios."""

    transforms: Mapping[str, str]
    ratios: Mapping[str, Ratio]
    compensations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RawGate:
    """A gate whose parent and operands are still ids.

    ``element`` is the piece of XML that may carry custom information.
    """

    id: str
    parent_id: str | None
    gate: Gate
    element: Element


def read_gate(element: Element, keys: Keys, where: str) -> list[RawGate]:
    """Every population that one gate element defines: one, or one per quadrant."""
    gate_id = required(element, GATING, "id", where)
    where = f"{where}, gate '{gate_id}'"
    parent_id = attribute(element, GATING, "parent_id")
    reader = _READERS[local_name(element)]
    try:
        return [RawGate(i, parent_id, gate, e) for i, gate, e in reader(element, gate_id, keys, where)]
    except StrategyError as error:
        if error.where:
            raise
        raise StrategyError(error.message, where=where, hint=error.hint, code=error.code) from error


_Read = Callable[[Element, str, Keys, str], list[tuple[str, Gate, Element]]]


def _rectangle(element: Element, gate_id: str, keys: Keys, where: str) -> list[tuple[str, Gate, Element]]:
    intervals = tuple(
        Interval(
            _dimension(d, keys, where),
            bound(d, GATING, "min", open_end=-math.inf, where=where),
            bound(d, GATING, "max", open_end=math.inf, where=where),
        )
        for d in children(element, GATING, "dimension")
    )
    return [(gate_id, RectangleGate(intervals), element)]


def _polygon(element: Element, gate_id: str, keys: Keys, where: str) -> list[tuple[str, Gate, Element]]:
    dimensions = _dimensions(element, keys, where)
    if len(dimensions) != 2:
        raise StrategyError(
            f"polygon has {len(dimensions)} dimensions", where=where, hint="two are needed", code="GATE_NONSENSE"
        )
    vertices = [_coordinates(v, where) for v in children(element, GATING, "vertex")]
    if any(len(v) != 2 for v in vertices):
        raise StrategyError("polygon has a vertex without two coordinates", where=where, code="GATE_NONSENSE")
    return [(gate_id, PolygonGate((dimensions[0], dimensions[1]), vertices), element)]  # type: ignore[arg-type]


def _ellipsoid(element: Element, gate_id: str, keys: Keys, where: str) -> list[tuple[str, Gate, Element]]:
    mean = _coordinates(only_child(element, GATING, "mean", where), where)
    rows = [
        [number(required(e, DATATYPES, "value", where), "entry", where) for e in children(row, GATING, "entry")]
        for row in children(only_child(element, GATING, "covarianceMatrix", where), GATING, "row")
    ]
    if {len(r) for r in rows} != {len(rows)}:
        raise StrategyError("covarianceMatrix is not square", where=where, code="GATE_NONSENSE")
    distance = only_child(element, GATING, "distanceSquare", where)
    squared = number(required(distance, DATATYPES, "value", where), "distanceSquare", where)
    gate = EllipsoidGate(_dimensions(element, keys, where), mean, rows, squared)  # type: ignore[arg-type]
    return [(gate_id, gate, element)]


def _quadrants(element: Element, gate_id: str, keys: Keys, where: str) -> list[tuple[str, Gate, Element]]:
    dividers: dict[str, tuple[AnyDimension, list[float]]] = {}
    for divider in children(element, GATING, "divider"):
        divider_id = required(divider, GATING, "id", where)
        if divider_id in dividers:
            raise StrategyError(f"divider '{divider_id}' stands twice", where=where, code="GATE_DUPLICATE")
        values = [number(v.text or "", "divider value", where) for v in children(divider, GATING, "value")]
        if not values:
            raise StrategyError(f"divider '{divider_id}' has no value", where=where, code="GATE_NONSENSE")
        dividers[divider_id] = (_dimension(divider, keys, where), sorted(values))
    found: list[tuple[str, Gate, Element]] = []
    name = read_custom(element).name or gate_id
    for quadrant in children(element, GATING, "Quadrant"):
        quadrant_id = required(quadrant, GATING, "id", where)
        intervals = [_position(p, dividers, where) for p in children(quadrant, GATING, "position")]
        found.append((quadrant_id, RectangleGate(tuple(intervals), quadrant_of=name), quadrant))
    if not found:
        raise StrategyError("quadrant gate has no quadrant", where=where, code="GATE_NONSENSE")
    return found


def _position(position: Element, dividers: Mapping[str, tuple[AnyDimension, list[float]]], where: str) -> Interval:
    """The interval between two divider values that holds the position's location."""
    reference = attribute(position, GATING, "divider_ref") or attribute(position, GATING, "divider-ref") or ""
    if reference not in dividers:
        raise StrategyError(
            f"position refers to the unknown divider '{reference}'",
            where=where,
            hint=f"dividers: {', '.join(dividers)}",
            code="GATE_UNKNOWN",
        )
    dimension, values = dividers[reference]
    location = number(required(position, GATING, "location", where), "location", where)
    above = bisect_right(values, location)
    return Interval(
        dimension,
        values[above - 1] if above > 0 else -math.inf,
        values[above] if above < len(values) else math.inf,
    )


def _boolean(element: Element, gate_id: str, keys: Keys, where: str) -> list[tuple[str, Gate, Element]]:
    found = [(o, e) for o in _OPERATORS for e in children(element, GATING, o)]
    if len(found) != 1:
        raise StrategyError(
            f"boolean gate has {len(found)} operators", where=where, hint="one of and, or, not", code="GATE_NONSENSE"
        )
    operator, body = found[0]
    operands = tuple(
        Operand(
            required(r, GATING, "ref", where),
            (attribute(r, GATING, "use-as-complement") or "false").strip().lower() in ("true", "1"),
        )
        for r in children(body, GATING, "gateReference")
    )
    return [(gate_id, BooleanGate(operator, operands), element)]  # type: ignore[arg-type]


def _dimensions(element: Element, keys: Keys, where: str) -> tuple[AnyDimension, ...]:
    return tuple(_dimension(d, keys, where) for d in children(element, GATING, "dimension"))


def _dimension(element: Element, keys: Keys, where: str) -> AnyDimension:
    """A dimension or divider: where its values come from."""
    compensation = attribute(element, GATING, "compensation-ref") or UNCOMPENSATED
    if compensation not in (UNCOMPENSATED, FROM_FILE) and compensation not in keys.compensations:
        raise StrategyError(
            f"compensation-ref '{compensation}' is unknown",
            where=where,
            hint=f"matrices: {', '.join(sorted(keys.compensations)) or 'none'}, {FROM_FILE}, {UNCOMPENSATED}",
            code="COMPENSATION_UNKNOWN",
        )
    transform = attribute(element, GATING, "transformation-ref")
    if transform is not None and transform not in keys.transforms:
        raise StrategyError(
            f"transformation-ref '{transform}' is unknown",
            where=where,
            hint=f"transformations: {', '.join(sorted(keys.transforms)) or 'none'}",
            code="TRANSFORM_UNKNOWN",
        )
    compensation = keys.compensations.get(compensation, compensation)
    transform = None if transform is None else keys.transforms[transform]
    plain = next(children(element, DATATYPES, "fcs-dimension"), None)
    if plain is not None:
        return Dimension(required(plain, DATATYPES, "name", where), compensation, transform)
    derived = only_child(element, DATATYPES, "new-dimension", where)
    reference = required(derived, DATATYPES, "transformation-ref", where)
    if reference not in keys.ratios:
        raise StrategyError(
            f"new-dimension refers to '{reference}', which is no fratio",
            where=where,
            hint=f"ratios: {', '.join(keys.ratios) or 'none'}",
            code="TRANSFORM_UNKNOWN",
        )
    r = keys.ratios[reference]
    return RatioDimension(r.numerator, r.denominator, r.A, r.B, r.C, compensation, transform, r.minimum, r.maximum)


def _coordinates(element: Element, where: str) -> list[float]:
    return [
        number(required(c, DATATYPES, "value", where), "coordinate", where)
        for c in children(element, GATING, "coordinate")
    ]


_READERS: Mapping[str, _Read] = MappingProxyType(
    {
        "RectangleGate": _rectangle,
        "PolygonGate": _polygon,
        "EllipsoidGate": _ellipsoid,
        "QuadrantGate": _quadrants,
        "BooleanGate": _boolean,
    }
)
GATE_TAGS = frozenset(_READERS)
