"""A strategy that cannot be read stops the run before any file is gated, and is never called our bug."""

from __future__ import annotations

from pathlib import Path

import pytest

import cytometry as cy
from cytometry.cli.main import cytometry
from cytometry.errors import RequestError, StrategyError
from cytometry.pipeline.gate_step import GateOptions, file_job, job_record, study_job
from cytometry.pipeline.tasks import GatingSettings
from cytometry.pipeline.workspace_export import GatedSample, export_workspace
from cytometry.preprocessing.dimensions import channel_map_by_name
from tests.pipeline.tiny import LIVE, write_strategy, write_tubes

# As FlowJo 9 nests populations: directly below the sample's node, gates in channels of the plot.
FLOWJO_9 = """<Workspace version="2.0"><SampleList><Sample sampleID="1"><SampleNode name="a.fcs" count="200">
<Population name="live" count="100"><PolygonGate><PolyGate xAxisName="FSC-A" yAxisName="B-A"/></PolygonGate>
</Population></SampleNode></Sample></SampleList></Workspace>"""


def test_a_workspace_of_flowjo_9_is_refused_by_name(tmp_path: Path) -> None:
    write_tubes(tmp_path / "fcs", ("a",))
    (tmp_path / "old.xml").write_text(FLOWJO_9)
    with pytest.raises(StrategyError, match=r"written by FlowJo 9, whose gates are not read \(open it in FlowJo 10"):
        file_job([str(tmp_path / "fcs")], str(tmp_path / "old.xml"), tmp_path / "out", GatingSettings())
    assert not (tmp_path / "out").exists()


def test_a_sample_is_gated_with_a_workspace(tmp_path: Path) -> None:
    write_tubes(tmp_path / "fcs", ("a",))
    sample = cy.read_fcs(tmp_path / "fcs" / "a.fcs")
    strategy = cy.read_gatingml(write_strategy(tmp_path / "tiny.gml.xml"))
    export_workspace([GatedSample(sample, strategy, channel_map_by_name(sample))], tmp_path / "x.wsp")
    gated = cy.gate(sample, strategy=tmp_path / "x.wsp")
    assert gated.membership.count(LIVE) == 100  # half of the 200 events, by construction


def test_set_is_recorded_and_only_for_a_study(tmp_path: Path, sample_fcs: Path) -> None:
    job = study_job(sample_fcs / "study.yaml", tmp_path, GatingSettings(), ["plan.alpha=0.01"])
    record = job_record(job, "gate", GateOptions())
    assert record.settings["set"] == {"plan.alpha": "0.01"}
    unchanged = study_job(sample_fcs / "study.yaml", tmp_path, GatingSettings())
    assert "set" not in job_record(unchanged, "gate", GateOptions()).settings
    assert [t.key for t in job.plan.tasks] == [t.key for t in unchanged.plan.tasks]  # alpha gates nothing again

    write_tubes(tmp_path / "fcs", ("a",))
    strategy = write_strategy(tmp_path / "tiny.gml.xml")
    arguments = ["gate", str(tmp_path / "fcs"), "--strategy", str(strategy), "--set", "plan.alpha=0.01"]
    with pytest.raises(RequestError, match="--set is for a study"):
        cytometry.main(arguments, standalone_mode=False)
