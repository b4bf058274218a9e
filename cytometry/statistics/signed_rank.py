"""Wilcoxon's signed-rank test, exact with ties and zeros."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cytometry.statistics.p_values import Alternative, PValue, untestable
from cytometry.statistics.ranks import Values, count_tied, doubled_midranks, present, round_significant

ZeroMethod = Literal["wilcox", "pratt"]

COUNTED_UP_TO = 60
"""2^60 sign patterns fit in a 64-bit integer; beyond that the distribution is kept as probabilities."""


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Rank sums of the rises and falls, and the exact p-value.

    Parameters
    ----------
    w_plus, w_minus
        Sums of the midranks of rises and of falls.
    n_nonzero
        Changes that are not zero: what the signs are flipped of.
    p_value
        With its marks.
    """

    w_plus: float
    w_minus: float
    n_nonzero: int
    p_value: PValue


def signed_rank(
    differences: Values, *, zero_method: ZeroMethod = "pratt", alternative: Alternative = "two.sided"
) -> SignedRank:
    """Exact signed-rank test over all sign patterns of the non-zero changes.

    ``wilcox`` drops zeros before ranking; ``pratt`` ranks them and then drops
    their ranks (Pratt 1959). Two-sided p is P(\\|W - E\\| ≥ \\|w - E\\|). All
    changes zero: p = 1.

    Parameters
    ----------
    differences
        One change per subject; NaN is a missing one and is left out.

    Examples
    --------
    >>> result = signed_rank([-1.5, -1.5, -2, 0.5, -0.5, -3], zero_method="wilcox")
    >>> result.w_plus, result.p_value.p, result.p_value.fraction
    (1.5, 0.09375, '6/64')
    """
    d = round_significant(present(differences))
    if d.size == 0:
        return SignedRank(float("nan"), float("nan"), 0, untestable(0, "signed rank", alternative=alternative))
    ranked = d if zero_method == "pratt" else d[d != 0]
    doubled = doubled_midranks(np.abs(ranked))
    nonzero = ranked != 0
    ranks = doubled[nonzero]
    plus = int(ranks[ranked[nonzero] > 0].sum())
    minus = int(ranks.sum()) - plus
    p = _exact_p(ranks, plus, alternative, n=int(d.size), zeros=int((d == 0).sum()), ties=count_tied(np.abs(d[d != 0])))
    return SignedRank(plus / 2, minus / 2, int(ranks.size), p)


def rank_sum_weights(doubled_ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    """How many sign patterns give each (doubled) sum of positive ranks, from 0.

    Sign patterns as whole numbers where they fit, else as probabilities.

    Examples
    --------
    >>> rank_sum_weights(np.array([2, 4])).tolist()
    [1, 0, 1, 0, 1, 0, 1]
    """
    if doubled_ranks.size > COUNTED_UP_TO:
        return _sum_probabilities(doubled_ranks)
    weights = np.ones(1, dtype=np.int64)
    for rank in doubled_ranks:
        longer = np.zeros(weights.size + int(rank), dtype=np.int64)
        longer[: weights.size] += weights
        longer[int(rank) :] += weights
        weights = longer
    return weights


def _sum_probabilities(doubled_ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    weights = np.zeros(int(doubled_ranks.sum()) + 1, dtype=np.float64)
    weights[0] = 1.0
    size = 1
    for rank in np.sort(doubled_ranks):
        halved = weights[:size] * 0.5
        weights[:size] = halved
        weights[rank : rank + size] += halved
        size += int(rank)
    return weights


def _exact_p(
    ranks: npt.NDArray[np.int64], plus: int, alternative: Alternative, *, n: int, zeros: int, ties: int
) -> PValue:
    m = int(ranks.size)
    if m and bool((ranks % 2 == 0).all()):
        # Without ties doubled ranks are even: halving them halves the work.
        ranks, plus = ranks // 2, plus // 2
    weights = rank_sum_weights(ranks)
    sums = np.arange(weights.size)
    whole = int(ranks.sum())
    if alternative == "two.sided":
        extreme = np.abs(2 * sums - whole) >= abs(2 * plus - whole)
        definition = "P(|W - E| >= |w - E|)"
    elif alternative == "greater":
        extreme = sums >= plus
        definition = "P(W >= w)"
    else:
        extreme = sums <= plus
        definition = "P(W <= w)"
    tails = 2 if alternative == "two.sided" and m > 0 else 1
    if weights.dtype == np.int64:
        count, total = int(weights[extreme].sum()), 2**m
        p = count / total
    else:
        count, total = None, None
        p = float(weights[extreme].sum())
    return PValue(
        p=min(1.0, p),
        n=n,
        count=count,
        total=total,
        floor=min(1.0, tails * math.ldexp(1.0, -m)),
        method="exact signed-rank test, all sign patterns of the non-zero changes",
        alternative=alternative,
        definition=definition,
        zeros=zeros,
        ties=ties,
    )
