"""Where DATA lies and how many events it holds: HEADER, TEXT and sizes weighed against each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cytometry.io.fcs.crc import CRC_LENGTH
from cytometry.io.fcs.evidence import Evidence
from cytometry.io.fcs.header import Header, Span
from cytometry.io.fcs.keywords import Keywords
from cytometry.io.fcs.layout import Layout
from cytometry.io.fcs.ledger import Ledger, shown
from cytometry.io.fcs.numbers import parse_integer
from cytometry.io.fcs.source import HEADER_LENGTH, Source

_COPY = "copy the file again from the instrument, or export it again; read leniently, what is there is taken"
_HARMLESS = "nothing to do; other programs may refuse the file or read it wrongly"


_EXAMINED = 4096
_CHECK_WORD = re.compile(rb"[0-9A-Fa-f]{8}")

Weigh = Callable[[int, int], Evidence]
"""Evidence for DATA that begins at a byte of the data set and holds so many events."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where DATA lies.

    Parameters
    ----------
    begin
        First byte, from the start of the data set.
    n_events
        How many events are to be read.
    """

    begin: int
    n_events: int


@dataclass(frozen=True, slots=True)
class _Claim:
    """One segment's word on where DATA lies."""

    by: str
    span: Span

    @property
    def says(self) -> str:
        """Who says it, as the begin of a sentence."""
        return f"{self.by} {'say' if ' and ' in self.by else 'says'}"


@dataclass(frozen=True, eq=False)
class _Case:
    """What is known when DATA is looked for; offsets count from the start of the data set."""

    source: Source
    base: int
    size: int
    text: Span
    others: tuple[Span, ...]
    layout: Layout
    weigh: Weigh
    ledger: Ledger

    def limit(self, end: int) -> int:
        """First byte behind DATA that belongs to something else, if DATA ends about ``end``."""
        return min([self.size, *(s.begin for s in self.others if s.begin > end)])

    def byte_range(self, begin: int, end: int) -> tuple[int, int]:
        return self.base + begin, self.base + max(begin, end)

    def is_usable(self, begin: int) -> bool:
        return HEADER_LENGTH <= begin <= self.size and not self.text.begin <= begin <= self.text.end

    def abuts(self, at: int) -> bool:
        """Whether DATA may end just before byte ``at``: there the file, padding, a check word or a segment follows."""
        if at == self.size or any(s.begin == at for s in self.others):
            return True
        behind = bytes(self.source.data[self.base + at : self.base + min(self.size, at + _EXAMINED)])
        rest = behind.lstrip(b"\0 ")
        return not rest or bool(_CHECK_WORD.match(rest) and len(rest.rstrip(b"\0 \r\n")) <= CRC_LENGTH)

    def is_padding(self, begin: int, end: int) -> bool:
        """Whether the bytes from ``begin`` up to, not including, ``end`` are one byte repeated, or none."""
        block = bytes(self.source.data[self.base + begin : self.base + end])
        return len(set(block)) <= 1


def locate_data(
    source: Source,
    header: Header,
    keywords: Keywords,
    size: int,
    layout: Layout,
    total: int | None,
    weigh: Weigh,
    ledger: Ledger,
) -> Place:
    """Decide where DATA begins and how many events there are, and record why.

    Raises
    ------
    FcsError
        Nothing fits, or (strict) the evidence does not decide.
    """
    analysis = _text_span(keywords, "$BEGINANALYSIS", "$ENDANALYSIS", ledger)
    for segment in (header.analysis, analysis):
        if segment is not None and segment.begin and segment.end >= size:
            ledger.warn(
                "ANALYSIS_OUTSIDE",
                f"ANALYSIS should lie at bytes {segment.begin} to {segment.end}; the data set has {size} bytes",
                segment="ANALYSIS",
                keyword="$ENDANALYSIS",
                found=f"{size} bytes",
                expected=f"at least {segment.end + 1} bytes",
                fix="events are not touched; the file may have been cut off behind them",
            )
            break
    supplemental = _text_span(keywords, "$BEGINSTEXT", "$ENDSTEXT", Ledger(ledger.file))
    others = tuple(s for s in (header.analysis, analysis, supplemental, keywords.text) if s is not None and s.begin)
    case = _Case(source, header.base, size, keywords.text, others, layout, weigh, ledger)
    claims = _claims(header, keywords, case)
    usable = [c for c in claims if case.is_usable(c.span.begin)]
    if total is None:
        return _count_by_length(case, usable, claims, header)
    if total == 0:
        return _nothing_there(case, usable)
    need = layout.data_bytes(total)
    if not usable:
        return _infer_begin(case, claims, total)
    begin = _choose_begin(case, usable, total, need)
    spans = [c for c in usable if c.span.begin == begin]
    return _check_length(case, spans, total, need)


