from __future__ import annotations

import math

import pandas as pd
import pytest

from cytometry.quantification.threshold_spread import threshold_spread


def frame(values: list[float], dimension: str = "CD27") -> pd.DataFrame:
    return pd.DataFrame({"panel": "bcell", "cut": "c", "dimension": dimension, "value_display": values})


def test_robust_z_by_hand() -> None:
    # Median 3, deviations 2 1 0 1 2, MAD 1: z = (v - 3) / 1.4826.
    spread = threshold_spread(frame([1, 2, 3, 4, 5]))
    assert spread["robust_z"].tolist() == pytest.approx([-2 / 1.4826, -1 / 1.4826, 0, 1 / 1.4826, 2 / 1.4826])
    assert not spread["is_outlier"].any()


def test_a_boundary_far_from_the_others_is_an_outlier() -> None:
    spread = threshold_spread(frame([0.50, 0.51, 0.49, 0.52, 0.48, 0.90]))
    assert spread["is_outlier"].tolist() == [False] * 5 + [True]


def test_too_few_tubes_and_equal_values_are_undefined_not_zero() -> None:
    assert all(math.isnan(z) for z in threshold_spread(frame([1, 2, 3, 9]))["robust_z"])
    assert all(math.isnan(z) for z in threshold_spread(frame([1, 1, 1, 1, 9]))["robust_z"])


def test_a_position_in_time_is_no_boundary_to_compare() -> None:
    assert all(math.isnan(z) for z in threshold_spread(frame([1, 2, 3, 4, 50], "Time"))["robust_z"])
