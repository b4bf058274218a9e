"""From a placed strategy to drawn gates for other tubes."""

from __future__ import annotations

from dataclasses import replace

from cytometry.model.gates import UNCOMPENSATED, Dimension, EventMaskGate, Interval, RectangleGate
from cytometry.model.panel import Panel
from cytometry.model.strategy import GatingStrategy


def frozen_strategy(strategy: GatingStrategy, panel: Panel, name: str) -> GatingStrategy:
    """Turn what belongs to one tube's acquisition into gates that fit any tube.

    Event masks (which events of *this* file came at a steady rate) become a
    Time gate that keeps every event; everything else stays where it was placed.
    """
    times = [m for m, marker in panel.markers.items() if marker.kind == "time"]
    time = Dimension(times[0] if times else "Time", UNCOMPENSATED)
    populations = tuple(
        replace(p, gate=RectangleGate((Interval(time, minimum=0.0),))) if isinstance(p.gate, EventMaskGate) else p
        for p in strategy.populations
    )
    return GatingStrategy(name, populations, strategy.transforms, strategy.compensations)
