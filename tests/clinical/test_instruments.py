"""SLEDAI-2K, BILAG-2004, PGA, LLDAS, DORIS, prednisone, directions and windows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cytometry.clinical.bilag import impossible_grades, numeric_score
from cytometry.clinical.endpoints import DIRECTION_OF_BENEFIT, is_improvement
from cytometry.clinical.pga import as_decimal
from cytometry.clinical.prednisone import dose_when_due, prednisone_equivalent
from cytometry.clinical.remission import DorisRules, LldasRules, doris, lldas
from cytometry.clinical.sledai import FIVE_BANDS, FOUR_BANDS, band, clinical_total, total
from cytometry.clinical.visits import ClinicalVisit, Course
from cytometry.clinical.windows import PlannedVisit, visit_of_day
from cytometry.errors import StudyError
from cytometry.model.clinical import BILAG_SYSTEMS, SLEDAI_MAXIMUM, SLEDAI_WEIGHTS

QUIET = ClinicalVisit("P1", "w24", sledai=4, items={"arthritis": 4}, pga=1.0, prednisone=7.5)


def test_sledai_has_24_items_of_four_weights_and_105_points() -> None:
    weights = list(SLEDAI_WEIGHTS.values())
    assert [(w, weights.count(w)) for w in (8, 4, 2, 1)] == [(8, 8), (4, 6), (2, 7), (1, 3)]
    assert total(SLEDAI_WEIGHTS) == SLEDAI_MAXIMUM == 105
    assert clinical_total(SLEDAI_WEIGHTS) == 101


def test_every_total_can_be_reached() -> None:
    reachable = {0}
    for weight in SLEDAI_WEIGHTS.values():
        reachable |= {points + weight for points in reachable}
    assert reachable == set(range(106))


def test_half_an_item_and_an_unknown_item_are_refused() -> None:
    with pytest.raises(StudyError, match=r"item arthritis is 2 .0 or 4, nothing between"):
        total({"arthritis": 2})
    with pytest.raises(StudyError, match="'artritis' is not a SLEDAI-2K item"):
        total({"artritis": 4})


@pytest.mark.parametrize("bands", [FIVE_BANDS, FOUR_BANDS])
def test_bands_cover_every_total_once(bands: tuple[object, ...]) -> None:
    assert [band(points, bands) for points in (0, 105)] == [bands[0].label, bands[-1].label]  # type: ignore[arg-type, attr-defined]
    for points in range(106):
        assert sum(b.low <= points <= b.high for b in bands) == 1  # type: ignore[attr-defined]
    with pytest.raises(StudyError, match="a total of 106 is not possible"):
        band(106)


def test_bilag_of_nine_a_is_108() -> None:
    assert numeric_score(dict.fromkeys(BILAG_SYSTEMS, "A")) == 108


def test_never_cannot_come_back() -> None:
    assert impossible_grades([{"renal": "E"}, {"renal": "C"}, {"renal": "D"}]) == ()
    assert impossible_grades([{"renal": "E"}, {"renal": "C"}, {"renal": "E"}]) == ("renal",)


def test_pga_outside_its_scale_says_how_to_rescale() -> None:
    with pytest.raises(StudyError, match=r"0 to 10 scale is multiplied by 0\.3"):
        as_decimal(4)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (QUIET, ""),
        (replace(QUIET, sledai=6), "SLEDAI above 4"),
        (replace(QUIET, items={"proteinuria": 4}), "major organ activity: proteinuria"),
        (replace(QUIET, bilag={"gastrointestinal": "B"}), "gastrointestinal activity"),
        (replace(QUIET, items={"rash": 2}), "new activity: rash"),
        (replace(QUIET, pga=1.1), "PGA above 1"),
        (replace(QUIET, prednisone=10.0), "prednisone above 7.5 mg/day"),
    ],
)
def test_lldas_names_what_fails(now: ClinicalVisit, reason: str) -> None:
    assert lldas(now, QUIET) == (reason == "", reason)


def test_lldas_read_literally_excludes_investigational_drugs() -> None:
    assert lldas(QUIET, QUIET, LldasRules(investigational_drug_allowed=False)) == (False, "investigational drug")


def test_doris_limits_follow_the_switches() -> None:
    now = ClinicalVisit("P1", "w24", sledai=0, pga=0.4, prednisone=5)
    assert doris(now) == (True, "")
    assert doris(now, DorisRules(prednisone_limit_passes=False)) == (False, "prednisone not below 5 mg/day")
    half = replace(now, pga=0.5)
    assert doris(half)[0] is False
    assert doris(half, DorisRules(pga_limit_passes=True))[0] is True
    assert doris(replace(now, sledai=4, items={}))[0] is None


@pytest.mark.parametrize(
    ("drug", "mg", "prednisone"),
    [("Prednisolone", 10, 10), ("hydrocortisone", 20, 5), ("dexamethasone", 0.75, 5), ("methylprednisolone", 16, 20)],
)
def test_prednisone_equivalents(drug: str, mg: float, prednisone: float) -> None:
    assert prednisone_equivalent(drug, mg) == pytest.approx(prednisone)


def test_an_unknown_steroid_is_refused_with_the_list() -> None:
    with pytest.raises(StudyError, match=r"no prednisone equivalent for 'budesonide'.*known: prednisone"):
        prednisone_equivalent("budesonide", 9)


def test_the_dose_at_the_first_visit_after_the_checkpoint_counts() -> None:
    visits = tuple(
        ClinicalVisit("P1", f"w{week}", day=7.0 * week, prednisone=dose)
        for week, dose in ((0, 20.0), (8, 15.0), (20, 9.0), (24, 11.0))
    )
    course = Course("P1", visits, ("w0", "w8", "w20", "w24"))
    assert dose_when_due(course, 20, "w24") == 9.0
    assert dose_when_due(Course("P1", (*visits[:2], visits[3]), course.planned), 20, "w24") == 11.0


def test_an_increase_of_complement_and_a_fall_of_sledai_are_both_better() -> None:
    assert is_improvement("c3_g_per_l", 0.2) is True
    assert is_improvement("sledai", -4) is True
    assert is_improvement("naive", -4) is None
    assert set(DIRECTION_OF_BENEFIT.values()) == {"lower is better", "higher is better"}


def test_overlapping_windows_give_the_nearer_visit() -> None:
    plan = [PlannedVisit("w4", 28, 14, 45), PlannedVisit("w8", 56, 35, 70)]
    assert [visit_of_day(day, plan) for day in (40, 44, 71)] == ["w4", "w8", None]
