"""Friedman's test over visits, exact with ties."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from cytometry.statistics.p_values import RELATIVE_TIE, PValue, monte_carlo_p, untestable
from cytometry.statistics.permutations import ORDERED_UP_TO, all_orders
from cytometry.statistics.ranks import FloatArray, IntArray, count_tied, doubled_midranks, round_significant

STATES_UP_TO = 500_000
"""Rank-sum vectors looked at per patient: six patients at four visits need 10,000; above, orders are drawn."""

ENUMERATED_SUBJECTS = 12
"""With more the vectors grow beyond the limit for any number of visits that a trial has."""


@dataclass(frozen=True, slots=True)
class Friedman:
    """Statistic, concordance and exact p.

    Parameters
    ----------
    statistic
        Corrected for ties.
    kendall_w
        Concordance between subjects, 0..1.
    p_value
        Over all orders within subjects.
    """

    statistic: float
    kendall_w: float
    p_value: PValue


def friedman(values: FloatArray, *, rng: np.random.Generator | None = None, draws: int = 1999) -> Friedman:
    """Do the visits differ at all? Subjects in rows, visits in columns.

    Subjects with a missing visit are left out. Exact by following the
    distribution of the vector of rank sums from subject to subject; with many
    subjects, orders within subjects are drawn.

    Examples
    --------
    >>> sledai = [[12, 8, 4, 4], [10, 6, 4, 2], [8, 8, 6, 2], [14, 6, 6, 0], [16, 10, 4, 4], [6, 4, 4, 6]]
    >>> result = friedman(np.array(sledai, dtype=float))
    >>> round(result.statistic, 4), round(result.p_value.p, 6)
    (12.5, 0.001206)
    """
    rows = np.asarray(values, dtype=np.float64)
    rows = rows[~np.isnan(rows).any(axis=1)]
    n, k = rows.shape
    nan = float("nan")
    if n < 2 or k < 2:
        return Friedman(nan, nan, untestable(n, "Friedman test"))
    ranks = np.stack([doubled_midranks(round_significant(row)) for row in rows])
    # Doubled ranks: sums of squares are four times those of ranks.
    squares = float((ranks**2).sum()) / 4 - n * k * (k + 1) ** 2 / 4
    if squares == 0:
        return Friedman(nan, nan, untestable(n, "Friedman test: every subject is tied at all visits"))
    scale = (k - 1) / squares
    totals = ranks.sum(axis=0)
    centre = n * (k + 1)
    observed = int(((totals - centre) ** 2).sum())
    statistic = scale * observed / 4
    p = _p_value(ranks, observed, centre, rng, draws)
    return Friedman(statistic, statistic / (n * (k - 1)), p)


def _p_value(ranks: IntArray, observed: int, centre: int, rng: np.random.Generator | None, draws: int) -> PValue:
    n, k = ranks.shape
    ties = int(sum(count_tied(row) for row in ranks))
    definition = "P(statistic* >= statistic), orders within subjects"
    exact = _distribution(ranks)
    if exact is not None:
        sums, weights = exact
        spread = ((sums - centre) ** 2).sum(axis=1)
        p = float(weights[spread >= observed].sum())
        floor = float(weights[spread == spread.max()].sum())
        total = math.factorial(k) ** n
        return PValue(
            p, n, round(p * total), total, floor, "exact Friedman test, all orders", definition=definition, ties=ties
        )
    if rng is None:
        return untestable(n, "Friedman test: too many subjects to enumerate and no generator given")
    drawn = _drawn_sums(ranks, draws, rng)
    exceeding = int((((drawn - centre) ** 2).sum(axis=1) >= observed * (1 - RELATIVE_TIE)).sum())
    p, error = monte_carlo_p(exceeding, draws)
    return PValue(
        p,
        n,
        exceeding + 1,
        draws + 1,
        1 / (draws + 1),
        f"Friedman test, {draws} random orders within subjects",
        definition=definition,
        ties=ties,
        monte_carlo_se=error,
    )


def _drawn_sums(ranks: IntArray, draws: int, rng: np.random.Generator) -> IntArray:
    """Rank sums of random orders within subjects, one draw a row."""
    n, k = ranks.shape
    if k > ORDERED_UP_TO:
        return np.asarray(rng.permuted(np.broadcast_to(ranks, (draws, n, k)), axis=2).sum(axis=1), dtype=np.int64)
    orders = all_orders(k)
    sums = np.zeros((draws, k), dtype=np.int64)
    for row in ranks:
        sums += row[orders[rng.integers(0, orders.shape[0], size=draws)]]
    return sums


def _distribution(ranks: IntArray) -> tuple[IntArray, FloatArray] | None:
    """Rank-sum vectors and their probabilities; None when there are too many."""
    k = ranks.shape[1]
    if k > 6 or ranks.shape[0] > ENUMERATED_SUBJECTS:
        return None
    sums: IntArray = np.zeros((1, k), dtype=np.int64)
    weights: FloatArray = np.ones(1)
    for row in ranks:
        orders, copies = np.unique(np.array(list(itertools.permutations(row))), axis=0, return_counts=True)
        if sums.shape[0] * orders.shape[0] > STATES_UP_TO:
            return None
        extended = (sums[:, None, :] + orders[None, :, :]).reshape(-1, k)
        chances = (weights[:, None] * (copies / copies.sum())[None, :]).reshape(-1)
        # The statistic does not care which visit has which sum: sorting merges states and keeps the count small.
        extended.sort(axis=1)
        sums, inverse = np.unique(extended, axis=0, return_inverse=True)
        weights = np.bincount(inverse.reshape(-1), weights=chances).astype(np.float64)
    return sums, weights
