"""Composition: fractions of parents against shares of cells."""

from __future__ import annotations

import pytest

from cytometry.errors import RequestError
from cytometry.simulation.blood import Blood
from cytometry.simulation.cell_types import CELL_TYPES

BLOOD = Blood()
SHARES = BLOOD.cell_shares()


def share(population: str) -> float:
    return sum(SHARES.get(c.name, 0.0) for c in CELL_TYPES if population in c.populations)


def test_shares_cover_all_cells() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert min(SHARES.values()) >= 0


@pytest.mark.parametrize(
    ("population", "parent", "expected"),
    [
        ("transitional", "b_cells", 0.04),
        ("double_negative", "b_cells", 0.13),
        ("switched_memory", "b_cells", 0.17),
        ("asc", "b_cells", 0.03),
        ("naive", "b_cells", 1 - 0.06 - 0.17 - 0.13 - 0.03),
        ("activated_naive", "naive", 0.15),
        ("dn2", "double_negative", 0.42),
        ("dn4", "double_negative", 1 - 0.30 - 0.42 - 0.16),
        ("treg", "cd4", 0.075),
        ("helios_pos_treg", "treg", 0.70),
        ("garp_pos_treg", "treg", 0.14),
        ("lap_pos_treg", "treg", 0.16),
    ],
)
def test_a_fraction_of_its_parent_comes_back_from_the_shares(population: str, parent: str, expected: float) -> None:
    assert share(population) / share(parent) == pytest.approx(expected)


@pytest.mark.parametrize("population", ["naive", "resting_naive", "dn1", "dn3", "activated_naive", "plasmablasts"])
def test_fraction_of_b_cells_agrees_with_the_shares(population: str) -> None:
    assert BLOOD.fraction_of_b(population) == pytest.approx(share(population) / share("b_cells"))


def test_b_cells_are_35_percent_of_lymphocytes() -> None:
    assert share("b_cells") / (1 - SHARES["monocyte"]) == pytest.approx(0.35)


def test_fractions_without_room_are_refused() -> None:
    with pytest.raises(RequestError, match="nothing is left for natural_killer"):
        Blood(b_cells=0.8).cell_shares()


def test_a_fraction_above_one_is_refused() -> None:
    with pytest.raises(RequestError, match=r"treg is 7\.5"):
        Blood(treg=7.5)
