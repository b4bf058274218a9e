"""Time: runs of events that arrived at a steady rate and with a steady signal."""

from __future__ import annotations

import numpy as np

from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.model.gates import Dimension, EventMaskGate
from cytometry.model.rules import Time
from cytometry.preprocessing.steady_rate import runs_of, steady_rate
from cytometry.preprocessing.steady_signal import signal_stretches


def place_time(rule: Time, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]) -> ShapePosition:
    """Keep the stretches whose rate and signal are those of the run around them.

    Without a Time channel, or where time runs backwards, every event is kept
    with no confidence: a mask could not be told to another program. Where the
    study wants faults reported and not masked, every event is kept too, and
    the confidence is the share that would have been.
    """
    del dimensions
    n = evidence.n_events[0]
    ticks = evidence.tubes[0][:, 0] if evidence.tubes[0].shape[1] else np.empty(0)
    everything = EventMaskGate(((0, n),))
    steady = steady_rate(ticks, rule.spreads)
    if not steady:
        return ShapePosition(everything, (float("nan"),), (float("nan"),), 0.0, "fallback")
    kept = np.zeros(n, dtype=np.bool_)
    for start, stop in steady:
        kept[start:stop] = True
    for sample in evidence.samples:
        stretches = signal_stretches(sample)
        # As for the rate, a stretch begins with the first event of its tick.
        edges = np.append(np.searchsorted(ticks, ticks[stretches.edges[:-1]]), n)
        for k in np.flatnonzero(stretches.is_unsteady):
            kept[edges[k] : edges[k + 1]] = False
    share = float(kept.mean())
    gate = EventMaskGate(runs_of(kept)) if evidence.is_masked and kept.any() else everything
    return ShapePosition(gate, (float(np.median(ticks)),), (0.0,), share)
