"""A small invented tube, gated by hand: events that a test can count without the engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.gating.membership import Membership
from cytometry.model.channels import Channel
from cytometry.model.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    EventMaskGate,
    Interval,
    Operand,
    PolygonGate,
    RectangleGate,
)
from cytometry.model.sample import Sample
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.model.transforms import Linear, Logicle
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader

LOGICLE = Logicle()
CUT = 0.5


@dataclass(frozen=True)
class GatedTube:
    """A strategy with the reader and the membership that belong to it."""

    strategy: GatingStrategy
    reader: DimensionReader
    membership: Membership


def gated_tube(n_events: int = 4000, seed: int = 3) -> GatedTube:
    """Scatter, Time, two markers in four corners; masks by plain numpy."""
    rng = np.random.default_rng(seed)
    display = np.column_stack(
        [np.where(rng.random(n_events) < p, 0.3, 0.7) + rng.normal(0, 0.05, n_events) for p in (0.6, 0.4)]
    )
    fsc, ssc = rng.normal(90_000, 9_000, n_events), rng.normal(40_000, 5_000, n_events)
    time = np.arange(n_events) * 0.01
    markers = np.column_stack([LOGICLE.inverse(display[:, k]) for k in (0, 1)])
    events = np.column_stack([fsc, ssc, markers, time])
    names = ("FSC-A", "SSC-A", "B1-A", "B2-A", "Time")
    sample = Sample.from_array(events, tuple(Channel(i, n, range=262144) for i, n in enumerate(names)), name="tube.fcs")
    channels = ChannelMap({"FSC-A": 0, "SSC-A": 1, "CD27": 2, "IgD": 3, "Time": 4})
    strategy = drawn_strategy()
    reader = DimensionReader(sample, channels, strategy.transforms, strategy.compensations)
    return GatedTube(strategy, reader, _membership(n_events, _masks(events, display)))


def drawn_strategy() -> GatingStrategy:
    """A time mask, a polygon, quadrants, a one-axis gate, its complement, an ellipse, and one undefined population."""
    fsc, ssc = Dimension("FSC-A", transform="scatter"), Dimension("SSC-A", transform="scatter")
    cd27, igd = Dimension("CD27", transform="logicle"), Dimension("IgD", transform="logicle")
    polygon = np.array([[60_000, 20_000], [120_000, 20_000], [120_000, 60_000], [60_000, 60_000]]) / 262144
    cells = "root/time_ok/cells"

    def quadrant(x: str, y: str) -> RectangleGate:
        return RectangleGate((_side(cd27, x), _side(igd, y)))

    populations = (
        Population("time_ok", "root", EventMaskGate(((0, 3000), (3200, 4000)))),
        Population("cells", "root/time_ok", PolygonGate((fsc, ssc), polygon)),
        Population("memory", cells, RectangleGate((_side(cd27, "above"),))),
        Population("not_memory", cells, BooleanGate("not", (Operand(f"{cells}/memory"),))),
        Population("naive", cells, quadrant("below", "above")),
        Population("unswitched", cells, quadrant("above", "above")),
        Population("switched", cells, quadrant("above", "below")),
        Population("double_negative", cells, quadrant("below", "below")),
        Population("blob", cells, EllipsoidGate((cd27, igd), np.array([0.3, 0.7]), np.diag([0.05**2, 0.05**2]), 2.0)),
        Population("cxcr5", cells, RectangleGate((_side(Dimension("CXCR5"), "above"),)), optional=True),
    )
    return GatingStrategy("invented", populations, {"logicle": LOGICLE, "scatter": Linear(262144)})


def _side(dimension: Dimension, side: str) -> Interval:
    return Interval(dimension, minimum=CUT) if side == "above" else Interval(dimension, maximum=CUT)


def _masks(events: npt.NDArray[np.float64], display: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.bool_]]:
    number = np.arange(len(events))
    time_ok = (number < 3000) | (number >= 3200)
    fsc, ssc = events[:, 0], events[:, 1]
    cells = time_ok & (fsc >= 60_000) & (fsc < 120_000) & (ssc >= 20_000) & (ssc < 60_000)
    high27, high_igd = display[:, 0] >= CUT, display[:, 1] >= CUT
    distance = ((display[:, 0] - 0.3) / 0.05) ** 2 + ((display[:, 1] - 0.7) / 0.05) ** 2
    inside = {
        "memory": high27,
        "not_memory": ~high27,
        "naive": ~high27 & high_igd,
        "unswitched": high27 & high_igd,
        "switched": high27 & ~high_igd,
        "double_negative": ~high27 & ~high_igd,
        "blob": distance <= 2.0,
    }
    top = {"root/time_ok": time_ok, "root/time_ok/cells": cells}
    return top | {f"root/time_ok/cells/{name}": cells & mask for name, mask in inside.items()}


def _membership(n_events: int, masks: dict[str, npt.NDArray[np.bool_]]) -> Membership:
    missing = "root/time_ok/cells/cxcr5"
    counts: dict[str, int | None] = {path: int(mask.sum()) for path, mask in masks.items()}
    return Membership(
        n_events=n_events,
        paths=(*masks, missing),
        counts=counts | {missing: None},
        bits={path: np.packbits(mask) for path, mask in masks.items()},
        undefined={missing: "no channel measures 'CXCR5'"},
    )
