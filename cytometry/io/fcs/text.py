"""Split TEXT into keywords and values.

A delimiter inside a value is doubled (FCS 3.1, section 3.2.1), and an empty
value is forbidden; but instruments write empty values, which look the same.
Where a doubled delimiter stands decides: behind a keyword it is an empty
value, since no value may begin with the delimiter; inside a value it is the
escaped character. The keywords of the standard, which can be recognised, show
where that went wrong, and the other readings are tried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Policy = Literal["by position", "always escaped", "always empty"]

_PADDING = b" \t\r\n\0"

_STANDARD = re.compile(
    rb"\$("
    rb"ABRT|BEGIN(ANALYSIS|DATA|STEXT|DATETIME)|BTIM|BYTEORD|CARRIER(ID|TYPE)|CELLS|COM|COMP|CSMODE|CSVBITS|"
    rb"CSV[0-9]+FLAG|CYT|CYTSN|DATATYPE|DATE|DFC[0-9]+TO[0-9]+|END(ANALYSIS|DATA|STEXT|DATETIME)|ETIM|EXP|FIL|"
    rb"FLOWRATE|G[0-9]+[EFNPRSTV]|GATE|GATING|INST|LAST_MODIF(IED|IER)|LOCATIONID|LOST|MODE|NEXTDATA|OP|"
    rb"ORIGINALITY|P[0-9]+(B|D|E|F|G|L|N|O|P|R|S|T|V|ANALYTE|CALIBRATION|DATATYPE|DET|FEATURE|TAG|TYPE)|PAR|"
    rb"PKN?[0-9]*|PLATE(ID|NAME)|PROJ|R[0-9]+[IW]|RW?[0-9]+[IW]|SMNO|SPILLOVER|SRC|SYS|TIMESTEP|TOT|TR|"
    rb"UNICODE|UNSTAINED(CENTERS|INFO)|VOL|WELLID)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """TEXT as keywords and values, still bytes.

    Parameters
    ----------
    pairs
        In file order, repeated keywords included.
    policy
        How doubled delimiters were read.
    empty
        Keywords whose value is empty.
    mended
        Keywords whose value holds the delimiter without doubling it, or that
        have no value at all: told by the standard keyword that follows.
    is_closed
        Whether the last value is followed by a delimiter.
    leftover
        Bytes behind the last pair that make no pair.
    """

    pairs: tuple[tuple[bytes, bytes], ...]
    policy: Policy
    empty: tuple[bytes, ...]
    mended: tuple[bytes, ...]
    is_closed: bool
    leftover: bytes


def is_standard(keyword: bytes) -> bool:
    """Whether the FCS standards know the keyword."""
    return _STANDARD.fullmatch(keyword.strip()) is not None


# Finding the data sets of a file and reading one of them look at the same segment.
@lru_cache(maxsize=2)
def split_text(segment: bytes) -> Tokens:
    """Split a TEXT segment, the first byte of which is the delimiter.

    >>> [v for _, v in split_text(b"|$OP|night||shift|$P1S||$P1N|FSC-A|").pairs]
    [b'night|shift', b'', b'FSC-A']
    """
    by_position = _read(segment, "by position")
    if not by_position.mended and _misplaced(by_position) == 0:
        return by_position
    others = [_read(segment, policy) for policy in ("always escaped", "always empty")]
    return min((by_position, *others), key=lambda t: (_misplaced(t) + len(t.mended), -_standard_keywords(t)))


def _misplaced(tokens: Tokens) -> int:
    """Standard keywords that stand where values should."""
    return sum(1 for key, value in tokens.pairs if is_standard(value) and not is_standard(key))


def _standard_keywords(tokens: Tokens) -> int:
    return sum(1 for key, _ in tokens.pairs if is_standard(key))


def _read(segment: bytes, policy: Policy) -> Tokens:
    delimiter = segment[:1]
    tokens, is_closed = _tokens(segment[1:], delimiter, policy)
    pairs, mended, leftover = _pairs(tokens, delimiter)
    empty = tuple(key for key, value in pairs if not value)
    return Tokens(tuple(pairs), policy, empty, tuple(mended), is_closed, leftover)


def _tokens(body: bytes, delimiter: bytes, policy: Policy) -> tuple[list[bytes], bool]:
    """Keywords and values in turn, and whether a delimiter stands behind the last."""
    trimmed = body.rstrip(_PADDING.replace(delimiter, b""))
    tokens: list[bytes] = []
    current = b""
    position = 0
    is_closed = False
    for run in re.finditer(re.escape(delimiter) + b"+", trimmed):
        current += trimmed[position : run.start()]
        position = run.end()
        length = run.end() - run.start()
        at_end = position == len(trimmed)
        is_keyword = len(tokens) % 2 == 0
        if policy == "always empty":
            literal, separators = 0, length
        elif policy == "always escaped":
            literal, separators = length // 2, length % 2
        elif is_keyword and length > 1:
            # No keyword holds a delimiter: one separates, and what is left is the value or its begin.
            tokens.append(current)
            literal, separators = (length - 1) // 2, (length - 1) % 2
            current = b""
        elif at_end and length % 2 == 0:
            # An escaped delimiter as the very last byte would leave the value open; a stray one is likelier.
            literal, separators = length // 2 - 1, 1
        else:
            literal, separators = length // 2, length % 2
        current += delimiter * literal
        if separators:
            tokens.append(current)
            tokens.extend([b""] * (separators - 1))
            current = b""
            is_closed = at_end
    current += trimmed[position:]
    if current:
        tokens.append(current)
        is_closed = False
    return tokens, is_closed


def _pairs(tokens: Sequence[bytes], delimiter: bytes) -> tuple[list[tuple[bytes, bytes]], list[bytes], bytes]:
    pairs: list[tuple[bytes, bytes]] = []
    mended: list[bytes] = []
    i = 0
    while i + 1 < len(tokens):
        key, value = tokens[i], tokens[i + 1]
        # A standard keyword where a value should be has its own value behind it, unless the next keyword stands there.
        is_keyword = is_standard(value) and i + 2 < len(tokens) and not is_standard(tokens[i + 2])
        if is_keyword and is_standard(key):
            pairs.append((key, b""))
            mended.append(key)
            i += 1
        elif is_keyword and pairs:
            before, text = pairs[-1]
            pairs[-1] = (before, text + delimiter + key)
            mended.append(before)
            i += 1
        else:
            pairs.append((key, value))
            i += 2
    leftover = tokens[i] if i < len(tokens) else b""
    return pairs, mended, leftover


def decode_text(value: bytes) -> tuple[str, bool]:
    """Text of a keyword or value, and whether it was UTF-8.

    FCS 3.1 asks for UTF-8; what is no UTF-8 is Windows' or plain Latin-1, in
    which every byte has a letter, so that none is lost.

    >>> decode_text(b"Zo\\xeb")
    ('Zoë', False)
    """
    try:
        return value.decode("utf-8"), True
    except UnicodeDecodeError:
        pass
    try:
        return value.decode("cp1252"), False
    except UnicodeDecodeError:
        return value.decode("latin-1"), False
