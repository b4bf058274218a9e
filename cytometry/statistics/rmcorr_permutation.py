"""Two exact tests of a within-patient correlation, and why they differ.

*Within subjects*: every patient's visits of y in every order, (v!)^n of them.
Any association within patients counts, the shared time course included.
*Trajectory swap*: whole courses of y dealt to the patients in all n! ways.
Both mean time courses stay: only association beyond them counts.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from cytometry.statistics.p_values import RELATIVE_TIE, PValue, monte_carlo_p, untestable
from cytometry.statistics.permutations import ORDERED_UP_TO, all_orders, drawn_orders
from cytometry.statistics.ranks import FloatArray, Values, as_values
from cytometry.statistics.rmcorr import codes

SUMS_UP_TO = 4_000_000
"""Sums of one half of the patients: 24^4 of four visits are 332 thousand, 24^5 would be 8 million."""


@dataclass(frozen=True, slots=True)
class CoursePermutation:
    """Both tests of one correlation.

    Parameters
    ----------
    r
        Within-patient correlation of the complete patients.
    n
        Patients with every visit; the others are left out.
    left_out
        Patients left out.
    within_subjects, trajectory_swap
        Two-sided p-values, P(\\|r*\\| ≥ \\|r\\|).
    swap_one_sided
        Of the swap, in the direction observed.
    """

    r: float
    n: int
    left_out: tuple[str, ...]
    within_subjects: PValue
    trajectory_swap: PValue
    swap_one_sided: float


def course_matrix(
    subjects: Sequence[Hashable], visits: Sequence[Hashable], x: Values, y: Values
) -> tuple[FloatArray, FloatArray, tuple[str, ...], tuple[str, ...]]:
    """x and y as complete patients by visits, and the patients kept and left out."""
    rows, columns = codes(subjects), codes(visits)
    names = list(dict.fromkeys(subjects))
    shape = (len(names), int(columns.max()) + 1 if columns.size else 0)
    a, b = np.full(shape, np.nan), np.full(shape, np.nan)
    a[rows, columns], b[rows, columns] = as_values(x), as_values(y)
    complete = ~(np.isnan(a) | np.isnan(b)).any(axis=1)
    kept = tuple(str(n) for n, c in zip(names, complete, strict=True) if c)
    dropped = tuple(str(n) for n, c in zip(names, complete, strict=True) if not c)
    return a[complete], b[complete], kept, dropped


def course_permutation(
    subjects: Sequence[Hashable],
    visits: Sequence[Hashable],
    x: Values,
    y: Values,
    *,
    rng: np.random.Generator | None = None,
    draws: int = 1999,
) -> CoursePermutation:
    """Both permutation tests; complete enumeration for a small trial, drawn above.

    Examples
    --------
    >>> subjects, visits = ["A"] * 3 + ["B"] * 3, ["W0", "W4", "W8"] * 2
    >>> result = course_permutation(subjects, visits, [1, 2, 3] * 2, [5, 6, 7] * 2)
    >>> result.within_subjects.fraction, result.trajectory_swap.fraction  # all of it is the shared course
    ('2/36', '2/2')
    """
    a, b, _, dropped = course_matrix(subjects, visits, x, y)
    n, v = a.shape
    nan = float("nan")
    a, b = a - a.mean(axis=1, keepdims=True) if n else a, b - b.mean(axis=1, keepdims=True) if n else b
    scale = math.sqrt(float((a**2).sum()) * float((b**2).sum()))
    if n < 2 or v < 2 or scale == 0:
        nothing = untestable(n, "course permutation: too few complete patients or nothing varies")
        return CoursePermutation(nan, n, dropped, nothing, nothing, nan)
    products = a @ b.T
    observed = float(np.trace(products))
    slack = RELATIVE_TIE * abs(observed) + 1e-12 * scale
    within = _within_subjects(a, b, observed, slack, rng, draws)
    swap, one_sided = _trajectory_swap(products, observed, slack, rng, draws)
    return CoursePermutation(observed / scale, n, dropped, within, swap, one_sided)


def swap_max_t(
    subjects: Sequence[Hashable],
    visits: Sequence[Hashable],
    x_rows: Sequence[Values],
    y: Values,
    *,
    rng: np.random.Generator | None = None,
    draws: int = 1999,
) -> FloatArray:
    """Trajectory swap adjusted over several x (step-down maxT of \\|r\\|, one pairing of courses for all).

    Only rows that have the largest set of complete patients take part; the
    others are NaN: fewer patients can reach \\|r\\| = 1 by chance and would
    drown the rest.

    Examples
    --------
    >>> subjects, visits = ["A"] * 2 + ["B"] * 2 + ["C"] * 2, ["W0", "W4"] * 3
    >>> swap_max_t(subjects, visits, [[0, 1, 0, 2, 0, 4], [0, 4, 0, 1, 0, 2]], [0, 1, 0, 3, 0, 9]).round(3).tolist()
    [0.333, 0.667]
    """
    courses = [course_matrix(subjects, visits, x, y) for x in x_rows]
    adjusted = np.full(len(courses), np.nan)
    largest = max((len(c[2]) for c in courses), default=0)
    sets = [c[2] for c in courses if len(c[2]) == largest]
    if largest < 2 or (largest > ORDERED_UP_TO and rng is None):
        return adjusted
    common = max(sets, key=sets.count)
    chosen = [i for i, c in enumerate(courses) if c[2] == common]
    orders = all_orders(largest) if largest <= ORDERED_UP_TO else drawn_orders(largest, draws, rng)
    offset = 0 if largest <= ORDERED_UP_TO else 1
    permuted, observed, kept = [], [], []
    for i in chosen:
        a, b, _, _ = courses[i]
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        scale = math.sqrt(float((a**2).sum()) * float((b**2).sum()))
        if scale == 0:
            continue
        products = a @ b.T / scale
        permuted.append(np.abs(products[np.arange(largest)[None, :], orders].sum(axis=1)))
        observed.append(abs(float(np.trace(products))))
        kept.append(i)
    if not kept:
        return adjusted
    falling = np.argsort(-np.array(observed), kind="stable")
    successive = np.maximum.accumulate(np.stack(permuted, axis=1)[:, falling[::-1]], axis=1)[:, ::-1]
    limits = np.array(observed)[falling] * (1 - RELATIVE_TIE) - 1e-12
    p = ((successive >= limits).sum(axis=0) + offset) / (orders.shape[0] + offset)
    adjusted[np.array(kept)[falling]] = np.maximum.accumulate(p)
    return adjusted


def _within_subjects(
    a: FloatArray, b: FloatArray, observed: float, slack: float, rng: np.random.Generator | None, draws: int
) -> PValue:
    n, v = a.shape
    definition = "P(|r*| >= |r|), orders of y within patients"
    ways = math.factorial(v) ** math.ceil(n / 2) if v <= ORDERED_UP_TO else math.inf
    if ways <= SUMS_UP_TO:
        orders = all_orders(v)
        sums = [b[i][orders] @ a[i] for i in range(n)]
        first, second = _all_sums(sums[: n // 2]), np.sort(_all_sums(sums[n // 2 :]))
        count, extreme = _pairs_beyond(first, second, abs(observed) - slack)
        largest = max(abs(float(first.max() + second[-1])), abs(float(first.min() + second[0])))
        at_end, _ = _pairs_beyond(first, second, largest - slack)
        total = math.factorial(v) ** n
        return PValue(
            extreme, n, count, total, at_end / total, f"all {total} orders within patients", definition=definition
        )
    if rng is None:
        return untestable(n, "orders within patients: too many to enumerate and no generator given")
    drawn = np.zeros(draws)
    orders = all_orders(v) if v <= ORDERED_UP_TO else drawn_orders(v, draws, rng)
    for x, y in zip(a, b, strict=True):
        drawn += y[orders[rng.integers(0, orders.shape[0], size=draws)]] @ x
    return _drawn(np.abs(drawn), observed, slack, n, draws, "random orders within patients", definition)


def _all_sums(parts: Sequence[FloatArray]) -> FloatArray:
    sums = np.zeros(1)
    for part in parts:
        sums = (sums[:, None] + part[None, :]).reshape(-1)
    return sums


def _pairs_beyond(first: FloatArray, second: FloatArray, limit: float) -> tuple[int, float]:
    """How many pairs have \\|a + b\\| ≥ limit, by searching the sorted half; and their share."""
    if limit <= 0:
        count = first.size * second.size
    else:
        above = second.size - np.searchsorted(second, limit - first, side="left")
        below = np.searchsorted(second, -limit - first, side="right")
        count = int(above.sum()) + int(below.sum())
    return count, count / (first.size * second.size)


def _trajectory_swap(
    products: FloatArray, observed: float, slack: float, rng: np.random.Generator | None, draws: int
) -> tuple[PValue, float]:
    n = products.shape[0]
    definition = "P(|r*| >= |r|), whole courses of y dealt to the patients"
    complete = n <= ORDERED_UP_TO
    if not complete and rng is None:
        return untestable(n, "trajectory swap: too many pairings and no generator given"), float("nan")
    orders = all_orders(n) if complete else drawn_orders(n, draws, rng)
    sums = products[np.arange(n)[None, :], orders].sum(axis=1)
    same_way = int((sums * np.sign(observed) >= abs(observed) - slack).sum())
    if not complete:
        drawn = _drawn(np.abs(sums), observed, slack, n, draws, "random pairings of courses", definition)
        return drawn, monte_carlo_p(same_way, draws)[0]
    magnitude = np.abs(sums)
    count, total = int((magnitude >= abs(observed) - slack).sum()), sums.size
    floor = int((magnitude >= magnitude.max() - slack).sum()) / total
    p = PValue(count / total, n, count, total, floor, f"all {total} pairings of courses", definition=definition)
    return p, same_way / total


def _drawn(
    magnitude: FloatArray, observed: float, slack: float, n: int, draws: int, name: str, definition: str
) -> PValue:
    exceeding = int((magnitude >= abs(observed) - slack).sum())
    p, error = monte_carlo_p(exceeding, draws)
    return PValue(
        p,
        n,
        exceeding + 1,
        draws + 1,
        1 / (draws + 1),
        f"{draws} {name}",
        definition=definition,
        monte_carlo_se=error,
    )