def data_claims(header: Header, keywords: Keywords) -> tuple[Span, ...]:
    """Lengths that HEADER and TEXT give for DATA, for choosing between ways of packing."""
    begin, end = (parse_integer(keywords.get(k)) for k in ("$BEGINDATA", "$ENDDATA"))
    spans = [header.data, Span(begin, end) if begin and end else None]
    return tuple(s for s in spans if s is not None and s.is_given)


def last_byte(header: Header, keywords: Keywords, place: Place, layout: Layout) -> int:
    """Last byte of the last segment, from the start of the data set: the CRC stands behind it."""
    ends = [keywords.text.end, place.begin + layout.data_bytes(place.n_events) - 1]
    for first, last in (("$BEGINANALYSIS", "$ENDANALYSIS"), ("$BEGINSTEXT", "$ENDSTEXT")):
        span = _text_span(keywords, first, last, Ledger(""))
        ends.append(span.end if span is not None and span.begin else 0)
    ends.append(header.analysis.end if header.analysis is not None and header.analysis.begin else 0)
    return max(ends)


def _text_span(keywords: Keywords, first: str, last: str, ledger: Ledger) -> Span | None:
    values = []
    for keyword in (first, last):
        text = keywords.get(keyword)
        value = parse_integer(text) if text else 0
        if value is None or value < 0:
            ledger.warn(
                "OFFSET",
                f"{keyword} is '{shown(text)}', which is no offset; it was passed over",
                segment="TEXT",
                keyword=keyword,
                found=shown(text),
                expected="a number ≥ 0 in ASCII digits",
                fix="export the file again if other findings show that it mattered",
            )
            return None
        values.append(value)
    return Span(*values) if values[0] > 0 or values[1] > 0 else None


def _claims(header: Header, keywords: Keywords, case: _Case) -> list[_Claim]:
    in_header = header.data if header.data is not None and header.data.begin > 0 else None
    in_text = _text_span(keywords, "$BEGINDATA", "$ENDDATA", case.ledger)
    if in_text is not None and in_text.begin <= 0:
        in_text = None
    claims = []
    if in_header is not None:
        claims.append(_Claim("HEADER" if in_header != in_text else "HEADER and TEXT", in_header))
    if in_text is not None and in_text != in_header:
        claims.append(_Claim("TEXT", in_text))
    for claim in claims:
        begin = claim.span.begin
        if not case.is_usable(begin):
            why = "inside TEXT" if case.text.begin <= begin <= case.text.end else f"outside the {case.size} bytes"
            note = case.ledger.warn if begin < case.size else case.ledger.guess
            note(
                "DATA_BEGIN",
                f"{claim.says} DATA begins ($BEGINDATA) at byte {begin}, {why} of the data set"
                if why.startswith("outside")
                else f"{claim.says} DATA begins ($BEGINDATA) at byte {begin}, {why}, bytes {case.text.begin} to "
                f"{case.text.end}",
                segment="DATA",
                keyword="$BEGINDATA",
                found=str(begin),
                expected=f"from {case.text.end + 1} to {case.size - 1}",
                fix=_COPY,
            )
    return claims


