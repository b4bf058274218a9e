"""The log of a run: what happened, in words and as JSON lines, outside of the results."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from cytometry.cli.logs import run_log
from cytometry.cli.main import cytometry
from cytometry.errors import OutputError, RequestError
from cytometry.io.manifest import compare_with_manifest
from tests.pipeline.tiny import write_strategy, write_tubes


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    write_tubes(tmp_path / "fcs", ("a", "b"))
    (tmp_path / "fcs" / "broken.fcs").write_bytes(b"FCS3.1 but no more")
    strategy = write_strategy(tmp_path / "tiny.gml.xml")
    return ["gate", str(tmp_path / "fcs"), "--strategy", str(strategy), "-o", str(tmp_path / "out"), "-j", "1"]


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_is_logged_beside_its_results_and_still_verifies(tmp_path: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(cytometry, arguments, standalone_mode=False).return_value == 4
    (text,) = (tmp_path / "out" / "logs").glob("run-*.log")
    found = records(text.with_suffix(".jsonl"))
    assert [r["event"] for r in found] == ["begin", *["group"] * 3, *["sample"] * 3, "end"]
    ends = {r["sample_id"]: (r["status"], r["level"]) for r in found if r["event"] == "sample"}
    assert ends == {"a": ("done", "info"), "b": ("done", "info"), "broken": ("failed", "error")}
    assert found[-1]["exit_code"] == 4
    lines = text.read_text().splitlines()
    assert len(lines) == len(found)
    assert all(record["message"] in line for record, line in zip(found, lines, strict=True))
    assert compare_with_manifest(tmp_path / "out") == ()


def test_the_log_may_lie_elsewhere_but_not_among_the_results(tmp_path: Path, arguments: list[str]) -> None:
    elsewhere = tmp_path / "elsewhere" / "my.log"
    CliRunner().invoke(cytometry, [*arguments, "--log-file", str(elsewhere)], standalone_mode=False)
    assert records(elsewhere.with_suffix(".jsonl"))[-1]["event"] == "end"
    assert not (tmp_path / "out" / "logs").exists()
    refused = CliRunner().invoke(
        cytometry, [*arguments, "--log-file", str(tmp_path / "out" / "x.log")], standalone_mode=False
    )
    assert isinstance(refused.exception, RequestError)
    assert "would be a result" in str(refused.exception)


def test_a_folder_that_is_refused_gets_no_log(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("mine")
    refused = CliRunner().invoke(cytometry, arguments, standalone_mode=False)
    assert isinstance(refused.exception, OutputError)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["thesis.doc"]


def test_a_dry_run_leaves_no_log(tmp_path: Path, arguments: list[str]) -> None:
    CliRunner().invoke(cytometry, [*arguments, "--dry-run"], standalone_mode=False)
    assert not (tmp_path / "out").exists()


def test_a_bug_of_ours_is_logged_with_its_trace(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(*_: object, **__: object) -> None:
        raise ZeroDivisionError("\x1b[31mred")

    monkeypatch.setattr("cytometry.pipeline.gate_group.count_populations", buggy)
    CliRunner().invoke(cytometry, arguments, standalone_mode=False)
    (text,) = (tmp_path / "out" / "logs").glob("run-*.log")
    failed = [r for r in records(text.with_suffix(".jsonl")) if r.get("sample_id") == "a"]
    assert "ZeroDivisionError" in str(failed[0]["trace"])
    assert "in buggy" in text.read_text()
    # What an error says cannot steer the terminal of whoever reads the log.
    assert "\x1b" not in text.read_text()


def test_an_error_that_ends_the_command_is_the_last_record(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with pytest.raises(OutputError), run_log(tmp_path / "out", log):
        raise OutputError("is full", where="disk")
    assert records(log.with_suffix(".jsonl"))[-1]["code"] == "OUTPUT_UNUSABLE"
    assert logging.getLogger("cytometry").handlers == []
