"""Our counts beside FlowJo's: equal, within its binning, or really different."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cytometry.cli.compare import compare
from cytometry.errors import StrategyError
from cytometry.io.fcs import write_fcs
from cytometry.io.flowjo.write import WorkspaceEntry, workspace_bytes
from cytometry.io.result_tables import table_bytes
from cytometry.model.channels import Channel
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.tables import COUNTS
from cytometry.pipeline.compare_step import compare_counts

# One event per 10 units up to 1000: a channel of FlowJo's 256 is 4 units wide.
CHANNEL = Channel(0, "A", range=1000.0)
EVENTS = np.arange(0.0, 1000.0, 10.0)[:, None]
OURS = {"root": 100, "root/above": 50, "root/edge": 70, "root/below": 20, "root/uncounted": 30}


@pytest.fixture
def compared(tmp_path: Path) -> Path:
    limits = {"above": 500.0, "edge": 300.0, "below": 800.0, "uncounted": 700.0}
    gates = {n: RectangleGate((Interval(Dimension("A"), minimum=v),)) for n, v in limits.items()}
    strategy = GatingStrategy("s", tuple(Population(n, ROOT, g) for n, g in gates.items()))
    # An event lies on the edge at 300: FlowJo may count it on either side. Fifteen fewer it cannot explain.
    stored = {"root/above": 50, "root/edge": 69, "root/below": 5, "root/uncounted": None}
    (tmp_path / "out" / "tables").mkdir(parents=True)
    entry = WorkspaceEntry("tube.fcs", (CHANNEL,), len(EVENTS), strategy, stored)
    (tmp_path / "x.wsp").write_bytes(workspace_bytes([entry]))
    write_fcs(tmp_path / "tube.fcs", EVENTS, [CHANNEL])
    rows = [
        {"sample_id": "tube", "fcs_file": "tube.fcs", "path": path, "population": path, "count": count}
        for path, count in OURS.items()
    ]
    (tmp_path / "out" / "tables" / "counts.csv").write_bytes(table_bytes(COUNTS, rows))
    return tmp_path


def test_each_difference_has_its_reason(compared: Path) -> None:
    comparison = compare_counts(compared / "out", compared / "x.wsp")
    assert comparison.program == "FlowJo"
    rows = {r.path: r for r in comparison.rows}
    assert {p: r.reason for p, r in rows.items()} == {
        "root/above": "equal",
        "root/edge": "binning",
        "root/below": "real",
        "root/uncounted": "not stored",
    }
    assert rows["root/edge"].difference == 1
    assert rows["root/edge"].undecided == 1


def test_without_the_events_nothing_is_explained_away(compared: Path) -> None:
    (compared / "tube.fcs").unlink()
    reasons = {r.path: r.reason for r in compare_counts(compared / "out", compared / "x.wsp").rows}
    assert reasons["root/edge"] == reasons["root/below"] == "not examined"


def test_a_workspace_of_other_samples_is_named(compared: Path) -> None:
    table = compared / "out" / "tables" / "counts.csv"
    table.write_bytes(table.read_bytes().replace(b"tube.fcs", b"other.fcs"))
    with pytest.raises(StrategyError, match=r"holds none of the samples that were counted \(its samples: tube\.fcs\)"):
        compare_counts(compared / "out", compared / "x.wsp")


def test_the_command_prints_both_counts_and_the_tally(compared: Path) -> None:
    result = CliRunner().invoke(compare, [str(compared / "out"), "--workspace", str(compared / "x.wsp")])
    assert "        70         69          +1  root/edge  (binning)" in result.output
    assert "4 populations: 1 binning, 1 equal, 1 not stored, 1 real" in result.output


def test_the_command_has_a_json_form(compared: Path) -> None:
    result = CliRunner().invoke(compare, [str(compared / "out"), "--workspace", str(compared / "x.wsp"), "--json"])
    document = json.loads(result.output)
    assert document["summary"] == {"binning": 1, "equal": 1, "not stored": 1, "real": 1}
    assert document["populations"][2] == {
        "sample_id": "tube",
        "path": "root/below",
        "count": 20,
        "flowjo_count": 5,
        "difference": 15,
        "undecided_events": 1,
        "reason": "real",
    }


def test_what_facsdiva_stored_is_called_facsdivas(compared: Path) -> None:
    """A gate whose stored count is off by one, on an edge."""
    corners = "".join(f'<point x="{x}" y="0"/>' for x in (300.0, 2000.0))
    experiment = (
        '<bdfacs version="Version 8.0"><experiment><specimen><tube name="t"><data_filename>tube.fcs</data_filename>'
        '<gates><gate fullname="All Events"><num_events>100</num_events></gate>'
        '<gate fullname="All Events\\edge" type="Region_Classifier"><name>edge</name><num_events>69</num_events>'
        '<parent>All Events</parent><region xparm="A" yparm="A" type="INTERVAL_REGION">'
        f"<points>{corners}</points></region></gate></gates></tube></specimen></experiment></bdfacs>"
    )
    (compared / "diva.xml").write_text(experiment)
    result = CliRunner().invoke(compare, [str(compared / "out"), "--workspace", str(compared / "diva.xml")])
    assert "ours   FACSDiva  difference" in result.output
    assert "        70         69          +1  root/edge  (binning)" in result.output
    assert "within FACSDiva's binning" in result.output
    assert "FlowJo" not in result.output
