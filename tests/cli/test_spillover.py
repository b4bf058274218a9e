"""``cytometry spillover``: from a study's controls to a matrix that compensation can use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.cli.main import run_command_line
from cytometry.io.fcs import write_fcs
from cytometry.io.spillover import read_spillover_csv
from cytometry.model.channels import Channel
from cytometry.model.spillover import Spillover

NAMES = ("FSC-A", "FITC-A", "PE-A")
TRUTH = np.array([[1, 0.25], [0.03, 1]])
ACQUIRED = Spillover(("FITC-A", "PE-A"), np.array([[1, 0.1], [0.03, 1]]))


def write_tube(path: Path, dye: int, n: int = 3000) -> None:
    rng = np.random.default_rng(dye)
    dyes = np.zeros((n, 2))
    stained = rng.random(n) < 0.5
    dyes[stained, dye] = rng.lognormal(10, 0.3, stained.sum())
    events = np.column_stack([rng.normal(60_000, 5_000, n), dyes @ TRUTH + rng.normal(100, 50, (n, 2))])
    write_fcs(path, events, [Channel(i, c, range=262_144.0) for i, c in enumerate(NAMES)], spillover=ACQUIRED)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for dye, name in enumerate(("fitc", "pe")):
        write_tube(tmp_path / f"{name}.fcs", dye)
    (tmp_path / "study.yaml").write_text(
        "schema_version: 1\nstudy: {id: s, title: s}\nvisits: [{id: bl, day: 0, baseline: true}]\n"
        "panels: {b: bcell_v1}\nsamples: samples.csv\n"
    )
    (tmp_path / "samples.csv").write_text(
        "sample_id,fcs_file,panel,subject_id,visit,batch,role\n"
        "fitc,fitc.fcs,b,,,b1,single_stain:FITC-A\n"
        "pe,pe.fcs,b,,,b1,single_stain:PE-A\n"
    )
    return tmp_path / "study.yaml"


def test_controls_give_the_matrix_and_its_difference(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["spillover", str(study), "-o", str(tmp_path / "out")]) == 0
    spillover = read_spillover_csv(tmp_path / "out" / "spillover" / "b_b1.csv")
    np.testing.assert_allclose(spillover.matrix, TRUTH, atol=0.004)
    text = capsys.readouterr().err
    assert "of FITC-A in PE-A, the acquisition matrix 0.1000" in text
    assert "of PE-A in FITC-A" not in text


def test_control_that_cannot_be_used_is_named(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tube(tmp_path / "pe.fcs", 0)
    assert run_command_line(["spillover", str(study), "-o", str(tmp_path / "out")]) == 1
    assert "PE-A" in capsys.readouterr().err
    assert not (tmp_path / "out" / "spillover").exists()
