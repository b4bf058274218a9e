"""The main job on the shipped study: everything that a trial team would rely on."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

from cytometry.io.manifest import compare_with_manifest
from tests.e2e.conftest import Demo
from tests.pipeline.tiny import contents, run


def _rows(out: Path, table: str) -> list[dict[str, str]]:
    with (out / "tables" / f"{table}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_input_is_accounted_for(demo_out: Path) -> None:
    samples = _rows(demo_out, "samples")
    assert Counter((s["role"].partition(":")[0], s["status"]) for s in samples) == {
        ("sample", "done"): 46,
        ("control", "done"): 6,
        ("fmo", "skipped"): 27,
    }
    manifest = json.loads((demo_out / "run.json").read_text())
    assert manifest["summary"]["found"] == len(samples) == 79
    assert manifest["status"] == "done"
    assert {i["name"] for i in manifest["inputs"]} >= {"study.yaml", "samples.csv", "clinical.csv"}


def test_verify_agrees(demo_out: Path) -> None:
    assert compare_with_manifest(demo_out) == ()


def test_the_other_readers_read_every_tube_alike(demo_out: Path) -> None:
    assert Counter(row["second_opinion"] for row in _rows(demo_out, "qc")) == {"agree": 52}


def test_counts_keep_the_tree(demo_out: Path) -> None:
    """Children within parents; quadrants add up to B cells without antibody-secreting ones; Helios splits Tregs."""
    by_sample: dict[str, dict[str, int]] = {}
    for row in _rows(demo_out, "counts"):
        by_sample.setdefault(row["sample_id"], {})[row["population"]] = int(row["count"])
        if row["parent_count"]:
            assert int(row["count"]) <= int(row["parent_count"])
    quadrants = ("naive", "unswitched_memory", "switched_memory", "double_negative")
    for counts in by_sample.values():
        if "b_cells" in counts:
            assert sum(counts[q] for q in quadrants) == counts["b_cells"] - counts["asc"]
            assert sum(counts[f"dn{i}"] for i in (1, 2, 3, 4)) == counts["double_negative"]
        else:
            assert counts["helios_pos_treg"] + counts["helios_neg_treg"] == counts["treg"]


def test_the_published_directions_come_out(demo_out: Path) -> None:
    found = {
        (r["population"], r["scale"]): r["direction"] for r in _rows(demo_out, "comparison") if r["visit"] == "w08"
    }
    assert found["double_negative", "logit_of:b_cells"] == "fell"
    assert found["switched_memory", "logit_of:b_cells"] == "fell"
    assert found["transitional", "logit_of:b_cells"] == "rose"
    assert found["activated_naive", "logit_parent"] == "fell"


def test_nothing_is_called_significant_that_cannot_be(demo_out: Path) -> None:
    for row in _rows(demo_out, "comparison"):
        if row["p"]:
            assert float(row["p"]) >= float(row["p_floor"]) > 0
            if int(row["n"]) <= 5:
                assert float(row["p"]) > 0.05
                assert row["can_be_significant"] == "false"


def test_tables_hold_no_machine_and_no_clock(demo_out: Path, sample_fcs: Path) -> None:
    import socket

    for path in (demo_out / "tables").iterdir():
        text = path.read_text(encoding="utf-8")
        assert str(sample_fcs) not in text
        assert str(demo_out) not in text
        assert socket.gethostname() not in text


def test_every_table_is_described(demo_out: Path) -> None:
    package = json.loads((demo_out / "tables/datapackage.json").read_text())
    described = {r["path"]: [f["name"] for f in r["schema"]["fields"]] for r in package["resources"]}
    tables = {p.name for p in (demo_out / "tables").glob("*.csv")}
    assert set(described) == tables
    for name, columns in described.items():
        with (demo_out / "tables" / name).open(newline="", encoding="utf-8") as stream:
            assert next(csv.reader(stream)) == columns


def test_gating_again_redoes_nothing_and_leaves_everything_as_it_was(demo: Demo) -> None:
    before = contents(demo.out)
    done = run("gate", demo.study / "study.yaml", "-o", demo.out, "--progress", "plain")
    assert done.returncode == 0, done.stderr
    assert "18 of 18 groups were up to date" in done.stdout
    package = "tables/datapackage.json"
    after = contents(demo.out)
    assert {n for n in before if before[n] != after.get(n)} <= {package}
    assert compare_with_manifest(demo.out) == ()


def test_one_unreadable_file_among_46_leaves_the_others_complete(demo: Demo) -> None:
    before = {r["sample_id"]: r for r in _rows(demo.out, "samples")}
    path = demo.study / "fcs/P04_w08_treg.fcs"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: len(data) // 3])
    done = run("gate", demo.study / "study.yaml", "-o", demo.out, "-j", "1", "--progress", "none")
    assert done.returncode == 4, done.stderr
    assert "failed: P04_w08_treg (fcs/P04_w08_treg.fcs)" in done.stderr
    after = {r["sample_id"]: r for r in _rows(demo.out, "samples")}
    assert after.pop("P04_w08_treg")["status"] == "failed"
    del before["P04_w08_treg"]
    assert after == before
    counted = {r["sample_id"] for r in _rows(demo.out, "counts")}
    assert len(counted) == 51
    assert "P04_w08_treg" not in counted
    assert compare_with_manifest(demo.out) == ()


def test_a_misspelt_column_stops_check_with_file_column_and_suggestion(demo: Demo) -> None:
    samples = demo.study / "samples.csv"
    samples.write_text(samples.read_text().replace("subject_id", "subjet_id", 1))
    done = run("check", demo.study / "study.yaml")
    assert done.returncode == 1
    assert "samples.csv row 1: column 'subjet_id' is unknown [did you mean 'subject_id'?" in done.stderr


def test_check_says_that_all_is_well(demo: Demo) -> None:
    done = run("check", demo.study / "study.yaml")
    assert done.returncode == 0
    assert "79 files of 6 participants: 79 usable, 0 not" in done.stdout


def test_tables_that_a_german_excel_saved_give_the_same_results(demo: Demo) -> None:
    for name in ("samples.csv", "clinical.csv"):
        with (demo.study / name).open(newline="") as stream:
            rows = list(csv.reader(stream))
        german = [[c.replace(".", ",") if c.replace(".", "", 1).isdigit() else c for c in row] for row in rows]
        with (demo.study / name).open("w", newline="", encoding="utf-8-sig") as stream:
            csv.writer(stream, delimiter=";").writerows(german)
    before = {
        n: d for n, d in contents(demo.out).items() if n not in {"tables/findings.csv", "tables/datapackage.json"}
    }
    done = run("gate", demo.study / "study.yaml", "-o", demo.out, "--progress", "none")
    assert done.returncode == 0, done.stderr
    assert "18 of 18 groups were up to date" in done.stdout
    after = contents(demo.out)
    assert {n: after.get(n) for n in before} == before
    codes = Counter(r["code"] for r in _rows(demo.out, "findings"))
    assert codes["TABLE_DIALECT"] == 2
    assert codes["TABLE_DECIMAL_COMMA"] == 1


def test_another_study_may_not_take_the_folder(demo: Demo) -> None:
    study = demo.study / "study.yaml"
    study.write_text(study.read_text().replace("id: demo-1", "id: other"))
    done = run("run", study, "-o", demo.out)
    assert done.returncode == 5
    assert "holds the results of study 'demo-1', not of study 'other'" in done.stderr


def test_the_same_file_under_two_names_stops_the_run(demo: Demo) -> None:
    path = demo.study / "fcs/P01_w04_treg.fcs"
    path.unlink()
    path.write_bytes((demo.study / "fcs/P01_w00_treg.fcs").read_bytes())
    done = run("run", demo.study / "study.yaml", "-o", demo.out)
    assert done.returncode == 1
    assert "has the same bytes as 'fcs/P01_w00_treg.fcs' of sample P01_w00_treg" in done.stderr


def test_statistics_again_and_from_a_counts_table_alone(demo: Demo, tmp_path: Path) -> None:
    before = {n: d for n, d in contents(demo.out).items() if n.startswith("tables/")}
    done = run("report", demo.study / "study.yaml", "-o", demo.out)
    assert done.returncode == 0, done.stderr
    assert {n: d for n, d in contents(demo.out).items() if n.startswith("tables/")} == before
    assert compare_with_manifest(demo.out) == ()
    counts = demo.out / "tables/counts.csv"
    done = run("stats", demo.study / "study.yaml", "--counts", counts, "-o", tmp_path / "stats")
    assert done.returncode == 0, done.stderr
    ours = {(r["path"], r["visit"], r["scale"]): r["p"] for r in _rows(demo.out, "comparison")}
    theirs = {(r["path"], r["visit"], r["scale"]): r["p"] for r in _rows(tmp_path / "stats", "comparison")}
    assert theirs == ours


def test_a_correction_moves_one_gate_redoes_its_group_and_is_said(demo: Demo) -> None:
    study = demo.study / "study.yaml"
    study.write_text(study.read_text() + "overrides: overrides.jsonl\n")
    before = {r["sample_id"]: r for r in _rows(demo.out, "counts") if r["population"] == "treg"}
    command = ("overrides", "add", study, "--sample", "P04_w00_treg", "--cut", "foxp3", "--value", "0.55")
    assert run(*command, "--author", "A. Reader").returncode == 2
    assert run(*command, "--author", "A. Reader", "--reason", "valley missed").returncode == 0
    plan = run("run", study, "-o", demo.out, "--dry-run")
    assert plan.stdout.count("stale") == 4  # three tubes of the group, and the sum
    assert "P04_w00_treg  changed since: overrides" in plan.stdout
    assert run("gate", study, "-o", demo.out, "-j", "1", "--progress", "none").returncode == 0
    moved = [r for r in _rows(demo.out, "thresholds") if r["source"] == "override"]
    assert {(r["sample_id"], r["cut"], r["value_display"]) for r in moved} == {("P04_w00_treg", "foxp3", "0.55")}
    after = {r["sample_id"]: r for r in _rows(demo.out, "counts") if r["population"] == "treg"}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"P04_w00_treg"}
    listed = run("overrides", "list", study)
    assert "1 corrections, 1 in force" in listed.stdout


def test_a_correction_of_a_cut_that_does_not_exist_stops_the_run(demo: Demo) -> None:
    study = demo.study / "study.yaml"
    study.write_text(study.read_text() + "overrides: overrides.jsonl\n")
    command = ("overrides", "add", study, "--sample", "P04_w00_treg", "--cut", "foxp4", "--value", "0.55")
    run(*command, "--author", "A", "--reason", "B")
    done = run("gate", study, "-o", demo.out)
    assert done.returncode == 1
    assert "correction of 'foxp4' in sample P04_w00_treg: no cut 'foxp4' to move" in done.stderr
