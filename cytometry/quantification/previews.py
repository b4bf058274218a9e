"""What the report shows of each gate: the parent's events as a small histogram, and the outlines on it.

Events end here: a picture keeps counts per bin, never an event.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cytometry.gating.membership import Membership
from cytometry.model.gates import AnyDimension, BooleanGate, Dimension, EventMaskGate, Gate, RectangleGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.preprocessing.dimensions import DimensionReader
from cytometry.quantification.preview_axes import PreviewAxis, make_axis
from cytometry.quantification.preview_outlines import gate_outlines

if TYPE_CHECKING:
    from cytometry.model.placement import PlacedCut

FloatArray = npt.NDArray[np.float64]

# Fine enough for a picture of 150 px, small enough for thousands of them in one page.
BINS = 96
EVENT_NUMBER = "event number"


@dataclass(frozen=True, slots=True)
class PreviewThreshold:
    """Where a boundary lies and what decided it.

    Parameters
    ----------
    name
        Of the cut, which several populations may share, or of the population.
    dimension
        Marker.
    value, linear_value
        On the display and on the linear scale; NaN where the gate is no single number.
    source
        ``data``, ``fmo``, ``control``, ``fallback``, ``override`` or ``drawn``.
    method, scope
        As the template and the placing say.
    uncertainty
        Standard deviation on the display scale, NaN where not estimated.
    confidence
        0 to 1 as the placing gives it, NaN for a drawn gate.
    flags
        Codes of what a reader should know.
    """

    name: str
    dimension: str
    value: float
    linear_value: float
    source: str
    method: str = ""
    scope: str = ""
    uncertainty: float = float("nan")
    confidence: float = float("nan")
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class PreviewGate:
    """One population on the picture.

    Parameters
    ----------
    path, name, label
        Of the population.
    count
        Its events.
    outlines
        Polygons on the display scale, infinite where open; none for a boolean gate.
    thresholds
        Its boundaries and their sources.
    """

    path: str
    name: str
    label: str
    count: int
    outlines: tuple[FloatArray, ...]
    thresholds: tuple[PreviewThreshold, ...]


@dataclass(frozen=True, eq=False, slots=True)
class GatePreview:
    """A parent's events on two axes and the gates that siblings have there.

    ``histogram[i, j]`` counts events in bin i of x and j of y;
    ``histogram.sum() + outside == parent_count`` always.
    """

    parent_path: str
    parent_count: int
    x: PreviewAxis
    y: PreviewAxis
    histogram: npt.NDArray[np.unsignedinteger]
    outside: int
    gates: tuple[PreviewGate, ...]

    @property
    def key(self) -> str:
        """Same for the same gate of another sample."""
        return " + ".join([self.parent_path, self.x.name, self.y.name, *(g.path for g in self.gates)])


def gate_previews(
    strategy: GatingStrategy,
    reader: DimensionReader,
    membership: Membership,
    cuts: Sequence[PlacedCut] = (),
) -> tuple[GatePreview, ...]:
    """Draw every gate of one sample as a picture's numbers, in tree order.

    Siblings on the same axes share a picture; a boolean gate stands on its
    first operand's. A gate on one axis gets side scatter, a sibling's marker or
    the event number as the second. A gate on more than two dimensions is shown
    as projections, two axes at a time.

    Parameters
    ----------
    strategy
        As applied to the sample.
    reader
        Of the sample's display values.
    membership
        The engine's answer.
    cuts
        Placed boundaries of this sample. A boundary that none of them explains
        is ``drawn``.
    """
    tube = _Tube(strategy, reader, membership, tuple(cuts))
    axes = _SecondAxes(strategy, reader)
    return tuple(
        _picture(tube, parent_path, pair, populations)
        for (parent_path, pair), populations in _pictures(strategy, membership, axes).items()
    )


@dataclass(frozen=True, slots=True)
class _Tube:
    """What every picture of one sample needs."""

    strategy: GatingStrategy
    reader: DimensionReader
    membership: Membership
    cuts: tuple[PlacedCut, ...]

    def along(self, dimension: AnyDimension | None, rows: npt.NDArray[np.integer] | None) -> FloatArray:
        """Values on an axis; the event number where there is no dimension."""
        if dimension is not None:
            return self.reader.values(dimension, rows)
        return np.arange(self.reader.sample.n_events, dtype=np.float64) if rows is None else rows.astype(np.float64)


_Axes = tuple[AnyDimension | None, AnyDimension | None]


def _pictures(
    strategy: GatingStrategy, membership: Membership, axes: _SecondAxes
) -> dict[tuple[str, _Axes], list[Population]]:
    """Group siblings by axes, in tree order. None as an axis is the event number."""
    grouped: dict[tuple[str, _Axes], list[Population]] = {}
    for population in strategy.populations:
        if membership.count(population.path) is None:
            continue
        for pair in _axis_pairs(strategy, population, axes):
            same = next(
                (k for k in grouped if k[0] == population.parent_path and set(k[1]) == set(pair)),
                (population.parent_path, pair),
            )
            grouped.setdefault(same, []).append(population)
    return grouped


def _axis_pairs(strategy: GatingStrategy, population: Population, axes: _SecondAxes) -> list[_Axes]:
    dimensions = _own_dimensions(strategy, population.gate)
    if isinstance(population.gate, EventMaskGate):
        time = axes.time()
        return [(time, axes.beside(time, population))]
    if not dimensions:
        return [(axes.beside(None, population), None)]
    if len(dimensions) == 1:
        return [(dimensions[0], axes.beside(dimensions[0], population))]
    pairs: list[_Axes] = [(dimensions[i], dimensions[i + 1]) for i in range(0, len(dimensions) - 1, 2)]
    if len(dimensions) % 2:
        pairs.append((dimensions[-1], dimensions[0]))
    return pairs


def _own_dimensions(strategy: GatingStrategy, gate: Gate) -> tuple[AnyDimension, ...]:
    """Distinct axes of a gate; a boolean gate takes those of its first operand."""
    seen: set[str] = set()
    while isinstance(gate, BooleanGate):
        path = gate.operands[0].path
        if path in seen:
            return ()
        seen.add(path)
        gate = strategy[path].gate
    return tuple(dict.fromkeys(gate.dimensions))


@dataclass(frozen=True, slots=True)
class _SecondAxes:
    """Finds a natural second axis for a gate that has only one."""

    strategy: GatingStrategy
    reader: DimensionReader

    def time(self) -> AnyDimension | None:
        """Time, if it rises from event to event: only then is a run of events an interval of it."""
        dimension = self._by_kind("time", "")
        if dimension is None:
            return None
        values = self.reader.values(dimension)
        return dimension if bool((np.diff(values) >= 0).all()) else None

    def beside(self, first: AnyDimension | None, population: Population) -> AnyDimension | None:
        siblings = [
            d
            for p in self.strategy.populations
            if p.parent_path == population.parent_path and not isinstance(p.gate, BooleanGate)
            for d in p.gate.dimensions
        ]
        every = [d for p in self.strategy.populations for d in p.gate.dimensions]
        candidates = [self._by_kind("scatter", "SSC"), self._by_kind("scatter", "FSC"), *siblings, *every]
        for dimension in candidates:
            if dimension is not None and (first is None or dimension.name != first.name) and self._is_there(dimension):
                return dimension
        return None

    def _is_there(self, dimension: AnyDimension) -> bool:
        return not isinstance(dimension, Dimension) or dimension.name in self.reader.channel_map

    def _by_kind(self, kind: str, prefix: str) -> AnyDimension | None:
        """The strategy's own dimension on such a channel, else the channel itself where the map has its name."""
        used = [d for p in self.strategy.populations for d in p.gate.dimensions if isinstance(d, Dimension)]
        plain = [Dimension(c.name) for c in self.reader.sample.channels]
        for dimension in [*used, *plain]:
            if dimension.name not in self.reader.channel_map:
                continue
            channel = self.reader.sample.channels[self.reader.channel_map.indices[dimension.name]]
            if channel.kind == kind and channel.name.upper().startswith(prefix) and not _is_height(channel.name):
                return dimension
        return None


