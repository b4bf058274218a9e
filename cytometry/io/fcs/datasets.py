"""The chain of data sets in one file, linked by ``$NEXTDATA``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cytometry.errors import FcsError
from cytometry.io.fcs.header import read_header
from cytometry.io.fcs.keywords import read_keywords
from cytometry.io.fcs.ledger import Ledger, shown
from cytometry.io.fcs.numbers import parse_integer
from cytometry.io.fcs.source import HEADER_LENGTH, Source

# An instrument writes two or three; index sorts of several plates a few hundred.
_MOST_DATASETS = 10_000
_NEAR = 4_096
_MAGIC = re.compile(rb"FCS[23]\.[0-9] {4}")


@dataclass(frozen=True, slots=True)
class Extent:
    """First byte of a data set, and the first behind it."""

    base: int
    limit: int


def find_datasets(source: Source, ledger: Ledger, *, at_most: int = _MOST_DATASETS) -> tuple[Extent, ...]:
    """Follow ``$NEXTDATA`` from the first data set on; the chain ends where it leads nowhere.

    A link that does is a finding. HEADER and TEXT of each data set are read
    for that; what is wrong with them is not said here but by the survey.
    """
    bases = [0]
    while len(bases) <= at_most:
        link = _next_base(source, bases[-1], ledger)
        if link is None:
            break
        bases.append(link)
    return tuple(Extent(b, e) for b, e in zip(bases, [*bases[1:], source.size], strict=True))


def _next_base(source: Source, base: int, ledger: Ledger) -> int | None:
    quiet = Ledger(ledger.file, strict=False)
    try:
        header = read_header(source, base, quiet)
        text = read_keywords(source, header, source.size, quiet).get("$NEXTDATA")
    except FcsError:
        return None
    if not text:
        return None
    offset = parse_integer(text)
    if offset == 0:
        return None
    # Counted from the begin of its own data set by the standard; some writers count from the begin of the file.
    candidates = [] if offset is None else [base + offset, offset]
    for candidate in candidates:
        fits = base + HEADER_LENGTH <= candidate <= source.size - HEADER_LENGTH
        if fits and source.data[candidate : candidate + 3] == b"FCS":
            return candidate
    for candidate in candidates:
        near = max(base + HEADER_LENGTH, candidate - _NEAR)
        found = _MAGIC.search(bytes(source.data[near : candidate + _NEAR])) if candidate > 0 else None
        if found:
            at = near + found.start()
            ledger.guess(
                "DATA_BROKEN",
                f"$NEXTDATA says that the next data set begins at byte {candidate}; it begins at {at}",
                segment="DATA",
                keyword="$NEXTDATA",
                byte_range=(base, at - 1),
                found=str(at),
                expected=str(candidate),
                fix="bytes were lost or put in before it: copy the file again from the instrument",
            )
            return at
    # Some writers give the end of the file where the standard asks for 0.
    note = ledger.info if source.size in candidates else ledger.warn
    note(
        "NEXTDATA",
        f"$NEXTDATA is '{shown(text)}', where no further data set begins; the file was read without it",
        segment="TEXT",
        keyword="$NEXTDATA",
        found=shown(text),
        expected=f"0, or the offset of a further data set, from {HEADER_LENGTH} to {source.size - HEADER_LENGTH}",
        fix="the file may have been cut off behind this data set: compare its size with the original",
    )
    return None


def note_several(extents: tuple[Extent, ...], dataset: int, ledger: Ledger) -> None:
    """Say that there are more data sets than the one that is read."""
    if len(extents) > 1:
        places = ", ".join(str(e.base) for e in extents[:10])
        ledger.warn(
            "DATASETS_SEVERAL",
            f"the file holds {len(extents)} data sets ($NEXTDATA), at bytes {places}; "
            f"number {dataset}, counted from 0, was read",
            segment="TEXT",
            keyword="$NEXTDATA",
            found=f"{len(extents)} data sets",
            expected="one",
            fix=f"name the one you want with dataset=0 to {len(extents) - 1}",
        )
