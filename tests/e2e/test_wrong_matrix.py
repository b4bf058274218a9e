"""A study whose matrix has two wrong coefficients is told which, and by how much."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cytometry.io.fcs import read_fcs
from cytometry.pipeline.gate_step import GateOptions, gate_job, study_job
from cytometry.pipeline.tasks import GatingSettings

DEMO = Path(__file__).resolve().parents[2] / "sample_fcs"
TUBES = ("P01_w00_bcell", "P01_w04_bcell", "P01_w08_bcell", "P01_w24_bcell")


def test_two_wrong_coefficients_of_a_study_s_matrix_are_named_with_their_right_values(tmp_path: Path) -> None:
    header, *rows = (DEMO / "samples.csv").read_text(encoding="utf-8").splitlines()
    kept = [r for r in rows if r.split(",")[0] in TUBES]
    (tmp_path / "fcs").mkdir()
    for name in TUBES:
        shutil.copy(DEMO / f"fcs/{name}.fcs", tmp_path / "fcs")
    (tmp_path / "samples.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    true = read_fcs(DEMO / f"fcs/{TUBES[0]}.fcs").spillover
    assert true is not None
    wrong = true.matrix.copy()
    wrong[true.channels.index("BV786-A"), true.channels.index("APC-H7-A")] -= 0.04
    wrong[true.channels.index("FITC-A"), true.channels.index("BV510-A")] += 0.03
    lines = [",".join(["", *true.channels])]
    lines += [",".join([name, *map(str, row)]) for name, row in zip(true.channels, wrong, strict=True)]
    (tmp_path / "wrong.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "study.yaml").write_text(
        "study: {id: wrong}\nvisits: [{id: w00, baseline: true}, {id: w04}, {id: w08}, {id: w24}]\n"
        "panels: {bcell: bcell_v1}\ncompensation: wrong.csv\n",
        encoding="utf-8",
    )
    job = study_job(tmp_path / "study.yaml", tmp_path / "out", GatingSettings())
    tables = gate_job(job, GateOptions()).run.collected.tables
    called = {(r["source"], r["target"]): r for r in tables["qc_compensation"] if r["verdict"] in ("under", "over")}
    assert {pair: r["verdict"] for pair, r in called.items()} == {
        ("BV786-A", "APC-H7-A"): "under",
        ("FITC-A", "BV510-A"): "over",
    }
    # In the simulator 16 % and 4 %.
    for pair, right in ((("BV786-A", "APC-H7-A"), 0.16), (("FITC-A", "BV510-A"), 0.04)):
        row = called[pair]
        assert float(row["coefficient"] or 0) + float(row["error"] or 0) == pytest.approx(right, abs=0.01)
    assert sum(r["code"] == "COMPENSATION_OFF" for r in tables["findings"]) == 2
