"""The simulated trial: layout, clinic and reproducibility."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from cytometry.errors import RequestError
from cytometry.model.clinical import SLEDAI_WEIGHTS
from cytometry.simulation.clinic import PRESENTATIONS, sledai
from cytometry.simulation.cohort import NO_EFFECTS, Variation
from cytometry.simulation.study import DEMO_DESIGN, SimulatedStudy, simulate_study


@pytest.fixture(scope="module")
def study() -> SimulatedStudy:
    return simulate_study(1)


def test_demo_has_46_tubes_of_8000_events_and_a_control_set_per_batch(study: SimulatedStudy) -> None:
    samples = [t for t in study.tubes if t.role == "sample"]
    assert len(samples) == 46
    assert {t.spec.n_events for t in samples} == {8_000}
    controls = [t for t in study.tubes if t.role != "sample"]
    assert {t.spec.n_events for t in controls} == {4_000}
    assert Counter((t.batch, t.panel) for t in controls if t.role == "control") == {
        (b, p): 1 for b in ("B1", "B2", "B3") for p in ("bcell", "treg")
    }


def test_events_stay_within_40_megabytes(study: SimulatedStudy) -> None:
    channels = {"bcell": 19, "treg": 18}
    assert sum(t.spec.n_events * channels[t.panel] * 4 for t in study.tubes) == pytest.approx(37e6, rel=0.03)


def test_all_visits_of_a_participant_are_in_one_batch_of_two_participants(study: SimulatedStudy) -> None:
    members = {b: {t.subject_id for t in study.tubes if t.batch == b and t.subject_id} for b in ("B1", "B2", "B3")}
    assert members == {"B1": {"P01", "P02"}, "B2": {"P03", "P04"}, "B3": {"P05", "P06"}}


def test_the_non_responder_leaves_after_week_8(study: SimulatedStudy) -> None:
    assert [c.response > 0 for c in study.courses.values()] == [True, True, True, False, True, True]
    assert {t.visit for t in study.tubes if t.subject_id == "P04"} == {"w00", "w04", "w08"}
    last = [r for r in study.clinical if r["subject_id"] == "P04"][-1]
    assert dict(last) == {"subject_id": "P04", "visit": "w24", "withdrawn": True}


def test_exactly_one_file_clogs(study: SimulatedStudy) -> None:
    assert [t.sample_id for t in study.tubes if t.spec.clog > 0] == ["P03_w04_treg"]


def test_both_tubes_of_a_visit_hold_the_same_blood(study: SimulatedStudy) -> None:
    pairs: dict[tuple[str, str], list[float]] = {}
    for t in study.tubes:
        if t.role == "sample":
            pairs.setdefault((t.subject_id, t.visit), []).append(t.blood.double_negative)
    assert all(len(p) == 2 and p[0] == p[1] for p in pairs.values())


def test_batches_shift_each_marker_by_10_to_20_percent() -> None:
    design = replace(DEMO_DESIGN, tube_shift=0.0, cd27_shift=(0.0,))
    for tube in simulate_study(1, design).tubes:
        factors = 10.0 ** np.array(list(tube.spec.staining.shift.values()))
        assert np.all((np.abs(factors - 1) >= 0.0999) & (np.abs(factors - 1) <= 0.2001))


@pytest.mark.parametrize("layout", ["two_subjects", "subject", "tube", "visit"])
def test_a_layout_puts_tubes_of_a_batch_under_one_shift(layout: str) -> None:
    design = replace(DEMO_DESIGN, layout=layout, tube_shift=0.0, cd27_shift=(0.0,), fmo={})  # type: ignore[arg-type]
    study = simulate_study(2, design)
    shifts: dict[tuple[str, str], set[float]] = {}
    for tube in study.tubes:
        shifts.setdefault((tube.batch, tube.panel), set()).add(tube.spec.staining.shift["Viability"])
    assert all(len(s) == 1 for s in shifts.values())
    expected = {"two_subjects": 3, "subject": 6, "tube": 23, "visit": 4}[layout]
    assert len({t.batch for t in study.tubes}) == expected


def test_totals_are_the_sum_of_items_and_fall_by_four_in_responders(study: SimulatedStudy) -> None:
    totals: dict[str, list[int]] = {}
    for row in study.clinical:
        if not row["withdrawn"]:
            items = sum(int(row[f"sledai_{i}"] or 0) for i in SLEDAI_WEIGHTS)
            assert row["sledai"] == items
            totals.setdefault(str(row["subject_id"]), []).append(items)
    falls = {s: t[0] - t[-1] for s, t in totals.items()}
    assert falls.pop("P04") == 0
    assert min(falls.values()) >= 4


@pytest.mark.parametrize("seed", range(1, 21))
def test_five_of_six_meet_sri4_in_every_seed(seed: int) -> None:
    """By hand: fall of 4 or more, no new A, at most one new B, PGA not 0.3 higher, prednisone 10 mg or less, seen."""
    responders = []
    rows = simulate_study(seed).clinical
    for subject in dict.fromkeys(r["subject_id"] for r in rows):
        own = [r for r in rows if r["subject_id"] == subject]
        first, last = own[0], own[-1]
        if last["withdrawn"]:
            continue
        grades = [(str(first[c]), str(last[c])) for c in last if c.startswith("bilag_")]
        assert all(after >= before for before, after in grades)
        assert float(last["pga"] or 0) < float(first["pga"] or 0) + 0.3
        assert float(last["prednisone_mg_per_day"] or 0) <= 10
        assert int(first["sledai"] or 0) - int(last["sledai"] or 0) >= 4
        responders.append(subject)
    assert responders == ["P01", "P02", "P03", "P05", "P06"]


def test_baselines_are_active_disease() -> None:
    assert [sledai(p.items) for p in PRESENTATIONS] == [12, 12, 10, 10, 13, 11]


def test_published_directions_hold_in_the_true_fractions_of_responders() -> None:
    """Without visit noise every responder's truth moves as published, and the non-responder's does not move."""
    design = replace(DEMO_DESIGN, variation=Variation(within=0.0))
    study = simulate_study(3, design)
    blood = {(t.subject_id, t.visit): t.blood for t in study.tubes if t.role == "sample"}
    for subject, course in study.courses.items():
        before, after = blood[subject, "w00"], blood[subject, "w08"]
        for name, sign in (
            ("double_negative", -1),
            ("switched_memory", -1),
            ("activated_naive", -1),
            ("transitional", 1),
        ):
            change = getattr(after, name) - getattr(before, name)
            assert np.sign(round(change, 12)) == (sign if course.response > 0 else 0)
        assert (after.helios > before.helios) == (subject in {"P02", "P05"})


def test_no_effects_means_no_expected_change() -> None:
    design = replace(DEMO_DESIGN, effects=NO_EFFECTS, variation=Variation(within=0.0))
    study = simulate_study(3, design)
    blood = {(t.subject_id, t.visit): t.blood for t in study.tubes if t.role == "sample"}
    for (subject, visit), now in blood.items():
        then = blood[subject, "w00"]
        assert now.double_negative == pytest.approx(then.double_negative), visit
        assert now.helios == pytest.approx(then.helios), visit


def test_a_tube_made_alone_equals_the_tube_made_in_turn(study: SimulatedStudy) -> None:
    in_turn = {t.sample_id: s for (t, s), _ in zip(study.simulate(), range(3), strict=False)}
    alone = study.tube("P01_w04_bcell")
    assert np.array_equal(alone.sample.raw(), in_turn["P01_w04_bcell"].sample.raw())


def test_seeds_differ(study: SimulatedStudy) -> None:
    assert simulate_study(1).tubes == study.tubes
    assert simulate_study(2).tubes != study.tubes


def test_an_unknown_sample_is_refused(study: SimulatedStudy) -> None:
    with pytest.raises(RequestError, match="no simulated sample is called 'P09_w00_bcell'"):
        study.tube("P09_w00_bcell")
