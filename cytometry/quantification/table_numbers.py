"""Numbers as tables hold them."""

from __future__ import annotations

import math


def table_number(value: float, digits: int = 6) -> float | None:
    """To so many significant digits, so that the last bits of a computer stay out of tables; None if not finite.

    >>> table_number(0.12345678)
    0.123457
    """
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
