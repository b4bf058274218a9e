"""Scales, compensation and gates against closed forms; the engine against its reference and FlowKit, event by event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cytometry.gating.engine import gate_sample
from cytometry.gating.membership import Membership
from cytometry.gating.reference import gate_rows
from cytometry.io.fcs.read import read_fcs
from cytometry.io.fcs.write import write_fcs
from cytometry.io.flowjo import read_workspace
from cytometry.io.gatingml import read_gatingml, write_gatingml
from cytometry.model.channels import Channel
from cytometry.model.claims import Claim
from cytometry.model.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    Interval,
    Operand,
    PolygonGate,
    RatioDimension,
    RectangleGate,
)
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.transforms import Asinh, Hyperlog, Logicle
from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name

AREA: Final = "gating"
_TOP: Final = 262144.0
_DYES: Final = ("FL1-A", "FL2-A", "FL3-A")
_MATRIX: Final = ((1.0, 0.2, 0.05), (0.1, 1.0, 0.3), (0.0, 0.15, 1.0))


def gating_claims(folder: Path) -> Iterator[Claim]:
    """Scales, compensation, shapes; then all kinds of gates on one file."""
    yield from _scales()
    yield from _compensation()
    yield from _shapes()
    yield from _engines(folder)


def _scales() -> Iterator[Claim]:
    scale = Logicle(_TOP, 0.7, 4.5, 0.3)
    closed = "closed form, Moore and Parks 2012"
    yield Claim(AREA, "logicle(0) is (W + A) / (M + A)", closed, "within", 1.0 / 4.8, float(scale.apply(0.0)), 1e-12)
    yield Claim(AREA, "logicle(T) is 1", closed, "within", 1.0, float(scale.apply(_TOP)), 1e-12)
    values = np.linspace(-2_000, _TOP, 20_001)
    for name, transform in (("logicle", scale), ("hyperlog", Hyperlog(_TOP, 0.5, 4.5, 0.0))):
        error = float(np.abs(transform.inverse(transform.apply(values)) - values).max() / _TOP)
        yield Claim(AREA, f"{name} and back: largest error, of the range", "identity", "at most", 1e-10, error)
    asinh = Asinh(_TOP, 4.0, 0.5)
    by_hand = (np.arcsinh(1_000 * np.sinh(4 * np.log(10)) / _TOP) + 0.5 * np.log(10)) / (4.5 * np.log(10))
    yield Claim(AREA, "fasinh(1000)", "GatingML 2.0, fasinh", "within", float(by_hand), float(asinh.apply(1e3)), 1e-14)


def _compensation() -> Iterator[Claim]:
    truth = np.random.default_rng(2).uniform(0, 1e5, (10_000, 3))
    spillover = Spillover(_DYES, np.array(_MATRIX))
    sample = _sample(truth @ spillover.matrix, spillover)
    reader = DimensionReader(sample, channel_map_by_name(sample), {}, {})
    error = max(float(np.abs(reader.linear(dye, "FCS") - truth[:, i]).max()) for i, dye in enumerate(_DYES))
    yield Claim(AREA, "compensation gives back what was mixed: largest error", "own mixture", "at most", 1e-8, error)


def _shapes() -> Iterator[Claim]:
    grid = np.stack(np.meshgrid(np.arange(-110.0, 111), np.arange(-110.0, 111)), axis=-1).reshape(-1, 2)
    sample = Sample.from_array(grid, (Channel(0, "X"), Channel(1, "Y")))
    x, y = Dimension("X"), Dimension("Y")
    corners = np.array([(0.5, 0.5), (100.7, 0.5), (0.5, 100.7)])
    shapes: dict[str, tuple[Gate, int, str]] = {
        "half-open interval [2, 5): columns of 221 grid points": (
            RectangleGate((Interval(x, 2.0, 5.0),)),
            3 * 221,
            "counted by hand",
        ),
        "disc of radius 100: grid points": (
            EllipsoidGate((x, y), np.zeros(2), 1e4 * np.eye(2), 1.0),
            31417,
            "Gauss circle problem, N(100)",
        ),
        "triangle below x + y = 101.2: grid points": (PolygonGate((x, y), corners), 5050, "100 · 101 / 2"),
    }
    for says, (gate, expected, source) in shapes.items():
        found = gate_sample(
            GatingStrategy("shape", (Population("p", ROOT, gate),)), sample, channel_map_by_name(sample)
        )
        yield Claim(AREA, says, source, "=", float(expected), float(found.count("root/p") or 0))


def _engines(folder: Path) -> Iterator[Claim]:
    strategy = _every_kind()
    path = folder / "tube.fcs"
    write_fcs(path, _clouds(), _channels(), spillover=Spillover(_DYES, np.array(_MATRIX)))
    sample = read_fcs(path)
    channels = channel_map_by_name(sample)
    found = gate_sample(strategy, sample, channels, compiled=False)
    compiled = gate_sample(strategy, sample, channels, compiled=True)
    says = "{} of every gate kind: events that differ, of {:,}"
    events = sample.n_events * len(found.paths)
    yield Claim(
        AREA,
        says.format("the compiled engine and the other one", events),
        "NumPy",
        "=",
        0.0,
        _differing(found, compiled),
    )
    reader = DimensionReader(sample, channels, strategy.transforms, strategy.compensations)
    plain = gate_rows(strategy.populations, reader, np.arange(sample.n_events))
    off = sum(int(np.setxor1d(found.indices(p), plain[p]).size) for p in found.paths)
    yield Claim(AREA, says.format("the engine and its plain reference", events), "reference", "=", 0.0, float(off))
    write_gatingml(strategy, folder / "gates.gml.xml")
    again = gate_sample(read_gatingml(folder / "gates.gml.xml"), sample, channels)
    yield Claim(AREA, says.format("GatingML and back", events), "round trip", "=", 0.0, _differing(found, again))
    yield Claim(
        AREA,
        says.format("FlowKit, on the same GatingML file", events),
        "FlowKit",
        "=",
        0.0,
        _against_flowkit(folder / "gates.gml.xml", path, found),
    )
    yield from _flowjo(folder, sample, strategy)


def _flowjo(folder: Path, sample: Sample, strategy: GatingStrategy) -> Iterator[Claim]:
    from cytometry.pipeline.workspace_export import GatedSample, export_workspace

    kept = tuple(p for p in strategy.populations if p.name != "ratio")  # FlowJo derives such parameters itself
    holds = GatingStrategy("flowjo", kept, strategy.transforms, strategy.compensations)
    channels = channel_map_by_name(sample)
    export_workspace([GatedSample(sample, holds, channels)], folder / "gates.wsp")
    again = gate_sample(read_workspace(folder / "gates.wsp").samples[0].strategy, sample, channels)
    before = gate_sample(holds, sample, channels)
    says = f"FlowJo workspace and back: events that differ, of {sample.n_events * len(kept):,}"
    yield Claim(AREA, says, "round trip", "=", 0.0, _differing(before, again))


def _differing(one: Membership, other: Membership) -> float:
    return float(sum(int((one.mask(p) != other.mask(p)).sum()) for p in one.paths))


def _against_flowkit(gates: Path, file: Path, found: Membership) -> float:
    import flowkit

    theirs = flowkit.parse_gating_xml(str(gates)).gate_sample(flowkit.Sample(str(file)))
    names = {p.rpartition("/")[2]: p for p in found.paths}
    return float(sum(int((theirs.get_gate_membership(n) != found.mask(p)).sum()) for n, p in names.items()))


def _every_kind() -> GatingStrategy:
    one, two, three = (Dimension(d, "FCS", "logicle") for d in _DYES)
    scatter = Dimension("FSC-A"), Dimension("SSC-A")
    bow_tie = np.array([(0.2, 0.2), (0.9, 0.9), (0.9, 0.2), (0.2, 0.9)])
    outline = np.array([(2e4, 1e4), (1.5e5, 1e4), (1.5e5, 1e5), (2e4, 8e4)])
    middle, spread = np.array([0.5, 0.4]), np.array([[0.03, 0.01], [0.01, 0.02]])
    cells = "root/cells"
    populations = (
        Population("cells", ROOT, PolygonGate(scatter, outline)),
        Population("range", cells, RectangleGate((Interval(one, 0.3, 0.7),))),
        Population("box", cells, RectangleGate((Interval(one, 0.35), Interval(two, maximum=0.6)))),
        Population("bow_tie", cells, PolygonGate((one, two), bow_tie)),
        Population("ellipse", cells, EllipsoidGate((two, three), middle, spread, 1.5)),
        Population(
            "ratio", cells, RectangleGate((Interval(RatioDimension("FL1-A", "FL2-A", 1.0, 0.0, -500.0), 0.5, 50.0),))
        ),
        Population("both", cells, BooleanGate("and", (Operand(f"{cells}/range"), Operand(f"{cells}/box", True)))),
        Population("neither", cells, BooleanGate("not", (Operand(f"{cells}/bow_tie"),))),
    )
    return GatingStrategy("every kind", populations, {"logicle": Logicle(_TOP, 0.5, 4.5, 0.0)})


def _clouds() -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(3)
    scatter = np.exp(rng.normal(10.8, 0.4, (20_000, 2)))
    bright = rng.random((20_000, 3)) < 0.4
    dyes = np.where(bright, np.exp(rng.normal(8.5, 0.7, bright.shape)), rng.normal(50, 150, bright.shape))
    return np.hstack([scatter, dyes @ np.array(_MATRIX)]).astype(np.float32)


def _channels() -> tuple[Channel, ...]:
    return tuple(Channel(i, name, range=_TOP) for i, name in enumerate(("FSC-A", "SSC-A", *_DYES)))


def _sample(dyes: npt.NDArray[np.float64], spillover: Spillover) -> Sample:
    return Sample.from_array(dyes, tuple(Channel(i, d, range=_TOP) for i, d in enumerate(_DYES)), spillover=spillover)
