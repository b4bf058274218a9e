"""Read the gates of a FACSDiva experiment that was exported as XML.

The same value as a FlowJo workspace comes out: one strategy per tube, with the
counts that FACSDiva stored. Coordinates there are linear, decades, or channels
of a biexponential plot (4096 to its height) whose width each gate stores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from xml.etree.ElementTree import Element

import numpy as np

from cytometry.errors import CytometryError, StrategyError
from cytometry.io.flowjo.workspace import Workspace, WorkspaceSample
from cytometry.io.gatingml.names import number
from cytometry.model.findings import Finding
from cytometry.model.gates import (
    FROM_FILE,
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    Gate,
    Interval,
    Operand,
    PolygonGate,
    RectangleGate,
)
from cytometry.model.strategy import ROOT, GatingStrategy, Population, join_path
from cytometry.model.transforms import Log, Logicle, Transform

ROOT_TAG = "bdfacs"
PROGRAM = "FACSDiva"

_ALL_EVENTS = "All Events"
# Digital BD instruments: 18 bits, and the 4.5 decades of BD's biexponential plots.
_TOP, _DECADES = 262_144.0, 4.5
_PLOT_HEIGHT = 4096.0
_LOG_SCALE = "log"


def diva_experiment(root: Element, path: str) -> Workspace:
    """Every tube of an experiment; a tube whose gates cannot be read becomes a finding.

    Raises
    ------
    StrategyError
        No tube can be read.
    """
    samples: list[WorkspaceSample] = []
    findings: list[Finding] = []
    errors: list[CytometryError] = []
    for tube in root.iter("tube"):
        try:
            samples.append(_tube(tube, path))
        except CytometryError as error:
            errors.append(error)
            findings.append(Finding("WORKSPACE_SAMPLE_UNREADABLE", "error", str(error), file=path, fix=error.hint))
    if errors and not samples:
        raise errors[0]
    version = f"{PROGRAM} {root.get('version') or ''}".strip()
    return Workspace(path, version, tuple(samples), tuple(findings), PROGRAM)


def _tube(tube: Element, path: str) -> WorkspaceSample:
    name = tube.get("name", "")
    where = f"{path}, tube '{name}'"
    paths = _paths(tube, where)
    populations: list[Population] = []
    counts: dict[str, int | None] = {}
    scales: dict[str, Transform] = {_LOG_SCALE: Log(_TOP, math.log10(_TOP))}
    is_compensated = tube.findtext("instrument_settings/compensation_enabled") == "true"
    n_events = None
    for gate in tube.iterfind("gates/gate"):
        full_name = gate.get("fullname", "")
        if full_name == _ALL_EVENTS:
            n_events = _count(gate, None)
            continue
        shape = _gate(gate, paths, scales, f"{where}, gate '{full_name}'", is_compensated=is_compensated)
        populations.append(Population(_name(gate), paths[gate.findtext("parent") or _ALL_EVENTS], shape))
        counts[paths[full_name]] = _count(gate, n_events)
    used = {d.transform for p in populations for d in p.gate.dimensions}
    return WorkspaceSample(
        sample_id=name,
        name=name,
        uri=tube.findtext("data_filename") or "",
        keywords=MappingProxyType({}),
        n_events=n_events,
        strategy=GatingStrategy(name, tuple(populations), {k: t for k, t in scales.items() if k in used}),
        counts=MappingProxyType(counts),
    )


def _paths(tube: Element, where: str) -> dict[str, str]:
    """Paths by FACSDiva's full names; parents stand before their children in the file."""
    paths = {_ALL_EVENTS: ROOT}
    for gate in tube.iterfind("gates/gate"):
        full_name = gate.get("fullname", "")
        parent = gate.findtext("parent") or _ALL_EVENTS
        if full_name != _ALL_EVENTS and parent not in paths:
            raise StrategyError(
                f"gate '{full_name}' has the unknown parent '{parent}'", where=where, code="POPULATION_UNKNOWN"
            )
        if full_name != _ALL_EVENTS:
            paths[full_name] = join_path(paths[parent], _name(gate))
    return paths


