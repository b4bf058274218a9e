"""Find TEXT and supplemental TEXT, and turn them into one table of keywords."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cytometry.io.fcs.header import Header, Span
from cytometry.io.fcs.ledger import Ledger, shown
from cytometry.io.fcs.numbers import parse_integer, parse_number
from cytometry.io.fcs.source import HEADER_LENGTH, Source
from cytometry.io.fcs.text import Tokens, decode_text, is_standard, split_text

# A delimiter, a standard keyword, the same delimiter: no other bytes look like that.
_BEGINNING = re.compile(rb"([^A-Za-z0-9$ \0])(?=\$[A-Za-z]{2,20}[0-9]{0,4}[A-Za-z]{0,10}\1)")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PADDING = b" \t\r\n\0"
# TEXT of index sorts and of 50-colour spectral files stays below a megabyte; a hundred thousand keywords are damage,
# and a table of them would be many times the file in memory.
_MOST_KEYWORDS = 100_000
_LONGEST_VALUE_BEYOND_END = 65_536
# $PAR, $TOT, $DATATYPE, $BYTEORD, $MODE and the like: no wrong delimiter yields so many.
_FEWEST_KEYWORDS = 5

_STRUCTURAL = re.compile(r"\$(PAR|TOT|DATATYPE|BYTEORD|MODE|TIMESTEP|P[0-9]+(B|R|E|N|G|DATATYPE))")


@dataclass(frozen=True, eq=False)
class Keywords:
    """Keywords of one data set.

    Parameters
    ----------
    values
        Standard keywords in capitals; the first of repeated ones.
    text
        Where TEXT was found, from the start of the data set.
    """

    values: Mapping[str, str]
    text: Span

    def get(self, keyword: str) -> str:
        """Value without surrounding blanks, ``""`` where there is none."""
        return self.values.get(keyword, "").strip(" \t\r\n\0")


def read_keywords(source: Source, header: Header, limit: int, ledger: Ledger) -> Keywords:
    """Read TEXT and supplemental TEXT of the data set that ends before byte ``limit`` of the file.

    Raises
    ------
    FcsError
        TEXT cannot be found or is cut off.
    """
    size = limit - header.base
    span = _locate(source, header, size, ledger)
    segment = _bytes(source, header, span)
    tokens = _split(segment, ledger, "TEXT", span, header)
    span, tokens = _extend(source, header, span, tokens, size, ledger)
    _note_quirks(tokens, segment, span, header, ledger)
    table = _Table(ledger)
    table.add(tokens, "TEXT")
    table.note_encoding("TEXT")
    if not table.values:
        _refuse_no_text(header, size, ledger)
    text = segment[:1]
    supplemental = _locate_supplemental(table.values, span, size, ledger)
    if supplemental is not None:
        _add_supplemental(source, header, supplemental, text, table, ledger)
    return Keywords(table.values, span)


def _bytes(source: Source, header: Header, span: Span) -> bytes:
    return bytes(source.data[header.base + span.begin : header.base + span.end + 1])


def _absolute(header: Header, span: Span) -> tuple[int, int]:
    return header.base + span.begin, header.base + span.end


def _locate(source: Source, header: Header, size: int, ledger: Ledger) -> Span:
    declared = header.text or Span(0, 0)
    begin, end = declared.begin, declared.end
    search_end = min(size, max(begin, HEADER_LENGTH) + 4096)
    region = bytes(source.data[header.base + HEADER_LENGTH : header.base + search_end])
    match = _BEGINNING.search(region)
    seen = HEADER_LENGTH + match.start() if match else None
    first = source.data[header.base + begin : header.base + begin + 1] if HEADER_LENGTH <= begin < size else b""
    odd = first.isalnum() or first in (b"$", b" ", b"\0")
    if odd and not _reads_as_text(source, header, begin, end):
        first = b""
    if not first and begin >= size:
        _refuse_cut_text(header, size, ledger)
    if seen is not None and (not first or seen < begin):
        ledger.warn(
            "TEXT_BEGIN",
            f"HEADER says TEXT begins at byte {begin}; its first keyword stands at byte {seen}, which was used",
            segment="TEXT",
            byte_range=(header.base + HEADER_LENGTH, header.base + max(seen, begin)),
            found=str(begin),
            expected=str(seen),
            fix="export the file again; its HEADER is damaged",
        )
        begin = seen
    elif not first:
        _refuse_no_text(header, size, ledger)
    return Span(begin, _text_end(source, header, begin, end, size, ledger))


def _reads_as_text(source: Source, header: Header, begin: int, end: int) -> bool:
    """Whether the byte at ``begin``, an unlikely delimiter, splits what follows into standard keywords."""
    segment = bytes(source.data[header.base + begin : header.base + min(end, begin + _LONGEST_VALUE_BEYOND_END) + 1])
    return sum(is_standard(key) for key, _ in split_text(segment).pairs) >= _FEWEST_KEYWORDS if segment else False


def _refuse_cut_text(header: Header, size: int, ledger: Ledger) -> None:
    declared = header.text or Span(0, 0)
    ledger.refuse(
        "TEXT_TRUNCATED",
        f"TEXT should stand at bytes {declared.begin} to {declared.end}; the data set has only {size} bytes",
        segment="TEXT",
        byte_range=_absolute(header, declared),
        found=f"{size} bytes",
        expected=f"at least {declared.end + 1} bytes",
        fix="the file is cut off or its HEADER damaged: copy it again from the instrument",
    )


def _closes(source: Source, header: Header, begin: int, end: int) -> bool:
    """Whether the delimiter, perhaps with padding behind it, stands at ``end``."""
    delimiter = source.data[header.base + begin : header.base + begin + 1]
    tail = bytes(source.data[header.base + max(begin + 1, end - 1023) : header.base + end + 1])
    return tail.rstrip(_PADDING.replace(delimiter, b"")).endswith(delimiter)


def _text_end(source: Source, header: Header, begin: int, end: int, size: int, ledger: Ledger) -> int:
    data_begin = header.data.begin if header.data is not None else 0
    if begin < data_begin <= end < size and not _closes(source, header, begin, data_begin - 1):
        # TEXT goes on where DATA is said to begin: it is that begin which is wrong.
        return end
    if end >= size and not begin < data_begin < size:
        _refuse_cut_text(header, size, ledger)
    if begin < data_begin <= end or end <= begin or end >= size:
        usable = data_begin - 1 if begin < data_begin < size else size - 1
        ledger.warn(
            "TEXT_END",
            f"HEADER says TEXT ends at byte {end}, "
            + (f"but DATA begins at {data_begin}" if usable == data_begin - 1 else "which is no end")
            + f"; TEXT was read up to its last keyword before byte {usable + 1}",
            segment="TEXT",
            keyword="",
            byte_range=(header.base + begin, header.base + usable),
            found=str(end),
            expected=f"{begin + 1} to {usable}",
            fix="export the file again; its HEADER is damaged",
        )
        if usable <= begin:
            _refuse_no_text(header, size, ledger)
        return usable
    return end


def _refuse_no_text(header: Header, size: int, ledger: Ledger) -> None:
    declared = header.text or Span(0, 0)
    ledger.refuse(
        "TEXT_NOT_FOUND",
        f"HEADER says TEXT lies at bytes {declared.begin} to {declared.end}, where no TEXT is",
        segment="HEADER",
        byte_range=(header.base + 10, header.base + 25),
        found=f"{declared.begin} to {declared.end}" if header.text else "no number",
        expected=f"an offset from {HEADER_LENGTH} to {size - 1} at which a delimiter stands",
        fix="export the file again; its HEADER is damaged",
    )


def _split(segment: bytes, ledger: Ledger, name: str, span: Span, header: Header) -> Tokens:
    if segment.count(segment[:1]) > 2 * _MOST_KEYWORDS:
        ledger.refuse(
            "TEXT_ABSURD",
            f"{name} holds more than {_MOST_KEYWORDS} keywords",
            segment=name,
            byte_range=_absolute(header, span),
            found=f"{segment.count(segment[:1]) // 2} keywords",
            expected=f"at most {_MOST_KEYWORDS}",
            fix="the file is damaged: export it again",
        )
    return split_text(segment)


def _extend(
    source: Source, header: Header, span: Span, tokens: Tokens, size: int, ledger: Ledger
) -> tuple[Span, Tokens]:
    """Go beyond the declared end where TEXT plainly goes on."""
    following = [s.begin for s in (header.data, header.analysis) if s is not None and s.begin > span.end]
    gap_end = min([size, *following])
    reach = min(gap_end, span.end + 1 + _LONGEST_VALUE_BEYOND_END)
    gap = bytes(source.data[header.base + span.end + 1 : header.base + reach])
    delimiter = source.data[header.base + span.begin : header.base + span.begin + 1]
    control = _CONTROL.search(gap)
    cut = control.start() if control else len(gap)
    last = gap.rfind(delimiter, 0, cut)
    if last < 0:
        return span, tokens
    whole = Span(span.begin, span.end + 1 + last)
    longer = split_text(_bytes(source, header, whole))
    had = {key.strip().upper() for key, _ in tokens.pairs}
    gained = {key.strip().upper() for key, _ in longer.pairs} - had
    # What stands behind a TEXT that is properly closed may be supplemental TEXT, padding or something foreign.
    is_supplemental = any(k.strip().upper() == b"$BEGINSTEXT" and v.strip(b" 0") for k, v in tokens.pairs)
    if tokens.is_closed and (is_supplemental or not any(is_standard(key) for key in gained)):
        return span, tokens
    ledger.warn(
        "TEXT_END",
        f"HEADER says TEXT ends at byte {span.end}, in the middle of it; it was read up to byte {whole.end}",
        segment="TEXT",
        byte_range=(header.base + span.end, header.base + whole.end),
        found=str(span.end),
        expected=str(whole.end),
        fix="export the file again; its HEADER is damaged",
    )
    return whole, longer


def _note_quirks(tokens: Tokens, segment: bytes, span: Span, header: Header, ledger: Ledger) -> None:
    place = _absolute(header, span)
    if not tokens.is_closed:
        ledger.warn(
            "TEXT_NO_FINAL_DELIMITER",
            "TEXT does not end with its delimiter; the last value runs to the end of TEXT",
            segment="TEXT",
            keyword=decode_text(tokens.pairs[-1][0])[0] if tokens.pairs else "",
            byte_range=(place[1], place[1]),
            found=shown(segment[-1:].decode("latin-1")),
            expected=shown(segment[:1].decode("latin-1")),
            fix="check the value of the last keyword",
        )
    if tokens.empty:
        names = ", ".join(shown(decode_text(k)[0]) for k in tokens.empty[:5])
        ledger.info(
            "TEXT_EMPTY_VALUE",
            f"{len(tokens.empty)} keywords have an empty value: {names}",
            segment="TEXT",
            byte_range=place,
            found="two delimiters behind a keyword",
            expected="a value; the standard allows no empty one",
            fix="nothing to do: read as empty, not as an escaped delimiter",
        )
    if tokens.policy != "by position":
        ledger.warn(
            "TEXT_DOUBLED_DELIMITER",
            f"doubled delimiters were read as {tokens.policy}: only so the standard keywords stand where they must",
            segment="TEXT",
            byte_range=place,
            expected="doubled inside values, nowhere else",
            fix="compare the keywords with the instrument's software",
        )
    if tokens.mended:
        names = ", ".join(shown(decode_text(k)[0]) for k in tokens.mended[:5])
        ledger.warn(
            "TEXT_UNESCAPED_DELIMITER",
            f"the delimiter stands undoubled in, or is missing behind, the value of {names}",
            segment="TEXT",
            keyword=decode_text(tokens.mended[0])[0],
            byte_range=place,
            found=shown(segment[:1].decode("latin-1")),
            expected="a doubled delimiter",
            fix="the value was mended by the standard keyword behind it; compare it with the instrument's software",
        )
    if tokens.leftover.strip(_PADDING):
        ledger.warn(
            "TEXT_LEFTOVER",
            f"{len(tokens.leftover)} bytes behind the last value of TEXT make no keyword and value",
            segment="TEXT",
            byte_range=place,
            found=shown(tokens.leftover[:40].decode("latin-1")),
            expected="keyword and value in turn",
            fix="look for a keyword that lost its value at the end of TEXT",
        )


def _is_same(one: str, other: str) -> bool:
    """Whether two values say the same: blanks do not count, nor does how a number is written."""
    a, b = ("".join(v.split()).upper() for v in (one, other))
    number = parse_number(a)
    return a == b or (number is not None and number == parse_number(b))


class _Table:
    """Keywords as they come in; the first of a repeated one counts."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.values: dict[str, str] = {}
        self._not_utf8: list[str] = []

    def add(self, tokens: Tokens, segment: str) -> None:
        for i, (raw_key, raw_value) in enumerate(tokens.pairs):
            if _CONTROL.search(raw_key.strip(_PADDING)) or not raw_key.strip(_PADDING):
                self._note_junk(len(tokens.pairs) - i, raw_key, segment)
                return
            key, key_is_utf8 = decode_text(raw_key.strip(_PADDING))
            value, value_is_utf8 = decode_text(raw_value)
            name = key.upper() if key.startswith("$") else key
            if not (key_is_utf8 and value_is_utf8):
                self._not_utf8.append(name)
            if name not in self.values:
                self.values[name] = value
            elif not _is_same(self.values[name], value):
                self._note_clash(name, value, segment)

    def note_encoding(self, segment: str) -> None:
        if self._not_utf8:
            names = ", ".join(shown(n) for n in self._not_utf8[:5])
            self.ledger.warn(
                "TEXT_NOT_UTF8",
                f"{segment} is not UTF-8 in {names}; read as Latin-1 (Windows-1252)",
                segment=segment,
                keyword=shown(self._not_utf8[0]),
                found="bytes that are no UTF-8",
                expected="ASCII or UTF-8",
                fix="check accented letters in these values",
            )

    def _note_junk(self, n: int, raw_key: bytes, segment: str) -> None:
        self.ledger.warn(
            "TEXT_LEFTOVER",
            f"{segment} holds bytes that are no text from its keyword {len(self.values) + 1} on; "
            f"{n} keywords and values from there on were passed over",
            segment=segment,
            found=shown(raw_key[:40].decode("latin-1")),
            expected="printable keywords",
            fix="export the file again: TEXT is damaged, or its end in HEADER",
        )

    def _note_clash(self, name: str, value: str, segment: str) -> None:
        message = f"{shown(name)} stands twice, with '{shown(self.values[name])}' and '{shown(value)}'"
        fix = "export the file again, or read it leniently: the first counts"
        note = self.ledger.guess if _STRUCTURAL.fullmatch(name) else self.ledger.warn
        note(
            "KEYWORD_REPEATED",
            message,
            segment=segment,
            keyword=shown(name),
            found=shown(value),
            expected="each keyword once",
            fix=fix,
        )


