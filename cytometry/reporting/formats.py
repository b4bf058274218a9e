"""Numbers as a person reads them. The full value stays in the cell's ``data-v`` and in the CSV."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal

UNDEFINED = "–"
# Smaller p-values are printed as a bound: no digits beyond what a reader can use.
SMALLEST_P = 0.0001


def is_missing(value: object) -> bool:
    """Whether a cell is undefined: None, NaN or pandas' NA."""
    return value is None or value != value or str(value) in {"<NA>", "NaT"}


def significant(value: float, digits: int = 3) -> str:
    """A number to that many significant digits, without exponent where it is usual size.

    >>> [significant(v) for v in (0.031251, 1234.5, 12.0, -0.5, 0.0)]
    ['0.0313', '1230', '12.0', '−0.500', '0']
    """
    if not math.isfinite(value):
        return UNDEFINED if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent > 6:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    rounded = round(value, digits - 1 - exponent)
    return f"{rounded:.{max(digits - 1 - exponent, 0)}f}".replace("-", "−")


def plain_number(value: float) -> str:
    """A score or dose as it was recorded.

    >>> plain_number(-6.0), plain_number(7.5)
    ('−6', '7.5')
    """
    return UNDEFINED if math.isnan(value) else f"{value:.6g}".replace("-", "−")


def percent(fraction: float) -> str:
    """A fraction as percent, three significant digits, two decimals at most below 10 %.

    >>> [percent(f) for f in (0.5, 0.0453, 0.00012, 0.0)]
    ['50.0 %', '4.53 %', '0.012 %', '0 %']
    """
    if not math.isfinite(fraction):
        return UNDEFINED
    value = 100 * fraction
    if value == 0:
        return "0 %"
    if abs(value) >= 10:
        return f"{value:.1f} %".replace("-", "−")
    return f"{value:.2f} %".replace("-", "−") if abs(value) >= 0.1 else f"{significant(value, 2)} %"


def p_value(p: float) -> str:
    """A p-value with two or three digits, halves rounded up: 0.0625 is 0.063, never a smaller 0.062.

    >>> [p_value(p) for p in (0.03125, 0.0625, 0.5, 0.00001, float("nan"))]
    ['0.031', '0.063', '0.50', '< 0.0001', '–']
    """
    if not math.isfinite(p):
        return UNDEFINED
    if p < SMALLEST_P:
        return f"< {SMALLEST_P}"
    step = "0.01" if p >= 0.1 else "0.001" if p >= 0.001 else "0.0001"
    return str(Decimal(repr(float(p))).quantize(Decimal(step), ROUND_HALF_UP))


def whole(value: float) -> str:
    """A count with thin spaces between thousands.

    >>> whole(12345)
    '12\u202f345'
    """
    return f"{int(value):,}".replace(",", "\u202f").replace("-", "−")


def typeset(text: str) -> str:
    """A sentence with true minus signs.

    >>> typeset("fell by -5 (-6.4 to -3.1), CD3- cells, P-01")
    'fell by −5 (−6.4 to −3.1), CD3- cells, P-01'
    """
    return re.sub(r"(?<![\w-])-(?=[\d.])", "−", text)


def first_sentences(text: str, n: int) -> str:
    """The beginning of a text.

    >>> first_sentences("One. The p is 0.05, no less. Three.", 2)
    'One. The p is 0.05, no less.'
    """
    return " ".join(re.split(r"(?<=\.)\s+(?=[A-Z])", text)[:n])


def short_hash(digest: str) -> str:
    """The first twelve characters, enough to compare by eye."""
    return digest[:12]