def _name(gate: Element) -> str:
    return gate.findtext("name") or gate.get("fullname", "").rpartition("\\")[2]


def _count(gate: Element, n_events: int | None) -> int | None:
    """FACSDiva writes 0 everywhere in a tube that was not recorded."""
    text = (gate.findtext("num_events") or "").strip()
    count = int(text) if text.isascii() and text.isdigit() else None
    return None if gate.get("fullname") == _ALL_EVENTS and count == 0 else count if n_events != 0 else None


def _gate(
    gate: Element, paths: Mapping[str, str], scales: dict[str, Transform], where: str, *, is_compensated: bool
) -> Gate:
    region = gate.find("region")
    if region is not None:
        return _region(gate, region, scales, where, is_compensated=is_compensated)
    if gate.get("type") == "RestOf_Classifier":
        inputs = [e.text or "" for e in gate.iterfind("input")]
        unknown = [i for i in inputs if i not in paths]
        if unknown:
            raise StrategyError(f"refers to the unknown gate '{unknown[0]}'", where=where, code="POPULATION_UNKNOWN")
        return BooleanGate("and", tuple(Operand(paths[i], complement=True) for i in inputs))
    raise StrategyError(
        f"gate type '{gate.get('type')}' is not read",
        where=where,
        hint="rectangles, polygons, intervals and 'rest of' gates are",
        code="GATE_UNKNOWN",
    )


def _region(gate: Element, region: Element, scales: dict[str, Transform], where: str, *, is_compensated: bool) -> Gate:
    kind = region.get("type", "")
    axes = ("x",) if kind == "INTERVAL_REGION" else ("x", "y")
    found = [_axis(gate, region, axis, scales, where, is_compensated=is_compensated) for axis in axes]
    points = np.array(
        [[p / unit for p, (_, unit) in zip(point, found, strict=True)] for point in _points(region, axes, where)]
    )
    dimensions = [d for d, _ in found]
    if kind == "POLYGON_REGION":
        return PolygonGate((dimensions[0], dimensions[1]), points)
    if kind in ("RECTANGLE_REGION", "INTERVAL_REGION"):
        limits = zip(dimensions, points.min(axis=0), points.max(axis=0), strict=True)
        return RectangleGate(tuple(Interval(d, float(low), float(high)) for d, low, high in limits))
    raise StrategyError(
        f"region type '{kind}' is not read",
        where=where,
        hint="rectangles, polygons and intervals are",
        code="GATE_UNKNOWN",
    )


def _points(region: Element, axes: tuple[str, ...], where: str) -> Iterator[list[float]]:
    for point in region.iterfind("points/point"):
        yield [number(point.get(axis, ""), f"point {axis}", where) for axis in axes]


def _axis(
    gate: Element, region: Element, axis: str, scales: dict[str, Transform], where: str, *, is_compensated: bool
) -> tuple[Dimension, float]:
    """Dimension of an axis, and what its coordinates are to be divided by."""
    name = region.get(f"{axis}parm", "")
    if not name:
        raise StrategyError(f"region has no parameter on its {axis} axis", where=where, code="WORKSPACE_INVALID")
    compensation = FROM_FILE if is_compensated else UNCOMPENSATED
    if gate.findtext(f"is_{axis}_parameter_scaled") == "true":
        width = number(gate.findtext(f"{axis}_parameter_scale_value") or "", "scale value", where)
        if not 0 < width < _TOP:
            raise StrategyError(
                f"biexponential scale of {name} has the width {width:g}",
                where=where,
                hint="set the scale in FACSDiva and export again",
                code="TRANSFORM_NONSENSE",
            )
        key = f"biexponential {width:g}"
        linear_decades = min(max((_DECADES - math.log10(_TOP / width)) / 2, 0.0), _DECADES / 2)
        scales[key] = Logicle(_TOP, linear_decades, _DECADES, 0.0)
        return Dimension(name, compensation, key), _PLOT_HEIGHT
    if gate.findtext(f"is_{axis}_parameter_log") == "true":
        return Dimension(name, compensation, _LOG_SCALE), math.log10(_TOP)
    return Dimension(name, compensation, None), 1.0
