"""Rows and findings of acquisition quality."""

from __future__ import annotations

import math

import numpy as np

from cytometry.gating.membership import Membership
from cytometry.preprocessing.quality import AcquisitionQuality
from cytometry.quantification.quality import QualityLimits, passed_limits, quality_findings, quality_row

NAN = float("nan")


def membership(**counts: int) -> Membership:
    paths, path = [], "root"
    for name in counts:
        path = f"{path}/{name}"
        paths.append(path)
    return Membership(
        1000, tuple(paths), dict(zip(paths, counts.values(), strict=True)), {p: np.zeros(125, np.uint8) for p in paths}
    )


def test_fractions_are_of_the_step_before() -> None:
    quality = AcquisitionQuality(1000, 200.0, 0.01, 0.0, "PE-A", 0.0, 0.0)
    row = quality_row("s", "p", quality, membership(time_ok=900, singlets=810, live=405))
    assert (row["time_excluded_fraction"], row["singlet_fraction"], row["viability"]) == (0.1, 0.9, 0.5)


def test_what_a_file_lacks_is_empty() -> None:
    row = quality_row("s", "p", AcquisitionQuality(10, NAN, NAN, NAN, "", 0.0, 0.0), membership(singlets=8))
    assert row["events_per_s"] is None
    assert row["drift"] is None
    assert row["viability"] is None
    assert not any(isinstance(v, float) and math.isnan(v) for v in row.values())


def test_every_limit_has_its_finding_with_value_and_limit() -> None:
    quality = AcquisitionQuality(999, 200.0, 0.01, 0.4, "PE-A", 0.06, 0.07)
    row = quality_row("s", "p", quality, membership(time_ok=600, singlets=300, live=90))
    found = quality_findings(row, QualityLimits(), "s.fcs")
    assert [f.code for f in found] == [
        "QC_FEW_EVENTS",
        "QC_MARGIN",
        "QC_NEGATIVE_SCATTER",
        "QC_VIABILITY",
        "QC_SINGLETS",
        "QC_TIME",
        "QC_DRIFT",
    ]
    assert found[3].message == "viability is 0.3; the limit is at least 0.7"
    assert found[6].message == "drift is 0.4 in PE-A; the limit is at most 0.125"


def test_unsteady_stretches_are_told_whether_or_not_they_are_masked() -> None:
    quality = AcquisitionQuality(5000, 200.0, 0.01, 0.1, "PE-A", 0.0, 0.0, rate_unsteady=0.06, signal_unsteady=0.2)
    row = quality_row("s", "p", quality, membership(time_ok=1000, singlets=950, live=900))
    found = quality_findings(row, QualityLimits(), "s.fcs")
    assert [(f.code, f.found) for f in found] == [("QC_RATE", "0.06"), ("QC_SIGNAL", "0.2")]
    assert passed_limits(row, QualityLimits(max_unsteady=0.1)) == ("signal_unsteady_fraction",)


def test_values_within_limits_are_silent() -> None:
    row = quality_row(
        "s",
        "p",
        AcquisitionQuality(5000, 200.0, 0.01, 0.1, "PE-A", 0.0, 0.0),
        membership(time_ok=1000, singlets=950, live=900),
    )
    assert quality_findings(row, QualityLimits(), "s.fcs") == ()
