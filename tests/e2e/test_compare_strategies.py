"""Two shipped Treg panels on two participants of the shipped study."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.pipeline.tiny import contents, run

SUBJECTS = ("P01", "P02")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def two_participants(demo: Demo) -> Path:
    """The study with the Treg tubes and controls of one batch."""
    table = demo.study / "samples.csv"
    rows = _rows(table)
    kept = [
        r
        for r in rows
        if r["panel"] == "treg" and (r["subject_id"] in SUBJECTS or (r["batch"] == "B1" and r["role"] != "sample"))
    ]
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    clinical = demo.study / "clinical.csv"
    lines = clinical.read_text("utf-8").splitlines()
    clinical.write_text("\n".join([lines[0], *(x for x in lines[1:] if x.startswith(SUBJECTS))]) + "\n", "utf-8")
    return demo.study / "study.yaml"


def test_two_treg_panels(two_participants: Path, demo: Demo, tmp_path: Path) -> None:
    arguments = ("compare-strategies", two_participants, "treg_v1", "treg_foxp3_v1", "--progress", "none")
    done = run(*arguments, "-o", tmp_path / "one", "-j", "1")
    assert done.returncode == 0, done.stderr
    assert "the same events in every tube: time_ok, singlets, live, lymphocytes, t_cells, cd4, cd8" in done.stdout
    overlap = _rows(tmp_path / "one" / "tables" / "overlap.csv")
    assert {r["subject_id"] for r in overlap if r["role"] == "sample"} == set(SUBJECTS)

    # A gates these tubes as the study's own run does, although other participants are there too.
    counts = {(r["sample_id"], r["path"]): r["count"] for r in _rows(demo.out / "tables" / "counts.csv")}
    paths = {r["population"]: r["path_a"] for r in _rows(tmp_path / "one" / "tables" / "populations.csv")}
    assert all(counts[r["sample_id"], paths[r["population"]]] == r["count_a"] for r in overlap)

    # The Helios gates split the Tregs in both, so what both call Treg is what they share of its two parts, or more.
    by_tube = {(r["sample_id"], r["population"]): int(r["count_both"]) for r in overlap}
    for sample in {r["sample_id"] for r in overlap}:
        parts = by_tube[sample, "helios_pos_treg"] + by_tube[sample, "helios_neg_treg"]
        assert parts <= by_tube[sample, "treg"]
    agreement = {(r["population"], r["scale"]): r for r in _rows(tmp_path / "one" / "tables" / "agreement.csv")}
    assert agreement["treg", "log_odds"]["n_tubes"] == "8"
    assert agreement["treg", "log_odds"]["denominator"] == "cd4"

    again = run(*arguments, "-o", tmp_path / "two", "-j", "2")
    assert again.returncode == 0, again.stderr
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_run_of_the_study_and_a_comparison_do_not_share_a_folder(two_participants: Path, demo: Demo) -> None:
    refused = run("compare-strategies", two_participants, "treg_v1", "treg_foxp3_v1", "--panel", "treg", "-o", demo.out)
    assert refused.returncode == 5
    assert "holds the results of study 'demo-1'" in refused.stderr


def test_which_tubes_has_to_be_clear(two_participants: Path) -> None:
    refused = run("compare-strategies", two_participants, "treg_foxp3_v1", "treg_cd25cd127_v1", "-o", "nowhere")
    assert refused.returncode == 2
    assert "neither strategy is a panel of the study" in refused.stderr
    assert "--panel: bcell, treg" in refused.stderr
