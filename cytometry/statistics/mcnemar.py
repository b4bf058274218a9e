"""McNemar's test of a yes/no state before and after, exact and mid-p."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class McNemar:
    """Exact and mid-p values of a paired change of state.

    Parameters
    ----------
    p_exact
        Two-sided binomial test of the discordant pairs.
    p_mid
        The exact p less the point probability of the observed split
        (Fagerland, Lydersen and Laake 2013).
    floor
        Smallest exact p for this number of discordant pairs.
    """

    p_exact: float
    p_mid: float
    floor: float


def mcnemar(yes_to_no: int, no_to_yes: int) -> McNemar:
    """Test from the two discordant counts; no discordant pair gives p = 1.

    Examples
    --------
    >>> mcnemar(5, 0)
    McNemar(p_exact=0.0625, p_mid=0.03125, floor=0.0625)
    """
    n = yes_to_no + no_to_yes
    if n == 0:
        return McNemar(1.0, 1.0, 1.0)
    fewer = min(yes_to_no, no_to_yes)
    tail = sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n
    point = math.comb(n, fewer) / 2**n
    exact = min(1.0, 2 * tail)
    # With an even split both tails hold the middle: the mid-p keeps half of it on either side.
    mid = 2 * tail - point if yes_to_no != no_to_yes else 1 - point / 2
    return McNemar(exact, mid, min(1.0, 2.0 / 2**n))
