from __future__ import annotations

from pathlib import Path

from cytometry.pipeline.gate_step import GateOptions, file_job, gate_job
from cytometry.pipeline.status_step import folder_status
from cytometry.pipeline.tasks import GatingSettings
from tests.pipeline.tiny import write_strategy, write_tubes


def test_failed_and_damaged_samples_stand_before_the_others(tmp_path: Path) -> None:
    write_tubes(tmp_path / "fcs")
    write_strategy(tmp_path / "tiny.gml.xml")
    (tmp_path / "fcs/z.fcs").write_bytes(b"nothing")
    settings = GatingSettings(detail=False)
    job = file_job([str(tmp_path / "fcs")], str(tmp_path / "tiny.gml.xml"), tmp_path / "out", settings)
    gate_job(job, GateOptions(settings=settings))
    (tmp_path / "out/gates/b.gml.xml").write_bytes(b"changed")
    told = [(s.sample_id, s.status) for s in folder_status(tmp_path / "out").samples]
    assert told == [("z", "failed"), ("b", "damaged"), ("a", "done"), ("c", "done")]
