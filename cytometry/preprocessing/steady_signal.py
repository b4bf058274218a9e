"""Stretches of a run in which detectors read differently than before and after: bubbles, jumps of a laser, clogs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

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
# Events of a stretch in a lobe, and values among which its parting is looked for.
_FEWEST_IN_LOBE: Final = 20
_LEVELS: Final = 200
# Alone and together with its neighbours: a weak fault shows in a longer stretch.
_WIDTHS: Final = (1, 3, 7)
_MAD: Final = 0.6745
# Spread of the logarithm of a mean square over some ten detectors that vary on their own.
_LEAST_LOG_SPREAD: Final = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class SignalStretches:
    """A run cut into stretches of equally many events.

    Parameters
    ----------
    edges
        Event numbers, one more than stretches.
    means
        Stretches × channels: means of arcsinh values between the 1st and the 99th percentile, in standard deviations
        of single events.
    channels
        ``$PnN`` of the columns of ``means``.
    is_unsteady
        Stretches that differ from the run around them.
    """

    edges: IntArray
    means: FloatArray
    channels: tuple[str, ...]
    is_unsteady: BoolArray

    @property
    def fraction(self) -> float:
        """Share of the events that lies in unsteady stretches."""
        if not self.is_unsteady.size:
            return float("nan")
        return float(np.diff(self.edges)[self.is_unsteady].sum() / max(int(self.edges[-1]), 1))


def signal_stretches(sample: Sample) -> SignalStretches:
    """Find the stretches in which scatter or fluorescence is unlike the run around them.

    A stretch's mean in each channel is held against the running median over a
    third of the run, in robust deviations of such differences. Unsteady is
    where one detector is 6.5 off, or all together are further off than chance
    lets them be. A drift over the whole run moves the median along and is left to
    :func:`~cytometry.preprocessing.quality.acquisition_quality`; runs of fewer
    than 3,000 events are not looked at.
    """
    measured = [c for c in sample.channels if c.kind in ("scatter", "fluorescence")]
    n = min(sample.n_events // _EVENTS, _MOST_STRETCHES)
    if n < FEWEST_STRETCHES or not measured:
        return SignalStretches(np.zeros(1, dtype=np.int64), np.empty((0, 0)), (), np.zeros(0, dtype=np.bool_))
    edges = np.linspace(0, sample.n_events, n + 1).astype(np.int64)
    rows = (edges[:-1, None] + np.diff(edges)[:, None] * np.arange(_EVENTS)[None, :] // _EVENTS).ravel()
    distances, names, drifts = [], [], []
    for channel in measured:
        values = np.asarray(sample.linear_column(channel.index)[rows], dtype=np.float64)
        values = np.arcsinh(np.where(np.isfinite(values), values, 0.0) / COFACTOR)
        ordered = np.sort(values)
        low, high = ordered[int(0.01 * values.size)], ordered[int(0.99 * values.size)]
        if not high > low:
            continue
        cut = np.clip(values, low, high).reshape(n, _EVENTS)
        names.append(channel.name)
        drifts.append(cut.mean(axis=1) / cut.std())
        distances += [d for d in (_lobe(cut, is_lobe) for is_lobe in _lobes(cut, ordered)) if d is not None]
    if not distances:
        return SignalStretches(edges, np.empty((n, 0)), (), np.zeros(n, dtype=np.bool_))
    return SignalStretches(edges, np.column_stack(drifts), tuple(names), _unsteady(np.column_stack(distances)))


def _lobes(values: FloatArray, ordered: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Dim and bright events, parted where the two halves differ most from each other (Otsu 1979)."""
    picked = ordered[:: max(ordered.size // _LEVELS, 1)]
    below = np.arange(1, picked.size)
    sums = np.cumsum(picked)[:-1]
    gap = sums / below - (picked.sum() - sums) / (picked.size - below)
    parting = picked[int(np.argmax(below * (picked.size - below) * gap**2)) + 1]
    is_bright = values >= parting
    return ~is_bright, is_bright


def _lobe(values: FloatArray, is_in: BoolArray) -> FloatArray | None:
    """Mean of each stretch's events of a lobe against the run around it, in standard errors; None for a small lobe.

    A lobe is narrower than the whole channel, so that a shift shows sooner, and
    its mean does not move when the share of bright cells does.
    """
    counts = is_in.sum(axis=1)
    if np.median(counts) < _FEWEST_IN_LOBE:
        return None
    kept = np.where(is_in, values, 0.0)
    means = kept.sum(axis=1) / np.maximum(counts, 1)
    spread = float(np.sqrt(np.maximum((kept**2).sum() / counts.sum() - (kept.sum() / counts.sum()) ** 2, 0.0)))
    if spread == 0:
        return None
    errors = spread / np.sqrt(np.maximum(counts, 1))
    means = np.where(counts >= _FEWEST_IN_LOBE / 4, means, np.median(means))
    rest = (means - _running_median(means, max(2 * int(len(means) * _BASELINE / 2) + 1, 5))) / errors
    return np.asarray(rest / max(float(np.median(np.abs(rest))) / _MAD, 1.0))


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
        spread = max(float(np.median(np.abs(logs - middle))) / _MAD, _LEAST_LOG_SPREAD)
        off = (logs > max(middle, 0.0) + np.log(_ALL)) & (logs - middle > _ALL_SPREADS * spread)
        found |= (off | (np.abs(z).max(axis=1) > _ONE)) & (is_suspect if width > 1 else True)
    # A single steady stretch between two faults is not trusted.
    between = np.flatnonzero(found[:-2] & ~found[1:-1] & found[2:]) + 1
    found[between] = True
    return found


def _running_median(values: FloatArray, width: int) -> FloatArray:
    padded = np.pad(values, width // 2, mode="reflect")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=-1))


def _smoothed(values: FloatArray, width: int) -> FloatArray:
    if width == 1:
        return values
    padded = np.pad(values, ((width // 2, width // 2), (0, 0)), mode="reflect")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).mean(axis=-1))