def _choose_begin(case: _Case, usable: Sequence[_Claim], total: int, need: int) -> int:
    begins = list(dict.fromkeys(c.span.begin for c in usable))
    if len(begins) == 1:
        return begins[0]
    evidence = {b: case.weigh(b, total) for b in begins}
    fits = [b for b in begins if b + need <= case.size]
    exact = [c.span.begin for c in usable if c.span.length == need and c.span.begin in fits]
    chosen, why = _decide(begins, fits, exact, evidence)
    told = "; ".join(f"{c.says} {c.span.begin} to {c.span.end} ({evidence[c.span.begin]})" for c in usable)
    if chosen is not None:
        case.ledger.warn(
            "DATA_OFFSETS_DISAGREE",
            f"$BEGINDATA and HEADER disagree on where DATA lies: {told}; {chosen} was used, since {why}",
            segment="DATA",
            keyword="$BEGINDATA",
            byte_range=case.byte_range(chosen, chosen + need - 1),
            found=", ".join(str(b) for b in begins),
            expected=str(chosen),
            fix="compare a few values with the instrument's software; other programs may read shifted values",
        )
        return chosen
    case.ledger.guess(
        "DATA_OFFSETS_DISAGREE",
        f"$BEGINDATA and HEADER disagree on where DATA lies, and the values do not tell who is right: {told}",
        segment="DATA",
        keyword="$BEGINDATA",
        byte_range=case.byte_range(min(begins), max(begins)),
        found=", ".join(str(b) for b in begins),
        expected="one begin of DATA",
        fix=f"export the file again; read leniently, {usable[0].by} counts",
    )
    return (exact or fits or begins)[0]


def _decide(
    begins: Sequence[int], fits: Sequence[int], exact: Sequence[int], evidence: dict[int, Evidence]
) -> tuple[int | None, str]:
    best = [b for b in begins if all(evidence[b].beats(evidence[o]) for o in begins if o != b)]
    if best:
        return best[0], "there the values look like measurements and elsewhere not"
    beaten = {b for b in begins if any(evidence[o].beats(evidence[b]) for o in begins if o != b)}
    if len(fits) == 1 and fits[0] not in beaten:
        return fits[0], "only there $TOT events fit into the file"
    left = [b for b in dict.fromkeys(exact) if b not in beaten]
    if len(left) == 1:
        return left[0], "only there begin, end and $TOT agree"
    return None, ""


def _check_length(case: _Case, claims: Sequence[_Claim], total: int, need: int) -> Place:
    begin = claims[0].span.begin
    ends = {c.span.end for c in claims}
    right_end = begin + need - 1
    if right_end in ends and right_end < case.size:
        wrong = [c for c in claims if c.span.end != right_end]
        for claim in wrong:
            _warn_end(case, claim, begin, right_end, "begin, $TOT and the other segment fit together")
        _note_overlap(case, begin, right_end)
        return Place(begin, total)
    claim = claims[0]
    excess = claim.span.length - need
    room = case.limit(min(claim.span.end, case.size)) - begin
    if need > room and excess >= 0:
        return _cut_off(case, claim, total, need)
    if need > room or (excess < -1 and claim.span.end > 0):
        return _too_few(case, claim, total, need, room)
    if claim.span.end <= 0 or claim.span.end >= case.size:
        _warn_end(case, claim, begin, right_end, "begin and $TOT fit into the file")
        return Place(begin, total)
    return _misfit(case, claim, total, need, excess)


