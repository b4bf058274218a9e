"""Physician's global assessment: 0 to 3, compared in decimals so that 0.3 is 0.3."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from cytometry.errors import StudyError

MAXIMUM = Decimal(3)
STEP = Decimal("0.001")
"""Finer than any analogue scale is read; 1.2 - 0.9 in binary is not 0.3, in steps of 0.001 it is."""


def as_decimal(pga: float) -> Decimal:
    """A score in thousandths.

    Raises
    ------
    StudyError
        The score is outside 0 to 3.

    Examples
    --------
    >>> as_decimal(1.2) - as_decimal(0.9)
    Decimal('0.300')
    """
    value = Decimal(str(pga)).quantize(STEP, rounding=ROUND_HALF_EVEN)
    if not 0 <= value <= MAXIMUM:
        raise StudyError(f"PGA is {pga:g}", where="PGA", hint="0 to 3; a 0 to 10 scale is multiplied by 0.3")
    return value


def increase(baseline: float, now: float) -> Decimal:
    """Rise since baseline, exact.

    Examples
    --------
    >>> increase(0.9, 1.2) == Decimal("0.3")
    True
    """
    return as_decimal(now) - as_decimal(baseline)


def from_ten_point_scale(score: float) -> float:
    """Rescale a 0 to 10 score.

    Examples
    --------
    >>> from_ten_point_scale(10)
    3.0
    """
    return float(Decimal(str(score)) * Decimal("0.3"))
