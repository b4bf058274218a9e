"""Step-down maxT: one sign per patient for all populations together (Westfall and Young 1993)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cytometry.statistics.p_adjust import p_adjust
from cytometry.statistics.p_values import RELATIVE_TIE
from cytometry.statistics.ranks import FloatArray
from cytometry.statistics.sign_flip import DRAWS, ENUMERATED_UP_TO, drawn_signs, sign_patterns

FLIPS_AT_ONCE = 1024
"""Flips held in memory together; 300 hypotheses then take about 2 MB."""


@dataclass(frozen=True, slots=True)
class MaxT:
    """One entry per hypothesis, in the order given; NaN where it cannot be tested.

    Parameters
    ----------
    t
        One-sample t of the changes that are there.
    p_raw, p_step_down, p_single_step
        From the same joint flips.
    p_holm, p_bh
        Of ``p_raw``, for comparison.
    total
        Flips counted, the observed one included.
    floor
        Smallest step-down p that any number of hypotheses could get.
    monte_carlo_se
        Largest standard error of the step-down p-values; 0 when all flips were made.
    """

    t: FloatArray
    p_raw: FloatArray
    p_step_down: FloatArray
    p_single_step: FloatArray
    p_holm: FloatArray
    p_bh: FloatArray
    total: int
    floor: float
    monte_carlo_se: float


def t_statistics(sums: FloatArray, squares: FloatArray, counts: FloatArray) -> FloatArray:
    """One-sample t from sums, sums of squares and numbers of changes.

    Equal changes have no spread: t is then infinite, or 0 if all are zero.

    Examples
    --------
    >>> t_statistics(np.array([6.0, 4.0]), np.array([14.0, 8.0]), np.array([3.0, 2.0])).round(4).tolist()
    [3.4641, inf]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = squares - sums**2 / counts
        spread = np.where(spread <= 1e-12 * squares, 0.0, spread)
        t = (sums / counts) / np.sqrt(spread / (counts - 1) / counts)
    t = np.where((spread == 0) & (sums != 0), np.copysign(np.inf, sums), t)
    return np.where(squares == 0, 0.0, t)


def max_t(differences: FloatArray, *, rng: np.random.Generator | None = None, draws: int = DRAWS) -> MaxT:
    """Step-down maxT over hypotheses (rows) with one sign per subject (columns).

    A missing change (NaN) stays missing under every flip; \\|t\\| uses what is
    there. A hypothesis needs two changes. Strong control of the family's error
    under joint symmetry of the changes.

    Examples
    --------
    >>> d = [[2.13, 1.91, 2.54, 2.46, 0.98], [0.43, 1.29, 0.74, -0.06, -0.51], [0.87, 0.05, -0.42, 0.08, -0.46]]
    >>> max_t(np.array(d)).p_step_down.tolist()
    [0.0625, 0.625, 0.875]
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 2:
        d = np.atleast_2d(d)
    there = ~np.isnan(d)
    counts = there.sum(axis=1).astype(np.float64)
    testable = counts >= 2
    used = there[testable].any(axis=0) if testable.any() else np.zeros(d.shape[1], dtype=bool)
    values = np.where(there, d, 0.0)[testable][:, used]
    n = int(used.sum())
    complete = n <= ENUMERATED_UP_TO
    total = 2**n if complete else draws + 1
    if not testable.any():
        empty = np.full(d.shape[0], np.nan)
        return MaxT(empty, empty, empty, empty, empty, empty, total, float("nan"), 0.0)
    squares = (values**2).sum(axis=1)
    t = t_statistics(values.sum(axis=1), squares, counts[testable])
    raw, single, step = _exceedances(values, squares, counts[testable], t, complete, rng, draws)
    offset, denominator = (0, 2**n) if complete else (1, draws + 1)
    p_raw = _spread((raw + offset) / denominator, testable)
    order = np.argsort(-np.abs(t), kind="stable")
    stepped = np.empty_like(step, dtype=np.float64)
    stepped[order] = np.maximum.accumulate((step[order] + offset) / denominator)
    p_step = _spread(stepped, testable)
    error = 0.0 if complete else float(np.sqrt(stepped * (1 - stepped) / draws).max())
    return MaxT(
        t=_spread(t, testable),
        p_raw=p_raw,
        p_step_down=p_step,
        p_single_step=_spread((single + offset) / denominator, testable),
        p_holm=p_adjust(p_raw, "holm"),
        p_bh=p_adjust(p_raw, "bh"),
        total=total,
        floor=math.ldexp(2.0, -n) if complete else max(math.ldexp(2.0, -n), 1 / (draws + 1)),
        monte_carlo_se=error,
    )


def _exceedances(
    values: FloatArray,
    squares: FloatArray,
    counts: FloatArray,
    t: FloatArray,
    complete: bool,
    rng: np.random.Generator | None,
    draws: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    observed = np.abs(t)
    with np.errstate(invalid="ignore"):
        limit = np.where(np.isinf(observed), observed, observed * (1 - RELATIVE_TIE) - 1e-12)
    order = np.argsort(-observed, kind="stable")
    raw = np.zeros(observed.size)
    single = np.zeros(observed.size)
    step = np.zeros(observed.size)
    for signs in _sign_chunks(values.shape[1], complete, rng, draws):
        flipped = np.abs(t_statistics(signs @ values.T, squares, counts))
        raw += (flipped >= limit).sum(axis=0)
        single += (flipped.max(axis=1)[:, None] >= limit).sum(axis=0)
        successive = np.maximum.accumulate(flipped[:, order[::-1]], axis=1)[:, ::-1]
        step[order] += (successive >= limit[order]).sum(axis=0)
    return raw, single, step


def _sign_chunks(n: int, complete: bool, rng: np.random.Generator | None, draws: int) -> Iterator[FloatArray]:
    signs = sign_patterns(n) if complete else drawn_signs(n, draws, rng)
    for start in range(0, signs.shape[0], FLIPS_AT_ONCE):
        yield signs[start : start + FLIPS_AT_ONCE]


def _spread(values: FloatArray, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    result = np.full(where.size, np.nan)
    result[where] = values
    return result
