"""The shipped study is what the code writes, byte for byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import OutputError, RequestError
from cytometry.io.fcs import read_fcs
from cytometry.io.study import load_study
from cytometry.io.synthetic import read_truth, write_truth
from cytometry.pipeline.demo import read_demo_truth, write_demo_study, write_demo_tube
from cytometry.simulation.study import DEMO_DESIGN, StudyDesign, simulate_study

TINY = StudyDesign(n_subjects=2, events=200, control_events=100, non_responders=(), leaves_after={}, clogged="")


@pytest.mark.parametrize("sample_id", ["P01_w00_bcell", "P03_w04_treg", "B2_bcell_fmo_CXCR5"])
def test_a_regenerated_file_equals_the_shipped_one(sample_id: str, sample_fcs: Path, tmp_path: Path) -> None:
    study = simulate_study(1)
    tube = next(t for t in study.tubes if t.sample_id == sample_id)
    for folder in ("fcs", "truth"):
        (tmp_path / folder).mkdir()
    write_demo_tube(tmp_path, tube, study.tube(sample_id))
    for file in (f"fcs/{sample_id}.fcs", f"truth/{sample_id}.npz"):
        assert (tmp_path / file).read_bytes() == (sample_fcs / file).read_bytes()


def test_shipped_tables_are_those_that_the_code_writes(sample_fcs: Path, tmp_path: Path) -> None:
    write_demo_study(tmp_path / "demo", design=DEMO_DESIGN)
    for name in ("samples.csv", "clinical.csv", "study.yaml", "README.md"):
        assert (tmp_path / "demo" / name).read_text(encoding="utf-8") == (sample_fcs / name).read_text(encoding="utf-8")


def test_shipped_files_are_all_there_and_within_40_megabytes(sample_fcs: Path) -> None:
    expected = {t.fcs_file for t in simulate_study(1).tubes}
    files = [p for p in sample_fcs.rglob("*") if p.is_file()]
    assert {p.relative_to(sample_fcs).as_posix() for p in files if p.suffix == ".fcs"} == expected
    assert sum(p.stat().st_size for p in files) <= 40e6


def test_the_written_study_passes_its_own_check_without_a_finding(tmp_path: Path) -> None:
    study = load_study(write_demo_study(tmp_path / "demo", design=TINY))
    assert study.facts.synthetic
    assert study.findings == ()
    assert len(study.samples) == 2 * 4 * 2 + 1 * (2 + 5 + 4)


def test_a_file_says_that_it_is_synthetic_and_holds_the_simulated_events(tmp_path: Path) -> None:
    write_demo_study(tmp_path / "demo", design=TINY)
    study = simulate_study(1, TINY)
    read = read_fcs(tmp_path / "demo" / "fcs" / "P01_w00_bcell.fcs")
    made = study.tube("P01_w00_bcell").sample
    assert read.keywords["$COM"] == "synthetic; effect sizes are assumptions"
    assert np.array_equal(read.raw(), made.raw())
    assert np.allclose(read.linear(), made.linear(), rtol=1e-6)
    assert read.spillover == made.spillover
    assert [c.marker for c in read.channels] == [c.marker for c in made.channels]
    assert read.findings == ()


def test_truth_comes_back(tmp_path: Path) -> None:
    write_demo_study(tmp_path / "demo", design=TINY)
    truth = read_demo_truth(tmp_path / "demo", "P02_w24_treg")
    assert np.array_equal(truth.codes, simulate_study(1, TINY).tube("P02_w24_treg").truth.codes)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="is not empty"):
        write_demo_study(tmp_path, design=TINY)


def test_truth_of_other_names_is_refused(tmp_path: Path) -> None:
    write_truth(tmp_path / "x.npz", np.zeros(3, np.uint8), np.zeros(3, np.uint8), ["naive"])
    with pytest.raises(RequestError, match="uses other names"):
        read_truth(tmp_path / "x.npz", ["memory"])


def test_a_missing_truth_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nothing\.npz: is no truth file"):
        read_truth(tmp_path / "nothing.npz", [])
