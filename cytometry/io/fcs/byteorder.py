"""``$BYTEORD``: which byte of a word comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass

ALLOWED = "1,2,3,4 (least significant byte first), 4,3,2,1, or another order of these, such as 3,4,1,2"
_LONGEST = 8


@dataclass(frozen=True, slots=True)
class ByteOrder:
    """Significance of each byte as it comes, 1 = least.

    Parameters
    ----------
    digits
        As in ``$BYTEORD``.
    """

    digits: tuple[int, ...]

    @property
    def is_little(self) -> bool:
        """Least significant first throughout."""
        return self.digits == tuple(sorted(self.digits))

    @property
    def is_big(self) -> bool:
        """Most significant first throughout."""
        return len(self.digits) > 1 and self.digits == tuple(sorted(self.digits, reverse=True))

    @property
    def is_mixed(self) -> bool:
        """Neither."""
        return not (self.is_little or self.is_big)

    @property
    def code(self) -> str:
        """NumPy's sign; only for orders that are not mixed."""
        return ">" if self.is_big else "<"

    def for_width(self, n_bytes: int) -> tuple[int, ...] | None:
        """Order of the bytes of a word of ``n_bytes``, None where the keyword does not tell.

        >>> ByteOrder((3, 4, 1, 2)).for_width(2), ByteOrder((3, 4, 1, 2)).for_width(8)
        ((1, 2), None)
        """
        if n_bytes == len(self.digits):
            return self.digits
        if self.is_little:
            return tuple(range(1, n_bytes + 1))
        if self.is_big:
            return tuple(range(n_bytes, 0, -1))
        if n_bytes == 1:
            return (1,)
        if n_bytes == 2 and len(self.digits) == 4:
            # 16-bit words of a machine that orders 32-bit ones so: the order within each half, if both halves agree.
            halves = {tuple(1 if d == min(h) else 2 for d in h) for h in (self.digits[:2], self.digits[2:])}
            return next(iter(halves)) if len(halves) == 1 else None
        return None

    def __str__(self) -> str:
        return ",".join(str(d) for d in self.digits)


def parse_byte_order(text: str) -> ByteOrder | None:
    """Read the keyword's value, None where it is no order of bytes.

    >>> str(parse_byte_order(" 4, 3,2,1 ")), parse_byte_order("4,3,2,2"), parse_byte_order("little")
    ('4,3,2,1', None, None)
    """
    stripped = text.strip(" \t\r\n\0,")
    if not re.fullmatch(r"[1-8]([,; ]+[1-8]){0,7}|[1-4]{4}", stripped, re.ASCII):
        return None
    digits = tuple(int(d) for d in re.findall(r"[1-8]", stripped, re.ASCII))
    if len(digits) > _LONGEST or sorted(digits) != list(range(1, len(digits) + 1)):
        return None
    return ByteOrder(digits)