def _misfit(case: _Case, claim: _Claim, total: int, need: int, excess: int) -> Place:
    """Begin, end and ``$TOT`` do not fit together: which one the rest of the file supports."""
    begin, end = claim.span.begin, claim.span.end
    by_begin, by_end = case.abuts(begin + need), case.abuts(end + 1)
    if by_begin and not by_end:
        _warn_end(case, claim, begin, begin + need - 1, "begin and $TOT reach just to what follows DATA")
        return Place(begin, total)
    here, later = case.weigh(begin, total), case.weigh(begin + excess, total)
    if by_end and not by_begin and case.is_usable(begin + excess):
        doubtful = later.is_bad or here.beats(later) or abs(excess) >= max(2, case.layout.event_bits // 8)
        if not doubtful:
            case.ledger.warn(
                "DATA_BEGIN",
                f"{claim.says} DATA begins at byte {begin}; $TOT, the end and what follows it agree on "
                f"{begin + excess}, which was used ({later})",
                segment="DATA",
                keyword="$BEGINDATA",
                byte_range=case.byte_range(begin + excess, end),
                found=str(begin),
                expected=str(begin + excess),
                fix="compare a few values with the instrument's software",
            )
            return Place(begin + excess, total)
    begins_clean = case.is_padding(case.text.end + 1, begin) if case.text.end < begin else True
    if (by_end and not by_begin) or (excess < 0 and not begins_clean):
        case.ledger.guess(
            "DATA_BEGIN",
            f"{claim.says} DATA lies at bytes {begin} to {end}, which is {abs(excess)} bytes "
            f"{'more' if excess > 0 else 'less'} than $TOT {total} needs; what stands around it "
            "speaks against the begin",
            segment="DATA",
            keyword="$BEGINDATA",
            byte_range=case.byte_range(begin, end),
            found=str(begin),
            expected=str(begin + excess),
            fix="export the file again; read leniently, the end counts",
        )
        return Place(begin + excess, total) if case.is_usable(begin + excess) else Place(begin, total)
    if abs(excess) == 1 and not later.beats(here):
        _warn_end(case, claim, begin, begin + need - 1, "begin and $TOT fit into the file, and an end is often one off")
        return Place(begin, total)
    if excess < 0:
        return _too_few(case, claim, total, need, case.limit(min(end, case.size)) - begin)
    return _too_many(case, claim, total, need, excess, by_begin=by_begin)


def _warn_end(case: _Case, claim: _Claim, begin: int, right_end: int, why: str) -> None:
    case.ledger.warn(
        "DATA_END",
        f"{claim.says} DATA ends at byte {claim.span.end} ($ENDDATA); it ends at {right_end}, since {why}",
        segment="DATA",
        keyword="$ENDDATA",
        byte_range=case.byte_range(begin, right_end),
        found=str(claim.span.end),
        expected=str(right_end),
        fix=_HARMLESS,
    )


def _note_overlap(case: _Case, begin: int, end: int) -> None:
    for other in case.others:
        if other.begin <= end and other.end >= begin and other.end >= other.begin:
            case.ledger.warn(
                "SEGMENTS_OVERLAP",
                f"another segment is said to lie at bytes {other.begin} to {other.end}, inside DATA "
                f"({begin} to {end}), which agrees with $TOT",
                segment="DATA",
                byte_range=case.byte_range(begin, end),
                found=f"{other.begin} to {other.end}",
                expected="segments apart from each other",
                fix=_HARMLESS,
            )


def _cut_off(case: _Case, claim: _Claim, total: int, need: int) -> Place:
    begin = claim.span.begin
    moved = _begin_by_end(case, claim, total, need)
    if moved is not None:
        return moved
    there = max(0, min(case.layout.events_in(case.size - begin), total))
    case.ledger.guess(
        "DATA_TRUNCATED",
        f"DATA is cut off: $TOT says {total} events, {need} bytes from byte {begin} on; "
        f"the file ends after {there} whole events, {begin + need - case.size} bytes are missing",
        segment="DATA",
        keyword="$TOT",
        byte_range=case.byte_range(begin, begin + need - 1),
        found=f"{max(0, case.size - begin)} bytes, {there} events",
        expected=f"{need} bytes, {total} events",
        fix=_COPY,
    )
    return Place(begin, there)


def _begin_by_end(case: _Case, claim: _Claim, total: int, need: int) -> Place | None:
    """DATA pushed back from its end, where that lands right behind TEXT and the values agree."""
    for end in dict.fromkeys((claim.span.end, case.size - 1, case.size - 1 - CRC_LENGTH)):
        begin = end + 1 - need
        if end >= case.size or begin == claim.span.begin or begin != case.text.end + 1:
            continue
        if begin < claim.span.begin and case.is_padding(begin, claim.span.begin):
            continue  # what stands before the declared begin is no event
        here, there = case.weigh(begin, total), case.weigh(claim.span.begin, total)
        if here.is_bad or there.beats(here):
            continue
        case.ledger.warn(
            "DATA_BEGIN",
            f"{claim.says} DATA begins at byte {claim.span.begin}; $TOT, the end and the end of TEXT agree on "
            f"{begin}, which was used ({here})",
            segment="DATA",
            keyword="$BEGINDATA",
            byte_range=case.byte_range(begin, end),
            found=str(claim.span.begin),
            expected=str(begin),
            fix="compare a few values with the instrument's software",
        )
        return Place(begin, total)
    return None


def _too_few(case: _Case, claim: _Claim, total: int, need: int, room: int) -> Place:
    """DATA is shorter than ``$TOT`` asks for."""
    begin, end = claim.span.begin, claim.span.end
    event_bytes = max(1, case.layout.event_bits // 8)
    is_all = room - need < event_bytes or case.is_padding(begin + need, begin + room)
    if need <= room and (is_all or need == room - CRC_LENGTH):
        _warn_end(case, claim, begin, begin + need - 1, "begin and $TOT reach just to the end of the file")
        return Place(begin, total)
    moved = _begin_by_end(case, claim, total, need)
    if moved is not None:
        return moved
    length = min(claim.span.length, room) if end > 0 else room
    there = max(0, case.layout.events_in(length))
    rest = "" if case.layout.data_bytes(there) == length else " and a part"
    case.ledger.guess(
        "TOT_TOO_LARGE",
        f"$TOT says {total} events, {need} bytes; DATA holds {there} events{rest}, {length} bytes",
        segment="DATA",
        keyword="$TOT",
        byte_range=case.byte_range(begin, begin + max(length, 1) - 1),
        found=f"$TOT {total}",
        expected=f"{there} events by the size of DATA",
        fix=_COPY,
    )
    return Place(begin, there)


def _too_many(case: _Case, claim: _Claim, total: int, need: int, excess: int, *, by_begin: bool) -> Place:
    """DATA is longer than ``$TOT`` asks for, and the file has all of it."""
    begin, end = claim.span.begin, claim.span.end
    event_bytes = max(1, case.layout.event_bits // 8)
    here, later = case.weigh(begin, total), case.weigh(begin + excess, total)
    if later.beats(here):
        case.ledger.guess(
            "DATA_BEGIN",
            f"DATA is {excess} bytes longer than $TOT {total} asks for, and the values look right from byte "
            f"{begin + excess} on ({later}), not from {begin} on ({here})",
            segment="DATA",
            keyword="$BEGINDATA",
            byte_range=case.byte_range(begin, end),
            found=str(begin),
            expected=str(begin + excess),
            fix="export the file again; read leniently, the later begin counts",
        )
        return Place(begin + excess, total)
    behind = case.weigh(begin + need, excess // event_bytes)
    is_foreign = not here.is_bad and here.beats(behind) and behind.is_bad
    if case.is_padding(begin + need, end + 1) or (by_begin and excess < event_bytes and not here.is_bad) or is_foreign:
        case.ledger.warn(
            "DATA_PADDING",
            f"DATA ends with {excess} bytes that are no event: {claim.says} bytes {begin} to {end} ($ENDDATA), "
            f"$TOT {total} needs up to {begin + need - 1}",
            segment="DATA",
            keyword="$ENDDATA",
            byte_range=case.byte_range(begin + need, end),
            found=str(end),
            expected=str(begin + need - 1),
            fix=_HARMLESS,
        )
        return Place(begin, total)
    there = case.layout.events_in(claim.span.length)
    whole = case.layout.data_bytes(there) == claim.span.length
    case.ledger.guess(
        "TOT_TOO_SMALL",
        f"$TOT says {total} events, {need} bytes; DATA holds {there} events{'' if whole else ' and a part'}, "
        f"{claim.span.length} bytes",
        segment="DATA",
        keyword="$TOT",
        byte_range=case.byte_range(begin, end),
        found=f"$TOT {total}",
        expected=f"{there} events by the size of DATA",
        fix=_COPY,
    )
    return Place(begin, there if whole else total)


def _nothing_there(case: _Case, usable: Sequence[_Claim]) -> Place:
    for claim in [c for c in usable if c.span.length > 1][:1]:
        there = case.layout.events_in(min(claim.span.length, case.size - claim.span.begin))
        if there and not case.is_padding(claim.span.begin, claim.span.end + 1):
            case.ledger.guess(
                "TOT_TOO_SMALL",
                f"$TOT says 0 events; DATA holds {there} events, {claim.span.length} bytes",
                segment="DATA",
                keyword="$TOT",
                byte_range=case.byte_range(claim.span.begin, claim.span.end),
                found="$TOT 0",
                expected=f"{there} events by the size of DATA",
                fix=_COPY,
            )
            return Place(claim.span.begin, there)
    begin = usable[0].span.begin if usable else case.text.end + 1
    case.ledger.info(
        "NO_EVENTS",
        "the data set has no events ($TOT is 0)",
        segment="DATA",
        keyword="$TOT",
        found="0",
        fix="nothing to do; check that the tube was meant to be empty",
    )
    return Place(begin, 0)


def _infer_begin(case: _Case, claims: Sequence[_Claim], total: int | None) -> Place:
    """No usable offset: only the sizes are left."""
    begin = case.text.end + 1
    room = max(0, case.size - begin)
    told = "; ".join(f"{c.says} {c.span.begin} to {c.span.end}" for c in claims) or "neither HEADER nor TEXT says"
    for length in (room, room - CRC_LENGTH):
        n = case.layout.events_in(max(0, length))
        here = case.weigh(begin, n)
        if n > 0 and total in (n, None) and case.layout.data_bytes(n) == length and not here.is_bad:
            case.ledger.warn(
                "DATA_BEGIN",
                f"where DATA begins cannot be used ({told}); it was read from byte {begin} on, right behind TEXT, "
                f"since {n} events from there on reach just to the end of the file ({here})",
                segment="DATA",
                keyword="$BEGINDATA",
                byte_range=case.byte_range(begin, begin + length - 1),
                found=told,
                expected=str(begin),
                fix="compare a few values with the instrument's software",
            )
            return Place(begin, n)
    need = "" if total is None else f"; $TOT {total} events need {case.layout.data_bytes(total)} bytes"
    return case.ledger.refuse(
        "DATA_NOT_FOUND",
        f"DATA cannot be found: {told}{need}; "
        f"behind TEXT there are {room} bytes ({case.layout.events_in(room)} events)",
        segment="DATA",
        keyword="$BEGINDATA",
        byte_range=case.byte_range(begin, case.size - 1),
        found=told,
        expected=f"an offset from {begin} to {case.size - 1}",
        fix=_COPY,
    )


def _count_by_length(case: _Case, usable: Sequence[_Claim], claims: Sequence[_Claim], header: Header) -> Place:
    """``$TOT`` is optional in FCS 2.0, and missing in some later files: the size of DATA counts."""
    if not usable:
        return _infer_begin(case, claims, None)
    options: dict[int, tuple[int, _Claim]] = {}
    for claim in usable:
        for length in (claim.span.length, claim.span.length - 1):
            n = case.layout.events_in(length)
            if length >= 0 and case.layout.data_bytes(n) == length and claim.span.begin + length <= case.size:
                options.setdefault(claim.span.begin, (n, claim))
    if len(options) > 1:
        need = {b: case.layout.data_bytes(n) for b, (n, _) in options.items()}
        begin = _choose_begin(
            case, [c for _, c in options.values()], min(n for n, _ in options.values()), min(need.values())
        )
    elif options:
        begin = next(iter(options))
    else:
        claim = usable[0]
        there = max(0, case.layout.events_in(min(claim.span.length, case.size - claim.span.begin)))
        case.ledger.guess(
            "TOT_MISSING",
            f"$TOT is missing, and DATA at bytes {claim.span.begin} to {claim.span.end} of {case.size} holds no whole "
            f"number of events ({there} and a part)",
            segment="DATA",
            keyword="$TOT",
            byte_range=case.byte_range(claim.span.begin, claim.span.end),
            found=f"{claim.span.length} bytes",
            expected=f"a multiple of {case.layout.event_bits / 8:g} bytes",
            fix=_COPY,
        )
        return Place(claim.span.begin, there)
    n, claim = options[begin]
    note = case.ledger.info if header.generation < 3 else case.ledger.warn
    note(
        "TOT_MISSING",
        f"$TOT is missing; DATA at bytes {begin} to {claim.span.end} holds {n} whole events",
        segment="TEXT",
        keyword="$TOT",
        byte_range=case.byte_range(begin, claim.span.end),
        found="nothing",
        expected=str(n),
        fix="nothing to do if that is the number of events that was recorded",
    )
    return Place(begin, n)
