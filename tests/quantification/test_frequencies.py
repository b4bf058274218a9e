"""Fractions, their intervals and cells per microlitre, against closed forms and published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.model.tables import Cell
from cytometry.quantification.frequencies import FrequencyRules, SampleFacts, clopper_pearson, frequencies
from cytometry.quantification.low_counts import CountLimits, count_flags

PATHS = {
    "root": ("", 10_000, None),
    "root/lymphocytes": ("root", 8_000, 10_000),
    "root/lymphocytes/b_cells": ("root/lymphocytes", 800, 8_000),
    "root/lymphocytes/b_cells/naive": ("root/lymphocytes/b_cells", 480, 800),
    "root/lymphocytes/b_cells/naive/transitional": ("root/lymphocytes/b_cells/naive", 24, 480),
}
RULES = {"bcell": FrequencyRules({"default": ("b_cells",), "b_cells": ("lymphocytes",)})}


def _counts(**changed: int | None) -> list[dict[str, Cell]]:
    rows: list[dict[str, Cell]] = []
    for path, (parent, count, parent_count) in PATHS.items():
        name = path.rpartition("/")[2]
        rows.append(
            {
                "sample_id": "S",
                "panel": "bcell",
                "population": name,
                "path": path,
                "parent_path": parent,
                "count": changed.get(name, count),
                "parent_count": changed.get(parent.rpartition("/")[2], parent_count),
                "flags": "",
            }
        )
    return rows


def _row(rows: list[dict[str, Cell]], population: str, denominator: str) -> dict[str, Cell]:
    return next(r for r in rows if (r["population"], r["denominator"]) == (population, denominator))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # 95 % intervals as published (domain knowledge: 16/30, 23/83, 10/83, 11/40) and the rule of three's exact form.
        (16, 30, 0.343, 0.717),
        (23, 83, 0.184, 0.386),
        (10, 83, 0.059, 0.210),
        (11, 40, 0.146, 0.439),
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),
        (10, 10, 0.025 ** (1 / 10), 1.0),
    ],
)
def test_clopper_pearson_limits(k: int, n: int, low: float, high: float) -> None:
    found_low, found_high = clopper_pearson(np.array([float(k)]), np.array([float(n)]))
    assert found_low[0] == pytest.approx(low, abs=6e-4)
    assert found_high[0] == pytest.approx(high, abs=6e-4)


def test_fractions_of_parent_and_of_the_panels_denominators() -> None:
    rows = frequencies(_counts(), RULES, {})
    assert _row(rows, "transitional", "parent")["fraction"] == pytest.approx(24 / 480)
    assert _row(rows, "transitional", "b_cells")["fraction"] == pytest.approx(24 / 800)
    assert _row(rows, "b_cells", "lymphocytes")["fraction"] == pytest.approx(0.1)
    # The share of the parent times the parent's share is the share of the whole.
    product = float(_row(rows, "transitional", "parent")["fraction"] or 0) * 480 / 800
    assert product == pytest.approx(float(_row(rows, "transitional", "b_cells")["fraction"] or 0))


def test_a_population_that_is_no_part_of_a_denominator_has_no_row_for_it() -> None:
    assert not [
        r
        for r in frequencies(_counts(), RULES, {})
        if r["population"] == "lymphocytes" and r["denominator"] != "parent"
    ]


def test_cells_per_microlitre_by_dual_platform() -> None:
    rows = frequencies(_counts(), RULES, {"S": SampleFacts(lymphocytes_10e9_per_l=1.6)})
    # 1.6 · 10⁹/L are 1600/µL; a tenth of the gated lymphocytes are B cells.
    assert _row(rows, "b_cells", "parent")["cells_per_ul"] == pytest.approx(160.0)
    assert _row(rows, "transitional", "parent")["cells_per_ul"] == pytest.approx(1600 * 24 / 8000)
    assert _row(rows, "lymphocytes", "parent")["cells_per_ul"] == pytest.approx(1600.0)


def test_without_a_lymphocyte_count_cells_per_microlitre_are_undefined() -> None:
    assert {r["cells_per_ul"] for r in frequencies(_counts(), RULES, {})} == {None}


def test_fewer_than_50_events_in_the_parent_give_no_fraction() -> None:
    rows = frequencies(_counts(b_cells=49, naive=30, transitional=2), RULES, {})
    row = _row(rows, "naive", "parent")
    assert (row["fraction"], row["fraction_low"], row["fraction_high"]) == (None, None, None)
    assert row["flags"] == "BELOW_LLOQ;PARENT_TOO_SMALL"
    assert _row(rows, "b_cells", "parent")["fraction"] == pytest.approx(49 / 8000)


def test_an_undefined_population_stays_undefined() -> None:
    rows = frequencies(_counts(naive=None), RULES, {})
    assert _row(rows, "naive", "parent")["fraction"] is None
    assert _row(rows, "transitional", "parent")["fraction"] is None
    assert _row(rows, "transitional", "b_cells")["fraction"] == pytest.approx(24 / 800)


@pytest.mark.parametrize(
    ("count", "parent", "flags"),
    [
        (0, 600, ("ZERO_COUNT", "BELOW_LOD")),
        (19, 600, ("BELOW_LOD",)),
        (20, 600, ("BELOW_LLOQ",)),
        (49, 600, ("BELOW_LLOQ",)),
        (50, 600, ()),
        (50, 499, ("PARENT_SMALL",)),
        (50, 500, ()),
        (30, 50, ("BELOW_LLOQ", "PARENT_SMALL")),
        (30, 49, ("BELOW_LLOQ", "PARENT_TOO_SMALL")),
        (0, 0, ("ZERO_COUNT", "BELOW_LOD", "PARENT_EMPTY")),
        (700, None, ()),
    ],
)
def test_low_count_codes_at_their_limits(count: int, parent: int | None, flags: tuple[str, ...]) -> None:
    assert count_flags(count, parent, CountLimits()) == flags
