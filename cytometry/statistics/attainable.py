"""What a number of patients can and cannot show, before any data are seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Attainable:
    """Smallest p-values for n changes and a number of hypotheses.

    Parameters
    ----------
    two_sided, one_sided
        Of an exact paired test.
    holm
        When one hypothesis is at the floor: the floor times their number.
    max_t
        Step-down maxT keeps the floor, however many hypotheses.
    bh_if_all_at_floor
        Benjamini and Hochberg, only if every hypothesis is at its floor.
    n_needed_two_sided, n_needed_holm
        Patients from which p ≤ 0.05 becomes possible.
    spearman_no_ties
        Two orders out of n! have rho = ±1.
    hodges_lehmann_level
        Level of the widest Hodges-Lehmann interval.
    """

    two_sided: float
    one_sided: float
    holm: float
    max_t: float
    bh_if_all_at_floor: float
    n_needed_two_sided: int
    n_needed_holm: int
    spearman_no_ties: float
    hodges_lehmann_level: float


def attainable(n: int, hypotheses: int = 1) -> Attainable:
    """Floors for n patients.

    Examples
    --------
    >>> attainable(5, 8).two_sided, attainable(5, 8).holm, attainable(5, 8).n_needed_holm
    (0.0625, 0.5, 9)
    """
    two_sided = paired_floor(n)
    return Attainable(
        two_sided=two_sided,
        one_sided=math.ldexp(1.0, -n),
        holm=min(1.0, hypotheses * two_sided),
        max_t=two_sided,
        bh_if_all_at_floor=two_sided,
        n_needed_two_sided=subjects_needed(1),
        n_needed_holm=subjects_needed(hypotheses),
        spearman_no_ties=min(1.0, 2 / math.factorial(n)),
        hodges_lehmann_level=max(0.0, 1 - math.ldexp(2.0, -n)),
    )


def paired_floor(n: int) -> float:
    """Smallest two-sided p of an exact paired test without zeros.

    Examples
    --------
    >>> paired_floor(6), paired_floor(5)
    (0.03125, 0.0625)
    """
    return min(1.0, math.ldexp(2.0, -n))


def subjects_needed(hypotheses: int = 1, alpha: float = ALPHA) -> int:
    """Fewest patients whose floor, times the number of hypotheses, is at most alpha.

    Examples
    --------
    >>> subjects_needed(1), subjects_needed(8)
    (6, 9)
    """
    n = 1
    while hypotheses * paired_floor(n) > alpha:
        n += 1
    return n
