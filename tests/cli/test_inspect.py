"""``cytometry inspect``: exit codes, JSON, and nothing that a file can do to a terminal."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cytometry.cli.main import run_command_line
from tests.io.fcs.builder import float_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.fcs").write_bytes(float_file().bytes())
    (tmp_path / "bad.fcs").write_bytes(float_file().set(_BYTEORD="middle").bytes())
    (tmp_path / "odd.FCS").write_bytes(float_file().set(_P3N="PE-A").bytes())
    (tmp_path / "notes.txt").write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["good.fcs"], 0),
        (["odd.FCS"], 0),
        (["bad.fcs"], 1),
        (["good.fcs", "bad.fcs"], 4),
        (["bad.fcs", "none.fcs"], 1),
        (["."], 4),
        (["notes.txt"], 1),
    ],
)
def test_exit_code_says_how_many_were_refused(folder: Path, names: list[str], code: int) -> None:
    assert run_command_line(["inspect", *(str(folder / n) for n in names)]) == code


def test_folder_without_fcs_files_is_a_wrong_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["inspect", str(tmp_path)]) == 2
    assert "no FCS file" in capsys.readouterr().err


def test_json_is_one_document_with_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["inspect", str(folder), "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    statuses = {os.path.basename(f["path"]): f["status"] for f in document["files"]}  # noqa: PTH119
    assert statuses == {"good.fcs": "ok", "bad.fcs": "error", "odd.FCS": "warning"}
    assert [s["reason"] for s in document["skipped"]] == ["ends in '.txt'"]


def test_refusal_says_file_field_found_expected_and_fix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_command_line(["inspect", str(folder / "bad.fcs")])
    text = capsys.readouterr().err
    for words in (str(folder / "bad.fcs"), "$BYTEORD", "'middle'", "1,2,3,4", "export the file again"):
        assert words in text
    assert "Traceback" not in text


def test_lenient_reads_what_strict_refuses(folder: Path) -> None:
    assert run_command_line(["inspect", str(folder / "bad.fcs"), "--lenient"]) == 0


def test_second_opinion_is_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["inspect", str(folder / "good.fcs"), "--second-opinion"]) == 0
    assert "FlowIO 1" in capsys.readouterr().out


def test_same_bytes_twice_are_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "copy.fcs").write_bytes((folder / "good.fcs").read_bytes())
    run_command_line(["inspect", str(folder / "good.fcs"), str(folder / "copy.fcs")])
    assert f"has the same bytes as {folder / 'good.fcs'}" in capsys.readouterr().err


def test_hostile_names_reach_the_terminal_without_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = float_file().set(_P3N="\x1b[2J\x07evil", _CYT="\x1b]0;x\x07", _SPILLOVER="2,\x1b[1m,PE-A,1,0,0,1")
    (tmp_path / "a.fcs").write_bytes(file.bytes())
    run_command_line(["inspect", str(tmp_path / "a.fcs")])
    printed = capsys.readouterr()
    assert not {"\x1b", "\x07"} & set(printed.out + printed.err)
    assert "evil" in printed.out
