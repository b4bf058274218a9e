"""Truth masks: who belongs where."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.errors import RequestError
from cytometry.simulation.cell_types import CELL_TYPE_NAMES
from cytometry.simulation.truth import CLOG, DEAD, DEBRIS, DOUBLET, TRUE_POPULATIONS, Truth, truth_mask

CANONICAL = [
    "time_ok",
    "singlets",
    "live",
    "lymphocytes",
    "b_cells",
    "asc",
    "naive",
    "unswitched_memory",
    "switched_memory",
    "double_negative",
    "transitional",
    "activated_naive",
    "resting_naive",
    "dn1",
    "dn2",
    "dn3",
    "dn4",
    "plasmablasts",
    "t_cells",
    "cd4",
    "cd8",
    "treg",
    "helios_pos_treg",
    "helios_neg_treg",
    "garp_pos_treg",
    "lap_pos_treg",
]

DN2 = CELL_TYPE_NAMES.index("dn2")
MONOCYTE = CELL_TYPE_NAMES.index("monocyte")
TREG = CELL_TYPE_NAMES.index("treg_helios+_garp+_lap-")


def truth(*events: tuple[int, int]) -> Truth:
    codes, flags = zip(*events, strict=True)
    return Truth(np.array(codes), np.array(flags))


def test_every_canonical_population_has_a_truth() -> None:
    assert sorted(TRUE_POPULATIONS) == sorted(CANONICAL)


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        ("time_ok", [1, 1, 1, 0, 1, 1, 1]),
        ("singlets", [1, 0, 1, 0, 1, 1, 1]),
        ("live", [1, 0, 0, 0, 1, 1, 1]),
        ("lymphocytes", [1, 0, 0, 0, 0, 0, 1]),
        ("b_cells", [1, 0, 0, 0, 0, 0, 0]),
        ("double_negative", [1, 0, 0, 0, 0, 0, 0]),
        ("dn2", [1, 0, 0, 0, 0, 0, 0]),
        ("naive", [0, 0, 0, 0, 0, 0, 0]),
        ("cd4", [0, 0, 0, 0, 0, 0, 1]),
        ("helios_pos_treg", [0, 0, 0, 0, 0, 0, 1]),
        ("garp_pos_treg", [0, 0, 0, 0, 0, 0, 1]),
        ("lap_pos_treg", [0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_a_population_holds_its_intact_cells_and_those_of_its_descendants(population: str, expected: list[int]) -> None:
    events = truth((DN2, 0), (DN2, DOUBLET), (DN2, DEAD), (DN2, CLOG), (DEBRIS, 0), (MONOCYTE, 0), (TREG, 0))
    assert truth_mask(events, population).astype(int).tolist() == expected


def test_an_unknown_population_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"no simulated cell belongs to 'naïve'.*b_cells"):
        truth_mask(truth((DN2, 0)), "naïve")


def test_truth_cannot_be_edited() -> None:
    with pytest.raises(ValueError, match="read-only"):
        truth((DN2, 0)).codes[0] = 1
