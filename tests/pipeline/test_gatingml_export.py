"""Exported gates: FlowKit opens them on the file itself and finds the same events."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cytometry.cli.export import export
from cytometry.gating.engine import gate_sample
from cytometry.io.fcs import read_fcs
from cytometry.io.gatingml import read_gatingml
from cytometry.preprocessing.dimensions import channel_map_by_name


def test_a_shipped_panels_gates_mean_the_same_in_flowkit(sample_fcs: Path, tmp_path: Path) -> None:
    import flowkit

    file = sample_fcs / "fcs" / "B1_bcell_control.fcs"
    result = CliRunner().invoke(export, ["gatingml", str(file), "--strategy", "bcell_v1", "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    written = tmp_path / "B1_bcell_control.gml.xml"
    assert f"{written}: read back with the same counts" in result.output
    sample = read_fcs(file)
    strategy = read_gatingml(written)
    membership = gate_sample(strategy, sample, channel_map_by_name(sample))
    report = flowkit.parse_gating_xml(str(written)).gate_sample(flowkit.Sample(str(file))).report
    theirs = dict(zip(report["gate_name"], report["count"], strict=True))
    assert theirs == {p.name: membership.count(p.path) for p in strategy.populations}
    assert 0 < theirs["naive"] < theirs["b_cells"] < sample.n_events
