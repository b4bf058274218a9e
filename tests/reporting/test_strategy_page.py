"""The page of a comparison: its sentences, its warnings, and names that try to be markup."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cytometry.model.agreement_tables import (
    AGREEMENT,
    CONCLUSIONS,
    LOG_ODDS,
    MATCHED_POPULATIONS,
    NOT_COMPARABLE,
    OTHER_SIGNIFICANCE,
    SAME,
)
from cytometry.pipeline.frames import frame
from cytometry.reporting.strategy_page import (
    StrategyPageInputs,
    agreement_figure,
    strategy_page,
    verdict_sentences,
)
from cytometry.statistics.strategy_agreement import PairedShares, agreement_table

HOSTILE = '<img src=x onerror="alert(1)">'


def conclusions(*rows: dict[str, object]) -> pd.DataFrame:
    usual: dict[str, object] = {
        "question": "change",
        "population": "double_negative",
        "visit": "w08",
        "scale": "logit_parent",
        "role": "panel",
        "estimate_a": -0.61,
        "estimate_b": -0.43,
        "p_a": 0.031,
        "p_b": 0.063,
        "p_adjusted_a": 0.031,
        "p_adjusted_b": 0.094,
        "direction_a": "down",
        "direction_b": "down",
        "significant_a": True,
        "significant_b": False,
        "conclusion": OTHER_SIGNIFICANCE,
    }
    return frame(CONCLUSIONS, [{**usual, **row} for row in rows])  # type: ignore[arg-type]


def shares(name: str = "double_negative") -> PairedShares:
    first = np.log(np.array([10, 20, 30, 40, 50, 60]) / 100)
    return PairedShares(
        name, "b_cells", LOG_ODDS, tuple("abcdef"), ("P1", "P1", "P2", "P2", "P3", "P3"), first, first + 0.1
    )


def page(name: str = "double_negative", **changes: object) -> str:
    own = shares(name)
    agreement = agreement_table((own,))
    row = {
        "population": name,
        "defined_in": "both",
        "path_a": f"root/{name}",
        "path_b": f"root/{name}",
        "n_tubes": 6,
        "n_scored": 6,
        "f1_median": 0.9,
        "f1_worst": 0.7,
        "f1_worst_sample": "b",
        "jaccard_median": 0.8,
        "jaccard_worst": 0.5,
        "jaccard_worst_sample": "b",
    }
    given: dict[str, object] = {
        "title": "one beside other",
        "names": ("one", "other"),
        "populations": frame(
            MATCHED_POPULATIONS, [row, {"population": "asc", "defined_in": "A", "path_a": "root/asc"}]
        ),  # type: ignore[list-item]
        "agreement": agreement,
        "conclusions": conclusions({"population": name}),
        "shares": (own,),
        "notes": ("gated with A only, so not compared: x",),
        "statistics_problem": "",
        "is_synthetic": True,
        "tubes": 6,
        "participants": 3,
        "version": "0",
    }
    inputs = StrategyPageInputs(**{**given, **changes})  # type: ignore[arg-type]
    return strategy_page(inputs, agreement_figure(inputs.shares, inputs.agreement))


def test_sentences_count_and_name_what_differs() -> None:
    found = verdict_sentences(
        conclusions(
            {},
            {"population": "naive", "conclusion": SAME},
            {"population": "dn2", "role": "exploratory", "conclusion": SAME},
            {"population": "dn3", "conclusion": NOT_COMPARABLE},
        )
    )
    assert found[0] == "1 of 2 readouts of the plan lead to the same conclusion."
    assert found[1] == "2 of 3 readouts with the exploratory ones lead to the same conclusion."
    assert found[2] == (
        "Double negative B at w08 (change, panel) differs in significance: fell with A (−0.61, p 0.031, significant); "
        "fell with B (−0.43, p 0.094, not significant)."
    )
    assert len(found) == 3


def test_no_conclusions_give_no_sentence() -> None:
    assert verdict_sentences(conclusions()) == ()


def test_the_page_says_what_agrees_least_and_what_is_in_one_only() -> None:
    text = page()
    assert "Least agreement of events: Double negative B, median F1 0.90, worst tube b (0.70)." in text
    assert "Gated with A only, so not compared: x." in text
    assert "Antibody-secreting cells" in text
    assert "every clinical value in this report was simulated" in text
    assert page() == text


def test_a_reason_for_no_conclusions_stands_first() -> None:
    text = page(conclusions=conclusions(), statistics_problem="counts: nothing")
    assert '<li class="caution">No conclusions: counts: nothing</li>' in text
    assert "Conclusions under the same plan" not in text


@pytest.mark.parametrize("name", [HOSTILE, "a|b", "$x$"])
def test_names_are_text(name: str) -> None:
    text = page(name)
    assert HOSTILE not in text
    assert "onerror=&#34;" in text or name != HOSTILE


def test_stem_populations_are_not_drawn() -> None:
    own = shares("lymphocytes")
    assert agreement_figure((own,), agreement_table((own,))) is None
    nothing = PairedShares("naive", "b_cells", LOG_ODDS, ("a",), ("P1",), np.array([math.nan]), np.array([1.0]))
    assert agreement_figure((nothing,), agreement_table((nothing,))) is None
    assert tuple(agreement_table((own,)).columns) == AGREEMENT.names