def _is_height(name: str) -> bool:
    return name.upper().endswith(("-H", "-W"))


def _picture(tube: _Tube, parent_path: str, pair: _Axes, populations: list[Population]) -> GatePreview:
    whole = parent_path == ROOT
    rows = None if whole else tube.membership.indices(parent_path)
    along = [tube.along(dimension, rows) for dimension in pair]
    masked = any(isinstance(p.gate, EventMaskGate) for p in populations)
    positions = tube.along(pair[0], None) if masked else None
    outlines = {p.path: gate_outlines(p.gate, *pair, positions) for p in populations}
    corners = np.concatenate([v for polygons in outlines.values() for v in polygons] or [np.empty((0, 2))])
    axes = [
        make_axis(
            dimension.name if dimension else EVENT_NUMBER,
            tube.strategy.transforms[dimension.transform] if dimension and dimension.transform else None,
            along[k],
            corners[:, k].tolist(),
        )
        for k, dimension in enumerate(pair)
    ]
    histogram, outside = _histogram(along[0], along[1], axes[0], axes[1])
    gates = tuple(
        PreviewGate(
            path=p.path,
            name=p.name,
            label=p.label or p.name,
            count=tube.membership.count(p.path) or 0,
            outlines=outlines[p.path],
            thresholds=_thresholds(tube, p),
        )
        for p in populations
    )
    return GatePreview(parent_path, len(along[0]), axes[0], axes[1], histogram, outside, gates)


