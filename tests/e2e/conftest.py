"""One run of the shipped study, shared by every test that looks at its results; each works on a copy."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.tiny import run


@dataclass(frozen=True)
class Demo:
    """A copy of the study and of its results."""

    study: Path
    out: Path


@pytest.fixture(scope="session")
def demo_out(sample_fcs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``cytometry run`` on the shipped study."""
    out = tmp_path_factory.mktemp("demo") / "out"
    done = run("run", sample_fcs / "study.yaml", "-o", out, "-j", "2", "--progress", "plain")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(out / "report.html")
    return out


@pytest.fixture
def demo(sample_fcs: Path, demo_out: Path, tmp_path: Path) -> Demo:
    """The study with its own tables and links to the FCS files, and a copy of its results."""
    study = tmp_path / "study"
    (study / "fcs").mkdir(parents=True)
    for name in ("study.yaml", "samples.csv", "clinical.csv"):
        shutil.copy(sample_fcs / name, study / name)
    for path in (sample_fcs / "fcs").iterdir():
        (study / "fcs" / path.name).symlink_to(path.resolve())
    shutil.copytree(demo_out, tmp_path / "out")
    return Demo(study, tmp_path / "out")
