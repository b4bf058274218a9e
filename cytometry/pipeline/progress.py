"""How far a run is: told to whoever asked, never printed here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """State after one more group.

    Parameters
    ----------
    done, total
        Samples.
    group
        Name of the group that just ended.
    failed
        Samples of it that failed, with reasons.
    seconds_left
        Estimated from the pace so far.
    """

    done: int
    total: int
    group: str
    failed: tuple[str, ...]
    seconds_left: float


Listener = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """Listen to nothing."""


class Pace:
    """Estimates the time left from the samples done so far."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._start = time.monotonic()

    def left(self, done: int) -> float:
        """Seconds until all are done, at the pace so far."""
        elapsed = time.monotonic() - self._start
        return elapsed / done * (self._total - done) if done else float("nan")
