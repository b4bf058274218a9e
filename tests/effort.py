"""Work counted in lines of Python: what takes long on every computer, whatever else that computer does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooMuchWorkError(BaseException):
    """The allowed number of lines was run; no handler of the code under test takes it for its own."""


class Effort:
    """Lines that were run inside of :func:`counted`."""

    lines = 0


@contextmanager
def counted(at_most: int = sys.maxsize) -> Iterator[Effort]:
    """Count the lines of Python that the block runs, and stop it beyond ``at_most``."""
    effort = Effort()

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            effort.lines += 1
            if effort.lines > at_most:
                raise TooMuchWorkError(f"more than {at_most} lines")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield effort
    finally:
        sys.settrace(before)
