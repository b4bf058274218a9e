"""``cytometry status`` of a study whose run changed some of its values."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from cytometry.cli.main import run_command_line

SAMPLES = ("P01_w00_bcell", "P01_w04_bcell")


def actions(capsys: pytest.CaptureFixture[str], *arguments: str) -> Counter[str]:
    capsys.readouterr()
    assert run_command_line(["status", *arguments, "--json"]) == 0
    return Counter(g["action"] for g in json.loads(capsys.readouterr().out)["groups"])


def test_a_run_with_changed_values_is_up_to_date_by_the_same_values(
    sample_fcs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fcs").mkdir()
    header, *rows = (sample_fcs / "samples.csv").read_text(encoding="utf-8").splitlines()
    kept = [r for r in rows if r.split(",")[0] in SAMPLES]
    (tmp_path / "samples.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    for name in SAMPLES:
        shutil.copy(sample_fcs / f"fcs/{name}.fcs", tmp_path / "fcs")
    study, out = tmp_path / "study.yaml", str(tmp_path / "out")
    study.write_text(
        "study: {id: s}\nvisits: [{id: w00, baseline: true}, {id: w04}]\npanels: {bcell: bcell_drawn_v1}\n",
        encoding="utf-8",
    )
    changed = ("--set", "quality.masks=reported")
    assert run_command_line(["gate", str(study), "-o", out, "-j", "1", *changed]) == 0
    assert set(actions(capsys, str(study), "-o", out, *changed)) == {"skip"}
    assert set(actions(capsys, str(study), "-o", out)) == {"stale"}
    # A folder is told as its run left it: there is nothing to change.
    assert run_command_line(["status", out, *changed]) == 2
    assert "--set is for a study" in capsys.readouterr().err
