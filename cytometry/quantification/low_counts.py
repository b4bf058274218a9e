"""When too few events were counted for a number to mean much: codes beside the number, never a silent drop.

Limits after domain practice: fewer than 20 events of a target are below detection,
20 to 49 below quantification (Poisson CV above 14 %); a parent under 50 events gives
no percentage, one of 50 to 499 a flagged one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ZERO_COUNT: Final = "ZERO_COUNT"
BELOW_LOD: Final = "BELOW_LOD"
BELOW_LLOQ: Final = "BELOW_LLOQ"
PARENT_EMPTY: Final = "PARENT_EMPTY"
PARENT_TOO_SMALL: Final = "PARENT_TOO_SMALL"
PARENT_SMALL: Final = "PARENT_SMALL"


@dataclass(frozen=True, slots=True)
class CountLimits:
    """Event limits of a panel.

    Parameters
    ----------
    parent_undefined_below, parent_flagged_below
        Events of the denominator.
    detected_from, quantified_from
        Events of the population itself.
    """

    parent_undefined_below: int = 50
    parent_flagged_below: int = 500
    detected_from: int = 20
    quantified_from: int = 50


def count_flags(count: int, parent_count: int | None, limits: CountLimits) -> tuple[str, ...]:
    """Codes for a count within a parent; none for the root.

    >>> count_flags(30, 400, CountLimits())
    ('BELOW_LLOQ', 'PARENT_SMALL')
    """
    if parent_count is None:
        return ()
    flags: list[str] = []
    if count == 0:
        flags.append(ZERO_COUNT)
    if count < limits.detected_from:
        flags.append(BELOW_LOD)
    elif count < limits.quantified_from:
        flags.append(BELOW_LLOQ)
    if parent_count == 0:
        flags.append(PARENT_EMPTY)
    elif parent_count < limits.parent_undefined_below:
        flags.append(PARENT_TOO_SMALL)
    elif parent_count < limits.parent_flagged_below:
        flags.append(PARENT_SMALL)
    return tuple(flags)
