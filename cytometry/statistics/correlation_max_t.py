"""Step-down maxT for a panel of correlations with one outcome, the outcome permuted jointly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytometry.statistics.p_values import RELATIVE_TIE
from cytometry.statistics.permutations import ORDERED_UP_TO, all_orders, drawn_orders
from cytometry.statistics.ranks import FloatArray, Values, as_values, doubled_midranks, round_significant


@dataclass(frozen=True, slots=True)
class CorrelationMaxT:
    """One entry per row of x; NaN where a row has no correlation.

    Parameters
    ----------
    rho
        Spearman correlations.
    p_raw, p_step_down
        From the same joint orders of y.
    total
        Orders counted.
    monte_carlo_se
        Largest standard error of the step-down p-values, 0 when complete.
    """

    rho: FloatArray
    p_raw: FloatArray
    p_step_down: FloatArray
    total: int
    monte_carlo_se: float


def correlation_max_t(
    x_rows: FloatArray, y: Values, *, rng: np.random.Generator | None = None, draws: int = 1999
) -> CorrelationMaxT:
    """Adjusted p-values of \\|Spearman rho\\| of every row of x with y.

    Subjects without y are left out of all rows. Where a row misses a subject,
    that subject's y still takes part in the joint permutation and the row's
    rho uses the pairs that are there.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]])
    >>> correlation_max_t(x, [1.0, 2.0, 3.0, 4.0]).p_step_down.round(4).tolist()
    [0.1667, 0.4167]
    """
    outcome = as_values(y)
    known = ~np.isnan(outcome)
    rows = np.atleast_2d(np.asarray(x_rows, dtype=np.float64))[:, known]
    outcome = round_significant(outcome[known])
    n = outcome.size
    complete = n <= ORDERED_UP_TO
    orders = all_orders(n) if complete else drawn_orders(n, draws, rng)
    extra = 0 if complete else 1
    total = orders.shape[0] + extra
    observed = np.array([_row_rho(row, outcome[None, :])[0] for row in rows]) if rows.size else np.zeros(len(rows))
    tested = ~np.isnan(observed)
    p_raw = np.full(len(rows), np.nan)
    p_step = np.full(len(rows), np.nan)
    if not tested.any():
        return CorrelationMaxT(observed, p_raw, p_step, total, 0.0)
    permuted = np.abs(np.stack([_row_rho(row, outcome[orders]) for row in rows[tested]], axis=1))
    permuted = np.nan_to_num(permuted, nan=0.0)
    limit = np.abs(observed[tested]) * (1 - RELATIVE_TIE) - 1e-12
    p_raw[tested] = ((permuted >= limit).sum(axis=0) + extra) / total
    order = np.argsort(-np.abs(observed[tested]), kind="stable")
    successive = np.maximum.accumulate(permuted[:, order[::-1]], axis=1)[:, ::-1]
    stepped = np.empty(order.size)
    stepped[order] = np.maximum.accumulate(((successive >= limit[order]).sum(axis=0) + extra) / total)
    p_step[tested] = stepped
    error = 0.0 if complete else float(np.sqrt(stepped * (1 - stepped) / draws).max())
    return CorrelationMaxT(observed, p_raw, p_step, total, error)


def _row_rho(row: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Spearman of one row of x with every row of outcomes."""
    there = ~np.isnan(row)
    x = doubled_midranks(round_significant(row[there])).astype(np.float64)
    if there.all():
        # Ranks of a permuted y are the permuted ranks: rank once, look up.
        ranks = doubled_midranks(outcomes[0]).astype(np.float64)
        levels, first = np.unique(outcomes[0], return_index=True)
        y = ranks[first][np.searchsorted(levels, outcomes)]
    else:
        y = np.apply_along_axis(lambda values: doubled_midranks(values).astype(np.float64), 1, outcomes[:, there])
    if x.size < 2:
        return np.full(outcomes.shape[0], np.nan)
    x = x - x.mean()
    y = y - y.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((y @ x) / np.sqrt((x @ x) * (y**2).sum(axis=1)), dtype=np.float64)
