"""``quality.masks`` of a study reaches every group, and changes what its results are known by."""

from __future__ import annotations

from pathlib import Path

from cytometry.pipeline.gate_step import GatingJob, study_job
from cytometry.pipeline.tasks import GatingSettings

DEMO = Path(__file__).resolve().parents[2] / "sample_fcs"


def job(folder: Path, quality: str) -> GatingJob:
    text = (DEMO / "study.yaml").read_text(encoding="utf-8")
    text = text.replace("samples: samples.csv", f"samples: {DEMO / 'samples.csv'}")
    text = text.replace("clinical: clinical.csv", f"clinical: {DEMO / 'clinical.csv'}")
    text = text[: text.index("quality:")] + quality
    folder.mkdir()
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return study_job(folder / "study.yaml", folder / "out", GatingSettings())


def test_masks_are_applied_unless_the_study_says_otherwise(tmp_path: Path) -> None:
    usual, reported = job(tmp_path / "a", "quality: {}\n"), job(tmp_path / "b", "quality: {masks: reported}\n")
    assert all(t.settings.masked for t in usual.plan.tasks)
    assert not any(t.settings.masked for t in reported.plan.tasks)
    assert not {t.key for t in usual.plan.tasks} & {t.key for t in reported.plan.tasks}
