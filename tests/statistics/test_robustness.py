"""Planned tests under drawn gates, on counts made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.blocks import change_blocks, panel_keys
from cytometry.statistics.comparison import compare_blocks
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.readouts import collect_readouts
from cytometry.statistics.robustness import robustness

SUBJECTS = [f"P{i}" for i in range(6)]
DESIGN = TrialDesign(("w0", "w8"), "w0")
PLAN = AnalysisPlan.model_validate(
    {"confirmatory": [{"population": "dn", "scale": "logit_of:b", "visit": "w8"}], "panel": ["dn"]}
)


def counts(after: Sequence[int]) -> pd.DataFrame:
    """200 B cells everywhere; 40 double negatives at baseline, ``after`` at week 8."""
    rows = []
    for subject, dn in zip(SUBJECTS, after, strict=True):
        for visit, k in (("w0", 40), ("w8", dn)):
            row = {"subject_id": subject, "visit": visit, "panel": "bcell", "role": "sample"}
            rows += [
                {**row, "population": "lymphocytes", "path": "root/lymphocytes", "count": 500, "parent_count": 900},
                {**row, "population": "b", "path": "root/b", "count": 200, "parent_count": 500},
                {**row, "population": "dn", "path": "root/b/dn", "count": k, "parent_count": 200},
            ]
    return pd.DataFrame(rows)


def draws(*after: Sequence[int]) -> pd.DataFrame:
    table = counts([0] * 6)[["subject_id", "visit", "panel", "population", "path", "count", "parent_count"]]
    drawn = [counts(a) for a in after]
    return table.assign(
        drawn_counts=[";".join(str(d.loc[i, "count"]) for d in drawn) for i in table.index],
        drawn_parent_counts=[";".join(str(d.loc[i, "parent_count"]) for d in drawn) for i in table.index],
    )


def result(placed: Sequence[int], *after: Sequence[int]) -> dict[str, object]:
    readouts = collect_readouts(counts(placed), DESIGN.visits)
    blocks = change_blocks(readouts, DESIGN, PLAN)
    compared = compare_blocks(blocks, PLAN, panel_keys(blocks, readouts, PLAN), np.random.default_rng(1))
    table = robustness(readouts, draws(*after), compared, DESIGN, PLAN)
    return dict(table[table["scale"] == "logit_of:b"].iloc[0])


FALLS = [20, 21, 22, 23, 24, 25]
ONE_RISES = [20, 21, 22, 23, 24, 60]
ALL_RISE = [60, 61, 62, 63, 64, 65]


def test_shares_of_draws_that_keep_sign_and_significance() -> None:
    """Of four draws three fall on the whole, two of them in all six participants, where alone p is 2/64.

    All six up is as significant, but not the change that was found.
    """
    row = result(FALLS, FALLS, FALLS, ONE_RISES, ALL_RISE)
    assert row["draws"] == 4
    assert row["sign_kept"] == 0.75
    assert row["significance_kept"] == 0.5
    assert row["sentence"] == "the change keeps its sign in 75 % and its significance in 50 % of plausible gates"


def test_no_significance_can_be_kept_where_there_is_none() -> None:
    row = result(ONE_RISES, FALLS, ONE_RISES)
    assert np.isnan(float(str(row["significance_kept"])))
    assert row["sentence"] == "the change keeps its sign in 100 % of plausible gates"


def test_the_range_of_the_estimate_is_that_of_the_draws() -> None:
    same = result(FALLS, FALLS, FALLS)
    assert same["estimate_low"] == pytest.approx(same["estimate"])
    assert same["estimate_high"] == pytest.approx(same["estimate"])
    assert float(str(result(FALLS, FALLS, ALL_RISE)["estimate_high"])) > 0


def test_without_draws_there_is_no_row() -> None:
    readouts = collect_readouts(counts(FALLS), DESIGN.visits)
    blocks = change_blocks(readouts, DESIGN, PLAN)
    compared = compare_blocks(blocks, PLAN, panel_keys(blocks, readouts, PLAN), np.random.default_rng(1))
    assert robustness(readouts, draws().iloc[:0], compared, DESIGN, PLAN).empty
