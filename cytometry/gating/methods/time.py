"""Time: runs of events that arrived at a steady rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.model.gates import Dimension, EventMaskGate
from cytometry.model.rules import Time

FloatArray = npt.NDArray[np.float64]

_MAD = 0.6745
# Events per stretch: the rate of 100 exponential gaps has an error of 10 %.
_STRETCH = 100


def place_time(rule: Time, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]) -> ShapePosition:
    """Keep the stretches of 100 events whose duration is not an outlier.

    Durations are compared as logarithms with their running median's robust
    spread, never finer than counting allows. Without a Time channel, or where
    time runs backwards, every event is kept with no confidence.
    """
    del dimensions
    n = evidence.n_events[0]
    ticks = evidence.tubes[0][:, 0] if evidence.tubes[0].shape[1] else np.empty(0)
    everything = ShapePosition(EventMaskGate(((0, n),)), (float("nan"),), (float("nan"),), 0.0, "fallback")
    if (
        ticks.size < 10 * _STRETCH
        or not np.isfinite(ticks).all()
        or (np.diff(ticks) < 0).any()
        or ticks[-1] <= ticks[0]
    ):
        return everything
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
    spread = max(float(np.median(np.abs(logs - middle))) / _MAD, 1.0 / np.sqrt(_STRETCH))
    steady = np.abs(logs - middle) <= rule.spreads * spread
    runs = _runs(edges, steady)
    if not runs:
        return everything
    kept = sum(stop - start for start, stop in runs) / n
    return ShapePosition(EventMaskGate(runs), (float(np.median(ticks)),), (0.0,), float(kept))


def _runs(edges: npt.NDArray[np.int64], steady: npt.NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    padded = np.concatenate([[False], steady, [False]])
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return tuple((int(edges[a]), int(edges[b])) for a, b in zip(changes[::2], changes[1::2], strict=True))
