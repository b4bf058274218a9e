"""Paired log odds ratios weighted by their precision: REML, Hartung-Knapp, and an exact p.

The variance of a patient's log odds ratio does not change when the two visits
are swapped. So the signs can be flipped with the variances held, and the test
of the precision-weighted mean is exact; tau² is estimated again in each flip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cytometry.statistics.p_values import RELATIVE_TIE, PValue, monte_carlo_p, untestable
from cytometry.statistics.ranks import FloatArray, Values, as_values
from cytometry.statistics.sign_flip import drawn_signs, sign_patterns

REFITTED_UP_TO = 10
"""2^10 refits take milliseconds together; above, t with n - 1 degrees of freedom serves."""


@dataclass(frozen=True, slots=True)
class WeightedOdds:
    """Random-effects mean of the patients' log odds ratios.

    Parameters
    ----------
    log_odds, variances
        Per patient, ½ added to each of the four cells.
    tau2
        Biological variance after counting noise, REML.
    estimate, se, df, t, p, low, high
        Hartung and Knapp 2001, t with n - 1 degrees of freedom.
    se_wald
        1/√(sum of weights), for comparison.
    q, i2
        Heterogeneity: Cochran's Q, and the percentage of the variance that is
        not counting noise (Higgins 2002, with the REML tau²).
    p_value
        Exact sign flips of \\|t\\|.
    """

    log_odds: FloatArray
    variances: FloatArray
    tau2: float
    estimate: float
    se: float
    df: int
    t: float
    p: float
    low: float
    high: float
    se_wald: float
    q: float
    i2: float
    p_value: PValue


def paired_log_odds(
    before: Values,
    whole_before: Values,
    now: Values,
    whole_now: Values,
    *,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
    draws: int | None = None,
) -> WeightedOdds:
    """Weighted mean of paired changes of a share; patients with an empty or missing whole are left out.

    Parameters
    ----------
    draws
        Above ten patients: flips to draw for the permutation p; None gives no permutation p there.

    Examples
    --------
    >>> result = paired_log_odds([115, 55, 106], [681, 622, 1027], [131, 395, 138], [2091, 8470, 3640])
    >>> result.log_odds.round(4).tolist(), result.df
    ([-1.1117, -0.6916, -1.0725], 2)
    """
    k0, n0, k1, n1 = (as_values(v) for v in (before, whole_before, now, whole_now))
    with np.errstate(invalid="ignore"):
        there = (n0 > 0) & (n1 > 0) & ~np.isnan(k0) & ~np.isnan(k1)
    k0, n0, k1, n1 = k0[there], n0[there], k1[there], n1[there]
    d = np.log((k1 + 0.5) / (n1 - k1 + 0.5)) - np.log((k0 + 0.5) / (n0 - k0 + 0.5))
    v = 1 / (k0 + 0.5) + 1 / (n0 - k0 + 0.5) + 1 / (k1 + 0.5) + 1 / (n1 - k1 + 0.5)
    return weighted_mean(d, v, level=level, rng=rng, draws=draws)


def weighted_mean(
    d: FloatArray,
    v: FloatArray,
    *,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
    draws: int | None = None,
) -> WeightedOdds:
    """Random-effects mean of effects with known variances."""
    from scipy.stats import t as student

    n = int(d.size)
    nan = float("nan")
    if n < 2:
        p_value = untestable(n, "weighted mean needs two patients")
        return WeightedOdds(d, v, nan, nan, nan, n - 1, nan, nan, nan, nan, nan, nan, nan, p_value)
    tau2 = float(reml_tau2(d[None, :], v)[0])
    weights = 1 / (v + tau2)
    estimate = float((weights * d).sum() / weights.sum())
    se = math.sqrt(float((weights * (d - estimate) ** 2).sum()) / (n - 1) / float(weights.sum()))
    t = estimate / se if se > 0 else math.copysign(math.inf, estimate) if estimate else 0.0
    reach = float(student.ppf((1 + level) / 2, n - 1)) * se
    fixed = 1 / v
    centre = float((fixed * d).sum() / fixed.sum())
    typical = (n - 1) * float(fixed.sum()) / float(fixed.sum() ** 2 - (fixed**2).sum())
    return WeightedOdds(
        log_odds=d,
        variances=v,
        tau2=tau2,
        estimate=estimate,
        se=se,
        df=n - 1,
        t=t,
        # Equal effects have no spread: an infinite t is no reason for a p of 0.
        p=float(2 * student.sf(abs(t), n - 1)) if math.isfinite(t) else nan,
        low=estimate - reach,
        high=estimate + reach,
        se_wald=1 / math.sqrt(float(weights.sum())),
        q=float((fixed * (d - centre) ** 2).sum()),
        i2=100 * tau2 / (tau2 + typical),
        p_value=_flip_p(d, v, t, rng, draws),
    )


def reml_tau2(effects: FloatArray, variances: FloatArray) -> FloatArray:
    """REML variance between patients for many sets of effects (rows) with the same sampling variances.

    The restricted likelihood may have two maxima: a grid finds the higher one,
    bisection of its derivative the exact place.
    """
    widest = float(np.max(np.abs(effects))) ** 2 * 4 + float(variances.max())
    grid = np.concatenate([[0.0], np.geomspace(float(variances.min()) * 1e-4, widest, 80)])
    likelihood = np.stack([_restricted(effects, variances, np.full(len(effects), g)) for g in grid], axis=1)
    best = likelihood.argmax(axis=1)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, grid.size - 1)]
    at_zero = (best == 0) & (_derivative(effects, variances, np.zeros(len(effects))) <= 0)
    for _ in range(100):
        middle = (low + high) / 2
        rising = _derivative(effects, variances, middle) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.where(at_zero, 0.0, (low + high) / 2)


def _fit(effects: FloatArray, variances: FloatArray, tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
    weights = 1 / (variances[None, :] + tau2[:, None])
    return weights, (weights * effects).sum(axis=1) / weights.sum(axis=1)


def _restricted(effects: FloatArray, variances: FloatArray, tau2: FloatArray) -> FloatArray:
    weights, mean = _fit(effects, variances, tau2)
    residual = (weights * (effects - mean[:, None]) ** 2).sum(axis=1)
    return np.asarray(0.5 * (np.log(weights).sum(axis=1) - np.log(weights.sum(axis=1)) - residual), dtype=np.float64)


def _derivative(effects: FloatArray, variances: FloatArray, tau2: FloatArray) -> FloatArray:
    weights, mean = _fit(effects, variances, tau2)
    squares = (weights**2).sum(axis=1)
    residual = (weights**2 * (effects - mean[:, None]) ** 2).sum(axis=1)
    return np.asarray(0.5 * (residual - weights.sum(axis=1) + squares / weights.sum(axis=1)), dtype=np.float64)


def _flip_p(
    d: FloatArray, v: FloatArray, observed: float, rng: np.random.Generator | None, draws: int | None
) -> PValue:
    n = d.size
    complete = n <= REFITTED_UP_TO
    definition = "P(|t*| >= |t|), t Hartung-Knapp with tau² estimated in each flip"
    if not complete and draws is None:
        return untestable(n, "weighted sign flips are refitted only for up to ten patients")
    signs = sign_patterns(n) if complete else drawn_signs(n, draws or 0, rng)
    flipped = signs * d
    weights, mean = _fit(flipped, v, reml_tau2(flipped, v))
    spread = (weights * (flipped - mean[:, None]) ** 2).sum(axis=1) / (n - 1) / weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, np.abs(mean) / np.sqrt(spread))
    exceeding = int((t >= abs(observed) * (1 - RELATIVE_TIE)).sum())
    zeros = int((d == 0).sum())
    floor = min(1.0, math.ldexp(2.0, zeros - n))
    if complete:
        return PValue(
            exceeding / 2**n, n, exceeding, 2**n, floor, f"weighted mean, all {2**n} sign flips",
            definition=definition, zeros=zeros,
        )  # fmt: skip
    p, error = monte_carlo_p(exceeding, draws or 0)
    total = (draws or 0) + 1
    return PValue(
        p, n, exceeding + 1, total, max(floor, 1 / total), f"weighted mean, {draws} random sign flips",
        definition=definition, zeros=zeros, monte_carlo_se=error,
    )  # fmt: skip
