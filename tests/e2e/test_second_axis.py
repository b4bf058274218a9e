"""A laboratory's panel that calls CD24- CD38- cells activated naive: what the counts, tests and report call them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.pipeline.tiny import run

NAME = "cd24_neg_cd38_neg_naive_like"
PLAN = """\
plan:
  confirmatory:
    - {{population: {population}, scale: logit_parent, visit: w08}}
  panel: [naive, {population}]
"""


@pytest.fixture
def study(demo: Demo, project: Path) -> Path:
    """Two participants of the shipped study, gated with a panel of their own."""
    panel = demo.study / "own_v1"
    shutil.copytree(project / "gating_strategies" / "bcell_v1", panel, ignore=shutil.ignore_patterns("expected"))
    strategy = panel / "strategy.yaml"
    text = strategy.read_text("utf-8")
    gate = "all_of: [cd21_neg_cd11c_pos, not transitional]"
    assert gate in text
    text = text.replace(gate, "keep: {CD24: {below: cd24_naive_low}, CD38: {below: cd38_naive_low}}")
    cuts = "".join(
        f"  {m.lower()}_naive_low:\n    on: {m}\n    within: naive\n    rules:\n      - {{method: fixed, at: 0.35}}\n"
        for m in ("CD24", "CD38")
    )
    strategy.write_text(text.replace("\npopulations:\n", f"{cuts}\npopulations:\n", 1), "utf-8")
    table = demo.study / "samples.csv"
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            r
            for r in rows
            if r["panel"] == "bcell" and r["subject_id"] in ("P01", "P02") and r["visit"] in ("w00", "w08")
        )
    (demo.study / "clinical.csv").unlink()
    described = (demo.study / "study.yaml").read_text("utf-8")
    head = described.partition("plan:")[0].replace("clinical: clinical.csv\n", "")
    head = head.replace("panels: {bcell: bcell_v1, treg: treg_v1}", "panels: {bcell: own_v1}")
    (demo.study / "study.yaml").write_text(head + PLAN.format(population=NAME), "utf-8")
    return demo.study / "study.yaml"


def test_the_result_is_renamed_in_counts_tests_and_report(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "renamed"
    done = run("run", study, "-o", out, "-j", "1", "--gate-draws", "0", "--progress", "none")
    assert done.returncode == 0, done.stderr
    tables = {}
    for name in ("counts", "comparison", "findings"):
        with (out / "tables" / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
            tables[name] = list(csv.DictReader(stream))
    populations = {r["population"] for r in tables["counts"]}
    assert NAME in populations
    assert "activated_naive" not in populations
    confirmatory = [r for r in tables["comparison"] if r["role"] == "confirmatory"]
    assert [r["population"] for r in confirmatory] == [NAME]
    told = [r for r in tables["findings"] if r["code"] == "SECOND_AXIS_MISSING"]
    assert len(told) == 4
    assert "no second axis that tells activated from anergic" in told[0]["message"]
    page = (out / "report.html").read_text("utf-8")
    assert "CD24− CD38− naive-like B" in page
    assert "Activated naive" not in page


def test_a_plan_that_names_the_old_name_hears_of_the_new_one(study: Path) -> None:
    study.write_text(study.read_text("utf-8").replace(NAME, "activated_naive"), "utf-8")
    refused = run("check", study)
    assert refused.returncode == 1
    assert "no panel of the study has a population 'activated_naive'" in refused.stderr
    assert f"reported as '{NAME}'" in refused.stderr
