"""Power and the smallest effect that a number of patients can show; effects in SDs of the changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cytometry.statistics.attainable import paired_floor
from cytometry.statistics.ranks import FloatArray, doubled_midranks
from cytometry.statistics.signed_rank import rank_sum_weights

EXACT_UP_TO = 12
SIMULATIONS = 20_000
"""Standard error of a simulated power of 0.8: 0.003."""


def paired_t_power(n: int, effect: float, alpha: float = 0.05) -> float:
    """Power of the two-sided paired t-test, both tails counted.

    The noncentral t is integrated over its chi: ``nct.cdf`` loses digits in the far tail.

    Examples
    --------
    >>> round(paired_t_power(6, 2.0), 6)
    0.970504
    """
    from scipy.integrate import quad
    from scipy.special import chdtri, gammaln, ndtr, stdtrit

    if n < 2:
        return float("nan")
    df = n - 1
    limit = float(stdtrit(df, 1 - alpha / 2))
    constant = (df / 2) * math.log(2) + float(gammaln(df / 2))
    shift = effect * math.sqrt(n)

    def beyond(u: float) -> float:
        """Chance of a rejection when the chi-square is u, times the density of u."""
        if u <= 0:
            return 0.0
        scaled = limit * math.sqrt(u / df)
        density = math.exp((df / 2 - 1) * math.log(u) - u / 2 - constant)
        return float(ndtr(shift - scaled) + ndtr(-shift - scaled)) * density

    cut = float(chdtri(df, 0.5))
    return float(quad(beyond, 0, cut, epsabs=1e-13)[0] + quad(beyond, cut, np.inf, epsabs=1e-13)[0])


def all_one_way_power(n: int, effect: float) -> float:
    """Chance that all n normal changes have one sign: the only way to reach the floor.

    Examples
    --------
    >>> round(all_one_way_power(6, 2.0), 6)
    0.871031
    """
    normal = NormalDist()
    return normal.cdf(effect) ** n + normal.cdf(-effect) ** n


def exact_power(n: int, effect: float, alpha: float = 0.05, *, rng: np.random.Generator | None = None) -> float:
    """Power of the exact two-sided signed-rank test for normal changes.

    Closed where only the floor is below alpha (six patients at 0.05), 0 where
    not even the floor is, simulated otherwise.

    Examples
    --------
    >>> exact_power(5, 3.0), round(exact_power(6, 1.0), 6)
    (0.0, 0.354702)
    """
    floor = paired_floor(n)
    if floor > alpha:
        return 0.0
    weights = np.asarray(rank_sum_weights(np.arange(1, n + 1, dtype=np.int64)), dtype=np.float64)
    tail = np.cumsum(weights / weights.sum())
    # Largest rank sum of the rarer sign that still rejects.
    limit = int(np.searchsorted(2 * tail, alpha * (1 + 1e-12), side="right")) - 1
    if limit == 0:
        return all_one_way_power(n, effect)
    generator = rng or np.random.default_rng(n)
    changes = generator.standard_normal((SIMULATIONS, n)) + effect
    return float((_smaller_rank_sums(changes) <= limit).mean())


def _smaller_rank_sums(changes: FloatArray) -> FloatArray:
    ranks = np.abs(changes).argsort(axis=1).argsort(axis=1) + 1
    plus = np.where(changes > 0, ranks, 0).sum(axis=1)
    whole = doubled_midranks(np.arange(changes.shape[1], dtype=np.float64)).sum() // 2
    return np.asarray(np.minimum(plus, whole - plus), dtype=np.float64)


def minimal_effect(n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest effect that the exact test finds with this power; NaN where no effect is large enough.

    Examples
    --------
    >>> round(minimal_effect(6), 4), minimal_effect(5)
    (1.7927, nan)
    """
    from scipy.optimize import brentq

    if paired_floor(n) > alpha:
        return float("nan")

    def gap(effect: float) -> float:
        return exact_power(n, effect, alpha, rng=np.random.default_rng(n)) - power

    return float(brentq(gap, 1e-6, 20.0, xtol=1e-12))


def minimal_effect_t(n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest effect that the paired t-test finds with this power.

    Examples
    --------
    >>> round(minimal_effect_t(6), 2)
    1.43
    """
    from scipy.optimize import brentq

    if n < 2:
        return float("nan")
    return float(brentq(lambda effect: paired_t_power(n, effect, alpha) - power, 1e-6, 60.0, xtol=1e-10))


@dataclass(frozen=True, slots=True)
class PowerRow:
    """What n patients can show, in SDs of the changes and, for a given SD of log2, as fold change.

    Parameters
    ----------
    mde_80, mde_90
        Of the exact test; of the t-test above twelve patients, where both agree to two digits.
    fold_change
        2^(mde_80 × sd_log2): the smallest fold change found with 80 % power.
    """

    n: int
    floor: float
    mde_80: float
    mde_90: float
    mde_80_t: float
    sd_log2: float
    fold_change: float


def power_table(sizes: Sequence[int], spreads: Sequence[float], alpha: float = 0.05) -> tuple[PowerRow, ...]:
    """One row per number of patients and SD of log2 changes."""
    rows = []
    for n in sizes:
        find = minimal_effect if n <= EXACT_UP_TO else minimal_effect_t
        mde, mde_90, mde_t = find(n, 0.8, alpha), find(n, 0.9, alpha), minimal_effect_t(n, 0.8, alpha)
        rows += [PowerRow(n, paired_floor(n), mde, mde_90, mde_t, sd, 2 ** (mde * sd)) for sd in spreads]
    return tuple(rows)