def _locate_supplemental(values: Mapping[str, str], text: Span, size: int, ledger: Ledger) -> Span | None:
    begin, end = (parse_integer(values.get(k, "").strip() or "0") for k in ("$BEGINSTEXT", "$ENDSTEXT"))
    if begin == 0 and end in (0, None):
        return None
    if begin == text.begin and end == text.end:
        return None
    if begin is None or end is None or begin < HEADER_LENGTH or end <= begin or end >= size:
        ledger.warn(
            "SUPPLEMENTAL_TEXT",
            f"$BEGINSTEXT and $ENDSTEXT say '{shown(values.get('$BEGINSTEXT', ''))}' and "
            f"'{shown(values.get('$ENDSTEXT', ''))}', where no supplemental TEXT can be in {size} bytes",
            segment="SUPPLEMENTAL TEXT",
            keyword="$BEGINSTEXT",
            found=shown(f"{values.get('$BEGINSTEXT', '')} to {values.get('$ENDSTEXT', '')}"),
            expected=f"two offsets between {HEADER_LENGTH} and {size - 1}, or 0 and 0",
            fix="keywords of the supplemental TEXT are lost; export the file again if they matter",
        )
        return None
    return Span(begin, end)


def _add_supplemental(
    source: Source, header: Header, span: Span, delimiter: bytes, table: _Table, ledger: Ledger
) -> None:
    segment = _bytes(source, header, span)
    if segment[:1] != delimiter:
        ledger.warn(
            "SUPPLEMENTAL_TEXT",
            f"supplemental TEXT at byte {span.begin} does not begin with the delimiter of TEXT; it was passed over",
            segment="SUPPLEMENTAL TEXT",
            keyword="$BEGINSTEXT",
            byte_range=_absolute(header, span),
            found=shown(segment[:8].decode("latin-1")),
            expected=shown(delimiter.decode("latin-1")),
            fix="keywords of the supplemental TEXT are lost; export the file again if they matter",
        )
        return
    tokens = _split(segment, ledger, "SUPPLEMENTAL TEXT", span, header)
    table.add(tokens, "SUPPLEMENTAL TEXT")
    table.note_encoding("SUPPLEMENTAL TEXT")
