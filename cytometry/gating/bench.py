"""One tube while its gates are being placed: events by population so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cytometry.errors import CytometryError
from cytometry.gating.display_values import DisplayValues
from cytometry.gating.methods.evidence import CutPosition
from cytometry.gating.reference import shape_contains
from cytometry.gating.tubes import FMO, Tube
from cytometry.model.gates import BooleanGate, EventMaskGate, Gate
from cytometry.model.panel import Panel
from cytometry.model.strategy import ROOT
from cytometry.model.transforms import Transform
from cytometry.preprocessing.dimensions import DimensionReader

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(eq=False)
class Bench:
    """Working state of one tube; lives only within one call of ``place``.

    Parameters
    ----------
    rows
        Event numbers by population; None where a population is undefined.
    cuts
        Positions so far, by cut.
    gates
        Gates so far, by population.
    at_stake
        Standard deviation of a shape's count by overlap, as a share of the parent's events, by population.
    outside
        By population and its own cuts: expected number of events beyond the cut that its error would bring in.
    doubts
        By population and what was placed: for each event how likely that gate's error would put it elsewhere, or
        one number for all of them.
    failure
        Why the tube was given up.
    """

    tube: Tube
    panel: Panel
    reader: DimensionReader
    display: DisplayValues
    rows: dict[str, IntArray | None]
    cuts: dict[str, CutPosition] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    at_stake: dict[str, float] = field(default_factory=dict)
    doubts: dict[str, Mapping[str, FloatArray | float]] = field(default_factory=dict)
    outside: dict[str, Mapping[str, float]] = field(default_factory=dict)
    failure: CytometryError | None = None
    _read: dict[str, tuple[str, FloatArray]] = field(default_factory=dict)

    @property
    def omitted(self) -> str | None:
        """The panel's name of the marker that an FMO tube leaves out."""
        if not self.tube.role.startswith(FMO):
            return None
        given = self.tube.role.removeprefix(FMO).strip().casefold()
        for name, marker in self.panel.markers.items():
            if given in (name.casefold(), *(c.casefold() for c in marker.channels)):
                return name
        return None

    def has(self, marker: str) -> bool:
        """Whether the file measures the marker."""
        return marker in self.tube.channel_map

    def values(self, marker: str, population: str) -> FloatArray:
        """Display values of a marker in a population; nothing where it is undefined."""
        rows = self.rows.get(population)
        if rows is None or not self.has(marker):
            return np.empty(0)
        known = self._read.get(marker)
        if known is not None and known[0] == population:
            return known[1]
        lineage = self._lineage(population)
        if known is not None and known[0] in lineage:
            source = self.rows[known[0]]
            assert source is not None  # it has values
            return known[1][np.searchsorted(source, rows)]
        values = self.display.of(self.panel.dimension(marker), rows, lineage)
        self._read[marker] = (population, values)
        return values

    def _lineage(self, population: str) -> tuple[str, ...]:
        template = self.panel.template
        above = template.ancestors(population) if template is not None else ()
        return (*above, ROOT)

    def kept(self, gate: Gate, parent: str) -> npt.NDArray[np.bool_]:
        """Which events of the parent a gate keeps."""
        rows = self.rows[parent]
        assert rows is not None  # callers skip undefined parents
        if isinstance(gate, BooleanGate):
            return self._boolean(gate, rows)
        if isinstance(gate, EventMaskGate):
            mask = np.zeros(self.tube.sample.n_events, dtype=np.bool_)
            for start, stop in gate.kept_runs:
                mask[start:stop] = True
            return np.asarray(mask[rows])
        return shape_contains(gate, [self.values(d.name, parent) for d in gate.dimensions])

    def _boolean(self, gate: BooleanGate, rows: IntArray) -> npt.NDArray[np.bool_]:
        masks = []
        for operand in gate.operands:
            mask = np.zeros(self.tube.sample.n_events, dtype=np.bool_)
            members = self.rows.get(operand.path.rpartition("/")[2])
            mask[members if members is not None else np.empty(0, dtype=np.int64)] = True
            masks.append(mask[rows] != operand.complement)
        if gate.operator == "not":
            return np.asarray(~masks[0])
        combine = np.logical_and if gate.operator == "and" else np.logical_or
        return np.asarray(combine.reduce(masks))


def open_bench(tube: Tube, panel: Panel) -> Bench:
    """Start with every event in the root."""
    reader = DimensionReader(
        tube.sample, tube.channel_map, transforms_for(tube, panel), {}, file_compensation=tube.file_compensation
    )
    return Bench(tube, panel, reader, DisplayValues(reader), {ROOT: np.arange(tube.sample.n_events)})


def transforms_for(tube: Tube, panel: Panel) -> dict[str, Transform]:
    """The panel's scales as transforms of this file; by channel range where the panel says so."""
    transforms: dict[str, Transform] = {}
    for name, marker in panel.markers.items():
        key = panel.scale_key(name)
        if key is None or marker.scale is None:
            continue
        index = tube.channel_map.indices.get(name)
        top = tube.sample.channels[index].linear_top if index is not None else 0.0
        transforms[key] = panel.scales[marker.scale].transform(top if top > 0 else 262144.0)
    return transforms
