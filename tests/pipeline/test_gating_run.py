"""What a gating run leaves behind, and what it does when something is wrong."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import OutputError
from cytometry.io.fcs import write_fcs
from cytometry.io.manifest import compare_with_manifest
from cytometry.pipeline.gate_step import GateOptions, GateResult, file_job, gate_job, plan_decisions
from cytometry.pipeline.tasks import GatingSettings
from cytometry.simulation.blood import Blood
from cytometry.simulation.tubes import TubeSpec, simulate_tube
from tests.pipeline.tiny import contents, run, write_strategy, write_tubes


@pytest.fixture
def tubes(tmp_path: Path) -> Path:
    write_tubes(tmp_path / "fcs")
    write_strategy(tmp_path / "tiny.gml.xml")
    return tmp_path


def _gate(folder: Path, out: str = "out", jobs: int = 1, *, force: bool = False) -> GateResult:
    settings = GatingSettings(detail=False)
    job = file_job([str(folder / "fcs")], str(folder / "tiny.gml.xml"), folder / out, settings)
    return gate_job(job, GateOptions(jobs=jobs, force=force, settings=settings))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_counts_are_those_that_the_files_were_made_with(tubes: Path) -> None:
    result = _gate(tubes)
    assert result.exit_code == 0
    rows = _rows(tubes / "out/tables/counts.csv")
    assert list(rows[0]) == [
        "sample_id", "fcs_file", "fcs_sha256", "panel", "population", "path", "parent_path", "count", "parent_count",
        "total_events", "flags",
    ]  # fmt: skip
    assert [(r["sample_id"], r["path"], r["count"], r["parent_count"]) for r in rows] == [
        ("a", "root", "200", ""), ("a", "root/live", "100", "200"), ("a", "root/live/bright", "10", "100"),
        ("b", "root", "200", ""), ("b", "root/live", "101", "200"), ("b", "root/live/bright", "11", "101"),
        ("c", "root", "200", ""), ("c", "root/live", "102", "200"), ("c", "root/live/bright", "12", "102"),
    ]  # fmt: skip
    assert rows[2]["flags"] == "BELOW_LOD;PARENT_SMALL"


def test_results_do_not_depend_on_the_number_of_workers(tubes: Path) -> None:
    _gate(tubes, "one", jobs=1)
    _gate(tubes, "two", jobs=2)
    assert contents(tubes / "one") == contents(tubes / "two")


def test_one_unreadable_file_fails_alone(tubes: Path) -> None:
    clean = contents(_folder_after(tubes, "clean"))
    (tubes / "fcs/bad.fcs").write_bytes(b"FCS3.1 and then nothing that makes sense" * 3)
    result = _gate(tubes)
    assert result.exit_code == 4
    assert (result.run.tally.found, result.run.tally.done, result.run.tally.failed) == (4, 3, 1)
    samples = {r["sample_id"]: r for r in _rows(tubes / "out/tables/samples.csv")}
    assert samples["bad"]["status"] == "failed"
    assert samples["bad"]["reason"]
    assert (tubes / "out/tables/counts.csv").read_bytes() == clean["tables/counts.csv"]


def test_nothing_readable_is_exit_1(tubes: Path) -> None:
    for path in (tubes / "fcs").iterdir():
        path.write_bytes(b"no")
    assert _gate(tubes).exit_code == 1


def test_a_second_run_redoes_nothing_and_says_so(tubes: Path) -> None:
    first = _gate(tubes)
    before = contents(tubes / "out")
    stamp = (tubes / "out/parts/tiny/a/counts.csv").stat().st_mtime_ns
    second = _gate(tubes)
    assert [d.action for d in first.run.decisions] == ["run"] * 3
    assert [d.action for d in second.run.decisions] == ["skip"] * 3
    assert (tubes / "out/parts/tiny/a/counts.csv").stat().st_mtime_ns == stamp
    assert contents(tubes / "out") == before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("file", "changed since: files"),
        ("strategy", "changed since: panel"),
        ("part", "damaged or missing: parts/tiny/a/counts.csv"),
        ("gates", "damaged or missing: gates/a.gml.xml"),
    ],
)
def test_what_changed_is_named_and_redone(tubes: Path, change: str, why: str) -> None:
    _gate(tubes)
    clean = contents(tubes / "out")
    if change == "file":
        data = bytearray((tubes / "fcs/a.fcs").read_bytes())
        data[-20] ^= 1
        (tubes / "fcs/a.fcs").write_bytes(data)
    elif change == "strategy":
        gates = tubes / "tiny.gml.xml"
        gates.write_text(gates.read_text().replace("500", "501"))
    elif change == "part":
        (tubes / "out/parts/tiny/a/counts.csv").write_text("torn")
    else:
        (tubes / "out/gates/a.gml.xml").unlink()
    job = file_job([str(tubes / "fcs")], str(tubes / "tiny.gml.xml"), tubes / "out", GatingSettings(detail=False))
    decision = plan_decisions(job, GateOptions())[0]
    assert (decision.action, decision.why) == ("stale", why)
    _gate(tubes)
    assert compare_with_manifest(tubes / "out") == ()
    if change in {"part", "gates"}:
        assert contents(tubes / "out") == clean


def test_results_of_inputs_that_are_gone_do_not_stay(tubes: Path) -> None:
    _gate(tubes)
    (tubes / "fcs/b.fcs").unlink()
    _gate(tubes)
    left = contents(tubes / "out")
    assert not [name for name in left if "/b" in name]
    assert contents(_folder_after(tubes, "fresh")) == left


def test_a_sample_that_fails_now_loses_its_old_results(tubes: Path) -> None:
    _gate(tubes)
    (tubes / "fcs/b.fcs").write_bytes(b"gone bad")
    assert _gate(tubes).exit_code == 4
    assert not [name for name in contents(tubes / "out") if name.startswith(("parts/tiny/b", "gates/b"))]


def test_verify_names_changed_missing_and_extra_files(tubes: Path) -> None:
    _gate(tubes)
    out = tubes / "out"
    assert run("verify", out).returncode == 0
    for name in contents(out):
        data = (out / name).read_bytes()
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        (out / name).write_bytes(flipped)
        assert [d.name for d in compare_with_manifest(out)] == [name]
        (out / name).write_bytes(data)
    (out / "tables/counts.csv").unlink()
    (out / "tables/mine.csv").write_text("x")
    done = run("verify", out, "--json")
    assert done.returncode == 1
    found = {(d["file"], d["kind"]) for d in json.loads(done.stdout)["differences"]}
    assert found == {("tables/counts.csv", "missing"), ("tables/mine.csv", "extra")}


def test_a_flipped_byte_in_the_manifest_is_noticed(tubes: Path) -> None:
    _gate(tubes)
    path = tubes / "out/run.json"
    path.write_text(path.read_text().replace('"exit_code": 0', '"exit_code": 4'))
    assert [d.name for d in compare_with_manifest(tubes / "out")] == ["run.json"]


def test_foreign_folder_is_refused_and_left_alone(tubes: Path) -> None:
    (tubes / "out").mkdir()
    (tubes / "out/thesis.docx").write_text("precious")
    with pytest.raises(OutputError, match="holds files of something else") as caught:
        _gate(tubes)
    assert caught.value.exit_code == 5
    assert [p.name for p in (tubes / "out").iterdir()] == ["thesis.docx"]


def test_files_of_one_name_are_told_apart_by_content(tubes: Path) -> None:
    other = tubes / "fcs/site2"
    write_tubes(other, ("z", "a"))
    (other / "z.fcs").unlink()
    result = _gate(tubes)
    ids = [o.sample_id for o in result.run.collected.outcomes]
    shas = [r["fcs_sha256"][:8] for r in _rows(tubes / "out/tables/samples.csv")]
    assert ids == [f"a-{shas[0]}", "b", "c", f"a-{shas[3]}"]
    codes = {r["code"] for r in _rows(tubes / "out/tables/findings.csv")}
    assert "SAMPLE_ID_COLLISION" in codes


def test_the_same_bytes_twice_are_reported(tubes: Path) -> None:
    (tubes / "fcs/copy.fcs").write_bytes((tubes / "fcs/a.fcs").read_bytes())
    assert _gate(tubes).exit_code == 0
    findings = [r for r in _rows(tubes / "out/tables/findings.csv") if r["code"] == "DUPLICATE_CONTENT"]
    assert [(f["file"], f["message"]) for f in findings] == [("copy.fcs", "has the same bytes as a.fcs")]


def _folder_after(tubes: Path, name: str) -> Path:
    _gate(tubes, name)
    return tubes / name


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "7"},
        {"TZ": "Asia/Kolkata", "LC_ALL": "C"},
        {"PYTHONUTF8": "0", "LANG": "tr_TR.UTF-8", "OMP_NUM_THREADS": "1"},
    ],
    ids=lambda e: ",".join(e),
)
def test_results_do_not_depend_on_the_environment(tubes: Path, environment: dict[str, str]) -> None:
    clean = contents(_folder_after(tubes, "clean"))
    elsewhere = tubes / "else where"
    elsewhere.mkdir()
    strategy = tubes / "tiny.gml.xml"
    arguments = ("gate", "../fcs", "--strategy", strategy, "-o", "out", "--no-pictures", "-j", "1")
    done = run(*arguments, cwd=elsewhere, env={**os.environ, **environment}, umask=0o077)
    assert done.returncode == 0, done.stderr
    assert contents(elsewhere / "out") == clean


def test_a_tube_without_events_counts_nothing_under_a_drawn_panel(tmp_path: Path) -> None:
    spec = TubeSpec("bcell", Blood().cell_shares(), n_events=1_000)
    sample = simulate_tube(spec, np.random.default_rng(1)).sample
    no_events = np.zeros((0, len(sample.channels)))
    write_fcs(tmp_path / "n0.fcs", no_events, sample.channels, spillover=sample.spillover)
    settings = GatingSettings()
    job = file_job([str(tmp_path / "n0.fcs")], "bcell_drawn_v1", tmp_path / "out", settings)
    assert gate_job(job, GateOptions(settings=settings)).exit_code == 0
    rows = _rows(tmp_path / "out/tables/counts.csv")
    assert len(rows) > 5
    assert {r["count"] for r in rows} == {"0"}
