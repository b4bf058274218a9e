"""Export to FlowJo: every kind of gate, per-sample overrides, and refusal where FlowJo cannot follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import GatingError, StrategyError
from cytometry.gating.engine import gate_sample
from cytometry.io.flowjo import read_workspace
from cytometry.model.channels import Channel
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
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.transforms import Asinh, Linear, Logicle
from cytometry.pipeline.workspace_export import GatedSample, export_workspace
from cytometry.preprocessing.dimensions import ChannelMap, channel_map_by_name
from tests.gating.everything import NAMES, sample_of

CD19, CD27, FSC = Dimension("CD19", "FCS", "logicle"), Dimension("CD27", "FCS", "asinh"), Dimension("FSC-A")
SHAPE = np.array([(0.2, 0.2), (0.9, 0.3), (0.8, 0.9), (0.4, 0.7)])
MARKERS = ChannelMap({"CD19": 3, "CD27": 4, "FSC-A": 1, "SSC-A": 2, "Time": 0})


def gates(threshold: float = 0.5) -> dict[str, tuple[str, Gate]]:
    sides = {True: {"minimum": threshold}, False: {"maximum": threshold}}
    quadrants = {
        f"q{int(x)}{int(y)}": (
            "root/kept/cells",
            RectangleGate((Interval(CD19, **sides[x]), Interval(CD27, **sides[y])), "quad"),
        )
        for x in (True, False)
        for y in (True, False)
    }
    return {
        "kept": (ROOT, EventMaskGate(((0, 9_000), (9_300, 20_000)))),
        "cells": ("root/kept", PolygonGate((FSC, Dimension("SSC-A")), 1.5e5 * SHAPE)),
        **quadrants,
        "polygon": ("root/kept/cells", PolygonGate((CD19, CD27), SHAPE)),
        "outside": ("root/kept/cells", PolygonGate((CD19, CD27), SHAPE, complement=True)),
        "ellipse": ("root/kept", EllipsoidGate((CD19, CD27), [0.6, 0.5], [[0.03, 0.01], [0.01, 0.02]], 2.0)),
        "scatter": ("root/kept", EllipsoidGate((FSC, Dimension("SSC-A")), [4e4, 4e4], [[4e8, 1e8], [1e8, 2e8]])),
        "range": ("root/kept/cells", RectangleGate((Interval(CD19, 0.2, threshold),))),
        "both": (ROOT, BooleanGate("and", (Operand("root/kept/ellipse"), Operand("root/kept/cells", True)))),
        "neither": ("root/kept", BooleanGate("not", (Operand("root/kept/cells"),))),
        "either": ("root/kept", BooleanGate("or", (Operand("root/kept/cells/polygon"), Operand("root/kept/scatter")))),
        "below": ("root/both", RectangleGate((Interval(FSC, maximum=5e4),))),
        "open": ("root/kept/cells", RectangleGate((Interval(CD19), Interval(FSC)))),
        "box": ("root/kept", RectangleGate((Interval(CD19, 0.2, 0.7), Interval(CD27, 0.3), Interval(FSC, 1e4, 1e5)))),
        "out of the box": (
            "root/kept",
            RectangleGate((Interval(CD19, 0.2, 0.7), Interval(CD27, 0.3), Interval(FSC, 1e4, 1e5)), complement=True),
        ),
        "in the box": ("root/kept/box", RectangleGate((Interval(CD27, maximum=0.6),))),
    }


def strategy_of(found: dict[str, tuple[str, Gate]]) -> GatingStrategy:
    populations = tuple(Population(n, parent, gate) for n, (parent, gate) in found.items())
    scales = {"logicle": Logicle(262144, 0.5, 4.5, 0), "asinh": Asinh(262144, 4.5, 0.5), "linear": Linear(262144)}
    return GatingStrategy("panel", populations, scales)


def named(sample: Sample, name: str) -> Sample:
    # Time stamps that no two events share, so that a mask is also an interval of time.
    events = sample.linear()
    events[:, 0] = np.arange(len(events)) * 0.5
    channels = tuple(Channel(i, n, range=262144.0) for i, n in enumerate(NAMES))
    return Sample.from_array(events.astype(np.float32), channels, name=name, spillover=sample.spillover)


def test_every_kind_of_gate_and_each_samples_own_thresholds_come_back(tmp_path: Path) -> None:
    items = [
        GatedSample(named(sample_of(seed=i), f"data/tube{i}.fcs"), strategy_of(gates(0.4 + 0.1 * i)), MARKERS)
        for i in range(2)
    ]
    target = tmp_path / "study.wsp"
    assert export_workspace(items, target) == ()
    workspace = read_workspace(target)
    for item, entry in zip(items, workspace.samples, strict=True):
        before = gate_sample(item.strategy, item.sample, item.channel_map)
        after = gate_sample(entry.strategy, item.sample, channel_map_by_name(item.sample))
        for path in before.paths:
            assert 0 < (before.count(path) or 0) < item.sample.n_events, path
            assert np.array_equal(before.mask(path), after.mask(path)), path
            assert entry.counts[path] == before.count(path)
    # The override of the second tube is its own: the template's threshold would give another count.
    first, second = (dict(s.counts)["root/kept/cells/q11"] for s in workspace.samples)
    assert first != second


def test_flowkit_reads_the_exported_workspace_with_the_same_counts(tmp_path: Path) -> None:
    import flowkit

    from cytometry.io.fcs import write_fcs

    sample = named(sample_of(), "tube.fcs")
    found = {n: g for n, g in gates().items() if n not in {"ellipse", "scatter", "both", "either", "below"}}
    target = tmp_path / "study.wsp"
    export_workspace([GatedSample(sample, strategy_of(found), MARKERS)], target)
    write_fcs(tmp_path / "tube.fcs", sample.linear(), sample.channels, spillover=sample.spillover)
    theirs = flowkit.Workspace(str(target), fcs_samples=[str(tmp_path / "tube.fcs")])
    theirs.analyze_samples(use_mp=False)
    report = theirs.get_analysis_report()
    counts = {
        "/".join((*path, name)): int(count)
        for path, name, count in zip(report["gate_path"], report["gate_name"], report["count"], strict=True)
    }
    # Helpers of a box of three dimensions bear no count of ours.
    ours = {p: c for p, c in read_workspace(target).samples[0].counts.items() if c is not None}
    assert len(ours) >= len(found)
    assert {p: c for p, c in counts.items() if p in ours} == ours


def test_the_time_is_in_seconds_in_flowjo_and_in_flowkit(tmp_path: Path) -> None:
    import flowkit

    from cytometry.io.fcs import read_fcs, write_fcs

    ticks = np.column_stack([np.arange(1000.0), np.ones(1000)])
    channels = (Channel(0, "Time", range=262144.0), Channel(1, "FSC-A", range=262144.0))
    path = tmp_path / "tube.fcs"
    write_fcs(path, ticks, channels, keywords={"$TIMESTEP": "0.25"})
    gate = RectangleGate((Interval(Dimension("Time"), 10.0, 100.0),))
    strategy = GatingStrategy("s", (Population("kept", ROOT, gate),))
    export_workspace([GatedSample(read_fcs(path), strategy, ChannelMap({"Time": 0}))], tmp_path / "x.wsp")
    # 10 s are tick 40 and 100 s tick 400, which is outside.
    assert read_workspace(tmp_path / "x.wsp").samples[0].counts == {"root/kept": 360}
    theirs = flowkit.Workspace(str(tmp_path / "x.wsp"), fcs_samples=[str(path)])
    theirs.analyze_samples(use_mp=False)
    assert list(theirs.get_analysis_report()["count"]) == [360]
    # As FlowJo writes it: the axis ends at the range in seconds, and the gain is the time step.
    text = (tmp_path / "x.wsp").read_text()
    assert 'maxRange="65536.0" gain="0.25"' in text
    assert '<Keyword name="$TIMESTEP" value="0.25" />' in text


def test_an_interval_without_an_edge_is_written_with_one(tmp_path: Path) -> None:
    """OpenFlo 2.8 does not read the others, and with them loses all that lies below."""
    strategy = strategy_of({"all": (ROOT, RectangleGate((Interval(FSC), Interval(CD19))))})
    export_workspace([GatedSample(named(sample_of(), "t.fcs"), strategy, MARKERS)], tmp_path / "x.wsp")
    text = (tmp_path / "x.wsp").read_text()
    assert text.count('<gating:dimension gating:min="-1000000000000.0">') == 2


def test_an_undefined_population_is_left_out_with_a_finding(tmp_path: Path) -> None:
    strategy = strategy_of({"p": (ROOT, RectangleGate((Interval(FSC, 0.0, 1e5),)))})
    optional = Population("cd21", ROOT, RectangleGate((Interval(Dimension("CD21"), 0.0),)), optional=True)
    strategy = GatingStrategy("s", (*strategy.populations, optional), strategy.transforms)
    findings = export_workspace([GatedSample(named(sample_of(), "t.fcs"), strategy, MARKERS)], tmp_path / "x.wsp")
    assert [f.code for f in findings] == ["WORKSPACE_POPULATION_LEFT_OUT"]
    assert list(read_workspace(tmp_path / "x.wsp").samples[0].counts) == ["root/p"]


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (RectangleGate((Interval(RatioDimension("CD19", "CD27"), 1.0),)), "is on the ratio FL1-A/FL2-A"),
        (EllipsoidGate((CD19, CD27, FSC), np.zeros(3), np.eye(3)), "is an ellipsoid of 3 dimensions"),
        (
            PolygonGate((replace(CD19, transform="linear"), CD27), SHAPE),
            "is drawn on another scale of Comp-FL1-A than an earlier polygon or ellipse",
        ),
    ],
)
def test_what_flowjo_cannot_hold_is_refused_and_nothing_is_written(tmp_path: Path, gate: Gate, message: str) -> None:
    strategy = strategy_of({"first": (ROOT, PolygonGate((CD19, CD27), SHAPE)), "p": (ROOT, gate)})
    with pytest.raises(StrategyError, match=message) as caught:
        export_workspace([GatedSample(named(sample_of(), "t.fcs"), strategy, MARKERS)], tmp_path / "x.wsp")
    assert "t.fcs, population 'root/p'" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_mask_that_time_cannot_express_is_refused(tmp_path: Path) -> None:
    strategy = strategy_of({"p": (ROOT, EventMaskGate(((0, 7),)))})
    crowded = Sample.from_array(np.ones((10, 1)), (Channel(0, "Time"),), name="t.fcs")
    with pytest.raises(GatingError, match="which share their time with others"):
        export_workspace([GatedSample(crowded, strategy, ChannelMap({}))], tmp_path / "x.wsp")


def test_a_count_that_changes_on_the_way_is_not_called_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cytometry.pipeline import workspace_export

    honest = workspace_export.workspace_bytes
    monkeypatch.setattr(
        workspace_export,
        "workspace_bytes",
        lambda e: honest(e).replace(b'gating:max="50000.0"', b'gating:max="60000.0"'),
    )
    strategy = strategy_of({"p": (ROOT, RectangleGate((Interval(FSC, maximum=5e4),)))})
    with pytest.raises(StrategyError, match=r"population 'root/p': has \d+ events, and \d+ after the export to FlowJo"):
        export_workspace([GatedSample(named(sample_of(), "t.fcs"), strategy, MARKERS)], tmp_path / "x.wsp")
    assert list(tmp_path.iterdir()) == []
