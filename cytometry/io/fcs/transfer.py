"""Damage that copying does: text mode, seven bits, zeros where the copy stopped.

Sizes often still agree afterwards. The bytes of DATA tell: measurements use all
256 values without regard to what they mean as text.
"""

from __future__ import annotations

import codecs
import re

import numpy as np
import numpy.typing as npt

from cytometry.io.fcs.crc import CRC_LENGTH
from cytometry.io.fcs.layout import Layout
from cytometry.io.fcs.ledger import Ledger
from cytometry.io.fcs.source import Source

_EXAMINED = 1 << 17
_HIGH = re.compile(rb"[\x80-\xff]")
# Odds of one in 2^200 that so many bytes above 127 happen to be UTF-8, and of 256^12 that so many line feeds
# happen to stand behind a carriage return.
_FEWEST_HIGH_BYTES = 200
_FEWEST_LINE_FEEDS = 12
_FEWEST_PUSHED = 3
# As many of each neighbour, and none at all of the value between them: one in e^40.
_FEWEST_NEIGHBOURS = 40
# Seven-bit bytes only, though so many different ones: no number format does that.
_FEWEST_DIFFERENT = 100
_HIGH_BYTES = bytes(range(128, 256))
_BLOCK = 512
# Bytes of a word, and words from one that is looked at to the next: two in every block.
_WORD = 8
_PROBE = _BLOCK // 2 // _WORD
# So many bytes are looked at before their memory is given back.
_STRETCH = 4 << 20
# Stretches of many zeros are searched faster from end to end.
_MOST_HITS = 1_000
_SHORTEST_PADDING = 16
_FEWEST_EMPTY = 8
_COPY = "copy the file again from the instrument, in binary mode"


def check_transfer(source: Source, begin: int, layout: Layout, n_events: int, ledger: Ledger) -> None:
    """Look at the bytes of DATA, from byte ``begin`` of the file on, for marks of a bad copy."""
    length = layout.data_bytes(n_events)
    if length == 0:
        return
    block = bytes(source.data[begin : begin + min(length, _EXAMINED)])
    behind = source.size - begin - length
    problem = _text_mode(block) or _newlines(block, behind) or _one_newline(block) or _seven_bits(block, layout)
    if problem:
        ledger.guess(
            "DATA_COPIED_AS_TEXT",
            f"DATA {problem}: its values are not those that were measured",
            segment="DATA",
            byte_range=(begin, begin + length - 1),
            found=problem,
            expected="bytes as the instrument wrote them",
            fix=_COPY,
        )
    _check_constant_tail(source, begin, layout, n_events, ledger)
    _check_word_inside(source, begin + length, ledger)


def _check_word_inside(source: Source, end: int, ledger: Ledger) -> None:
    """Where bytes of DATA were lost, the eight zeros of the check word moved up into its last event."""
    around = bytes(source.data[end - CRC_LENGTH : end + CRC_LENGTH])
    inside = around[:CRC_LENGTH]
    moved = len(inside) - len(inside.rstrip(b"0"))
    behind = around[CRC_LENGTH:]
    kept = len(behind) - len(behind.lstrip(b"0"))
    if moved and moved + kept == CRC_LENGTH and kept == len(behind):
        ledger.guess(
            "DATA_BROKEN",
            f"the check word '00000000' stands inside DATA: {moved} bytes were lost before it",
            segment="DATA",
            byte_range=(end - moved, end - 1),
            found=f"{moved} bytes of the check word in the last event",
            expected="the check word behind DATA",
            fix=_COPY,
        )


def check_behind(source: Source, last_byte: int, limit: int, ledger: Ledger) -> int:
    """Bytes behind the last segment that are neither the check word nor padding: were some put in before?

    Returns how many there are, 0 where nothing is odd.
    """
    block = bytes(source.data[last_byte + 1 : min(limit, last_byte + 1 + _EXAMINED)])
    rest = block.strip(b"\0 \r\n\xff\x1a")
    lead = len(block) - len(block.lstrip(b"\0 "))
    # A check word stands right behind the last segment, or behind a block of padding; a few zeros more are no padding.
    is_check_word = re.fullmatch(rb"[0-9A-Fa-f]{1,8}", rest) and not 0 < lead < _SHORTEST_PADDING
    if not rest or is_check_word:
        return 0
    ledger.warn(
        "BYTES_BEHIND",
        f"{limit - last_byte - 1} bytes stand behind the last segment, which no segment claims",
        byte_range=(last_byte + 1, limit - 1),
        found=f"{limit - last_byte - 1} bytes",
        expected="the end of the file, or eight characters of a check word",
        fix="nothing to do where the instrument's software leaves them; else bytes were put in on the way",
    )
    return limit - last_byte - 1


def _text_mode(block: bytes) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(block)
    except UnicodeDecodeError:  # at the first bytes, of nearly every file
        return ""
    is_text = len(_HIGH.findall(block)) >= _FEWEST_HIGH_BYTES
    return "was saved again as UTF-8 text" if is_text else ""


def _newlines(block: bytes, behind: int) -> str:
    feeds = block.count(b"\n")
    # What was put in pushes as many bytes out behind DATA.
    is_pushed = feeds >= _FEWEST_PUSHED and behind - feeds in (0, CRC_LENGTH)
    if (feeds >= _FEWEST_LINE_FEEDS or is_pushed) and block.count(b"\r\n") == feeds:
        return "was copied in text mode, which put a carriage return before each line feed"
    return ""


