"""Gates are blind: visits, clinic and names may be dealt anew, and every gate stays as it is, to the byte.

The study is simulated with both of its visits in a batch of their own, so that bridging controls, FMO controls and
pooling over batches all take part.
"""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cytometry.pipeline.demo import write_demo_study
from cytometry.pipeline.gate_step import GateOptions, gate_job, study_job
from cytometry.pipeline.tasks import GatingSettings
from cytometry.simulation.study import StudyDesign, Visit

Row = dict[str, str]
Table = list[Row]

DESIGN = StudyDesign(
    n_subjects=3,
    visits=(Visit("w00", 0, 0.0), Visit("w08", 56, 1.0), Visit("w24", 168, 1.0)),
    leaves_after={},
    layout="visit",
    fmo={"bcell": ("IgD", "CD27"), "treg": ("FoxP3", "Helios")},
    events=2_000,
    control_events=2_000,
    clogged="",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``study.yaml`` of a small simulated study."""
    return write_demo_study(tmp_path_factory.mktemp("blind") / "study", seed=3, design=DESIGN)


@pytest.fixture(scope="module")
def gates(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """What gating leaves for each tube, by file, from the study as it is."""
    return gated(study, tmp_path_factory.mktemp("gates") / "out")


def gated(study: Path, out: Path) -> dict[str, bytes]:
    """GatingML, thresholds and counts of every tube; and the two tables."""
    settings = GatingSettings(detail=False)
    result = gate_job(study_job(study, out, settings), GateOptions(settings=settings))
    assert result.exit_code == 0
    wanted = [*out.glob("gates/*"), *out.glob("parts/*/*/thresholds.csv"), *out.glob("parts/*/*/counts.csv")]
    wanted += [out / "tables/counts.csv", out / "tables/thresholds.csv"]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in wanted}


def rewritten(study: Path, folder: Path, change: Callable[[Table, Table], tuple[Table, Table]]) -> Path:
    """A copy of the study, its samples and clinic as ``change`` makes them; the FCS files are the same."""
    folder.mkdir()
    (folder / "fcs").symlink_to(study.parent / "fcs")
    shutil.copy(study, folder / "study.yaml")
    tables = change(*(read(study.parent / name) for name in ("samples.csv", "clinical.csv")))
    for name, rows in zip(("samples.csv", "clinical.csv"), tables, strict=True):
        with (folder / name).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder / "study.yaml"


def read(path: Path) -> Table:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def other_visits(samples: Table, clinic: Table) -> tuple[Table, Table]:
    """Deal each participant's visits anew among the participant's specimens."""
    rng = random.Random(1)
    visits = sorted({r["visit"] for r in samples if r["visit"]})
    dealt = {}
    for subject in sorted({r["subject_id"] for r in samples if r["subject_id"]}):
        shuffled = visits[:]
        while shuffled == visits:
            rng.shuffle(shuffled)
        dealt[subject] = dict(zip(visits, shuffled, strict=True))
    return [r | {"visit": dealt[r["subject_id"]][r["visit"]]} if r["visit"] else r for r in samples], clinic


def other_clinic(samples: Table, clinic: Table) -> tuple[Table, Table]:
    """Deal all clinical values but the calendar anew among participants and visits: activity, response, counts."""
    kept = ("subject_id", "visit", "study_day")
    dealt = random.Random(2).sample(clinic, len(clinic))
    return samples, [new | {name: row[name] for name in kept} for row, new in zip(clinic, dealt, strict=True)]


def responders_swapped(samples: Table, clinic: Table) -> tuple[Table, Table]:
    """Give each participant the whole course of the next one."""
    subjects = sorted({r["subject_id"] for r in clinic})
    after = dict(zip(subjects, [*subjects[1:], subjects[0]], strict=True))
    return samples, [r | {"subject_id": after[r["subject_id"]]} for r in clinic]


@pytest.mark.parametrize("change", [other_visits, other_clinic, responders_swapped], ids=lambda c: c.__name__)
def test_dealing_visits_or_clinic_anew_changes_no_gate(
    study: Path, gates: Mapping[str, bytes], tmp_path: Path, change: Callable[[Table, Table], tuple[Table, Table]]
) -> None:
    copy = rewritten(study, tmp_path / "study", change)
    assert [(copy.parent / n).read_bytes() != (study.parent / n).read_bytes() for n in ("samples.csv", "clinical.csv")]
    assert gated(copy, tmp_path / "out") == gates


def test_the_order_of_the_sample_sheet_changes_no_gate(study: Path, gates: Mapping[str, bytes], tmp_path: Path) -> None:
    def shuffled(samples: Table, clinic: Table) -> tuple[Table, Table]:
        return random.Random(3).sample(samples, len(samples)), clinic[::-1]

    found = gated(rewritten(study, tmp_path / "study", shuffled), tmp_path / "out")
    # The tables follow the sheet; their rows are the same.
    assert {n: sorted(b.splitlines()) if n.startswith("tables/") else b for n, b in found.items()} == {
        n: sorted(b.splitlines()) if n.startswith("tables/") else b for n, b in gates.items()
    }


def test_names_of_samples_subjects_and_batches_change_no_gate(
    study: Path, gates: Mapping[str, bytes], tmp_path: Path
) -> None:
    """New names in another alphabetical order."""

    def renamed(samples: Table, clinic: Table) -> tuple[Table, Table]:
        ids = {r["sample_id"]: f"s{len(samples) - i:03d}" for i, r in enumerate(samples)}
        subjects = {r["subject_id"]: r["subject_id"][::-1] + "x" for r in samples if r["subject_id"]}
        batches = {b: f"{9 - i}" for i, b in enumerate(sorted({r["batch"] for r in samples}))}
        new_samples = [
            r
            | {
                "sample_id": ids[r["sample_id"]],
                "subject_id": subjects.get(r["subject_id"], ""),
                "batch": batches[r["batch"]],
            }
            for r in samples
        ]
        return new_samples, [r | {"subject_id": subjects[r["subject_id"]]} for r in clinic]

    found = gated(rewritten(study, tmp_path / "study", renamed), tmp_path / "out")
    back = {
        f"s{len(rows) - i:03d}": r["sample_id"]
        for rows in [read(study.parent / "samples.csv")]
        for i, r in enumerate(rows)
    }
    for new, old in back.items():
        assert found.get(f"gates/{new}.gml.xml") == gates.get(f"gates/{old}.gml.xml")
    for table in ("tables/counts.csv", "tables/thresholds.csv"):
        text = found[table].decode()
        for new, old in back.items():
            text = text.replace(f"{new},", f"{old},")
        assert sorted(text.splitlines()) == sorted(gates[table].decode().splitlines())


def test_what_gating_may_see_does_move_gates(study: Path, gates: Mapping[str, bytes], tmp_path: Path) -> None:
    """The tests above could not fail if nothing mattered: another subject's tube in the pool moves the gates."""

    def swapped(samples: Table, clinic: Table) -> tuple[Table, Table]:
        other = {"P01": "P02", "P02": "P01"}
        return [
            r | {"subject_id": other.get(r["subject_id"], r["subject_id"])} if r["visit"] == "w08" else r
            for r in samples
        ], clinic

    found = gated(rewritten(study, tmp_path / "study", swapped), tmp_path / "out")
    changed = {n.split("/")[1].split("_")[0] for n in found if n.startswith("gates/") and found[n] != gates[n]}
    assert changed == {"P01", "P02"}
