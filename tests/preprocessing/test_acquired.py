from __future__ import annotations

import pytest

from cytometry.preprocessing.acquired import acquired_at


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("08-JUN-2012", "09:05:31", "2012-06-08T09:05"),
        ("1-Jan-2020", "23:59:59:30", "2020-01-01T23:59"),
        ("08-JUN-2012", "", "2012-06-08"),
        ("08-JUN-2012", "soon", "2012-06-08"),
        ("31-FEB-2012", "09:05:31", ""),
        ("06/08/2012", "09:05:31", ""),
        ("", "09:05:31", ""),
    ],
)
def test_only_the_standard_date_is_read(date: str, time: str, expected: str) -> None:
    assert acquired_at({"$DATE": date, "$BTIM": time}) == expected
