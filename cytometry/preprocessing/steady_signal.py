"""Stretches of a run in which detectors read differently than before and after: bubbles, jumps of a laser, clogs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cytometry.model.normal import NORMAL_MAD
from cytometry.model.sample import Sample

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

# Equal numbers of events per stretch; of a long stretch so many are read, evenly spaced.
_EVENTS: Final = 250
_MOST_STRETCHES: Final = 120
# With fewer stretches there is no before and after.
FEWEST_STRETCHES: Final = 12
# Linear values are compared on an arcsinh scale: this is about where noise ends on a 262,144-channel instrument.
COFACTOR: Final = 150.0
# A slow drift is followed by the running median over a third of the run, and so is not masked: it is reported.
_BASELINE: Final = 1 / 3
# One detector, in spreads of its stretches; all together, mean square in such spreads and in its own.
_ONE: Final = 6.5
_ALL: Final = 2.2
_ALL_SPREADS: Final = 4.0
# Mean square, over the usual one, from which a stretch counts together with its neighbours.
_OWN: Final = 1.5
# Events of a stretch in a lobe, and values of a channel from which percentiles and parting are read.
_FEWEST_IN_LOBE: Final = 20
_READ: Final = 2_000
# Alone and together with its neighbours: a weak fault shows in a longer stretch.
_WIDTHS: Final = (1, 3, 7)
# Spread of the logarithm of a mean square over some ten detectors that vary on their own.
_LEAST_LOG_SPREAD: Final = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class SignalStretches:
    """A run cut into stretches of equally many events.

    Parameters
    ----------
    edges
        Event numbers, one more than stretches.
    is_unsteady
        Stretches that differ from the run around them.
    """

    edges: IntArray
    is_unsteady: BoolArray

    @property
    def fraction(self) -> float:
        """Share of the events that lies in unsteady stretches."""
        if not self.is_unsteady.size:
            return float("nan")
        return float(np.diff(self.edges)[self.is_unsteady].sum() / max(int(self.edges[-1]), 1))


def signal_stretches(sample: Sample) -> SignalStretches:
    """Find the stretches in which scatter or fluorescence is unlike the run around them.

    The means of a stretch's dim and bright events in each channel are held
    against the running median over a third of the run, in robust deviations of
    such differences. Unsteady is where one of them is 6.5 off, or all together
    are further off than chance lets them be. A drift over the whole run moves the median along and is left to
    :func:`~cytometry.preprocessing.quality.acquisition_quality`; runs of fewer
    than 3,000 events are not looked at.
    """
    measured = [c for c in sample.channels if c.kind in ("scatter", "fluorescence")]
    n = min(sample.n_events // _EVENTS, _MOST_STRETCHES)
    if n < FEWEST_STRETCHES or not measured:
        return SignalStretches(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.bool_))
    edges = np.linspace(0, sample.n_events, n + 1).astype(np.int64)
    rows = (edges[:-1, None] + np.diff(edges)[:, None] * np.arange(_EVENTS)[None, :] // _EVENTS).ravel()
    lobes = [lobe for c in measured for lobe in lobes_of(np.asarray(sample.linear_column(c.index)[rows]), n)]
    if not lobes:
        return SignalStretches(edges, np.zeros(n, dtype=np.bool_))
    means = np.column_stack([lobe.means for lobe in lobes])
    errors = np.column_stack([lobe.spread / np.sqrt(np.maximum(lobe.counts, 1)) for lobe in lobes])
    rest = (means - _running_median(means, max(2 * int(n * _BASELINE / 2) + 1, 5))) / errors
    return SignalStretches(edges, _unsteady(rest / np.maximum(np.median(np.abs(rest), axis=0) / NORMAL_MAD, 1.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Lobe:
    """The dim or the bright events of a channel: mean and number in each stretch, and spread of single events."""

    means: FloatArray
    counts: IntArray
    spread: float


def lobes_of(linear: npt.NDArray[np.number], n: int) -> tuple[Lobe, ...]:
    """Means of each stretch's dim and of its bright events on the arcsinh scale; small lobes are left out.

    A lobe is narrower than the whole channel, so that a shift shows sooner, and
    its mean does not move when the share of bright cells does. They part where
    the two halves differ most from each other (Otsu 1979), read from some of
    the values; values are cut at the 1st and 99th percentile.

    Parameters
    ----------
    linear
        A channel's values in order of acquisition: ``n`` stretches of equally many.
    """
    values = np.asarray(linear, dtype=np.float32)
    values = np.arcsinh(np.where(np.isfinite(values), values, np.float32(0)) / np.float32(COFACTOR))
    ordered = np.sort(values[:: max(values.size // _READ, 1)]).astype(np.float64)
    ordered = ordered[int(0.01 * ordered.size) : int(0.99 * ordered.size) + 1]
    if not ordered[-1] > ordered[0]:
        return ()
    below = np.arange(1, ordered.size)
    sums = np.cumsum(ordered)
    gap = sums[:-1] / below - (sums[-1] - sums[:-1]) / (ordered.size - below)
    parting = ordered[int(np.argmax(below * (ordered.size - below) * gap**2)) + 1]
    cut = np.clip(values, np.float32(ordered[0]), np.float32(ordered[-1])).reshape(n, -1)
    is_bright = cut >= np.float32(parting)
    kept = np.where(is_bright, cut, np.float32(0))
    bright = (is_bright.sum(axis=1), kept.sum(axis=1, dtype=np.float64), (kept**2).sum(dtype=np.float64))
    dim = (
        cut.shape[1] - bright[0],
        cut.sum(axis=1, dtype=np.float64) - bright[1],
        (cut**2).sum(dtype=np.float64) - bright[2],
    )
    found = []
    for counts, totals, squares in (dim, bright):
        if np.median(counts) >= _FEWEST_IN_LOBE:
            variance = float(squares) / counts.sum() - (totals.sum() / counts.sum()) ** 2
            means = totals / np.maximum(counts, 1)
            means = np.where(counts >= _FEWEST_IN_LOBE / 4, means, np.median(means))
            if variance > 0:
                found.append(Lobe(means, counts, float(np.sqrt(variance))))
    return tuple(found)


def _unsteady(distances: FloatArray) -> BoolArray:
    """Stretches that are off in one lobe, or in all together by more than chance."""
    found = np.zeros(len(distances), dtype=np.bool_)
    own = (distances**2).mean(axis=1)
    # A steady stretch beside a strong fault is off only together with it.
    is_suspect = (own > _OWN * max(float(np.median(own)), 1.0)) | (np.abs(distances).max(axis=1) > _ONE / 2)
    for width in _WIDTHS:
        z = _smoothed(distances, width) * np.sqrt(width)
        logs = np.log(np.maximum((z**2).mean(axis=1), 1e-12))
        middle = float(np.median(logs))
        spread = max(float(np.median(np.abs(logs - middle))) / NORMAL_MAD, _LEAST_LOG_SPREAD)
        off = (logs > max(middle, 0.0) + np.log(_ALL)) & (logs - middle > _ALL_SPREADS * spread)
        found |= (off | (np.abs(z).max(axis=1) > _ONE)) & (is_suspect if width > 1 else True)
    # A single steady stretch between two faults is not trusted.
    between = np.flatnonzero(found[:-2] & ~found[1:-1] & found[2:]) + 1
    found[between] = True
    return found


def _running_median(values: FloatArray, width: int) -> FloatArray:
    padded = np.pad(values, ((width // 2, width // 2), (0, 0)), mode="reflect")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width, axis=0), axis=-1))


def _smoothed(values: FloatArray, width: int) -> FloatArray:
    if width == 1:
        return values
    padded = np.pad(values, ((width // 2, width // 2), (0, 0)), mode="reflect")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).mean(axis=-1))
