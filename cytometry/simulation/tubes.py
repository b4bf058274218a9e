"""One simulated tube: cells drawn, stained, run through the instrument, with the truth of every event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError
from cytometry.model.sample import AS_STORED, ArrayColumns, LinearScale, NumberArray, Rows, Sample
from cytometry.model.spillover import Spillover
from cytometry.simulation.cell_types import ABSENT, CELL_TYPE_NAMES, CELL_TYPES
from cytometry.simulation.cytometer import TIMESTEP_S, TOP, TubePanel, detect, tube_panel
from cytometry.simulation.truth import CLOG, DEAD, DEBRIS, DOUBLET, MARGIN, Truth

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Decimals that are written: events then do not depend on the last bit of a mathematics library.
DECIMALS = 2
#: Degrees of freedom of the t-like spread: real clusters have heavier flanks than a log-normal.
TAIL_DF = 12
#: Share of a marker's spread that a cell's size brings to all of its markers.
SIZE_LOADING = 0.30
#: Markers that fall or rise together along B-cell maturation and activation, and with regulatory function, and how
#: strongly.
MATURATION_LOADING: Mapping[str, float] = MappingProxyType(
    {
        "CD24": 0.5,
        "CD38": 0.5,
        "CD21": 0.4,
        "CXCR5": 0.4,
        "CD11c": -0.4,
        "CD95": -0.4,
        "FoxP3": 0.4,
        "Helios": 0.4,
        "CD25": 0.4,
    }
)
#: Median signal of the viability dye in live and in dead cells, and their spreads in decades.
LIVE_DYE, DEAD_DYE = (170.0, 0.24), (21_000.0, 0.22)


@dataclass(frozen=True)
class Staining:
    """How a tube's staining differs from the reference.

    Parameters
    ----------
    shift
        Marker to a shift of its signal in decades: reagent lot, detector gain, handling.
    spread
        Marker to a factor on its spread.
    """

    shift: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shift", MappingProxyType(dict(self.shift)))
        object.__setattr__(self, "spread", MappingProxyType(dict(self.spread)))


@dataclass(frozen=True)
class TubeSpec:
    """What to simulate.

    Parameters
    ----------
    panel
        ``bcell`` or ``treg``.
    cells
        Cell type to its share of all cells in the tube; must sum to 1.
    n_events
        Events in the file.
    staining
        Shifts and spreads by marker.
    omit
        Marker whose dye is left out: a fluorescence-minus-one tube.
    doublets, debris, dead, margin
        Shares: of events that are two cells or an aggregate, of events that are no cells, of cells that are dead,
        of events off scale.
    clog
        Share of the run during which the flow was blocked; 0 for none.
    events_per_s
        Flow rate outside the clog.
    spillover_error
        Relative error (standard deviation) of each stored spillover coefficient against the true one.
    name
        Label of the sample.
    """

    panel: str
    cells: Mapping[str, float]
    n_events: int = 8_000
    staining: Staining = field(default_factory=Staining)
    omit: str | None = None
    doublets: float = 0.05
    debris: float = 0.08
    dead: float = 0.07
    margin: float = 0.003
    clog: float = 0.0
    events_per_s: float = 350.0
    spillover_error: float = 0.0
    name: str = "simulated"

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", MappingProxyType(dict(self.cells)))
        unknown = sorted(set(self.cells) - set(CELL_TYPE_NAMES))
        if unknown:
            raise RequestError(
                f"no cell type is called {', '.join(unknown)}",
                where=self.name,
                hint=f"types: {', '.join(CELL_TYPE_NAMES)}",
            )
        total = sum(self.cells.values())
        if abs(total - 1.0) > 1e-9 or min(self.cells.values()) < 0:
            raise RequestError(
                f"shares of cell types sum to {total:.6g}", where=self.name, hint="give shares >= 0 that sum to 1"
            )
        if self.omit is not None and self.omit not in tube_panel(self.panel).dyes:
            raise RequestError(
                f"'{self.omit}' is not stained in panel '{self.panel}'",
                where=self.name,
                hint=f"markers: {', '.join(tube_panel(self.panel).dyes)}",
            )


@dataclass(frozen=True, eq=False)
class SimulatedTube:
    """Events as a file would hold them, and what each event is."""

    spec: TubeSpec
    sample: Sample
    truth: Truth


@dataclass(frozen=True, eq=False)
class _TubeColumns(ArrayColumns):
    """Stored events; Time is the last column and counts ticks, as in a file."""

    def linear(self, index: int, rows: Rows | None = None) -> NumberArray:
        column = self.raw(index, rows)
        return column * np.float64(TIMESTEP_S) if index == self.events.shape[1] - 1 else column

    def matrix(self) -> None:
        return None

    def linear_scale(self, index: int) -> LinearScale | None:
        return LinearScale(TIMESTEP_S, 1.0) if index == int(self.events.shape[1]) - 1 else AS_STORED


@dataclass(frozen=True, eq=False)
class _Particles:
    """Cells or events before the detectors: light by dye, background, scatter, and what they are."""

    dyes: FloatArray
    background: FloatArray
    forward: FloatArray
    side: FloatArray
    pulse_ratio: FloatArray
    codes: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]

    def take(self, rows: IntArray | slice) -> _Particles:
        return _Particles(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def join(self, *others: _Particles) -> _Particles:
        parts = (self, *others)
        return _Particles(*(np.concatenate([getattr(p, n) for p in parts]) for n in self.__dataclass_fields__))


def simulate_tube(spec: TubeSpec, rng: np.random.Generator) -> SimulatedTube:
    """Simulate one tube.

    Cells are drawn by their shares, get log-normal (t-flanked) expression and a size that their scatter
    and markers share; a doublet is the sum of two cells with a broader pulse; dyes spill by the panel's matrix,
    photons are counted, electronics add noise, and values are cut at 262,143.

    Parameters
    ----------
    spec
        What to simulate.
    rng
        The only source of chance: the same generator state gives the same bytes.
    """
    panel = tube_panel(spec.panel)
    n_debris = int(rng.binomial(spec.n_events, spec.debris))
    n_doublets = int(rng.binomial(spec.n_events - n_debris, spec.doublets))
    n_single = spec.n_events - n_debris - n_doublets
    cells = _cells(spec, panel, n_single + 2 * n_doublets, rng)
    first = cells.take(slice(n_single, n_single + n_doublets))
    second = cells.take(slice(n_single + n_doublets, None))
    events = cells.take(slice(0, n_single)).join(_doublets(first, second, rng), _debris(spec, panel, n_debris, rng))
    events = events.take(rng.permutation(spec.n_events))
    return _acquire(spec, panel, events, rng)


def _cells(spec: TubeSpec, panel: TubePanel, n: int, rng: np.random.Generator) -> _Particles:
    """Draw n stained cells."""
    shares = np.array([spec.cells.get(name, 0.0) for name in CELL_TYPE_NAMES])
    codes = np.searchsorted(np.cumsum(shares)[:-1], rng.random(n), side="right")
    dead = rng.random(n) < spec.dead
    size = rng.normal(size=n)
    dyes = _stain(spec, panel, codes, size, rng)
    _stain_dead(dyes, panel, dead, rng)
    if spec.omit is not None:
        dyes[:, panel.markers.index(spec.omit)] = 0.0
    traits = np.array([(c.forward, c.side, c.autofluorescence) for c in CELL_TYPES])[codes]
    glow = traits[:, 2] * np.where(dead, 2.2, 1.0) * 10.0 ** (0.06 * size + 0.11 * rng.normal(size=n))
    # Dead cells scatter less forward and more to the side, each to its own degree: a smear, not a cluster.
    shrunk, grainy = rng.normal(-0.20, 0.10, size=n) * dead, rng.normal(0.12, 0.15, size=n) * dead
    forward = traits[:, 0] * 10.0 ** (0.035 * size + 0.03 * rng.normal(size=n) + shrunk)
    side = traits[:, 1] * 10.0 ** (0.03 * size + 0.085 * rng.normal(size=n) + grainy)
    return _Particles(
        dyes=dyes,
        background=glow[:, None] * panel.autofluorescence(),
        forward=forward,
        side=side,
        pulse_ratio=1.0 + 0.022 * rng.normal(size=n) + 0.08 * (forward / 78_000.0 - 1.0),
        codes=codes.astype(np.uint8),
        flags=np.where(dead, DEAD, 0).astype(np.uint8),
    )


def _stain(spec: TubeSpec, panel: TubePanel, codes: IntArray, size: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Cells × dyes: log-normal levels by type, correlated through size and maturation, with heavy flanks."""
    levels = np.array([[c.expression.get(m, ABSENT) for m in panel.markers] for c in CELL_TYPES])
    shift = np.array([spec.staining.shift.get(m, 0.0) for m in panel.markers])
    factor = np.array([spec.staining.spread.get(m, 1.0) for m in panel.markers])
    maturation = np.array([MATURATION_LOADING.get(m, 0.0) for m in panel.markers])
    own = np.sqrt(1.0 - SIZE_LOADING**2 - maturation**2)
    z = rng.standard_normal((codes.size, len(panel.markers))) * own
    z += SIZE_LOADING * size[:, None] + maturation * rng.standard_normal((codes.size, 1))
    z /= np.sqrt(rng.chisquare(TAIL_DF, size=(codes.size, 1)) / TAIL_DF)
    decades = np.log10(levels[:, :, 0])[codes] + shift + levels[:, :, 1][codes] * factor * z
    return np.asarray(10.0**decades)


