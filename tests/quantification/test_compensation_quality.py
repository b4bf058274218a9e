"""Verdicts over tubes, and the words in which they are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytometry.gating.membership import Membership
from cytometry.model.channels import Channel
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.tables import Cell
from cytometry.quantification.compensation_quality import (
    compensation_findings,
    compensation_rows,
    matrix_name,
    pooled_compensation,
)

CHANNELS = (Channel(0, "FITC-A", "CD3", range=262144.0), Channel(1, "PE-A", "CD19", range=262144.0))


def tube_rows(errors: list[float], *, se: float = 0.001, doubt: float = 0.001) -> list[dict[str, Cell]]:
    return [
        {
            "sample_id": f"s{i}",
            "panel": "bcell",
            "matrix": "abc",
            "source": "FITC-A",
            "target": "PE-A",
            "source_marker": "CD3",
            "target_marker": "",
            "coefficient": 0.12,
            "error": e,
            "standard_error": se,
            "doubt": doubt,
        }
        for i, e in enumerate(errors)
    ]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (tube_rows([0.02, 0.021, 0.022]), "under"),
        (tube_rows([-0.02, -0.021, -0.022]), "over"),
        (tube_rows([0.01, 0.011, 0.012]), "ok"),
        # One tube in three may say what it likes.
        (tube_rows([0.0, 0.001, 0.30]), "ok"),
        # Two tubes have to be surer.
        (tube_rows([0.02, 0.021]), "ok"),
        (tube_rows([0.04, 0.041]), "under"),
        # 4 × 1.2533 × 0.02 / √3 is 5.8 points.
        (tube_rows([0.04, 0.04, 0.04], se=0.02), "cannot tell"),
        # 3 points could be dim cells.
        (tube_rows([0.025, 0.025, 0.025], doubt=0.03), "ok"),
        (tube_rows([0.035, 0.035, 0.035], doubt=0.03), "under"),
    ],
)
def test_a_verdict_needs_size_certainty_and_cells_that_are_negative(rows: list[dict[str, Cell]], verdict: str) -> None:
    assert [r["verdict"] for r in pooled_compensation(rows)] == [verdict]


@pytest.mark.parametrize("unknown", ["error", "standard_error", "doubt"])
@pytest.mark.parametrize("n", [1, 3])
def test_what_is_not_known_is_no_reason_for_a_verdict(unknown: str, n: int) -> None:
    (row,) = pooled_compensation([{**r, unknown: None} for r in tube_rows([0.04] * n)])
    assert row["verdict"] == "cannot tell"
    assert row["limit"] is None


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_tube_that_does_not_know_is_not_asked(place: int) -> None:
    rows = tube_rows([0.04, 0.05, 0.06, 0.07])
    rows[place] = {**rows[place], "doubt": None, "error": None}
    (row,) = pooled_compensation(rows)
    # Middle of the other three.
    assert row["error"] == pytest.approx([0.06, 0.06, 0.05, 0.05][place])
    assert (row["tubes"], row["verdict"]) == (3, "under")


def test_the_median_and_its_standard_error_by_hand() -> None:
    (row,) = pooled_compensation(tube_rows([0.02, 0.03, 0.05]))
    # Deviations 0.01 0 0.02: MAD 0.01, in deviations 0.014826; with 0.001 within, over √3, × 1.2533.
    assert row["error"] == pytest.approx(0.03)
    assert row["standard_error"] == pytest.approx(1.2533 * np.hypot(0.014826, 0.001) / np.sqrt(3), rel=1e-4)


def test_matrices_are_not_mixed() -> None:
    other = [{**r, "matrix": "def"} for r in tube_rows([-0.03] * 3)]
    rows = pooled_compensation([*tube_rows([0.03] * 3), *other])
    assert [(r["matrix"], r["verdict"]) for r in rows] == [("abc", "under"), ("def", "over")]


def test_a_pair_that_most_tubes_are_silent_on_is_not_judged() -> None:
    silent = [{**r, "target": "APC-A", "sample_id": f"t{i}"} for i, r in enumerate(tube_rows([0.0] * 7))]
    verdicts = {r["target"]: r["verdict"] for r in pooled_compensation([*tube_rows([0.04] * 3), *silent])}
    assert verdicts["PE-A"] == "cannot tell"


def test_the_finding_says_what_the_matrix_has_and_what_the_tubes_say() -> None:
    found = compensation_findings(pooled_compensation(tube_rows([0.03] * 4)), {"abc": "fcs/s0.fcs"})
    assert [(f.code, f.file) for f in found] == [("COMPENSATION_OFF", "fcs/s0.fcs")]
    # Two deviations of 1.2533 × 0.001 / 2.
    assert found[0].message == (
        "FITC-A (CD3) into PE-A is compensated too little: the matrix says 12.0 %, "
        "4 tubes of panel bcell say 15.0 % (± 0.1)"
    )
    assert (found[0].found, found[0].expected) == ("0.12", "0.15")


def test_the_finding_of_one_tube_is_in_the_singular_and_no_share_is_less_than_nothing_by_rounding() -> None:
    (row,) = pooled_compensation(tube_rows([-0.03] * 4))
    one = {**row, "tubes": 1, "coefficient": 0.03, "error": -0.0302}
    (found,) = compensation_findings([one], {})
    assert "the matrix says 3.0 %, 1 tube of panel bcell says 0.0 % (" in found.message


def sample(stored: float) -> tuple[Sample, Membership]:
    """Live cells with bright FITC of which 15 % spills into PE; as many dead ones that would say 12.5 %."""
    rng = np.random.default_rng(4)
    light = np.where(np.arange(2_000) % 4 > 0, np.exp(rng.normal(9.0, 0.5, 2_000)), rng.normal(0, 60, 2_000))
    pe = np.where(np.arange(2_000) < 1_000, 0.15, 0.125) * light + rng.normal(0, 60, 2_000)
    matrix = Spillover(("FITC-A", "PE-A"), np.array([[1.0, stored], [0.0, 1.0]]))
    events = np.column_stack([light, pe])
    live = np.arange(2_000) < 1_000
    t_cells = live & (np.arange(2_000) % 4 > 0)
    bits = {"root/live": np.packbits(live), "root/live/t_cells": np.packbits(t_cells)}
    return (
        Sample.from_array(events, CHANNELS, spillover=matrix),
        Membership(2_000, tuple(bits), {"root/live": 1_000, "root/live/t_cells": 750}, bits),
    )


def test_live_cells_alone_are_asked_and_name_the_pair() -> None:
    tube, membership = sample(0.12)
    rows = compensation_rows("s", "p", tube, membership, tube.spillover)
    assert [(r["source"], r["target"], r["source_marker"], r["target_marker"]) for r in rows] == [
        ("FITC-A", "PE-A", "CD3", "CD19")
    ]
    assert rows[0]["error"] == pytest.approx(0.03, abs=0.003)


def test_a_tube_without_events_says_nothing() -> None:
    tube = Sample.from_array(np.zeros((0, 2)), CHANNELS)
    nothing = Membership(0, ("root/live",), {"root/live": 0}, {"root/live": np.packbits(np.zeros(0, dtype=bool))})
    assert compensation_rows("s", "p", tube, nothing, sample(0.12)[0].spillover) == []


def test_without_a_matrix_of_the_file_s_detectors_nothing_is_checked() -> None:
    tube, membership = sample(0.12)
    assert compensation_rows("s", "p", tube, membership, None) == []
    foreign = Spillover(("APC-A",), np.eye(1))
    assert compensation_rows("s", "p", tube, membership, foreign) == []
    spectra = replace(foreign, channels=("FITC-A",), dyes=("a",))
    assert compensation_rows("s", "p", tube, membership, spectra) == []


def test_equal_matrices_have_one_name() -> None:
    one, other = sample(0.12)[0].spillover, sample(0.13)[0].spillover
    assert one is not None
    assert other is not None
    assert matrix_name(one) == matrix_name(replace(one, source="elsewhere"))
    assert matrix_name(one) != matrix_name(other)
