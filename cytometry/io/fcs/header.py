"""The HEADER: the version and where the segments begin and end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cytometry.io.fcs.ledger import Ledger, shown
from cytometry.io.fcs.numbers import parse_integer
from cytometry.io.fcs.source import HEADER_LENGTH, Source

VERSIONS = ("FCS2.0", "FCS3.0", "FCS3.1", "FCS3.2")
_FIRST_FIELD = 10
_FIELD_LENGTH = 8
_SEGMENTS = ("TEXT", "DATA", "ANALYSIS")


@dataclass(frozen=True, slots=True)
class Span:
    """First and last byte, inclusive, from the start of the data set; 0, 0 where not given."""

    begin: int
    end: int

    @property
    def is_given(self) -> bool:
        """Whether the file says anything about the segment."""
        return self.begin > 0 or self.end > 0

    @property
    def length(self) -> int:
        """Bytes, 0 or less where the end stands before the begin."""
        return self.end - self.begin + 1


@dataclass(frozen=True, slots=True)
class Header:
    """HEADER of one data set.

    Parameters
    ----------
    base
        First byte of the data set in the file; the spans count from there.
    version
        As written, ``FCS3.1``.
    text, data, analysis
        None where a field is not a number.
    """

    base: int
    version: str
    text: Span | None
    data: Span | None
    analysis: Span | None

    @property
    def generation(self) -> float:
        """Version as a number; an unknown one counts as 3.1."""
        return float(self.version[3:]) if self.version in VERSIONS else 3.1


def read_header(source: Source, base: int, ledger: Ledger) -> Header:
    """Parse the 58 bytes at ``base``.

    Raises
    ------
    FcsError
        The file ends before them, or the version is unknown and reading strict.
    """
    block = bytes(source.data[base : base + HEADER_LENGTH])
    if len(block) < HEADER_LENGTH:
        ledger.refuse(
            "HEADER_TRUNCATED",
            f"file ends within the HEADER: {len(block)} of {HEADER_LENGTH} bytes are there",
            segment="HEADER",
            byte_range=(base, base + HEADER_LENGTH - 1),
            found=f"{len(block)} bytes",
            expected=f"{HEADER_LENGTH} bytes",
            fix="copy the file again from the instrument",
        )
    version = block[:6].decode("latin-1")
    if version not in VERSIONS:
        known = re.fullmatch(r"FCS[0-9]\.[0-9]", version, re.ASCII)
        ledger.guess(
            "HEADER_VERSION",
            f"HEADER says version '{shown(version)}', which is {'not supported' if known else 'no FCS version'}",
            segment="HEADER",
            byte_range=(base, base + 5),
            found=shown(version),
            expected=", ".join(VERSIONS),
            fix="export the file again as FCS 3.1, or read it leniently as FCS 3.1",
        )
    spans = []
    for i, segment in enumerate(_SEGMENTS):
        begin, end = (_field(block, base, 2 * i + k, f"{segment} {w}", ledger) for k, w in ((0, "begin"), (1, "end")))
        spans.append(None if begin is None or end is None else Span(begin, end))
    return Header(base, version, *spans)


def _field(block: bytes, base: int, number: int, name: str, ledger: Ledger) -> int | None:
    at = _FIRST_FIELD + number * _FIELD_LENGTH
    text = block[at : at + _FIELD_LENGTH].decode("latin-1")
    if not text.strip(" \0"):
        return 0
    value = parse_integer(text)
    if value is None or value < 0:
        ledger.warn(
            "HEADER_OFFSET",
            f"HEADER offset '{name}' is '{shown(text)}', which is no offset",
            segment="HEADER",
            byte_range=(base + at, base + at + _FIELD_LENGTH - 1),
            found=shown(text),
            expected="a number ≥ 0 in 8 characters",
            fix="export the file again; its HEADER is damaged",
        )
        return None
    return value
