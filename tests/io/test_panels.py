"""Panel folders: what is read, what is refused and in which words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cytometry.errors import CytometryError, PanelError, StrategyError
from cytometry.io.panels import load_panel, panel_digest, shipped_panel_names, shipped_panels_folder
from cytometry.model.strategy import GatingStrategy

PANEL = """
schema_version: 1
name: little
scales: {logicle: {kind: logicle}}
markers:
  CD3: {channels: [CD3], scale: logicle}
  CD4: {channels: [CD4], scale: logicle}
"""
STRATEGY = """
cuts:
  cd3: {on: CD3, within: root, rules: [{method: valley}, {method: fixed, at: 0.5}]}
  cd4: {on: CD4, within: t_cells, rules: [{method: fixed, at: 0.5}]}
populations:
  - {name: t_cells, keep: {CD3: {above: cd3}}}
  - {name: cd4, parent: t_cells, keep: {CD4: {above: cd4}}}
"""


def folder(tmp_path: Path, panel: str = PANEL, strategy: str = STRATEGY) -> Path:
    (tmp_path / "panel.yaml").write_text(panel, encoding="utf-8")
    (tmp_path / "strategy.yaml").write_text(strategy, encoding="utf-8")
    return tmp_path


def test_a_folder_is_read(tmp_path: Path) -> None:
    panel = load_panel(folder(tmp_path))
    assert panel.name == "little"
    assert panel.population_paths == ("root/t_cells", "root/t_cells/cd4")
    assert panel.is_required("CD3")


@pytest.mark.parametrize("name", shipped_panel_names())
def test_every_shipped_panel_is_read_by_name(name: str) -> None:
    panel = load_panel(name)
    assert panel.name == name
    assert len({p.rpartition("/")[2] for p in panel.population_paths}) == len(panel.population_paths)
    assert (shipped_panels_folder() / name / "README.md").is_file()


def test_the_three_panels_of_the_main_job_are_shipped() -> None:
    assert {"bcell_v1", "treg_v1", "bcell_drawn_v1"} <= set(shipped_panel_names())


def test_the_drawn_panel_has_the_populations_of_the_placed_one() -> None:
    drawn, placed = load_panel("bcell_drawn_v1"), load_panel("bcell_v1")
    assert isinstance(drawn.strategy, GatingStrategy)
    assert drawn.population_paths == placed.population_paths


def test_the_digest_is_of_what_decides_results_and_not_of_line_ends(tmp_path: Path) -> None:
    shipped = shipped_panels_folder() / "bcell_v1"
    copy = tmp_path / "copy"
    shutil.copytree(shipped, copy)
    (copy / "README.md").write_text("other words", encoding="utf-8")
    for name in ("panel.yaml", "strategy.yaml"):
        (copy / name).write_bytes((copy / name).read_bytes().replace(b"\n", b"\r\n"))
    assert panel_digest(copy) == panel_digest(shipped) == load_panel("bcell_v1").digest
    (copy / "strategy.yaml").write_bytes((copy / "strategy.yaml").read_bytes() + b"# changed\n")
    assert panel_digest(copy) != panel_digest(shipped)


def test_an_unknown_name_lists_the_shipped_panels() -> None:
    with pytest.raises(PanelError, match=r"no panel .bcel_v1..*bcell_v1"):
        load_panel("bcel_v1")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("above: cd3}", "above: cd33}", "population 't_cells': no cut 'cd33'"),
        ("parent: t_cells", "parent: tcells", "population 'cd4': parent 'tcells' is unknown"),
        ("on: CD4", "on: CD8", "cut 'cd4': marker 'CD8' is not in the panel"),
        ("method: valley", "method: vally", "cuts.cd3.rules[0]"),
        ("method: valley", "method: valley, between: [0.6, 0.2]", "between is [0.6, 0.2]; the first must be smaller"),
        ("within: t_cells", "within: cd4", "cuts and populations need each other in a circle: 'cd4'"),
        ("{method: valley}, {method: fixed, at: 0.5}", "{method: valley}", "cut 'cd3': its last rule may find nothing"),
        ("keep: {CD4: {above: cd4}}", "kept: {CD4: {above: cd4}}", "populations[1] 'cd4'.kept: unknown key"),
        ("keep: {CD4: {above: cd4}}", "optional: true", "population 'cd4' has no gate"),
        ("name: cd4, parent: t_cells", "name: t_cells, parent: t_cells", "population 't_cells' stands twice"),
        (
            "keep: {CD4: {above: cd4}}",
            "scope: subject, place: {method: time, on: [CD3]}",
            "a time gate belongs to one run; its scope is sample",
        ),
        ("keep: {CD4: {above: cd4}}", "none_of: [cd8]", "refers to the unknown population 'cd8'"),
    ],
)
def test_a_wrong_strategy_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in STRATEGY
    with pytest.raises(StrategyError) as error:
        load_panel(folder(tmp_path, strategy=STRATEGY.replace(old, new)))
    assert message in str(error.value)
    assert "strategy.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scale: logicle}", "scale: logical}", "markers.CD3: no scale 'logical' (scales: logicle)"),
        ("name: little", "name: little\ntargets: [cd8]", "targets: no population 'cd8'"),
        ("name: little", "name: little\ncompensation: yes please", "compensation is 'yes please'"),
        ("schema_version: 1", "schema_version: 2", "schema_version"),
        ("name: little", "nam: little", "nam: unknown key"),
    ],
)
def test_a_wrong_panel_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(PanelError) as error:
        load_panel(folder(tmp_path, panel=PANEL.replace(old, new, 1)))
    assert message in str(error.value)
    assert "panel.yaml" in str(error.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    broken = STRATEGY.replace("above: cd3}", "above: cd33}").replace("on: CD4", "on: CD8")
    with pytest.raises(StrategyError) as error:
        load_panel(folder(tmp_path, strategy=broken))
    assert "no cut 'cd33'" in str(error.value)
    assert "marker 'CD8' is not in the panel" in str(error.value)


def test_two_strategies_in_one_folder_are_refused(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "strategy.gml.xml").write_text("<x/>", encoding="utf-8")
    with pytest.raises(PanelError, match=r"has strategy.yaml and strategy.gml.xml"):
        load_panel(path)


@pytest.mark.parametrize("content", ["", "[]", "3", "\x00", "a: &x [*x]", "!!python/object/apply:os.system ['true']"])
def test_nonsense_is_an_error_of_ours(tmp_path: Path, content: str) -> None:
    with pytest.raises(CytometryError):
        load_panel(folder(tmp_path, strategy=content))
