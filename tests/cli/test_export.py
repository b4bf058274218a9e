"""``cytometry export fcs``: a gated population as a file, with the counts that gating gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cytometry.cli.main import run_command_line
from cytometry.io.fcs import read_fcs
from cytometry.io.gatingml import write_gatingml
from cytometry.model.gates import UNCOMPENSATED, Dimension, Interval, RectangleGate
from cytometry.model.strategy import GatingStrategy, Population
from tests.io.fcs.builder import float_events, float_file


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    """A file, and gates drawn on it: FSC-A at least 60 000, and of these PE-A below 1 500."""
    path = tmp_path / "tube.fcs"
    path.write_bytes(float_file().bytes())
    bright = RectangleGate((Interval(Dimension("FSC-A", UNCOMPENSATED), minimum=60_000.0),))
    dim = RectangleGate((Interval(Dimension("PE-A", UNCOMPENSATED), maximum=1_500.0),))
    strategy = GatingStrategy("drawn", (Population("large", "root", bright), Population("dim", "root/large", dim)))
    write_gatingml(strategy, tmp_path / "gates.gml.xml")
    return path, tmp_path / "gates.gml.xml"


def test_population_has_just_its_events(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    path, gates = inputs
    out = tmp_path / "out"
    code = run_command_line(
        ["export", "fcs", str(path), "--strategy", str(gates), "--population", "dim", "-o", str(out), "--membership"]
    )
    assert code == 0
    events = float_events()
    inside = (events[:, 0] >= 60_000) & (events[:, 3] < 1_500)
    sample = read_fcs(out / "tube.large_dim.fcs")
    np.testing.assert_array_equal(sample.raw()[:, :5], events[inside])
    assert sample.channel_names[5:] == ("gate:large", "gate:large/dim")
    assert sample.keywords["CYTOMETRY POPULATION"] == "root/large/dim"


def test_every_event_with_membership(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    path, gates = inputs
    out = tmp_path / "out"
    arguments = ["--population", "root", "-o", str(out), "--membership", "--json"]
    assert run_command_line(["export", "fcs", str(path), "--strategy", str(gates), *arguments]) == 0
    sample = read_fcs(out / "tube.root.fcs")
    np.testing.assert_array_equal(sample.raw_column(5), float_events()[:, 0] >= 60_000)


def test_unknown_population_names_those_that_are_known(
    inputs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, gates = inputs
    arguments = ["--strategy", str(gates), "--population", "none", "-o", str(tmp_path / "out")]
    assert run_command_line(["export", "fcs", str(path), *arguments]) == 1
    assert "root/large/dim" in capsys.readouterr().err


def test_one_bad_file_leaves_the_others(
    inputs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, gates = inputs
    (tmp_path / "bad.fcs").write_bytes(float_file().set(_BYTEORD="middle").bytes())
    arguments = ["--strategy", str(gates), "--population", "large", "-o", str(tmp_path / "out"), "--json"]
    assert run_command_line(["export", "fcs", str(path), str(tmp_path / "bad.fcs"), *arguments]) == 4
    document = json.loads(capsys.readouterr().out)
    assert [e["sample_id"] for e in document["exported"]] == ["tube"]
    assert [f["code"] for f in document["failed"]] == ["BYTEORD"]


def test_files_without_gates_are_a_usage_error(inputs: tuple[Path, Path]) -> None:
    assert run_command_line(["export", "fcs", str(inputs[0]), "--population", "root"]) == 2
