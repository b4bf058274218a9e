"""A p-value with everything that a reader needs to judge it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Alternative = Literal["two.sided", "greater", "less"]

RELATIVE_TIE = 1e-9
"""Statistics this close (relative) count as equal in an enumeration: sums in another order differ in the last bits."""


@dataclass(frozen=True, slots=True)
class PValue:
    """A permutation p-value with its honesty marks.

    Parameters
    ----------
    p
        The p-value; NaN where no test is possible.
    n
        Subjects that the test used.
    count, total
        Arrangements at least as extreme, and all of them: ``p = count / total``
        when the enumeration is complete. For Monte Carlo the observed
        arrangement is counted in both, so that p is never 0.
    floor
        The smallest p that these data could have given.
    method
        What was enumerated or drawn.
    alternative
        ``two.sided``, ``greater`` or ``less``.
    definition
        What counts as *at least as extreme*.
    zeros, ties
        Zero changes, and changes that share their magnitude with another one.
    monte_carlo_se
        Standard error of p from the draws; 0 for a complete enumeration.

    Examples
    --------
    >>> p = PValue(p=2 / 64, n=6, count=2, total=64, floor=2 / 64, method="all 64 sign flips")
    >>> p.fraction, p.at_floor, p.can_reach(0.05), p.can_reach(0.01)
    ('2/64', True, True, False)
    """

    p: float
    n: int
    count: int | None
    total: int | None
    floor: float
    method: str
    alternative: Alternative = "two.sided"
    definition: str = ""
    zeros: int = 0
    ties: int = 0
    monte_carlo_se: float = 0.0

    @property
    def at_floor(self) -> bool:
        """Whether no data of this size and pattern could have given a smaller p."""
        return not math.isnan(self.p) and self.p <= self.floor * (1 + RELATIVE_TIE)

    @property
    def fraction(self) -> str:
        """``count/total``, empty where neither is known."""
        return f"{self.count}/{self.total}" if self.count is not None and self.total is not None else ""

    def can_reach(self, alpha: float) -> bool:
        """Whether p ≤ alpha was possible at all."""
        return not math.isnan(self.floor) and self.floor <= alpha * (1 + RELATIVE_TIE)


def untestable(n: int, method: str, *, alternative: Alternative = "two.sided") -> PValue:
    """The mark of a test that cannot be made: p and floor are NaN.

    Examples
    --------
    >>> untestable(0, "sign flips").p
    nan
    """
    nan = float("nan")
    return PValue(p=nan, n=n, count=None, total=None, floor=nan, method=method, alternative=alternative)


def monte_carlo_p(exceeding: int, draws: int) -> tuple[float, float]:
    """p and its standard error from draws; the observed arrangement is one of them (Phipson and Smyth 2010).

    Examples
    --------
    >>> monte_carlo_p(0, 1999)[0]
    0.0005
    """
    p = (exceeding + 1) / (draws + 1)
    return p, math.sqrt(p * (1 - p) / draws)
