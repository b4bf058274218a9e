from __future__ import annotations

import pytest

from cytometry.model.tables import Cell
from cytometry.quantification.threshold_spread import is_outlier, threshold_spread


def rows(values: list[float], dimension: str = "CD27") -> list[dict[str, Cell]]:
    return [
        {"sample_id": f"s{i}", "panel": "bcell", "cut": "c", "dimension": dimension, "value_display": v}
        for i, v in enumerate(values)
    ]


def spread(values: list[float], dimension: str = "CD27", subjects: str = "") -> list[dict[str, Cell]]:
    return threshold_spread(rows(values, dimension), {f"s{i}": s for i, s in enumerate(subjects)})


def test_robust_z_by_hand() -> None:
    # Median 3, deviations 2 1 0 1 2, MAD 1: z = (v - 3) / 1.4826.
    found = spread([1, 2, 3, 4, 5])
    assert [r["robust_z"] for r in found] == pytest.approx(
        [-2 / 1.4826, -1 / 1.4826, 0, 1 / 1.4826, 2 / 1.4826], rel=1e-5
    )
    assert not any(is_outlier(r["robust_z"], r["subject_z"]) for r in found)


def test_a_boundary_far_from_the_others_is_an_outlier() -> None:
    assert [is_outlier(r["robust_z"], r["subject_z"]) for r in spread([0.50, 0.51, 0.49, 0.52, 0.48, 0.90])] == [
        False
    ] * 5 + [True]


def test_too_few_tubes_and_equal_values_are_undefined_not_zero() -> None:
    assert all(r["robust_z"] is None for r in spread([1, 2, 3, 9]))
    assert all(r["robust_z"] is None for r in spread([1, 1, 1, 1, 9]))


def test_a_position_in_time_is_no_boundary_to_compare() -> None:
    assert all(r["robust_z"] is None for r in spread([1, 2, 3, 4, 50], "Time"))


def test_a_visit_is_held_against_the_same_person_by_hand() -> None:
    # A: 10 11 12 around 11; B: 50 51 58 around 51. Distances -1 0 1 -1 0 7, median of their sizes 1.
    found = spread([10, 11, 12, 50, 51, 58], subjects="AAABBB")
    assert [r["subject_z"] for r in found] == pytest.approx([d / 1.4826 for d in (-1, 0, 1, -1, 0, 7)], rel=1e-5)
    # Against the group nobody is odd: half of the tubes lie at 10, half at 50.
    assert [is_outlier(r["robust_z"], r["subject_z"]) for r in found] == [False] * 5 + [True]
    assert all(abs(float(r["robust_z"] or 0)) < 3.5 for r in found)


def test_of_two_visits_each_is_as_far_from_the_other() -> None:
    found = spread([1, 2, 5, 7, 6, 9], subjects="AABBCC")
    assert [r["subject_z"] for r in found] == pytest.approx([d / (1.4826 * 2) for d in (-1, 1, -2, 2, -3, 3)], rel=1e-5)


def test_two_visits_and_three_are_on_one_scale() -> None:
    # A: 1 and 5, each 4 from the other. B: 10 11 12 around 11; C: 20 23 21 around 21.
    # Distances -4 4 -1 0 1 -1 2 0: the middle of their sizes 0 0 1 1 1 2 4 4 is 1.
    found = spread([1, 5, 10, 11, 12, 20, 23, 21], subjects="AABBBCCC")
    assert [r["subject_z"] for r in found] == pytest.approx([d / 1.4826 for d in (-4, 4, -1, 0, 1, -1, 2, 0)], rel=1e-5)


def test_a_control_and_a_single_visit_have_no_visits_to_compare_with() -> None:
    assert [r["subject_z"] for r in spread([1, 2, 3, 4, 5, 6], subjects="ABCDE")] == [None] * 6
