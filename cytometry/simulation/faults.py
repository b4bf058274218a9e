"""Faults of an acquisition with known extent, put into a simulated tube."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError
from cytometry.model.sample import Sample
from cytometry.simulation.cytometer import tube_panel
from cytometry.simulation.tubes import SimulatedTube

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
_Fault = Callable[[FloatArray, BoolArray, npt.NDArray[np.int64]], None]

#: A detector fails: share of its signal that is left.
_ONE_DETECTOR = 0.3
#: A surge brings so many times as many events per second.
_SURGE = 4.0


@dataclass(frozen=True, eq=False)
class FaultyTube:
    """A tube whose acquisition went wrong in a stretch.

    Parameters
    ----------
    tube
        As it came from the instrument; composition and truth are unchanged.
    is_faulty
        Events of the stretch. All False for a drift, which has no stretch to leave out.
    """

    tube: SimulatedTube
    is_faulty: BoolArray


def with_fault(tube: SimulatedTube, kind: str, *, start: float, length: float = 0.08) -> FaultyTube:
    """Put a fault into a run.

    Parameters
    ----------
    kind
        One of :data:`FAULTS`. ``none`` changes nothing.
    start, length
        Of the stretch, as shares of the run's events.

    Raises
    ------
    RequestError
        There is no such fault.
    """
    if kind not in FAULTS:
        raise RequestError(f"no fault is called '{kind}'", hint=f"faults: {', '.join(FAULTS)}")
    n = tube.sample.n_events
    stretch = np.zeros(n, dtype=np.bool_)
    stretch[int(start * n) : int((start + length) * n)] = kind not in ("none", "drift")
    raw = np.column_stack([np.asarray(tube.sample.raw_column(c.index), np.float64) for c in tube.sample.channels])
    detectors = np.array([tube.sample.index_of(d) for d in tube_panel(tube.spec.panel).detectors])
    FAULTS[kind](raw, stretch, detectors)
    columns = replace(tube.sample.columns, events=raw.astype(np.float32))  # type: ignore[type-var]
    sample: Sample = replace(tube.sample, columns=columns)
    return FaultyTube(replace(tube, sample=sample), stretch)


def _none(raw: FloatArray, stretch: BoolArray, detectors: npt.NDArray[np.int64]) -> None:
    """Nothing is wrong."""


def _surge(raw: FloatArray, stretch: BoolArray, detectors: npt.NDArray[np.int64]) -> None:
    gaps = np.diff(raw[:, -1], prepend=0.0)
    raw[:, -1] = np.floor(np.cumsum(np.where(stretch, gaps / _SURGE, gaps)))


def _clog(raw: FloatArray, stretch: BoolArray, detectors: npt.NDArray[np.int64]) -> None:
    gaps = np.diff(raw[:, -1], prepend=0.0)
    raw[:, -1] = np.floor(np.cumsum(np.where(stretch, gaps * 5.0, gaps)))
    # A blocked nozzle moves the stream off the laser: less light in every detector, scatter too.
    raw[np.ix_(stretch, np.arange(raw.shape[1] - 1))] *= 0.55


def _all_detectors(left: float) -> _Fault:
    def change(raw: FloatArray, stretch: BoolArray, detectors: npt.NDArray[np.int64]) -> None:
        raw[np.ix_(stretch, detectors)] *= left

    return change


def _one_detector(raw: FloatArray, stretch: BoolArray, detectors: npt.NDArray[np.int64]) -> None:
    raw[np.ix_(stretch, detectors[3:4])] *= _ONE_DETECTOR


def _drift(raw: FloatArray, stretch: BoolArray, detectors: npt.NDArray[np.int64]) -> None:
    raw[:, detectors] *= np.linspace(1.0, 0.75, len(raw))[:, None]


#: What can go wrong: a blocked nozzle, a surge of events, a fall of all fluorescence by 30 or by 15 %, one detector
#: that sees a third, and a slow loss of a quarter of the light over the whole run.
FAULTS: Mapping[str, _Fault] = MappingProxyType(
    {
        "none": _none,
        "clog": _clog,
        "surge": _surge,
        "jump": _all_detectors(0.70),
        "weak jump": _all_detectors(0.85),
        "one detector": _one_detector,
        "drift": _drift,
    }
)
