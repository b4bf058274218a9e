"""A sample and a strategy in which every kind of gate, scale and compensation occurs."""

from __future__ import annotations

import numpy as np

from cytometry.model.channels import Channel
from cytometry.model.flowjo_transforms import FlowJoBiex, FlowJoLinear, FlowJoLog
from cytometry.model.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    EventMaskGate,
    Gate,
    Interval,
    Operand,
    PolygonGate,
    RatioDimension,
    RectangleGate,
)
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population, join_path
from cytometry.model.transforms import Asinh, Bounded, Hyperlog, Linear, Log, Logicle

NAMES = ("Time", "FSC-A", "SSC-A", "FL1-A", "FL2-A", "FL3-A", "FL4-A")
MATRIX = Spillover(
    ("FL1-A", "FL2-A", "FL3-A"), np.array([[1.0, 0.1, 0.02], [0.05, 1.0, 0.2], [0.0, 0.07, 1.0]]), "test"
)


def sample_of(n_events: int = 20_000, seed: int = 1, dtype: str = "<f4", spare: int = 0) -> Sample:
    """Two clouds per dye, negative values, exact zeros, and rising time.

    Between the second dye and the third stand ``spare`` channels that are not a
    number anywhere: an event is not taken in where they leak into a sum.
    """
    rng = np.random.default_rng(seed)
    events = np.empty((n_events, len(NAMES)))
    events[:, 0] = np.sort(rng.integers(0, 5_000, n_events))
    events[:, 1:3] = np.exp(rng.normal(10.5, 0.5, (n_events, 2)))
    bright = rng.random((n_events, 4)) < 0.4
    events[:, 3:] = np.where(bright, np.exp(rng.normal(8.5, 0.8, (n_events, 4))), rng.normal(20, 120, (n_events, 4)))
    events[rng.random(events.shape) < 0.01] = 0.0
    events = np.insert(events, [5] * spare, np.nan, axis=1)
    names = (*NAMES[:5], *(f"spare {i}" for i in range(spare)), *NAMES[5:])
    channels = tuple(Channel(i, n, range=262144.0) for i, n in enumerate(names))
    return Sample.from_array(events.astype(dtype), channels, spillover=MATRIX)


SCALES = {
    "logicle": Logicle(262144, 0.7, 4.5, 0.2),
    "hyperlog": Hyperlog(262144, 0.6, 4.5, 0.0),
    "asinh": Asinh(262144, 4.0, 0.5),
    "log": Log(262144, 5),
    "linear": Linear(262144, 100),
    "bounded": Bounded(Logicle(262144, 0.5, 4.5, 0), 0.25, 0.7),
    "biex": FlowJoBiex(0.5, -50, 4.4, 262144),
    "flowjo log": FlowJoLog(10, 4.5),
    "flowjo linear": FlowJoLinear(-100, 262144),
}

_PENTAGON = np.array([(0.3, 0.2), (0.7, 0.15), (0.95, 0.6), (0.6, 0.95), (0.2, 0.6)])
_BOW_TIE = np.array([(0.2, 0.2), (0.9, 0.9), (0.9, 0.2), (0.2, 0.9)])


def strategy_of() -> GatingStrategy:
    """Forty populations, five levels deep."""
    populations: list[Population] = []

    def add(name: str, parent: str, gate: Gate) -> str:
        populations.append(Population(name, parent, gate))
        return join_path(parent, name)

    kept = add("time_ok", ROOT, EventMaskGate(((100, 9_000), (9_500, 19_990))))
    cells = add(
        "cells", kept, PolygonGate((Dimension("FSC-A"), Dimension("SSC-A")), 1e5 * _PENTAGON + np.array([0, -1e4]))
    )
    dyes = ("FL1-A", "FL2-A", "FL3-A", "FL4-A")
    for i, key in enumerate(SCALES):
        for compensation in ("uncompensated", "FCS", "matrix"):
            x = Dimension(dyes[i % 4], compensation, key)
            y = Dimension(dyes[(i + 1) % 4], compensation, key)
            height = 4096.0 if key == "biex" else 1.0
            name = f"{key} {compensation}"
            parent = add(f"{name} polygon", cells, PolygonGate((x, y), height * (_BOW_TIE if i % 2 else _PENTAGON)))
            add(f"{name} range", parent, RectangleGate((Interval(x, minimum=0.45 * height),)))
            add(f"{name} below", cells, RectangleGate((Interval(x, maximum=0.45 * height),)))
            add(
                f"{name} box", cells, RectangleGate((Interval(x, 0.2 * height, 0.6 * height), Interval(y, 0.1, height)))
            )
            covariance = height**2 * np.array([[0.05, 0.01], [0.01, 0.03]])
            add(f"{name} ellipse", cells, EllipsoidGate((x, y), height * np.array([0.5, 0.4]), covariance, 1.5))
    first = add(
        "not logicle",
        cells,
        PolygonGate(
            (Dimension("FL1-A", "FCS", "logicle"), Dimension("FSC-A")),
            [(0.1, 1e3), (0.6, 1e3), (0.5, 2e5)],
            complement=True,
        ),
    )
    add("ratio", cells, RectangleGate((Interval(RatioDimension("FL1-A", "FL2-A", 2.0, -10, -400, "FCS"), 0.1, 1.0),)))
    add(
        "log ratio",
        cells,
        RectangleGate((Interval(RatioDimension("FL1-A", "FSC-A", 1.0, 0, 0, "FCS", "log", 1e-4, 10), minimum=-0.2),)),
    )
    add("or", cells, BooleanGate("or", (Operand(first), Operand(join_path(cells, "ratio"), complement=True))))
    add("and", kept, BooleanGate("and", (Operand(cells, complement=True), Operand(kept))))
    add("not", ROOT, BooleanGate("not", (Operand(cells),)))
    box = Dimension("FL1-A", "FCS", "logicle"), Dimension("FL2-A", "FCS", "asinh"), Dimension("FSC-A")
    add("3-D", cells, EllipsoidGate(box, [0.4, 0.6, 4e4], np.diag([0.1, 0.1, 1e9]), 1.0))
    return GatingStrategy("everything", tuple(populations), SCALES, {"matrix": MATRIX})
