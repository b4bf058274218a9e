"""When a file was acquired, as its keywords say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE: Final = re.compile(r"^(\d{1,2})-([A-Za-z]{3})-(\d{4})$")
_TIME: Final = re.compile(r"^(\d{1,2}):(\d{2})(?::|$)")


def acquired_at(keywords: Mapping[str, str]) -> str:
    """``$DATE`` (dd-mmm-yyyy) and ``$BTIM`` as ISO 8601 to the minute; empty for a date that is none.

    Other spellings are ambiguous between day and month, and are not guessed.

    Examples
    --------
    >>> acquired_at({"$DATE": "08-JUN-2012", "$BTIM": "09:05:31"})
    '2012-06-08T09:05'
    >>> acquired_at({"$DATE": "08/06/2012"})
    ''
    """
    found = _DATE.match(keywords.get("$DATE", "").strip())
    if found is None or found[2].lower() not in _MONTHS:
        return ""
    try:
        day = date(int(found[3]), _MONTHS.index(found[2].lower()) + 1, int(found[1]))
    except ValueError:
        return ""
    clock = _TIME.match(keywords.get("$BTIM", "").strip())
    return f"{day.isoformat()}T{int(clock[1]):02d}:{clock[2]}" if clock is not None else day.isoformat()
