"""Two independent groups compared exactly: all ways to deal the subjects to the groups."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from cytometry.errors import StatisticsError
from cytometry.statistics.p_values import RELATIVE_TIE, PValue, monte_carlo_p, untestable
from cytometry.statistics.ranks import FloatArray, IntArray, Values, count_tied, doubled_midranks, present
from cytometry.statistics.ranks import round_significant as rounded

DEALT_UP_TO = 200_000
"""Splits that are enumerated, about 10 against 10; above, splits are drawn."""


@dataclass(frozen=True, slots=True)
class TwoGroups:
    """Exact rank-sum test.

    Parameters
    ----------
    w
        Rank sum of the first group.
    shift
        Hodges and Lehmann's estimate: median of all differences first - second.
    p_value
        P(\\|W - E\\| ≥ \\|w - E\\|) over all splits.
    """

    w: float
    shift: float
    p_value: PValue


def rank_sum(first: Values, second: Values, *, rng: np.random.Generator | None = None, draws: int = 1999) -> TwoGroups:
    """Exact rank-sum test of two groups, midranks for ties.

    Five against one has a floor of 1/3: whatever the data, such a p says nothing.

    Examples
    --------
    >>> result = rank_sum([-2.1, -1.4, -3, -0.8, -1.9], [0.6])
    >>> result.w, result.p_value.fraction, result.p_value.at_floor
    (15.0, '2/6', True)
    """
    a, b = rounded(present(first)), rounded(present(second))
    nan = float("nan")
    if a.size == 0 or b.size == 0:
        return TwoGroups(nan, nan, untestable(a.size + b.size, "rank-sum test: a group is empty"))
    ranks = doubled_midranks(np.concatenate([a, b]))
    observed = int(ranks[: a.size].sum())
    # Twice the rank sum less its expectation, times two to stay whole.
    centre = a.size * (a.size + b.size + 1)
    p = _split_p(ranks.astype(np.float64), a.size, observed - centre, float(centre), rng, draws, "exact rank-sum test")
    shift = float(np.median(a[:, None] - b[None, :]))
    return TwoGroups(observed / 2, shift, p)


def mean_difference(
    first: Values, second: Values, *, rng: np.random.Generator | None = None, draws: int = 1999
) -> tuple[float, PValue]:
    """Difference of means first - second, by exact permutation of the labels.

    Examples
    --------
    >>> difference, p = mean_difference([3.0, 4.0, 5.0], [0.0, 1.0, 2.0])
    >>> difference, p.fraction
    (3.0, '2/20')
    """
    a, b = present(first), present(second)
    if a.size == 0 or b.size == 0:
        return float("nan"), untestable(a.size + b.size, "permutation of labels: a group is empty")
    values = np.concatenate([a, b])
    centre = float(values.mean()) * a.size
    p = _split_p(values, a.size, float(a.sum()) - centre, centre, rng, draws, "exact permutation of the labels")
    return float(a.mean() - b.mean()), p


def _split_p(
    values: FloatArray,
    size: int,
    observed: float,
    centre: float,
    rng: np.random.Generator | None,
    draws: int,
    name: str,
) -> PValue:
    n = values.size
    total = math.comb(n, size)
    complete = total <= DEALT_UP_TO
    members = _all_splits(n, size) if complete else _drawn_splits(n, size, draws, rng)
    sums = np.abs(values[members].sum(axis=1) - centre)
    slack = RELATIVE_TIE * abs(observed) + 1e-12 * float(np.abs(values).sum())
    exceeding = int((sums >= abs(observed) - slack).sum())
    ties = count_tied(rounded(values))
    definition = "P(|sum* - E| >= |sum - E|)"
    if complete:
        floor = int((sums >= sums.max() - slack).sum()) / total
        return PValue(exceeding / total, n, exceeding, total, floor, name, definition=definition, ties=ties)
    p, error = monte_carlo_p(exceeding, draws)
    method = f"{name.removeprefix('exact ')}, {draws} random splits"
    return PValue(
        p,
        n,
        exceeding + 1,
        draws + 1,
        1 / (draws + 1),
        method,
        definition=definition,
        ties=ties,
        monte_carlo_se=error,
    )


def _all_splits(n: int, size: int) -> IntArray:
    return np.array(list(itertools.combinations(range(n), size)), dtype=np.int64)


def _drawn_splits(n: int, size: int, draws: int, rng: np.random.Generator | None) -> IntArray:
    if rng is None:
        raise StatisticsError(
            f"{n} subjects have too many splits to go through all", where="two groups", hint="give a numpy Generator"
        )
    return rng.permuted(np.tile(np.arange(n, dtype=np.int64), (draws, 1)), axis=1)[:, :size]
