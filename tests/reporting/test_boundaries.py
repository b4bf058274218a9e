from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytometry.reporting.boundaries import boundary_table
from cytometry.reporting.inputs import ReportInputs


def table(values: list[float], robust_z: list[float], subject_z: list[float]) -> pd.DataFrame | None:
    frame = pd.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(len(values))],
            "panel": "bcell",
            "cut": "cd27",
            "dimension": "CD27",
            "value_display": values,
            "robust_z": robust_z,
            "subject_z": subject_z,
        }
    )
    return boundary_table(ReportInputs("t", {"thresholds": frame}))


def test_the_farthest_stands_first_whether_from_the_group_or_from_its_own_visits() -> None:
    shown = table([1, 2, 3], [0.1, -2.0, np.nan], [0.0, 0.0, 4.0])
    assert shown is not None
    assert shown["sample_id"].tolist() == ["s2", "s1", "s0"]
    assert shown["is_outlier"].tolist() == [True, False, False]


def test_bare_files_are_compared_on_the_page_only() -> None:
    nothing = [np.nan] * 6
    shown = table([0.50, 0.51, 0.49, 0.52, 0.48, 0.90], nothing, nothing)
    assert shown is not None
    assert shown["sample_id"].tolist()[0] == "s5"
    # Median 0.505, MAD 0.015: (0.9 - 0.505) / (1.4826 × 0.015), by hand.
    assert shown["robust_z"].tolist()[0] == pytest.approx(0.395 / (1.4826 * 0.015), rel=1e-4)


def test_without_boundaries_there_is_no_table() -> None:
    assert table([], [], []) is None
    assert boundary_table(ReportInputs("t", {})) is None
