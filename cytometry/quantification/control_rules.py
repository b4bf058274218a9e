"""Levey–Jennings control: where a run of a control lies, and which of Westgard's rules it breaks.

Levey and Jennings (1950), American Journal of Clinical Pathology 20:1059; Westgard, Barry, Hunt and Groth (1981),
Clinical Chemistry 27:493.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Final

# Limits come from this many runs: the standard deviation of 20 is known within about a sixth of itself.
RUNS_FOR_LIMITS: Final = 20

WARNING: Final = "1-2s"
REJECTIONS: Final = ("1-3s", "2-2s", "R-4s", "4-1s", "10-x")


@dataclass(frozen=True, slots=True)
class ControlLimits:
    """Centre and standard deviation that runs are held against.

    Parameters
    ----------
    centre, sd
        In the unit of the values. NaN where there is nothing to compare with.
    is_provisional
        Fewer than 20 runs: the centre is their median, the standard deviation
        what was tolerated beforehand.
    """

    centre: float
    sd: float
    is_provisional: bool


def control_limits(values: Sequence[float], tolerated_sd: float) -> ControlLimits:
    """Limits for a control's runs in order of acquisition.

    With 20 runs or more, mean and standard deviation of the first 20; later
    runs do not move them, so that a drift cannot hide itself. No run is left
    out of the 20. With fewer the limits are provisional; a single run has none.

    Parameters
    ----------
    values
        Finite.
    tolerated_sd
        Standard deviation that provisional limits use.

    Examples
    --------
    >>> control_limits([10.0, 11.0, 9.0], tolerated_sd=1.5)
    ControlLimits(centre=10.0, sd=1.5, is_provisional=True)
    """
    if len(values) < 2:
        return ControlLimits(math.nan, math.nan, True)
    if len(values) < RUNS_FOR_LIMITS:
        return ControlLimits(median(values), tolerated_sd, True)
    first = values[:RUNS_FOR_LIMITS]
    return ControlLimits(fmean(first), stdev(first), False)


def broken_rules(z: Sequence[float]) -> tuple[tuple[str, ...], ...]:
    """Rules that each run breaks, given its distances from the centre in standard deviations.

    ``1-2s`` is a warning, the others reject: ``1-3s`` one beyond 3; ``2-2s``
    two in succession beyond 2 on one side; ``R-4s`` two in succession beyond 2
    on opposite sides; ``4-1s`` four beyond 1 on one side; ``10-x`` ten on one
    side of the centre. A rule over several runs is told of the last of them.
    Westgard's R-4s compares two controls of one run; with one control per run
    it compares successive runs. A NaN breaks nothing and ends a succession.

    Examples
    --------
    >>> broken_rules([0.1, 2.2, -2.3])
    ((), ('1-2s',), ('1-2s', 'R-4s'))
    """
    return tuple(_of_last(z[: i + 1]) for i in range(len(z)))


def _of_last(z: Sequence[float]) -> tuple[str, ...]:
    last = z[-1]
    side = math.copysign(1.0, last)

    def run(length: int, beyond: float) -> bool:
        return len(z) >= length and all(side * v > beyond for v in z[-length:])

    checks = (
        ("1-2s", run(1, 2.0)),
        ("1-3s", run(1, 3.0)),
        ("2-2s", run(2, 2.0)),
        ("R-4s", len(z) >= 2 and side * last > 2.0 and -side * z[-2] > 2.0),
        ("4-1s", run(4, 1.0)),
        ("10-x", run(10, 0.0)),
    )
    return tuple(name for name, broken in checks if broken)


def is_rejected(rules: Sequence[str]) -> bool:
    """Whether a run is out of control, and not merely to be watched."""
    return any(r in REJECTIONS for r in rules)
