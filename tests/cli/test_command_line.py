"""What the command line promises: help without numpy, exit codes, words and JSON."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cytometry.cli.main import run_command_line
from cytometry.cli.options import HOW, WHAT
from cytometry.cli.registry import COMMANDS
from tests.pipeline.tiny import write_strategy, write_tubes


@pytest.fixture
def tubes(tmp_path: Path) -> Path:
    write_tubes(tmp_path / "fcs", ("a", "b"))
    write_strategy(tmp_path / "tiny.gml.xml")
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_every_registered_command_exists_and_has_help(name: str) -> None:
    module, _, attribute = COMMANDS[name].target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.help or (command.callback and command.callback.__doc__)
    assert COMMANDS[name].help.endswith(".")


def test_only_how_it_runs_may_come_from_the_environment() -> None:
    """An analysis may not depend on whose computer ran it."""
    for registry, allowed in ((HOW, True), (WHAT, False)):
        for name, decorate in registry.items():
            command = click.command()(decorate(lambda **_: None))
            assert allowed or command.params[0].envvar is None, name
    for name in COMMANDS:
        module, _, attribute = COMMANDS[name].target.partition(":")
        for parameter in getattr(importlib.import_module(module), attribute).params:
            if parameter.envvar is not None:
                assert any(str(parameter.envvar) == f"CYTOMETRY_{key.upper()}" for key in HOW), (name, parameter.name)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["gatee"], 2, "Did you mean 'gate'?"),
        (["gate"], 2, "Missing argument 'INPUTS...'"),
        (["gate", "--stategy", "x", "y"], 2, "--strategy"),
        (["gate", "x.fcs"], 2, "files need gates"),
        (["gate", "study.yaml", "more.fcs"], 2, "a study is gated alone"),
        (["gate", "x.fcs", "--strategy", "nothing_v1"], 1, "no panel 'nothing_v1'"),
        (["gate", "x.fcs", "--strategy", "nothing.wsp"], 2, "there is no file 'nothing.wsp'"),
        (["gate", "x.fcs", "--strategy", ""], 1, "the name of a panel is empty"),
        (["panel", "check", ""], 1, "the name of a panel is empty"),
        (["check", "nowhere/study.yaml"], 1, "cannot be read: No such file or directory"),
        (["verify", "nowhere"], 5, "has no run.json"),
        (["init", "x"], 2, "say what to start from"),
        (["schema", "nothing"], 2, "Invalid value for"),
    ],
)
def test_errors_have_words_and_codes_and_no_traceback(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run_command_line(arguments) == code
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [("study.yaml", b"schema_version: 1\n"), ("samples.csv", b"sample_id\n"), ("a.fcs", b"FCS3.1    "), ("a", b"")],
)
def test_a_file_that_holds_no_gates_is_called_no_strategy(
    name: str, content: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    assert run_command_line(["gate", "x.fcs", "--strategy", str(tmp_path / name)]) == 2
    told = capsys.readouterr().err
    assert f"{name}' is no strategy" in told
    assert "a GatingML 2.0 file, a FlowJo workspace (.wsp), a panel folder or a shipped panel's name" in told


@pytest.mark.parametrize("name", ["gates.xml", "gates.dat"])
def test_a_gate_file_that_broke_off_is_still_one(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / name).write_text("\ufeff <gating:Gating-ML", encoding="utf-8")
    assert run_command_line(["gate", "x.fcs", "--strategy", str(tmp_path / name)]) == 1
    assert "is not well-formed XML" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["new", "own", "--from", "no.fcs"], ["freeze", "bcell_v1", "no.fcs", "own"]])
def test_a_missing_file_is_told_once(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command_line(["panel", *arguments]) == 1
    told = capsys.readouterr().err
    assert told.count("no.fcs: cannot be opened: No such file or directory") == 1
    assert "check the path" in told


@pytest.mark.parametrize("arguments", [["gate", "x.fcs"], ["gatee"], ["verify", "nowhere"], ["check", "no.yaml"]])
def test_an_error_under_json_is_one_document(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_command_line([*arguments, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "error"
    assert document["code"].isupper()
    assert document["message"]


def test_a_wrong_table_under_json_names_file_row_and_column(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(
        "schema_version: 1\nstudy: {id: x}\nvisits: [{id: w0, baseline: true}]\npanels: {bcell: bcell_v1}\n"
    )
    (tmp_path / "samples.csv").write_text("sample_id,fcs_file,panel,subject_id,visit\nS1,a.fcs,bcel,P1,w0\n")
    (tmp_path / "a.fcs").touch()
    assert run_command_line(["check", str(tmp_path / "study.yaml"), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["where"] == {"file": "samples.csv", "row": 2, "column": "panel"}
    assert document["findings"][0]["fix"] == "did you mean 'bcell'?"


def test_json_of_a_run_is_one_document_and_says_what_became_of_every_input(
    tubes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tubes / "fcs/bad.fcs").write_bytes(b"nothing")
    strategy = str(tubes / "tiny.gml.xml")
    out = str(tubes / "out")
    code = run_command_line(["gate", str(tubes / "fcs"), "--strategy", strategy, "-o", out, "-j", "1", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert code == document["exit_code"] == 4
    assert (document["found"], document["done"], document["failed"], document["skipped"]) == (3, 2, 1, 0)
    assert [s["status"] for s in document["samples"]] == ["done", "done", "failed"]


def test_dry_run_says_why_and_writes_nothing(tubes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "gate",
        str(tubes / "fcs"),
        "--strategy",
        str(tubes / "tiny.gml.xml"),
        "-o",
        str(tubes / "out"),
        "-j",
        "1",
    ]
    assert run_command_line([*command, "--dry-run"]) == 0
    assert "run    a  a was never finished" in capsys.readouterr().out
    assert not (tubes / "out").exists()
    assert run_command_line([*command, "--progress", "none"]) == 0
    capsys.readouterr()
    assert run_command_line([*command, "--dry-run"]) == 0
    assert "skip   a  up to date" in capsys.readouterr().out


def test_fail_on_turns_a_finding_into_exit_3(tubes: Path) -> None:
    write_tubes(tubes / "fcs", ("a", "b"), events=2000)  # enough for the quality limits
    (tubes / "fcs/notes.txt").write_text("x")
    command = [
        "gate",
        str(tubes / "fcs"),
        "--strategy",
        str(tubes / "tiny.gml.xml"),
        "-o",
        str(tubes / "out"),
        "-j",
        "1",
    ]
    assert run_command_line([*command, "--fail-on", "warning"]) == 0
    assert run_command_line([*command, "--fail-on", "info"]) == 3


def test_a_bug_of_ours_is_exit_70_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def buggy(_folder: Path) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("cytometry.cli.verify.compare_with_manifest", buggy)
    assert run_command_line(["verify", "x"]) == 70
    assert "this is a bug in cytometry, please report it: ZeroDivisionError: unforeseen" in capsys.readouterr().err


def test_names_in_files_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = tmp_path / "a\x1b[31mred.fcs"
    name.write_bytes(b"nothing")
    write_strategy(tmp_path / "tiny.gml.xml")
    run_command_line(["gate", str(name), "--strategy", str(tmp_path / "tiny.gml.xml"), "-o", str(tmp_path / "out")])
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert (tmp_path / "out/tables/samples.csv").read_text().count("a__31mred,") == 1


def test_gating_with_drawn_gates_needs_no_heavy_library(tubes: Path) -> None:
    arguments = [
        "gate",
        str(tubes / "fcs"),
        "--strategy",
        str(tubes / "tiny.gml.xml"),
        "-o",
        str(tubes / "out"),
        "-j",
        "1",
    ]
    code = (
        "import sys\nfrom cytometry.cli.main import run_command_line\n"
        f"assert run_command_line({arguments!r}) == 0\n"
        "print(' '.join(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {"pandas", "pyarrow", "sklearn", "scipy.stats", "matplotlib", "flowkit", "pydantic", "anndata", "jinja2"}
    assert heavy & loaded == set()


def test_completion_knows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["completion", "bash"]) == 0
    assert "_CYTOMETRY_COMPLETE=bash_complete" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["study", "samples", "clinical", "subjects", "panel", "strategy", "counts"])
def test_schemas_are_valid_json_schemas(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from jsonschema import Draft202012Validator

    assert run_command_line(["schema", name]) == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(document)


def test_init_from_fcs_fills_what_headers_hold_and_check_refuses_its_guesses(
    tubes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["init", str(tubes / "new"), "--from-fcs", str(tubes / "fcs")]) == 0
    assert "replace every '?'" in capsys.readouterr().out
    text = (tubes / "new/study.yaml").read_text().replace('id: "?"', "id: mine")
    (tubes / "new/study.yaml").write_text(text)
    assert run_command_line(["check", str(tubes / "new/study.yaml")]) == 1
    assert "samples.csv row 2: column subject_id: '?' is a guess that nobody has reviewed" in capsys.readouterr().err
    assert "../fcs/a.fcs" in (tubes / "new/samples.csv").read_text()
