"""Tubes that no instrument should write: a reason or a flag, never a traceback, and never at another tube's cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube, place
from cytometry.io.panels import load_panel
from cytometry.model.sample import Sample
from cytometry.preprocessing.markers import match_channels
from cytometry.preprocessing.quality import acquisition_quality
from cytometry.simulation.blood import Blood
from cytometry.simulation.tubes import TubeSpec, simulate_tube

Change = Callable[[np.ndarray], np.ndarray]


def _set(columns: slice, value: float, every: int = 1) -> Change:
    def change(events: np.ndarray) -> np.ndarray:
        events[::every, columns] = value
        return events

    return change


def _backwards(events: np.ndarray) -> np.ndarray:
    events[:, -1] = events[::-1, -1]
    return events


CHANGES: dict[str, Change] = {
    "all zero": _set(slice(None), 0.0),
    "all off scale": _set(slice(None), 262143.0),
    "no fluorescence": _set(slice(6, -1), 0.0),
    "negative scatter": _set(slice(0, 6), -1.0),
    "a third not numbers": _set(slice(None), np.nan, 3),
    "a third infinite": _set(slice(None), np.inf, 3),
    "no number at all": _set(slice(None), np.nan),
    "no time": _set(slice(-1, None), 0.0),
    "time backwards": _backwards,
    "no events": lambda events: events[:0],
    "one event": lambda events: events[:1],
    "sixty events": lambda events: events[:60],
    "forty events a hundred times": lambda events: np.repeat(events[:40], 100, axis=0),
    "a thousandth of the signal": lambda events: events * 1e-3,
    "a thousand times the signal": lambda events: events * 1e3,
}


@pytest.fixture(scope="module")
def good() -> Sample:
    return simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=3_000), np.random.default_rng(8)).sample


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_odd_tube_is_gated_or_refused_and_leaves_the_other_alone(good: Sample, change: Change) -> None:
    panel = load_panel("bcell_v1")
    odd = Sample.from_array(change(good.linear()), good.channels, name="odd", spillover=good.spillover)
    channels = match_channels(odd, panel).channel_map
    placement = place(panel, [Tube("odd", odd, channels, "A", "1"), Tube("good", good, channels, "B", "1")])
    assert "good" in placement.strategies
    if "odd" in placement.failed:
        assert placement.failed["odd"].code in {"GATE_NO_EVENTS", "GATE_NOT_PLACED"}
    else:
        membership = gate_sample(placement.strategies["odd"], odd, channels)
        counts = {p: membership.count(p) for p in membership.paths}
        assert all(c is not None and c >= 0 for c in counts.values())
    assert acquisition_quality(odd).n_events == odd.n_events
