"""The reference folder of edge cases: all as its ``expected.json`` says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytometry.cli.main import run_command_line
from cytometry.errors import FcsError, SpilloverError
from cytometry.io.fcs import inspect_fcs, read_fcs
from cytometry.model.sample import Sample
from tests.reference import reference_files


def _cases() -> list[Any]:
    return [
        pytest.param(entry, path.parent / entry["file"], id=entry["file"])
        for path in reference_files("fcs_edge_cases/expected.json")
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]


CASES = _cases()


def _read(path: Path) -> Sample | FcsError:
    try:
        return read_fcs(path)
    except FcsError as error:
        return error


@pytest.mark.parametrize(("entry", "path"), CASES)
def test_file_is_read_warned_of_or_refused_as_expected(entry: dict[str, Any], path: Path) -> None:
    outcome = _read(path)
    if isinstance(outcome, FcsError):
        assert "error" in entry["expect"], str(outcome)
        text = str(outcome)
        assert str(path) in text
    else:
        assert entry["expect"] != "error"
        text = "; ".join(f.message for f in outcome.findings)
        is_warned = any(f.severity == "warning" for f in outcome.findings)
        assert is_warned == (entry["expect"] != "read"), text
    assert [w for w in entry["message_should_mention"] if w not in text] == []


@pytest.mark.parametrize(("entry", "path"), [c for c in CASES if c.values[0]["truth"]])
def test_values_names_matrix_and_keywords_are_the_truth(entry: dict[str, Any], path: Path) -> None:
    truth = entry["truth"]
    sample = read_fcs(path)
    raw = sample.raw()
    assert sample.n_events == truth["n_events"]
    assert list(sample.channel_names) == truth["channels"]
    if truth["raw_sha256"] is not None:
        assert hashlib.sha256(raw.astype("<f8").tobytes()).hexdigest() == truth["raw_sha256"]
    if truth["first_row"] is not None:
        np.testing.assert_array_equal(raw[0], truth["first_row"])
        np.testing.assert_array_equal(raw[-1], truth["last_row"])
    if "scaled_first_row" in truth:
        np.testing.assert_allclose(sample.linear()[0], truth["scaled_first_row"], rtol=1e-14)
    if "scaled_time_first" in truth:
        assert sample.linear()[0, -1] == pytest.approx(truth["scaled_time_first"], rel=1e-14)
    if truth["spillover"] is None:
        assert sample.spillover is None
    else:
        assert sample.spillover is not None
        assert list(sample.spillover.channels) == truth["spillover"]["channels"]
        assert sample.spillover.matrix.tolist() == truth["spillover"]["matrix"]
    assert {k: sample.keywords[k] for k in truth.get("keywords", {})} == truth.get("keywords", {})


@pytest.mark.parametrize(("entry", "path"), [c for c in CASES if c.values[0]["file"] == "two_datasets.fcs"])
def test_both_data_sets_are_read(entry: dict[str, Any], path: Path) -> None:
    assert read_fcs(path, dataset=0).raw().shape == (300, 5)
    assert read_fcs(path, dataset=1).raw().shape == (40, 2)
    assert inspect_fcs(path).n_datasets == 2


@pytest.mark.parametrize(("entry", "path"), [c for c in CASES if "spill_unknown" in c.values[0]["file"]])
def test_unknown_channel_of_the_matrix_is_named_when_compensating(entry: dict[str, Any], path: Path) -> None:
    from cytometry.errors import CytometryError
    from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name

    sample = read_fcs(path)
    with pytest.raises((CytometryError, SpilloverError), match="APC-A"):
        DimensionReader(sample, channel_map_by_name(sample), {}, {}).linear("FITC-A", "FCS")


@pytest.mark.parametrize(("entry", "path"), CASES)
def test_command_line_refuses_without_traceback(
    entry: dict[str, Any], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_command_line(["inspect", str(path)])
    printed = capsys.readouterr()
    refused = isinstance(_read(path), FcsError)
    assert code == (1 if refused else 0)
    assert "Traceback" not in printed.out + printed.err
    assert str(path) in printed.out + printed.err
    assert "\x1b" not in printed.out + printed.err


def test_batch_with_refused_files_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    for path in reference_files("fcs_edge_cases/good_fcs31.fcs"):
        assert run_command_line(["inspect", str(path.parent), "--json"]) == 4
        document = json.loads(capsys.readouterr().out)
        assert len(document["files"]) == 23
        assert sum(f["status"] == "error" for f in document["files"]) == 6
        assert {s["path"].rsplit("/", 1)[-1] for s in document["skipped"]} == {"README.md", "expected.json"}
