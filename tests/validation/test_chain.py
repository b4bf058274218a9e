"""The benches measure what a run does: the same study through files and through memory gives the same counts."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.chain import PANELS, measure
from cytometry.io.panels import load_panel
from cytometry.pipeline.demo import write_demo_study
from cytometry.pipeline.gate_step import GateOptions, gate_job, study_job
from cytometry.pipeline.tasks import GatingSettings
from cytometry.simulation.study import Layout, StudyDesign, Visit, simulate_study


@pytest.mark.parametrize("layout", ["visit", "two_subjects"])
def test_counts_of_the_benches_are_those_of_a_run(layout: Layout, tmp_path: Path) -> None:
    """Batches that follow the visits, so that offsets are carried over; and batches of whole subjects."""
    design = StudyDesign(
        n_subjects=2,
        visits=(Visit("w00", 0, 0.0), Visit("w08", 56, 1.0)),
        leaves_after={},
        layout=layout,
        fmo={"bcell": ("CD27",), "treg": ("Helios",)},
        events=2_500,
        control_events=2_500,
        clogged="",
    )
    settings = GatingSettings(detail=False)
    job = study_job(write_demo_study(tmp_path / "study", 5, design), tmp_path / "out", settings)
    gate_job(job, GateOptions(settings=settings))
    with (tmp_path / "out/tables/counts.csv").open(newline="", encoding="utf-8") as stream:
        rows = [r for r in csv.DictReader(stream) if r["sample_id"].startswith("P") and r["parent_path"]]
    run = {(r["sample_id"], r["path"]): int(r["count"]) for r in rows}
    study = simulate_study(5, design)
    benches = {}
    for key, name in PANELS.items():
        tubes = [(t, study.tube(t.sample_id)) for t in study.tubes if t.panel == key]
        measured, _ = measure(load_panel(name), tubes)
        benches |= {(m.tube.sample_id, path): int(mask.sum()) for m in measured for path, mask in m.masks.items()}
    assert benches == run
    assert len({sample for sample, _ in run}) == 8
