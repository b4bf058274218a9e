"""Quantiles of beta distributions against SciPy's, from one event to ten million."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.quantification.beta_quantile import lower_beta_odds


@pytest.mark.parametrize("probability", [0.005, 0.025, 0.05])
def test_scipys_distribution_function_gives_the_probability_back(probability: float) -> None:
    # Its own inverse is wrong by 2e-8 at 1000 of ten million.
    from scipy.special import betainc

    totals = np.array([1, 2, 3, 10, 50, 51, 199, 200, 500, 10_000, 500_000, 10_000_000], dtype=float)
    share = np.array([0.0, 1e-4, 0.01, 0.3, 0.5, 0.9, 0.999, 1.0])
    n = np.repeat(totals, len(share))
    k = np.maximum(1, np.floor(n * np.tile(share, len(totals))))
    odds = lower_beta_odds(k, n - k + 1, probability)
    # Near one, x itself has no more digits to give.
    assert betainc(k, n - k + 1, odds / (1 + odds)) == pytest.approx(probability, rel=1e-8)


def test_all_of_n_has_a_closed_form() -> None:
    n = np.array([1.0, 5.0, 30.0, 1e6])
    odds = lower_beta_odds(n, np.ones(4), 0.025)
    assert odds / (1 + odds) == pytest.approx(0.025 ** (1 / n), rel=1e-12)


def test_none_of_n_has_a_closed_form() -> None:
    n = np.array([1.0, 5.0, 30.0, 1e6])
    assert 1 / (1 + lower_beta_odds(n, np.ones(4), 0.025)) == pytest.approx(1 - 0.025 ** (1 / n), rel=1e-9)
