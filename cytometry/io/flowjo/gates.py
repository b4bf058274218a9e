"""One gate of a FlowJo 10 workspace, from FlowJo's linear coordinates to the display scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from cytometry.errors import StrategyError
from cytometry.io.flowjo.names import DATATYPES, GATING, attribute, number
from cytometry.io.flowjo.scales import Compensation, Scales
from cytometry.model.flowjo_transforms import BIEX_CHANNELS, FlowJoBiex
from cytometry.model.gates import Dimension, EllipsoidGate, Gate, Interval, PolygonGate, RectangleGate
from cytometry.model.transforms import Transform

FloatArray = npt.NDArray[np.float64]

# FlowJo draws ellipses on a plot of so many channels, whatever the scale.
ELLIPSE_CHANNELS = 256


@dataclass(frozen=True, slots=True)
class GateReader:
    """What a sample's gates refer to.

    Parameters
    ----------
    scales, compensation
        Of the sample.
    """

    scales: Scales
    compensation: Compensation

    def read(self, gate: Element, where: str) -> Gate:
        """The gate of one ``<Gate>`` element."""
        shapes = [e for e in gate if e.tag.startswith(f"{{{GATING}}}")]
        if len(shapes) != 1:
            raise StrategyError(f"<Gate> has {len(shapes)} shapes", where=where, code="WORKSPACE_INVALID")
        shape = shapes[0]
        kind = shape.tag.rpartition("}")[2]
        complement = attribute(shape, "eventsInside") == "0"
        try:
            if kind == "RectangleGate":
                return RectangleGate(self._intervals(shape, where), complement=complement)
            if kind == "PolygonGate":
                return self._polygon(shape, complement, where)
            if kind == "EllipsoidGate":
                return self._ellipse(shape, complement, where)
        except StrategyError as error:
            raise StrategyError(error.message, where=error.where or where, hint=error.hint, code=error.code) from error
        raise StrategyError(
            f"gate type '{kind}' is not read",
            where=where,
            hint="draw it in FlowJo as a rectangle, polygon, ellipse or straight quadrant",
            code="GATE_UNKNOWN",
        )

    def _intervals(self, shape: Element, where: str) -> tuple[Interval, ...]:
        intervals = []
        for element in shape.iterfind(f"{{{GATING}}}dimension"):
            dimension = self._dimension(element, where)
            limits = {n: attribute(element, n) for n in ("min", "max")}
            linear = {n: number(v, f"'{n}'", where) for n, v in limits.items() if v is not None and v.strip()}
            if linear.get("min", -math.inf) > linear.get("max", math.inf):
                raise StrategyError(f"'min' is above 'max' on {dimension.name}", where=where, code="GATE_NONSENSE")
            scale = self._transform(dimension)
            low = -math.inf if "min" not in linear else float(_displayed(scale, linear["min"]))
            high = math.inf if "max" not in linear else float(_displayed(scale, linear["max"]))
            intervals.append(Interval(dimension, low, high))
        return tuple(intervals)

    def _polygon(self, shape: Element, complement: bool, where: str) -> PolygonGate:
        dimensions = self._two_dimensions(shape, where)
        vertices = _points(shape, where)
        columns = [_displayed(self._transform(d), vertices[:, i]) for i, d in enumerate(dimensions)]
        return PolygonGate(dimensions, np.column_stack(columns), complement)

    def _ellipse(self, shape: Element, complement: bool, where: str) -> EllipsoidGate:
        """FlowJo gives two foci and four points of the ellipse, the first two on its long axis."""
        dimensions = self._two_dimensions(shape, where)
        foci = _points(_part(shape, "foci", where), where)
        edge = _points(_part(shape, "edge", where), where)
        if len(foci) != 2 or len(edge) != 4:
            raise StrategyError("ellipse needs two foci and four points", where=where, code="GATE_NONSENSE")
        centre = foci.mean(axis=0)
        focal = float(np.linalg.norm(foci[1] - foci[0])) / 2
        half_axes = np.linalg.norm(edge - centre, axis=1)
        # The points of the short axis are rounded to whole channels and unreliable; the foci are not.
        long_axis = float(max(half_axes[:2].mean(), half_axes[2:].mean()))
        if not long_axis > focal:
            raise StrategyError("ellipse has its foci outside", where=where, code="GATE_NONSENSE")
        short_square = long_axis**2 - focal**2
        direction = (foci[1] - foci[0]) / (2 * focal) if focal > 0 else np.array([1.0, 0.0])
        along = np.outer(direction, direction)
        covariance = long_axis**2 * along + short_square * (np.eye(2) - along)
        unit = np.array([self._top(d) / ELLIPSE_CHANNELS for d in dimensions])
        return EllipsoidGate(dimensions, centre * unit, covariance * np.outer(unit, unit), 1.0, complement)

    def _two_dimensions(self, shape: Element, where: str) -> tuple[Dimension, Dimension]:
        found = [self._dimension(e, where) for e in shape.iterfind(f"{{{GATING}}}dimension")]
        if len(found) != 2:
            raise StrategyError(f"gate has {len(found)} dimensions, two are needed", where=where, code="GATE_NONSENSE")
        return found[0], found[1]

    def _dimension(self, element: Element, where: str) -> Dimension:
        named = element.find(f"{{{DATATYPES}}}fcs-dimension")
        parameter = attribute(named, "name") if named is not None else None
        if parameter is None:
            raise StrategyError("dimension without a name", where=where, code="WORKSPACE_INVALID")
        channel, compensation = self.compensation.split(parameter)
        for key in (parameter, channel):
            if key in self.scales.transforms:
                return Dimension(channel, compensation, key)
            if key in self.scales.unusable:
                raise StrategyError(
                    f"gate is on {key}, which cannot be scaled: {self.scales.unusable[key]}",
                    where=where,
                    hint="set the channel to biexponential, logicle, arcsinh, log or linear in FlowJo and save again",
                    code="TRANSFORM_UNKNOWN",
                )
        return Dimension(channel, compensation, None)

    def _transform(self, dimension: Dimension) -> Transform | None:
        return None if dimension.transform is None else self.scales.transforms[dimension.transform]

    def _top(self, dimension: Dimension) -> float:
        """Display value of the last channel of FlowJo's plot."""
        return float(BIEX_CHANNELS) if isinstance(self._transform(dimension), FlowJoBiex) else 1.0


