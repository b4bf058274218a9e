"""Stretches of a run in which events arrived at a steady rate."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from cytometry.model.normal import NORMAL_MAD

FloatArray = npt.NDArray[np.float64]

# Events per stretch: the rate of 100 exponential gaps has an error of 10 %.
_STRETCH: Final = 100
#: Robust deviations of the logarithm of a stretch's duration beyond which it is unsteady.
USUAL_SPREADS: Final = 5.0

Runs = tuple[tuple[int, int], ...]


def steady_rate(ticks: FloatArray, spreads: float = USUAL_SPREADS) -> Runs | None:
    """Runs of events, ``start <= i < stop``, whose stretches of 100 last about as long as the others.

    Durations are compared as logarithms with their median's robust spread,
    never finer than counting allows. None without usable times: fewer than
    1,000 events, or time that runs backwards or stands still.
    """
    n = ticks.size
    if n < 10 * _STRETCH or not np.isfinite(ticks).all() or (np.diff(ticks) < 0).any() or ticks[-1] <= ticks[0]:
        return None
    edges = np.arange(0, n - _STRETCH + 1, _STRETCH)
    # A run begins with the first event of its tick: so it is also an interval of time, for programs without masks.
    edges = np.unique(np.append(np.searchsorted(ticks, ticks[edges]), n))
    lengths = np.diff(edges)
    # A duration of zero ticks is a burst within one tick; half a tick keeps the logarithm finite.
    resolution = np.diff(np.unique(ticks)).min()
    last = np.minimum(edges[1:], n - 1)
    durations = np.maximum(ticks[last] - ticks[edges[:-1]], 0.5 * resolution) / lengths
    logs = np.log(durations)
    middle = float(np.median(logs))
    spread = max(float(np.median(np.abs(logs - middle))) / NORMAL_MAD, 1.0 / np.sqrt(_STRETCH))
    steady = np.abs(logs - middle) <= spreads * spread
    return runs_of(np.repeat(steady, lengths))


def runs_of(kept: npt.NDArray[np.bool_]) -> Runs:
    """Runs of events that are kept.

    Examples
    --------
    >>> runs_of(np.array([True, True, False, True]))
    ((0, 2), (3, 4))
    """
    padded = np.concatenate([[False], kept, [False]])
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return tuple((int(a), int(b)) for a, b in zip(changes[::2], changes[1::2], strict=True))
