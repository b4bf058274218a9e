"""``cytometry panel``: a laboratory's way from a tube to a panel of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cytometry.cli.main import run_command_line
from cytometry.io.fcs import write_fcs
from cytometry.simulation.blood import Blood
from cytometry.simulation.tubes import TubeSpec, simulate_tube


@pytest.fixture(scope="module")
def tube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulated = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=6_000), np.random.default_rng(3)).sample
    path = tmp_path_factory.mktemp("tube") / "tube.fcs"
    write_fcs(
        path, simulated.linear(), simulated.channels, keywords=dict(simulated.keywords), spillover=simulated.spillover
    )
    return path


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_command_line(["panel", *arguments]) == 0
    return capsys.readouterr().out


def test_shipped_panels_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(output_of(capsys, "list", "--json"))["panels"]
    assert {r["name"]: r["gates"] for r in rows}["bcell_drawn_v1"] == "drawn"
    assert {r["name"]: r["gates"] for r in rows}["treg_v1"] == "placed"


def test_a_new_panel_gates_the_tube_that_it_came_from(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "own_v1"
    output_of(capsys, "new", str(folder), "--from", str(tube))
    (document,) = json.loads(output_of(capsys, "check", str(folder), str(tube), "--json"))["tubes"]
    counts = {path.rpartition("/")[2]: n for path, n in document["counts"].items()}
    assert {"time_ok", "singlets", "live", "lymphocytes", "cd19_pos", "igd_pos"} <= set(counts)
    # Simulated: 35 % of lymphocytes are B cells.
    assert counts["cd19_pos"] / counts["lymphocytes"] == pytest.approx(0.35, abs=0.03)
    assert document["missing"] == []


def test_a_panel_is_never_overwritten(tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "own_v1"
    output_of(capsys, "new", str(folder), "--from", str(tube))
    assert run_command_line(["panel", "new", str(folder), "--from", str(tube)]) == 5
    assert "holds panel.yaml already" in capsys.readouterr().err


def test_a_frozen_panel_gives_the_placed_counts(tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "frozen_v1"
    output_of(capsys, "freeze", "bcell_v1", str(tube), str(folder))
    placed, frozen = (
        json.loads(output_of(capsys, "check", name, str(tube), "--json"))["tubes"][0]["counts"]
        for name in ("bcell_v1", str(folder))
    )
    # Nothing was left out in time, so that the frozen gates are the placed ones.
    assert placed["root/time_ok"] == 6_000
    assert frozen == placed


def test_check_names_what_a_tube_lacks(tube: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["panel", "check", "treg_v1", str(tube)]) == 1
    assert "no channel measures the marker 'CD4'" in capsys.readouterr().err


def test_check_names_the_controls_that_would_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(output_of(capsys, "check", "treg_v1", "--json"))
    assert document["fmo_controls_used"] == ["FoxP3", "Helios", "GARP", "LAP"]


def test_a_panel_differs_from_itself_in_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert output_of(capsys, "diff", "bcell_v1", "bcell_v1") == "the panels gate alike\n"
    lines = output_of(capsys, "diff", "bcell_v1", "treg_v1").splitlines()
    assert any(line.startswith("population treg: not there | ") for line in lines)