def _displayed(transform: Transform | None, linear: npt.ArrayLike) -> FloatArray:
    return np.asarray(linear, dtype=np.float64) if transform is None else transform.apply(linear)


def _part(shape: Element, name: str, where: str) -> Element:
    part = shape.find(f"{{{GATING}}}{name}")
    if part is None:
        raise StrategyError(f"ellipse has no {name}", where=where, code="WORKSPACE_INVALID")
    return part


def _points(element: Element, where: str) -> FloatArray:
    points = [
        [number(attribute(c, "value") or "", "coordinate", where) for c in vertex.iterfind(f"{{{GATING}}}coordinate")]
        for vertex in element.iterfind(f"{{{GATING}}}vertex")
    ]
    if not points or {len(p) for p in points} != {2}:
        raise StrategyError("vertices need two coordinates", where=where, code="GATE_NONSENSE")
    return np.array(points)


def mark_quadrants(gates: Mapping[str, Gate]) -> dict[str, Gate]:
    """Recognise four siblings that share two thresholds as the quadrants they were drawn as.

    Parameters
    ----------
    gates
        Siblings by name, in order.
    """
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, gate in gates.items():
        if isinstance(gate, RectangleGate) and not gate.complement and len(gate.intervals) == 2:
            corner = [_threshold(i) for i in gate.intervals]
            if None not in corner:
                groups.setdefault((*gate.dimensions, *corner), []).append(name)
    marked = dict(gates)
    for number_, names in enumerate((n for n in groups.values() if len(n) == 4), start=1):
        if len({_side(gates[n]) for n in names}) == 4:
            for name in names:
                gate = marked[name]
                if isinstance(gate, RectangleGate):
                    marked[name] = RectangleGate(gate.intervals, quadrant_of=f"Quadrants {number_}")
    return marked


def _threshold(interval: Interval) -> float | None:
    finite = [v for v in (interval.minimum, interval.maximum) if math.isfinite(v)]
    return finite[0] if len(finite) == 1 else None


def _side(gate: Gate) -> tuple[bool, ...]:
    return tuple(math.isfinite(i.minimum) for i in gate.intervals) if isinstance(gate, RectangleGate) else ()
