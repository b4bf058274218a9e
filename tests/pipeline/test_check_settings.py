"""A voltage that one tube of a batch does not share is told before anything is gated."""

from __future__ import annotations

import shutil
from pathlib import Path

from cytometry.pipeline.check_step import check_job
from cytometry.pipeline.gate_step import study_job
from cytometry.pipeline.tasks import GatingSettings

DEMO = Path(__file__).resolve().parents[2] / "sample_fcs"
SAMPLES = ("P01_w00_bcell", "P01_w04_bcell", "P01_w08_bcell")


def test_a_voltage_that_differs_within_a_batch_is_found_by_check(tmp_path: Path) -> None:
    (tmp_path / "fcs").mkdir()
    header, *rows = (DEMO / "samples.csv").read_text(encoding="utf-8").splitlines()
    kept = [r for r in rows if r.split(",")[0] in SAMPLES]
    (tmp_path / "samples.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    for name in SAMPLES:
        shutil.copy(DEMO / f"fcs/{name}.fcs", tmp_path / "fcs")
    odd = tmp_path / f"fcs/{SAMPLES[1]}.fcs"
    data = odd.read_bytes()
    assert data.count(b"450") > 1
    # The first voltage in the file, in a value of the same length, so that nothing moves.
    at = data.index(b"450", data.index(b"$P1V"))
    odd.write_bytes(data[:at] + b"470" + data[at + 3 :])
    (tmp_path / "study.yaml").write_text(
        "study: {id: s}\nvisits: [{id: w00, baseline: true}, {id: w04}, {id: w08}]\npanels: {bcell: bcell_v1}\n",
        encoding="utf-8",
    )
    result = check_job(study_job(tmp_path / "study.yaml", tmp_path / "out", GatingSettings()))
    found = [f for f in result.findings if f.code == "VOLTAGE_CHANGED"]
    assert [(f.file, f.found, f.expected) for f in found] == [(f"fcs/{SAMPLES[1]}.fcs", "470", "450")]