def _histogram(
    x_values: FloatArray, y_values: FloatArray, x: PreviewAxis, y: PreviewAxis
) -> tuple[npt.NDArray[np.unsignedinteger], int]:
    with np.errstate(invalid="ignore"):
        i = np.floor((x_values - x.minimum) * (BINS / (x.maximum - x.minimum)))
        j = np.floor((y_values - y.minimum) * (BINS / (y.maximum - y.minimum)))
        # NaN and infinite values compare false or fall outside: they are counted, not drawn.
        inside = (i >= 0) & (i < BINS) & (j >= 0) & (j < BINS)
    flat = i[inside].astype(np.int64) * BINS + j[inside].astype(np.int64)
    counts = np.bincount(flat, minlength=BINS * BINS).reshape(BINS, BINS)
    kind = np.min_scalar_type(int(counts.max(initial=0)))
    histogram = counts.astype(kind)
    histogram.setflags(write=False)
    return histogram, int(x_values.size - np.count_nonzero(inside))


def _thresholds(tube: _Tube, population: Population) -> tuple[PreviewThreshold, ...]:
    """The population's boundaries, explained by the placed cut at the same place where there is one."""
    gate = population.gate
    if not isinstance(gate, RectangleGate):
        own = (c for c in tube.cuts if c.kind == "shape" and c.name == population.name)
        placed = tuple(replace(_threshold(c), value=math.nan, linear_value=math.nan) for c in own)
        drawn = PreviewThreshold(population.name, " × ".join(d.name for d in gate.dimensions), np.nan, np.nan, "drawn")
        return placed or ((drawn,) if gate.dimensions else ())
    return tuple(
        _explained(tube, population, interval.dimension, float(bound))
        for interval in gate.intervals
        for bound in (interval.minimum, interval.maximum)
        if np.isfinite(bound)
    )


def _explained(tube: _Tube, population: Population, dimension: AnyDimension, bound: float) -> PreviewThreshold:
    near = 1e-9 * max(1.0, abs(bound))
    here = [c for c in tube.cuts if c.dimension == dimension.name and abs(c.value - bound) <= near]
    own = [c for c in here if population.name in c.populations]
    if here:
        return _threshold((own or here)[0])
    key = dimension.transform
    linear = bound if key is None else float(tube.strategy.transforms[key].inverse(np.array([bound]))[0])
    return PreviewThreshold(population.name, dimension.name, bound, linear, "drawn")


def _threshold(cut: PlacedCut) -> PreviewThreshold:
    return PreviewThreshold(
        name=cut.name,
        dimension=cut.dimension,
        value=cut.value,
        linear_value=cut.value_linear,
        source=cut.source,
        method=cut.method,
        scope=cut.scope,
        uncertainty=cut.uncertainty_sd,
        confidence=cut.confidence,
        flags=cut.flags,
    )
