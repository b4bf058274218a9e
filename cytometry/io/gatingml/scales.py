"""Transformations and spectrum matrices: reading and writing, one entry each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from cytometry.errors import StrategyError
from cytometry.io.gatingml.names import (
    DATATYPES,
    OURS,
    TRANSFORMS,
    attribute,
    bound,
    children,
    local_name,
    namespace,
    number,
    only_child,
    required,
)
from cytometry.model.flowjo_transforms import FlowJoBiex, FlowJoLinear, FlowJoLog
from cytometry.model.gates import FROM_FILE, UNCOMPENSATED
from cytometry.model.spillover import Spillover
from cytometry.model.transforms import Asinh, Bounded, Hyperlog, Linear, Log, Logicle, Transform


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ``fratio`` transformation before a dimension refers to it."""

    numerator: str
    denominator: str
    A: float
    B: float
    C: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class _Scale:
    """One kind of transformation: its element, the names of its parameters and its class."""

    namespace: str
    tag: str
    kind: type
    parameters: tuple[str, ...]
    build: Callable[..., Transform]


_SCALES = (
    _Scale(TRANSFORMS, "flin", Linear, ("T", "A"), Linear),
    _Scale(TRANSFORMS, "flog", Log, ("T", "M"), Log),
    _Scale(TRANSFORMS, "fasinh", Asinh, ("T", "M", "A"), Asinh),
    _Scale(TRANSFORMS, "logicle", Logicle, ("T", "W", "M", "A"), Logicle),
    _Scale(TRANSFORMS, "hyperlog", Hyperlog, ("T", "W", "M", "A"), Hyperlog),
    _Scale(OURS, "flowjo-linear", FlowJoLinear, ("minimum", "maximum"), FlowJoLinear),
    _Scale(OURS, "flowjo-log", FlowJoLog, ("offset", "decades"), FlowJoLog),
    _Scale(OURS, "flowjo-biex", FlowJoBiex, ("negative", "width", "positive", "maximum"), FlowJoBiex),
)
_BY_TAG: Mapping[tuple[str, str], _Scale] = MappingProxyType({(s.namespace, s.tag): s for s in _SCALES})
_BY_KIND: Mapping[type, _Scale] = MappingProxyType({s.kind: s for s in _SCALES})


def read_transformation(element: Element, where: str) -> tuple[str, Transform | Ratio]:
    """Key and scale, or key and ratio."""
    key = required(element, TRANSFORMS, "id", where)
    where = f"{where}, transformation '{key}'"
    low = bound(element, TRANSFORMS, "boundMin", open_end=-math.inf, where=where)
    high = bound(element, TRANSFORMS, "boundMax", open_end=math.inf, where=where)
    ratio = next(children(element, TRANSFORMS, "fratio"), None)
    if ratio is not None:
        return key, _read_ratio(element, ratio, low, high, where)
    found = [e for e in element if (namespace(e), local_name(e)) in _BY_TAG]
    if len(found) != 1:
        tags = ", ".join(local_name(e) for e in element) or "nothing"
        raise StrategyError(
            f"has {len(found)} known scales, one is needed; found: {tags}",
            where=where,
            hint=f"scales: fratio, {', '.join(s.tag for s in _SCALES)}",
            code="TRANSFORM_UNKNOWN",
        )
    scale = _BY_TAG[namespace(found[0]), local_name(found[0])]
    values = {p: number(required(found[0], scale.namespace, p, where), f"'{p}'", where) for p in scale.parameters}
    try:
        transform = scale.build(**values)
        return key, transform if (low, high) == (-math.inf, math.inf) else Bounded(transform, low, high)
    except StrategyError as error:
        raise StrategyError(error.message, where=where, hint=error.hint, code=error.code) from error


def _read_ratio(element: Element, ratio: Element, low: float, high: float, where: str) -> Ratio:
    # Examples 45 to 47 of the standard put the two dimensions beside <fratio>, the schema into it.
    names = [
        required(d, DATATYPES, "name", where)
        for d in (*children(ratio, DATATYPES, "fcs-dimension"), *children(element, DATATYPES, "fcs-dimension"))
    ]
    if len(names) != 2:
        raise StrategyError(
            f"ratio has {len(names)} dimensions", where=where, hint="two are needed", code="GATINGML_INVALID"
        )
    a, b, c = (number(required(ratio, TRANSFORMS, p, where), f"'{p}'", where) for p in "ABC")
    if low > high:
        raise StrategyError("boundMin is above boundMax", where=where, code="TRANSFORM_NONSENSE")
    return Ratio(names[0], names[1], a, b, c, low, high)