def _stain_dead(dyes: FloatArray, panel: TubePanel, dead: BoolArray, rng: np.random.Generator) -> None:
    """Fill the viability dye, and let dead cells bind everything unspecifically, in place."""
    column = panel.markers.index("Viability")
    level = np.where(dead, DEAD_DYE[0], LIVE_DYE[0])
    spread = np.where(dead, DEAD_DYE[1], LIVE_DYE[1])
    # One dead cell in ten is only dying: its membrane leaks, the dye is dim.
    level = np.where(dead & (rng.random(dead.size) < 0.1), 3_000.0, level)
    dyes += np.where(dead, 10.0 ** rng.normal(2.2, 0.3, size=dead.size), 0.0)[:, None]
    dyes[:, column] = level * 10.0 ** (spread * rng.normal(size=dead.size))


def _doublets(first: _Particles, second: _Particles, rng: np.random.Generator) -> _Particles:
    """Sums of two cells: twice the area, not twice the height."""
    n = first.codes.size
    # 0: one behind the other (broad pulse); 1: side by side, which pulse shape cannot tell from a large cell.
    overlap = rng.beta(1.1, 4.5, size=n)
    area = first.forward + second.forward
    height = _peak(first.forward / first.pulse_ratio, second.forward / second.pulse_ratio, overlap)
    return _Particles(
        dyes=first.dyes + second.dyes,
        background=first.background + second.background,
        forward=area,
        side=first.side + second.side,
        pulse_ratio=area / height,
        codes=first.codes,
        flags=first.flags | second.flags | np.uint8(DOUBLET),
    )


