"""``cytometry panel``: a laboratory's way from a tube to a panel of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from cytometry.cli.main import run_command_line
from cytometry.io.fcs import read_fcs, write_fcs
from cytometry.io.panels import load_panel
from cytometry.model.channels import Channel
from cytometry.model.spillover import Spillover
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


def test_a_new_panel_says_what_it_could_not_recognise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An old cytometer: heights only, one channel without a label; the path of the file stays out of the panel."""
    events = np.abs(np.random.default_rng(1).normal(400, 60, (500, 4))).astype(np.float32)
    channels = [Channel(i, n, m, 1024.0, 16, amplification=a) for i, (n, m, a) in enumerate(OLD)]
    write_fcs(tmp_path / "old.fcs", events.astype(int), channels, datatype="I")
    folder = tmp_path / "own_v1"
    assert run_command_line(["panel", "new", str(folder), "--from", str(tmp_path / "old.fcs")]) == 0
    told = capsys.readouterr()
    assert "stem: lymphocytes" in told.out
    assert "no live: no channel was recognised as Viability" in told.err
    assert "no gate on channels without a label: FL2-H" in told.err
    described = (folder / "panel.yaml").read_text()
    assert str(tmp_path) not in described
    panel = load_panel(folder)
    assert panel.title == "Started from old.fcs"
    # Four decades of log amplification end at 10**4, whatever the number of channels.
    assert panel.scales["signal"].T == 10_000
    assert panel.population_paths == ("root/lymphocytes", "root/lymphocytes/cd3_pos")


OLD = (("FSC-H", "", (0.0, 0.0)), ("SSC-H", "", (0.0, 0.0)), ("FL1-H", "CD3", (4.0, 1.0)), ("FL2-H", "", (4.0, 1.0)))


def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.fcs").write_bytes(b"no FCS")
    arguments = ["panel", "check", "bcell_v1", str(tmp_path / "broken.fcs"), str(tube), "-o", str(tmp_path / "out")]
    assert run_command_line(arguments) == 4
    told = capsys.readouterr()
    assert "broken.fcs" in told.out
    assert "naive" in told.out
    assert "broken could not be gated" in (tmp_path / "out" / "index.html").read_text("utf-8")
    assert json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["exit_code"] == 4


def test_a_folder_of_another_panels_pictures_is_refused_without_an_option_that_check_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, out = tmp_path / "broken.fcs", tmp_path / "out"
    broken.write_bytes(b"no FCS")
    assert run_command_line(["panel", "check", "treg_v1", str(broken), "-o", str(out)]) == 1
    assert json.loads((out / "run.json").read_text("utf-8"))["exit_code"] == 1
    capsys.readouterr()
    assert run_command_line(["panel", "check", "bcell_v1", str(broken), "-o", str(out)]) == 5
    told = capsys.readouterr().err
    assert "holds the results of a panel check of 'treg_v1', not of a panel check of 'bcell_v1'" in told
    assert "name another folder with -o" in told
    assert "--force" not in told


