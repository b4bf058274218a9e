"""Exit codes; part of the interface."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
INPUT_WRONG: Final = 1
USAGE: Final = 2
LIMIT_REACHED: Final = 3
PARTLY_DONE: Final = 4
OUTPUT_UNUSABLE: Final = 5
OUR_BUG: Final = 70
INTERRUPTED: Final = 130
TERMINATED: Final = 143