def _peak(one: FloatArray, other: FloatArray, overlap: FloatArray) -> FloatArray:
    """Height of two pulses that overlap in part."""
    return np.asarray(np.maximum(one, other) + overlap * np.minimum(one, other))


def _debris(spec: TubeSpec, panel: TubePanel, n: int, rng: np.random.Generator) -> _Particles:
    """Fragments and platelets: little scatter, sticky, some stained by the viability dye."""
    sticky = 10.0 ** rng.normal(1.8, 0.35, size=(n, len(panel.markers)))
    sticky[:, panel.markers.index("Viability")] = 10.0 ** rng.normal(2.6, 0.6, size=n)
    if spec.omit is not None:
        sticky[:, panel.markers.index(spec.omit)] = 0.0
    # One in four is a fragment of a cell: larger, and smeared towards the lymphocytes.
    fragment = rng.random(n) < 0.25
    forward = 10.0 ** np.where(fragment, rng.normal(4.5, 0.15, size=n), rng.normal(4.12, 0.17, size=n))
    side = 10.0 ** np.where(fragment, rng.normal(4.45, 0.25, size=n), rng.normal(3.95, 0.25, size=n))
    return _Particles(
        dyes=sticky,
        background=0.4 * 10.0 ** (0.15 * rng.normal(size=n))[:, None] * panel.autofluorescence(),
        forward=forward,
        side=side,
        pulse_ratio=0.93 + 0.05 * rng.normal(size=n),
        codes=np.full(n, DEBRIS, dtype=np.uint8),
        flags=np.zeros(n, dtype=np.uint8),
    )