@pytest.mark.parametrize("given", [".", "./", "../own_v1"])
def test_a_panel_in_the_folder_where_one_stands_has_that_folders_name(
    tube: Path, tmp_path: Path, given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in (["freeze", "bcell_drawn_v1", str(tube), given], ["new", given, "--from", str(tube)]):
        folder = tmp_path / verb[0] / "own_v1"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        output_of(capsys, *verb)
        assert load_panel(folder).name == "own_v1"
        assert (folder / "README.md").read_text("utf-8").startswith("# own_v1\n")


def test_a_folder_that_no_panel_can_be_called_is_refused_before_anything_is_written(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "1 panel"
    for verb in (["freeze", "bcell_drawn_v1", str(tube), str(folder)], ["new", str(folder), "--from", str(tube)]):
        assert run_command_line(["panel", *verb]) == 2
        assert "is called '1 panel', which is no panel name" in capsys.readouterr().err
    assert not folder.exists()


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


def test_freezing_leaves_out_what_was_never_placed(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gate on a marker that the tube lacks has no position; on another tube it would keep every event."""
    sample = read_fcs(tube)
    kept = [c.index for c in sample.channels if c.marker not in {"CXCR5", "CD11c"}]
    poorer = tmp_path / "poorer.fcs"
    assert sample.spillover is not None
    spillover = sample.spillover.matrix
    names = [sample.channels[i].name for i in kept]
    inside = [i for i, c in enumerate(sample.spillover.channels) if c in names]
    write_fcs(
        poorer,
        sample.linear()[:, kept],
        [replace(sample.channels[i], index=k) for k, i in enumerate(kept)],
        spillover=Spillover(tuple(sample.spillover.channels[i] for i in inside), spillover[np.ix_(inside, inside)]),
    )
    folder = tmp_path / "frozen_v1"
    assert run_command_line(["panel", "freeze", "bcell_v1", str(poorer), str(folder)]) == 0
    told = capsys.readouterr().err
    assert "left out, for the tube has no channels for them: cd21_neg_cd11c_pos, activated_naive" in told
    names_kept = {path.rpartition("/")[2] for path in load_panel(folder).population_paths}
    assert "naive" in names_kept
    assert not names_kept & {"dn1", "dn2", "dn3", "dn4", "activated_naive", "resting_naive"}
    # On a tube that has the markers nothing of them is counted.
    (document,) = json.loads(output_of(capsys, "check", str(folder), str(tube), "--json"))["tubes"]
    assert {path.rpartition("/")[2] for path in document["counts"]} == names_kept


def test_check_names_what_a_tube_lacks(tube: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["panel", "check", "treg_v1", str(tube)]) == 1
    assert "no channel measures the marker 'CD4'" in capsys.readouterr().err


def test_check_names_the_controls_that_would_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(output_of(capsys, "check", "treg_v1", "--json"))
    assert document["fmo_controls_used"] == ["FoxP3", "Helios", "GARP", "LAP"]


def test_a_panel_differs_from_itself_in_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert output_of(capsys, "diff", "bcell_v1", "bcell_v1") == "the panels gate alike\n"
    lines = output_of(capsys, "diff", "bcell_v1", "bcell_hipc_v1").splitlines()
    assert "only in the first: marker CD21, CD11c, CXCR5, CD95" in lines
    assert "population naive: parent b_non_asc | cd20_pos" in lines
    assert not any("{" in line for line in lines)


def test_a_frozen_panel_differs_in_that_its_gates_are_drawn(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one_v1", "two_v1"):
        output_of(capsys, "freeze", "bcell_hipc_v1", str(tube), str(tmp_path / name))
    assert output_of(capsys, "diff", str(tmp_path / "one_v1"), str(tmp_path / "two_v1")) == "the panels gate alike\n"
    lines = output_of(capsys, "diff", "bcell_hipc_v1", str(tmp_path / "one_v1")).splitlines()
    assert "panel: gates placed | drawn" in lines


def test_check_draws_every_gate_and_a_page_with_all(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "looked_at"
    document = json.loads(output_of(capsys, "check", "bcell_v1", str(tube), "-o", str(out), "--json"))
    pictures = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.svg"))
    assert sorted(Path(p).relative_to(out).as_posix() for p in document["pictures"]) == pictures
    # Each placed gate of the panel stands on one of the pictures, siblings on one.
    names = {n for p in pictures for n in Path(p).stem.partition("_")[2].split("+")}
    assert names == {path.rpartition("/")[2] for path in document["populations"]}
    for picture in out.rglob("*.svg"):
        tree = ElementTree.fromstring(picture.read_bytes())
        assert tree.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(tree.attrib["width"]) > 500
    page = (out / "index.html").read_text("utf-8")
    assert page.count('<svg class="pic" viewBox="0 0 160 146" role="img"') == len(pictures)
    assert "1 of 1 tubes were gated" in page
    assert run_command_line(["verify", str(out)]) == 0


def test_pictures_of_an_earlier_check_do_not_stay(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "looked_at"
    other = tmp_path / "other.fcs"
    other.write_bytes(tube.read_bytes())
    output_of(capsys, "check", "bcell_v1", str(tube), "-o", str(out))
    output_of(capsys, "check", "bcell_v1", str(other), "-o", str(out))
    assert {p.parent.name for p in out.rglob("*.svg")} == {"other"}
    assert run_command_line(["verify", str(out)]) == 0


def test_pictures_do_not_go_among_other_files(tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert run_command_line(["panel", "check", "bcell_v1", str(tube), "-o", str(tmp_path)]) == 5
    assert "holds files of something else" in capsys.readouterr().err


def test_pictures_need_a_tube(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["panel", "check", "bcell_v1", "-o", str(tmp_path / "out")]) == 2
    assert "there is nothing to draw" in capsys.readouterr().err


def test_without_a_tube_the_tree_is_shown_with_labels(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output_of(capsys, "check", "bcell_v1").splitlines()
    assert any(line.strip() == "naive  (IgD+ CD27-)" for line in lines)


CONTROLLED = """\
cuts:
  cd19:
    on: CD19
    within: root
    rules:
      # There is no valley among the brightest: the control decides, or the last rule.
      - {method: valley, between: [0.95, 0.99]}
      - {method: fmo_percentile}
      - {method: fixed, at: 0.5}
populations:
  - {name: bright, keep: {CD19: {above: cd19}}}
"""


def test_a_control_that_is_missing_is_named_and_used_when_given(
    tube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel = tmp_path / "one_v1"
    panel.mkdir()
    (panel / "strategy.yaml").write_text(CONTROLLED)
    (panel / "panel.yaml").write_text(
        "schema_version: 1\nname: one_v1\nscales: {logicle: {kind: logicle}}\n"
        "markers: {CD19: {channels: [CD19], scale: logicle}}\n"
    )
    assert run_command_line(["panel", "check", str(panel), str(tube)]) == 0
    assert "missing control: an FMO of CD19 would place cd19, which fixed placed" in capsys.readouterr().err
    (document,) = json.loads(output_of(capsys, "check", str(panel), str(tube), "--fmo", f"CD19={tube}", "--json"))[
        "tubes"
    ]
    assert [(u["cut"], u["state"], u["decided_by"]) for u in document["controls"]] == [
        ("cd19", "used", "fmo_percentile")
    ]
    assert run_command_line(["panel", "check", str(panel), str(tube), "--fmo", f"CD19={tube}"]) == 0
    assert "missing control" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("CD21", "--fmo 'CD21' names no control"),
        ("CD21=nowhere.fcs", "there is no file 'nowhere.fcs'"),
        ("CD999={tube}", "the panel has no marker 'CD999'"),
    ],
)
def test_a_wrong_control_is_refused(tube: Path, capsys: pytest.CaptureFixture[str], given: str, words: str) -> None:
    assert run_command_line(["panel", "check", "bcell_v1", str(tube), "--fmo", given.format(tube=tube)]) == 2
    assert words in capsys.readouterr().err
