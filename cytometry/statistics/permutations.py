"""Orders of n things, as rows of an array."""

from __future__ import annotations

import numpy as np

from cytometry.errors import StatisticsError
from cytometry.statistics.ranks import IntArray

ORDERED_UP_TO = 9
"""9! = 362,880 orders take milliseconds; 10! needs a hundred megabytes. Above, orders are drawn."""


def all_orders(n: int) -> IntArray:
    """All n! orders of 0..n-1, the identity first.

    Examples
    --------
    >>> all_orders(3).tolist()
    [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    """
    orders = np.zeros((1, 0), dtype=np.int64)
    for size in range(1, n + 1):
        rest = orders + 0
        blocks = []
        for first in range(size):
            shifted = rest + (rest >= first)
            blocks.append(np.hstack([np.full((rest.shape[0], 1), first, dtype=np.int64), shifted]))
        orders = np.vstack(blocks)
    return orders


def drawn_orders(n: int, draws: int, rng: np.random.Generator | None) -> IntArray:
    """Random orders of 0..n-1, one a row.

    Raises
    ------
    StatisticsError
        No generator was given: a drawn p-value needs a seed to be repeatable.
    """
    if rng is None:
        raise StatisticsError(
            f"{n} subjects have too many orders to go through all",
            where="permutations",
            hint=f"up to {ORDERED_UP_TO} are enumerated; above, give a numpy Generator",
        )
    return rng.permuted(np.tile(np.arange(n, dtype=np.int64), (draws, 1)), axis=1)
