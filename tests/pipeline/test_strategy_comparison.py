"""Two drawn strategies on a study of eight small tubes whose every event is placed by hand."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cytometry.cli.main import run_command_line
from cytometry.io.fcs import read_fcs, write_fcs
from cytometry.io.gatingml import write_gatingml
from cytometry.model.agreement_tables import AGREEMENT_TABLES
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.plan import AnalysisPlan, Readout
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.pipeline.strategy_comparison import common_plan
from cytometry.quantification.population_match import PopulationNode, match_populations
from cytometry.simulation.blood import Blood
from cytometry.simulation.tubes import TubeSpec, simulate_tube
from tests.pipeline.tiny import contents

SUBJECTS, VISITS = ("P1", "P2", "P3", "P4"), ("w0", "w8")
# Events per tube: all live ones, those that only B's lower cut takes, those that both take.
LIVE, DIM = 200, 10


def bright(subject: int, visit: int) -> int:
    """Events above both cuts: more at the second visit."""
    return 40 + 5 * subject + 20 * visit


def write_strategy(path: Path, *, above: float, name: str = "bright", channel: str = "B-A") -> None:
    """``live`` on FSC-A, and within it what is brighter than ``above``."""

    def gate(channel: str, minimum: float) -> RectangleGate:
        return RectangleGate((Interval(Dimension(channel), minimum=minimum),))

    populations = (
        Population("live", "root", gate("FSC-A", 100)),
        Population(name, "root/live", gate(channel, above)),
    )
    write_gatingml(GatingStrategy(path.stem, populations), path)


def make_study(folder: Path) -> Path:
    """Four participants at two visits, one tube each, and three drawn strategies."""
    (folder / "fcs").mkdir(parents=True)
    rows = ["sample_id,fcs_file,panel,subject_id,visit,role,batch"]
    for i, subject in enumerate(SUBJECTS):
        for j, visit in enumerate(VISITS):
            table = np.full((LIVE + 50, 2), 50.0, dtype=np.float32)
            table[:LIVE, 0] = 500
            table[: bright(i, j), 1] = 900
            table[bright(i, j) : bright(i, j) + DIM, 1] = 400
            # No two files of the same bytes; outside of every gate.
            table[-1, 1] = 1 + 10 * i + j
            write_fcs(folder / "fcs" / f"{subject}_{visit}.fcs", table, ["FSC-A", "B-A"])
            rows.append(f"{subject}_{visit},fcs/{subject}_{visit}.fcs,own,{subject},{visit},sample,B{i}")
    (folder / "samples.csv").write_text("\n".join(rows) + "\n")
    (folder / "study.yaml").write_text(
        """\
schema_version: 1
study: {id: tiny-1, title: Tiny, sledai_version: SLEDAI-2K, synthetic: true}
samples: samples.csv
visits:
  - {id: w0, week: 0, baseline: true}
  - {id: w8, week: 8}
panels: {own: a.gml.xml}
plan:
  confirmatory: [{population: bright, visit: w8}]
"""
    )
    write_strategy(folder / "a.gml.xml", above=500)
    write_strategy(folder / "b.gml.xml", above=300)
    write_strategy(folder / "other_name.gml.xml", above=300, name="shining")
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One comparison, shared: its study and its output folder side by side."""
    folder = tmp_path_factory.mktemp("comparison")
    assert compare(make_study(folder / "study"), folder / "out") == 0
    return folder