def _one_newline(block: bytes) -> str:
    """Whether one of the two line ends is missing, and the other twice as frequent as its neighbours."""
    counts = [block.count(bytes([b])) for b in (0x0B, 0x0C, 0x0E, 0x0F)]
    feeds, returns = block.count(b"\n"), block.count(b"\r")
    usual = sum(counts) / len(counts)
    if min(counts) < _FEWEST_NEIGHBOURS or min(feeds, returns) > 0 or max(feeds, returns) < 1.5 * usual:
        return ""
    return "was copied in text mode, which turned one kind of line end into the other"


def _seven_bits(block: bytes, layout: Layout) -> str:
    if _HIGH.search(block) or len(set(block)) < _FEWEST_DIFFERENT:
        return ""
    # Integers may be small; cut off, they are as frequent just below 128 as anywhere.
    below = sum(block.count(bytes([b])) for b in range(112, 128))
    if any(f.kind == "I" for f in layout.fields) and below < len(block) / 100:
        return ""
    if all(f.kind == "I" and (f.mask or 0) < 128 and f.mask is not None for f in layout.fields):
        return ""
    return "was copied over a line of seven bits, which cut off the eighth of each byte"


def find_filled_block(source: Source, begin: int, end: int) -> tuple[int, int] | None:
    """First and last byte of the first block of a disk's size that is all zeros or, if none is, all ones.

    Such a block covers a whole word at every half of its size: only those words
    are looked at, an eighth of a cache line in four, and what is around a hit.
    """
    ones = -1
    start = -(-begin // _WORD) * _WORD
    while start + _WORD <= end and end - begin >= _BLOCK:
        stop = min(end, start + _STRETCH)
        words = np.frombuffer(source.data, dtype=np.uint64, count=(stop - start) // _WORD, offset=start)[::_PROBE]
        zeros = _find_run(source, b"\0", start + np.flatnonzero(words == 0) * _PROBE * _WORD, begin, end)
        if zeros >= 0:
            return zeros, _run_end(source, b"\0", zeros + _BLOCK, end) - 1
        if ones < 0:
            hits = np.flatnonzero(words == np.iinfo(np.uint64).max)
            ones = _find_run(source, b"\xff", start + hits * _PROBE * _WORD, begin, end)
        del words
        source.forget(start, stop)
        start = stop
    return None if ones < 0 else (ones, _run_end(source, b"\xff", ones + _BLOCK, end) - 1)


def _find_run(source: Source, byte: bytes, hits: npt.NDArray[np.int64], begin: int, end: int) -> int:
    """Where a block of equal bytes around the first possible one of the hits begins; -1 without one."""
    if len(hits) > _MOST_HITS:
        return source.data.find(byte * _BLOCK, max(begin, int(hits[0]) - _BLOCK), min(end, int(hits[-1]) + _BLOCK))
    for hit in hits.tolist():
        at = source.data.find(byte * _BLOCK, max(begin, hit - _BLOCK), min(end, hit + _BLOCK))
        if at >= 0:
            return at
    return -1


def _run_end(source: Source, byte: bytes, begin: int, end: int) -> int:
    """First position from ``begin`` on, not behind ``end``, that does not hold ``byte``."""
    while begin < end:
        block = source.data[begin : min(end, begin + _EXAMINED)]
        rest = len(block.lstrip(byte))
        begin += len(block) - rest
        if rest:
            break
    return begin


def _check_constant_tail(source: Source, begin: int, layout: Layout, n_events: int, ledger: Ledger) -> None:
    """An interrupted copy leaves zeros, or whatever fills an empty block, up to the full size."""
    size = max(1, layout.event_bits // 8)
    end = begin + layout.data_bytes(n_events)
    last = bytes(source.data[end - size : end])
    if len(set(last)) != 1:
        return
    length = _constant_tail(source, begin, end, last[:1])
    n = length // size
    if n < 2 and n_events > 1:
        return
    what = "zero bytes" if last[:1] == b"\0" else f"bytes {last[0]:#04x}"
    if n >= n_events:
        ledger.warn(
            "DATA_CONSTANT",
            f"all of DATA is {what}: every value of the {n_events} events is the same",
            segment="DATA",
            byte_range=(begin, end - 1),
            found=f"{length} {what}",
            expected="measurements",
            fix=_COPY,
        )
        return
    # A few empty events are some programs' padding; a whole block of a disk is none.
    note = ledger.guess if length >= _BLOCK and n >= _FEWEST_EMPTY else ledger.warn
    note(
        "DATA_CONSTANT",
        f"the last {n} of {n_events} events of DATA are {what} throughout, even their time",
        segment="DATA",
        byte_range=(end - length, end - 1),
        found=f"{length} {what}",
        expected="measurements",
        fix=f"an interrupted copy looks like this: {_COPY}; read leniently, these events are kept",
    )


def _constant_tail(source: Source, begin: int, end: int, byte: bytes) -> int:
    """How many bytes before ``end``, not before ``begin``, are all ``byte``."""
    at = end
    while at > begin:
        block = bytes(source.data[max(begin, at - _EXAMINED) : at])
        kept = block.rstrip(byte)
        at -= len(block) - len(kept)
        if kept:
            break
    return end - at
