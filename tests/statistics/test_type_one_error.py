"""Error under the null in the four scenarios, through the package's own functions."""

from __future__ import annotations

import pytest

from benchmarks.type_one_error import OTHERS, PRIMARY, SCENARIOS, rates


@pytest.mark.slow
def test_the_primary_tests_keep_their_level_in_all_scenarios() -> None:
    found = list(rates(PRIMARY, trials=1000))
    assert len(found) == len(PRIMARY) * len(SCENARIOS)
    for rate in found:
        assert 0.01 < rate.at_5 <= 0.05, rate  # the exact size is 2/64
        assert rate.at_1 == 0, rate  # six patients cannot reach 0.01


@pytest.mark.slow
def test_the_naive_tests_do_not() -> None:
    """If a naive method kept its level the simulation would be too easy."""
    naive = {k: m for k, m in OTHERS.items() if k in ("naive: pooled Fisher", "naive: weighted log odds, z")}
    by_method = {(r.method, r.scenario): r.at_5 for r in rates(naive, trials=300)}
    assert min(v for (method, _), v in by_method.items() if "Fisher" in method) > 0.5
    assert min(v for (method, _), v in by_method.items() if "z" in method.split()) > 0.06