def _acquire(spec: TubeSpec, panel: TubePanel, events: _Particles, rng: np.random.Generator) -> SimulatedTube:
    """Run events through the instrument in the order in which they arrive."""
    n = spec.n_events
    ticks, clogged = _arrivals(spec, rng)
    matrix = panel.spillover().matrix
    # A blocked nozzle moves the stream off the laser: less light in every detector.
    light = np.where(clogged, 0.55, 1.0)
    fluorescence = detect(events.dyes * light[:, None], events.background * light[:, None], matrix, rng)
    forward, side = events.forward * light, events.side * light
    flags = events.flags | np.where(clogged, CLOG, 0).astype(np.uint8)
    off_scale = rng.random(n) < spec.margin
    # Aggregates: both scatters far beyond the range, and no single cell in any case.
    forward, side = np.where(off_scale, 4 * TOP, forward), np.where(off_scale, 4 * TOP, side)
    flags = flags | np.where(off_scale, MARGIN | DOUBLET, 0).astype(np.uint8)
    columns = [
        *_pulse(forward, events.pulse_ratio, rng),
        *_pulse(side, events.pulse_ratio, rng),
        *fluorescence.T,
        ticks,
    ]
    values = np.round(np.column_stack(columns), DECIMALS).astype(np.float32)
    sample = Sample(
        name=spec.name,
        channels=panel.channels(),
        n_events=n,
        columns=_TubeColumns(values),
        keywords=MappingProxyType({"$TIMESTEP": f"{TIMESTEP_S:g}"}),
        spillover=_stored_spillover(panel, spec.spillover_error, rng),
    )
    return SimulatedTube(spec, sample, Truth(events.codes, flags))


def _arrivals(spec: TubeSpec, rng: np.random.Generator) -> tuple[FloatArray, BoolArray]:
    """Ticks of the Time channel, and which events came while the flow was blocked."""
    n = spec.n_events
    gaps = rng.exponential(1.0 / spec.events_per_s, size=n)
    clogged = np.zeros(n, dtype=bool)
    if spec.clog > 0:
        # Blocked between 50 % and 60 % of the run at a fifth of the rate: few events, a long time.
        start = n // 2
        clogged[start : start + round(spec.clog * n)] = True
        gaps = np.where(clogged, gaps * 5.0, gaps)
    return np.floor(np.cumsum(gaps) / TIMESTEP_S), clogged


def _pulse(area: FloatArray, ratio: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Area, height and width as a digital analyser writes them: width = area / height × 65,536."""
    height = area / (ratio * (1.0 + 0.008 * rng.normal(size=area.size)))
    width = 65_536.0 * area / height
    return np.minimum(area, TOP), np.minimum(height, TOP), np.minimum(width, TOP)


def _stored_spillover(panel: TubePanel, error: float, rng: np.random.Generator) -> Spillover:
    """The matrix that the file claims: the true one, or with errors of estimation."""
    true = panel.spillover()
    if error == 0.0:
        return true
    wrong = true.matrix * (1.0 + error * rng.normal(size=true.matrix.shape))
    np.fill_diagonal(wrong, 1.0)
    return Spillover(true.channels, wrong, source="simulated, with error")