@pytest.fixture
def compared(finished: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the study and of its results."""
    for name in ("study", "out"):
        shutil.copytree(finished / name, tmp_path / name)
    return tmp_path / "study", tmp_path / "out"


def compare(study: Path, out: Path, *more: str, b: str = "b.gml.xml") -> int:
    """The command on the study's two drawn strategies."""
    arguments = [study / "study.yaml", study / "a.gml.xml", study / b]
    return run_command_line(
        ["compare-strategies", *map(str, arguments), "-o", str(out), "--progress", "none", "-j", "1", *more]
    )


def table(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "tables" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_overlap_is_that_of_the_events_as_they_were_made(finished: Path) -> None:
    out = finished / "out"
    rows = {r["sample_id"]: r for r in table(out, "overlap") if r["population"] == "bright"}
    assert len(rows) == 8
    for i, subject in enumerate(SUBJECTS):
        for j, visit in enumerate(VISITS):
            row, n = rows[f"{subject}_{visit}"], bright(i, j)
            assert (int(row["count_a"]), int(row["count_b"]), int(row["count_both"])) == (n, n + DIM, n)
            assert float(row["f1"]) == pytest.approx(2 * n / (2 * n + DIM))
            assert float(row["jaccard"]) == pytest.approx(n / (n + DIM))
            assert (row["subject_id"], row["visit"], row["denominator"]) == (subject, visit, "live")


def test_bias_in_per_cent_is_the_events_that_only_one_takes(finished: Path) -> None:
    out = finished / "out"
    rows = {(r["population"], r["scale"]): r for r in table(out, "agreement")}
    row = rows["bright", "percent"]
    # 10 of 200 events in every tube: no spread, no slope.
    assert float(row["bias"]) == pytest.approx(5.0)
    assert float(row["lower_limit"]) == pytest.approx(5.0)
    assert float(row["slope"]) == pytest.approx(0.0, abs=1e-12)
    assert (row["n_tubes"], row["n_subjects"]) == ("8", "4")


def test_every_readout_is_in_the_conclusions_with_both_estimates(finished: Path) -> None:
    out = finished / "out"
    rows = [r for r in table(out, "conclusions") if r["role"] == "confirmatory"]
    assert [(r["question"], r["population"], r["visit"]) for r in rows] == [("change", "bright", "w8")]
    row = rows[0]
    assert (row["n_a"], row["n_b"]) == ("4", "4")
    assert float(row["estimate_a"]) > float(row["estimate_b"]) > 0
    # Four participants cannot reach 0.05: the smallest two-sided p is 2 / 2**4.
    assert (row["p_a"], row["significant_a"], row["conclusion"]) == ("0.125", "false", "same conclusion")


def test_the_folder_is_whole_and_described(finished: Path) -> None:
    out = finished / "out"
    assert run_command_line(["verify", str(out)]) == 0
    described = json.loads((out / "tables" / "datapackage.json").read_bytes())
    assert [r["path"] for r in described["resources"]] == [f"{s.name}.csv" for s in AGREEMENT_TABLES]
    for schema in AGREEMENT_TABLES:
        assert all(c.meaning for c in schema.columns)
        assert tuple((out / "tables" / f"{schema.name}.csv").read_text().splitlines()[0].split(",")) == schema.names
    page = (out / "comparison.html").read_text()
    assert "a beside b" in page
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert (out / "bland_altman.svg").read_text().startswith("<svg")
    settings = json.loads((out / "run.json").read_bytes())["settings"]
    assert [settings["strategies"][s]["name"] for s in "ab"] == ["a", "b"]


def test_a_second_run_gates_nothing_and_changes_nothing(
    compared: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    study, out = compared
    before = contents(out)
    stamps = {p: p.stat().st_mtime_ns for p in out.rglob("*.csv") if "parts" in p.parts}
    assert len(stamps) > 8
    assert compare(study, out) == 0
    assert contents(out) == before
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps
    capsys.readouterr()
    assert compare(study, out, "--dry-run") == 0
    assert capsys.readouterr().out.count("0 to run, 0 stale, 8 up to date") == 2


def test_a_damaged_overlap_is_counted_again(compared: tuple[Path, Path]) -> None:
    study, out = compared
    before = contents(out)
    part = next((out / "overlap").rglob("overlap.csv"))
    part.write_text(part.read_text().replace("bright,", "bright ,"))
    assert compare(study, out) == 0
    assert contents(out) == before


def test_workers_change_no_byte(finished: Path, tmp_path: Path) -> None:
    assert compare(finished / "study", tmp_path / "two", "-j", "2") == 0
    assert contents(tmp_path / "two") == contents(finished / "out")


def test_names_that_differ_are_listed_and_can_be_mapped(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(study, tmp_path / "out", b="other_name.gml.xml") == 4
    told = capsys.readouterr()
    assert "only in A: bright" in told.out
    assert "only in B: shining" in told.out
    assert "no conclusions: counts: no population to test was counted" in told.err
    assert compare(study, tmp_path / "mapped", "--map", "bright=shining", b="other_name.gml.xml") == 0
    mapped = {r["population"]: r for r in table(tmp_path / "mapped", "populations")}
    assert mapped["bright"]["path_b"] == "root/live/shining"
    assert "only in" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--map", "bright"), 2, "--map 'bright' is no pair"),
        (("--map", "bright=nothing"), 2, "B has no population 'nothing'"),
        (("--map", "bright=live", "--map", "bright=bright"), 2, "--map gives 'bright' twice"),
        (("--panel", "nothing"), 2, "no panel 'nothing'"),
    ],
)
def test_a_wrong_request_is_refused_before_gating(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: int, words: str
) -> None:
    assert compare(study, tmp_path / "out", *more) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_same_gates_twice_are_refused(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(study, tmp_path / "out", b="a.gml.xml") == 2
    assert "are the same gates" in capsys.readouterr().err


def test_another_comparison_does_not_share_the_folder(
    compared: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    study, out = compared
    assert compare(study, out, "--map", "bright=shining", b="other_name.gml.xml") == 5
    assert "holds the results of study 'tiny-1: a beside b on own'" in capsys.readouterr().err
    assert compare(study, out, "--force", "--map", "bright=shining", b="other_name.gml.xml") == 0
    assert run_command_line(["verify", str(out)]) == 0


def test_a_tube_that_cannot_be_read_is_named_and_the_others_are_compared(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (study / "fcs" / "P2_w8.fcs").write_bytes(b"no FCS file")
    assert compare(study, tmp_path / "out") == 4
    told = capsys.readouterr()
    assert "failed: P2_w8" in told.err
    assert len({r["sample_id"] for r in table(tmp_path / "out", "overlap")}) == 7


def test_conclusions_are_over_the_tubes_that_both_gated(study: Path, tmp_path: Path) -> None:
    for path in (study / "fcs").glob("*.fcs"):
        if path.name != "P2_w8.fcs":
            sample = read_fcs(path)
            write_fcs(path, np.column_stack([sample.linear_column(i) for i in (0, 1, 1)]), ["FSC-A", "B-A", "V-A"])
    write_strategy(study / "b.gml.xml", above=300, channel="V-A")
    assert compare(study, tmp_path / "out") == 4
    assert len(table(tmp_path / "out" / "a", "samples")) == 8
    (row,) = [r for r in table(tmp_path / "out", "conclusions") if r["role"] == "confirmatory"]
    # P2 has no pair of visits that both gated; A alone has four pairs.
    assert (row["n_a"], row["n_b"]) == ("3", "3")
    # Three of three participants rise: 2 / 2**3, with four 2 / 2**4.
    assert (row["p_a"], row["p_b"]) == ("0.25", "0.25")


def test_tubes_without_statistics_end_as_they_do_in_run(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(study, tmp_path / "out", "--json", b="other_name.gml.xml") == 4
    compared = json.loads(capsys.readouterr().out)

    # One control of a shipped panel: nothing of it is a participant's.
    spec = TubeSpec("bcell", Blood().cell_shares(), n_events=3_000)
    sample = simulate_tube(spec, np.random.default_rng(1)).sample
    events = np.column_stack([sample.linear_column(i) for i in range(len(sample.channels))])
    write_fcs(study / "fcs" / "c.fcs", events, sample.channels, spillover=sample.spillover)
    header = (study / "samples.csv").read_text().splitlines()[0]
    (study / "samples.csv").write_text(f"{header}\nc,fcs/c.fcs,own,,,control,B0\n")
    settings = (study / "study.yaml").read_text().replace("a.gml.xml", "bcell_drawn_v1").replace("bright", "naive")
    (study / "study.yaml").write_text(settings)
    arguments = ["run", str(study / "study.yaml"), "-o", str(tmp_path / "run"), "--gate-draws", "0", "-j", "1"]
    code = run_command_line([*arguments, "--progress", "none", "--json"])
    ran = json.loads(capsys.readouterr().out)
    assert code == 4, ran
    for document in (compared, ran):
        assert document["exit_code"] == 4
        assert document["statistics"] != "done"
        assert not document["failed"]


def test_json_is_one_document(compared: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    study, out = compared
    assert compare(study, out, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["strategies"] == {"a": "a", "b": "b"}
    assert {r["population"] for r in document["agreement"]} == {"live", "bright"}
    assert document["statistics"] == "done"


def test_populations_without_events_are_undefined_in_every_form(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_strategy(study / "a.gml.xml", above=2000)
    write_strategy(study / "b.gml.xml", above=3000)
    assert compare(study, tmp_path / "out", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    (row,) = [r for r in document["populations"] if r["population"] == "bright"]
    assert (row["n_tubes"], row["f1_median"], row["f1_worst"], row["f1_worst_sample"]) == (8, None, None, "")
    (row,) = [r for r in document["agreement"] if r["population"] == "bright" and r["scale"] == "percent"]
    # Both say 0 in every tube: they agree, and nothing tells tubes from noise.
    assert (row["bias"], row["icc"]) == (0, None)


def test_one_strategy_finds_no_cell_where_the_other_takes_all(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_strategy(study / "a.gml.xml", above=2000)
    write_strategy(study / "b.gml.xml", above=0)
    assert compare(study, tmp_path / "out", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    (row,) = [r for r in document["agreement"] if r["population"] == "bright" and r["scale"] == "percent"]
    # 0 against 100 % in each tube: tubes do not differ, so that no interval of the coefficient is defined.
    assert (row["bias"], row["icc"], row["icc_low"], row["icc_high"]) == (100, 0, None, None)


def test_the_plan_keeps_what_both_strategies_can_answer() -> None:
    nodes = [PopulationNode(n, f"root/{n}", "root") for n in ("b_cells", "naive")]
    match = match_populations(nodes, nodes)
    plan = AnalysisPlan(
        confirmatory=(
            Readout(population="naive", scale="logit_of:b_cells", visit="w8"),
            Readout(population="naive", scale="logit_of:cd4", visit="w8"),
            Readout(population="dn", visit="w8"),
        ),
        panel=("naive", "dn"),
        scales={"naive": "logit_of:cd4", "b_cells": "log2_per_ul"},
    )
    common, notes = common_plan(plan, match)
    assert [(r.population, r.scale) for r in common.confirmatory] == [("naive", "logit_of:b_cells")]
    assert common.panel == ("naive",)
    assert common.scales == {"naive": "logit_parent", "b_cells": "log2_per_ul"}
    assert len(notes) == 3
    assert "naive (logit_of:cd4, w8), dn (logit_parent, w8)" in notes[0]


def test_a_plan_in_the_names_of_the_second_strategy_is_kept(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [study / "study.yaml", study / "other_name.gml.xml", study / "b.gml.xml"]
    write_strategy(study / "b.gml.xml", above=500)
    more = ["--map", "shining=bright", "--panel", "own", "-o", str(tmp_path / "out"), "--progress", "none"]
    assert run_command_line(["compare-strategies", *map(str, arguments), *more]) == 0
    rows = [r for r in table(tmp_path / "out", "conclusions") if r["role"] == "confirmatory"]
    assert [(r["population"], r["visit"], r["n_a"], r["n_b"]) for r in rows] == [("shining", "w8", "4", "4")]
    told = capsys.readouterr().err
    assert "not in both strategies" not in told
    assert "the plan names populations as B does; in A bright is shining" in told


def test_names_and_paths_of_the_second_strategy_are_translated_everywhere() -> None:
    first = [PopulationNode("b", "root/b", "root"), PopulationNode("dn", "root/b/dn", "root/b")]
    second = [PopulationNode("b_cells", "root/b_cells", "root"), PopulationNode("dneg", "root/x/dneg", "root/b_cells")]
    match = match_populations(first, second, {"b": "b_cells", "dn": "dneg"})
    plan = AnalysisPlan(
        confirmatory=(Readout(population="root/x/dneg", scale="logit_of:b_cells", visit="w8"),),
        panel=("dneg", "dn"),
        panel_scale="logit_of:b_cells",
        scales={"dneg": "percent", "b_cells": "log2_per_ul"},
    )
    common, notes = common_plan(plan, match)
    assert [(r.population, r.scale) for r in common.confirmatory] == [("dn", "logit_of:b")]
    assert common.panel == ("dn",)
    assert common.panel_scale == "logit_of:b"
    assert common.scales == {"dn": "percent", "b": "log2_per_ul"}
    assert len(notes) == 1


def test_a_name_of_the_first_strategy_goes_before_that_of_the_second() -> None:
    """A's own ``dn`` has no partner: B's ``dn`` is another population, and is not tested in its stead."""
    first = [PopulationNode("dn", "root/dn", "root"), PopulationNode("naive", "root/naive", "root")]
    second = [PopulationNode("dn", "root/dn", "root")]
    match = match_populations(first, second, {"naive": "dn"})
    common, notes = common_plan(AnalysisPlan(confirmatory=(Readout(population="dn", visit="w8"),)), match)
    assert common.confirmatory == ()
    assert notes == ("not in both strategies, so left out of the confirmatory list: dn (logit_parent, w8)",)
