"""Gates drawn again in a whole run: what is written, and that nothing else depends on it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cytometry.pipeline.demo import write_demo_study
from cytometry.simulation.study import StudyDesign, Visit
from tests.pipeline.tiny import contents, run

TWO_VISITS = StudyDesign(
    n_subjects=2,
    visits=(Visit("w00", 0, 0.0), Visit("w08", 56, 1.0)),
    panels=("bcell",),
    fmo={},
    events=3_000,
    control_events=1_500,
    non_responders=(),
    leaves_after={},
    clogged="",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("draws") / "study"
    path = write_demo_study(folder, design=TWO_VISITS)
    # A plan for what was stained: the demo's names Treg populations too.
    text = path.read_text(encoding="utf-8")
    start, end = text.index("  panel:\n"), text.index("  panel_adjust")
    path.write_text(
        text[:start].replace(", treg: treg_v1", "") + "  panel: [double_negative, transitional]\n" + text[end:],
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def drawn(study: Path) -> Path:
    out = study.parent / "drawn"
    done = run("run", study, "-o", out, "--gate-draws", "4", "--jobs", "2", "--progress", "none")
    assert done.returncode == 0, done.stderr
    return out


def test_every_population_of_every_gated_tube_is_counted_again(drawn: Path) -> None:
    counts, draws = (pd.read_csv(drawn / "tables" / f"{n}.csv") for n in ("counts", "gate_draws"))
    below_root = counts[counts["population"] != "root"]
    assert draws[["sample_id", "path"]].to_numpy().tolist() == below_root[["sample_id", "path"]].to_numpy().tolist()
    assert (draws["draws"] == 4).all()
    assert draws["drawn_counts"].str.count(";").eq(3).all()


def test_the_interval_of_a_gate_that_moves_holds_the_placed_fraction(drawn: Path) -> None:
    counts, draws = (pd.read_csv(drawn / "tables" / f"{n}.csv") for n in ("counts", "gate_draws"))
    both = draws.merge(counts[["sample_id", "path", "count", "parent_count"]], on=["sample_id", "path"])
    moving = both[(both["gating_sd"] > 0) & (both["parent_count"] > 500)]
    fraction = (moving["count"] + 0.5) / (moving["parent_count"] + 1)
    assert len(moving) > 10
    assert ((fraction > moving["gating_low"]) & (fraction < moving["gating_high"])).all()


def test_planned_comparisons_say_what_survives(drawn: Path) -> None:
    table = pd.read_csv(drawn / "tables" / "robustness.csv")
    assert set(table["population"]) >= {"double_negative", "transitional"}
    # Only baseline and week 8 were stained here; the plan's other visits have nothing to compare.
    assert set(table.loc[table["draws"] == 4, "visit"]) == {"w08"}
    assert set(table["draws"]) == {0, 4}
    assert table["sign_kept"].dropna().between(0, 1).all()


def test_counts_do_not_depend_on_the_draws(study: Path, drawn: Path) -> None:
    out = study.parent / "plain"
    assert run("run", study, "-o", out, "--gate-draws", "0", "--progress", "none").returncode == 0
    for name in ("counts", "frequencies", "thresholds", "comparison"):
        assert (out / "tables" / f"{name}.csv").read_bytes() == (drawn / "tables" / f"{name}.csv").read_bytes()
    assert len((out / "tables" / "gate_draws.csv").read_text(encoding="utf-8").splitlines()) == 1


def test_the_same_gates_are_drawn_whatever_the_worker_count(study: Path, drawn: Path) -> None:
    out = study.parent / "one"
    assert run("run", study, "-o", out, "--gate-draws", "4", "--jobs", "1", "--progress", "none").returncode == 0
    tables = [{n: b for n, b in contents(o).items() if n.startswith("tables/")} for o in (out, drawn)]
    assert tables[0] == tables[1]
