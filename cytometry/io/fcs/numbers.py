"""Numbers as FCS files write them: ASCII only, and never a guess.

Python's own ``int`` takes ``'３００'``, ``'3_00'`` and ten thousand digits; a
keyword that holds such a thing is damaged, not large.
"""

from __future__ import annotations

import math
import re

# 10^18 events of one byte are more than any file system holds; a longer number is damage.
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]{1,320}\.?[0-9]{0,320}|\.[0-9]{1,320})([eE][+-]?[0-9]{1,4})?", re.ASCII)
_BLANK = " \t\r\n\0\f\v"


def parse_integer(text: str) -> int | None:
    """Whole number, None where the text is anything else.

    >>> parse_integer(" 300 "), parse_integer("-1"), parse_integer("３００"), parse_integer("3_00")
    (300, -1, None, None)
    """
    stripped = text.strip(_BLANK)
    return int(stripped) if _INTEGER.fullmatch(stripped) else None


def parse_number(text: str) -> float | None:
    """Finite decimal number, None where the text is anything else.

    >>> parse_number("1e3"), parse_number("0,01"), parse_number("nan"), parse_number("0x10")
    (1000.0, None, None, None)
    """
    stripped = text.strip(_BLANK)
    if not _NUMBER.fullmatch(stripped):
        return None
    value = float(stripped)
    return value if math.isfinite(value) else None


def parse_whole(text: str) -> int | None:
    """Whole number that may be written with a decimal point or exponent (``262144.0``).

    >>> parse_whole("2.62144e5"), parse_whole("18446744073709551616"), parse_whole("0.5")
    (262144, 18446744073709551616, None)
    """
    exact = parse_integer(text)
    if exact is not None:
        return exact
    value = parse_number(text)
    return int(value) if value is not None and value.is_integer() else None