def write_transformation(parent: Element, key: str, transform: Transform) -> Element:
    """Append one scale; its bounds become attributes."""
    element = SubElement(parent, f"{{{TRANSFORMS}}}transformation", {f"{{{TRANSFORMS}}}id": key})
    if isinstance(transform, Bounded):
        _write_bounds(element, transform.minimum, transform.maximum)
        transform = transform.transform
    scale = _BY_KIND.get(type(transform))
    if scale is None:
        raise StrategyError(
            f"transform '{key}' is {transform}, which GatingML cannot hold",
            hint=f"scales: {', '.join(s.tag for s in _SCALES)}",
            code="GATINGML_UNWRITABLE",
        )
    values = {f"{{{scale.namespace}}}{p}": repr(float(getattr(transform, p))) for p in scale.parameters}
    SubElement(element, f"{{{scale.namespace}}}{scale.tag}", values)
    return element


def write_ratio(parent: Element, key: str, ratio: Ratio) -> None:
    """Append one ratio."""
    element = SubElement(parent, f"{{{TRANSFORMS}}}transformation", {f"{{{TRANSFORMS}}}id": key})
    _write_bounds(element, ratio.minimum, ratio.maximum)
    parameters = {f"{{{TRANSFORMS}}}{p}": repr(float(getattr(ratio, p))) for p in "ABC"}
    fratio = SubElement(element, f"{{{TRANSFORMS}}}fratio", parameters)
    for name in (ratio.numerator, ratio.denominator):
        SubElement(fratio, f"{{{DATATYPES}}}fcs-dimension", {f"{{{DATATYPES}}}name": name})


def _write_bounds(element: Element, low: float, high: float) -> None:
    for name, value in (("boundMin", low), ("boundMax", high)):
        if math.isfinite(value):
            element.set(f"{{{TRANSFORMS}}}{name}", repr(float(value)))


def read_matrix(element: Element, where: str) -> tuple[str, Spillover]:
    """Key and matrix; one that is inverted already is turned back into a spillover."""
    key = required(element, TRANSFORMS, "id", where)
    where = f"{where}, spectrumMatrix '{key}'"
    if key in (FROM_FILE, UNCOMPENSATED):
        raise StrategyError(
            f"a matrix cannot be called '{key}'",
            where=where,
            hint="the standard keeps this word",
            code="GATINGML_INVALID",
        )
    dyes = _names(only_child(element, TRANSFORMS, "fluorochromes", where), where)
    detectors = _names(only_child(element, TRANSFORMS, "detectors", where), where)
    rows = [
        [
            number(required(c, TRANSFORMS, "value", where), "coefficient", where)
            for c in children(row, TRANSFORMS, "coefficient")
        ]
        for row in children(element, TRANSFORMS, "spectrum")
    ]
    inverted = (attribute(element, TRANSFORMS, "matrix-inverted-already") or "false").strip().lower() in ("true", "1")
    shape = (len(detectors), len(dyes)) if inverted else (len(dyes), len(detectors))
    if not rows or any(len(r) != shape[1] for r in rows) or len(rows) != shape[0]:
        raise StrategyError(
            f"has {len(rows)} rows of {'/'.join(sorted({str(len(r)) for r in rows})) or 'no'} coefficients "
            f"for {len(dyes)} fluorochromes and {len(detectors)} detectors",
            where=where,
            hint=f"{shape[0]} rows of {shape[1]} are needed",
            code="GATINGML_INVALID",
        )
    matrix = np.array(rows)
    if inverted:
        matrix = (
            Spillover(dyes, matrix, where, detectors).inverse if len(dyes) == len(detectors) else np.linalg.pinv(matrix)
        )
    named = len(set(dyes)) == len(dyes) and all(dyes)
    if not named and len(dyes) != len(detectors):
        raise StrategyError("fluorochromes are not named one by one", where=where, code="GATINGML_INVALID")
    # Programs leave the dyes empty: then rows are named as columns.
    spillover = Spillover(detectors, matrix, where, dyes if named else detectors)
    _ = spillover.inverse  # a matrix that cannot be used is named here, with the file, and not at the first gate
    return key, spillover


def _names(element: Element, where: str) -> tuple[str, ...]:
    found = [attribute(d, DATATYPES, "name") for d in children(element, DATATYPES, "fcs-dimension")]
    if not found or None in found:
        raise StrategyError(
            f"<{local_name(element)}> has no names",
            where=where,
            hint="each needs an fcs-dimension",
            code="GATINGML_INVALID",
        )
    return tuple(n for n in found if n is not None)


def write_matrix(parent: Element, key: str, spillover: Spillover) -> Element:
    """Append one spectrum matrix."""
    element = SubElement(parent, f"{{{TRANSFORMS}}}spectrumMatrix", {f"{{{TRANSFORMS}}}id": key})
    for tag, names in (("fluorochromes", spillover.dyes or spillover.channels), ("detectors", spillover.channels)):
        group = SubElement(element, f"{{{TRANSFORMS}}}{tag}")
        for name in names:
            SubElement(group, f"{{{DATATYPES}}}fcs-dimension", {f"{{{DATATYPES}}}name": name})
    for row in spillover.matrix:
        spectrum = SubElement(element, f"{{{TRANSFORMS}}}spectrum")
        for value in row:
            SubElement(spectrum, f"{{{TRANSFORMS}}}coefficient", {f"{{{TRANSFORMS}}}value": repr(float(value))})
    return element
