"""Notice a file whose values show that a keyword is wrong, though all sizes agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cytometry.io.fcs.byteorder import ByteOrder
from cytometry.io.fcs.crc import CRC_LENGTH
from cytometry.io.fcs.evidence import SAMPLED_EVENTS, Evidence, is_displaced, rising_start, shifted_columns, weigh
from cytometry.io.fcs.layout import Kind, Layout, packed
from cytometry.io.fcs.ledger import Ledger
from cytometry.io.fcs.parameters import Parameter
from cytometry.io.fcs.segments import Place
from cytometry.io.fcs.source import Source

# Fewer sane numbers than the first need a word; fewer than the second are no measurements.
_BARELY_SANE = 0.9
_HARDLY_SANE = 0.5
# Shuffled events begin with so many in order once in ten factorial times.
_RISING_BY_CHANCE = 10
# Of at most sixteen events. Numbers of impossible size are damage soon; values beyond $PnR only if they are many.
_NEARLY_ALL = 0.95
_HALF = 0.5
# A handful of events may look like anything.
_FEWEST_TO_JUDGE = 10
# Beginnings of these lengths are looked at: the break may come soon.
_HEADS = (16, 64, 256, 1024, SAMPLED_EVENTS)
# A share of fewer steps of Time than these proves nothing.
_FEWEST_TO_COMPARE = 30
_SHIFTS = tuple(s for k in range(1, 9) for s in (-k, k))


@dataclass(frozen=True, slots=True)
class Way:
    """One way of reading DATA.

    Parameters
    ----------
    what
        The keyword that would be wrong, and what it would have to be.
    keyword
        That keyword.
    """

    what: str
    keyword: str
    place: Place
    layout: Layout
    parameters: tuple[Parameter, ...]


def check_values(
    source: Source, base: int, place: Place, layout: Layout, parameters: tuple[Parameter, ...], ledger: Ledger
) -> Way | None:
    """Look whether the values are what they are said to be; a better way if they are not.

    Only a way in which everything is in order counts against what the file
    says, and only if what the file says gives plain nonsense.
    """
    if place.n_events < _FEWEST_TO_JUDGE:
        return None
    first = base + place.begin
    extent = (first, first + max(1, layout.data_bytes(place.n_events)) - 1)
    here = weigh(source.data, first, place.n_events, layout, parameters)
    if _is_broken(source, first, place, layout, parameters, ledger):
        return None
    if here.is_doubtful:
        for way in _other_ways(place, layout, parameters):
            if base + way.place.begin + way.layout.data_bytes(place.n_events) > source.size:
                continue
            there = weigh(source.data, base + way.place.begin, place.n_events, way.layout, way.parameters)
            is_right = (there.is_clean and there.beats(here)) or there.is_better_way(here)
            if is_right and (way.keyword != "$BEGINDATA" or there.shows_as_much_as(here)):
                ledger.guess(
                    "DATA_CONTRADICTS",
                    f"the values contradict {way.keyword}: read as it says, {here}; with {way.what}, {there}",
                    segment="DATA",
                    keyword=way.keyword,
                    byte_range=extent,
                    found=str(here),
                    expected=way.what,
                    fix=f"export the file again; read leniently, {way.what} counts",
                )
                return way
        if here.sane is not None and here.sane < _BARELY_SANE:
            note = ledger.guess if here.sane < _HARDLY_SANE else ledger.warn
            note(
                "DATA_IMPLAUSIBLE",
                f"the values of DATA do not look like measurements: {here}",
                segment="DATA",
                byte_range=extent,
                found=str(here),
                expected="finite numbers of ordinary size",
                fix="compare a few values with the instrument's software; the file may have been damaged in transfer",
            )
            return None
    _check_rest(source, first, place, layout, parameters, here, ledger)
    return None


def _check_rest(
    source: Source,
    first: int,
    place: Place,
    layout: Layout,
    parameters: tuple[Parameter, ...],
    begin: Evidence,
    ledger: Ledger,
) -> None:
    """Bytes lost or put in on the way shift all that follows: the events then are in order only up to there."""
    in_order = rising_start(source.data, first, place.n_events, layout, parameters)
    if begin.time_falls and in_order >= _RISING_BY_CHANCE:
        ledger.guess(
            "DATA_BROKEN",
            f"Time rises over the first {in_order} events of DATA and then no more: {begin}",
            segment="DATA",
            byte_range=(first + layout.data_bytes(in_order), first + layout.data_bytes(place.n_events) - 1),
            found=str(begin),
            expected="a Time that rises throughout",
            fix="bytes were lost or put in on the way: copy the file again from the instrument",
        )
        return
    if begin.time_falls:
        ledger.warn(
            "TIME_FALLS",
            f"Time goes back again and again over the events of DATA: {begin}",
            segment="DATA",
            keyword="$PnN",
            byte_range=(first, first + layout.data_bytes(place.n_events) - 1),
            found=str(begin),
            expected="a Time that rises",
            fix="a program may have put the events in another order; checks of quality over time do not apply",
        )
        return
    _ends_otherwise(source, first, place, layout, parameters, ledger)


def _is_broken(
    source: Source, first: int, place: Place, layout: Layout, parameters: tuple[Parameter, ...], ledger: Ledger
) -> bool:
    """Whether the first events are in order and the last are not: bytes lost or put in shift all that follows."""
    tail = min(SAMPLED_EVENTS, place.n_events // 2)
    # Whole multiples of eight events begin at whole bytes, whatever the width.
    skipped = (place.n_events - tail) // 8 * 8
    if tail < _FEWEST_TO_COMPARE or skipped == 0:
        return False
    at = first + layout.data_bytes(skipped)
    rest = weigh(source.data, at, place.n_events - skipped, layout, parameters)
    head = rest
    if rest.is_bad:
        heads = (weigh(source.data, first, min(skipped, n), layout, parameters) for n in _HEADS)
        head = next((h for h in heads if not h.is_bad and h.beats(rest)), rest)
    moved = 0 if rest.is_bad else shifted_columns(source.data, first, place.n_events, layout, parameters)
    if head is rest and not moved:
        return False
    told = f"the last stand {moved} columns beside the first" if moved else f"first {head}; last {rest}"
    ledger.guess(
        "DATA_BROKEN",
        f"the events of DATA are in order at the begin and not at the end: {told}",
        segment="DATA",
        byte_range=(at, first + layout.data_bytes(place.n_events) - 1),
        found=told,
        expected=str(head),
        fix="bytes were lost or put in on the way: copy the file again from the instrument",
    )
    return True


def _ends_otherwise(
    source: Source,
    first: int,
    place: Place,
    layout: Layout,
    parameters: tuple[Parameter, ...],
    ledger: Ledger,
) -> bool:
    """Where bytes were lost, the last events are made of what stood behind DATA."""
    skipped = (place.n_events - 1) // 8 * 8 - 8
    if skipped < _FEWEST_TO_JUDGE:
        return False
    at = first + layout.data_bytes(skipped)
    last = weigh(source.data, at, place.n_events - skipped, layout, parameters)
    before = weigh(source.data, first, skipped, layout, parameters)
    is_insane = before.sane == 1.0 and last.sane is not None and last.sane < _NEARLY_ALL
    is_outside = before.in_range == 1.0 and last.in_range is not None and last.in_range < _HALF
    if not is_insane and not is_outside:
        return False
    ledger.guess(
        "DATA_BROKEN",
        f"the last events of DATA are unlike all before: {before}; then {last}",
        segment="DATA",
        byte_range=(at, first + layout.data_bytes(place.n_events) - 1),
        found=str(last),
        expected=str(before),
        fix="bytes were lost on the way, and others took their place: copy the file again from the instrument",
    )
    return True


def check_displaced(
    source: Source,
    first: int,
    n_events: int,
    layout: Layout,
    parameters: tuple[Parameter, ...],
    behind: int,
    ledger: Ledger,
) -> None:
    """Bytes behind DATA may have been pushed there by others put in: then the last events lie so much later."""
    for moved in (behind, behind - CRC_LENGTH):
        if moved > 0 and is_displaced(source.data, first, n_events, layout, parameters, moved):
            ledger.guess(
                "DATA_BROKEN",
                f"{moved} bytes were put into DATA: its last events are like the first only {moved} bytes later",
                segment="DATA",
                byte_range=(first, first + layout.data_bytes(n_events) - 1),
                found=f"{behind} bytes behind DATA",
                expected="events that are alike from the first to the last",
                fix="copy the file again from the instrument",
            )
            return


def _other_ways(place: Place, layout: Layout, parameters: tuple[Parameter, ...]) -> Iterator[Way]:
    for digits in ((1, 2, 3, 4), (4, 3, 2, 1)):
        turned = replace(layout, order=ByteOrder(digits))
        if layout.order.is_mixed or turned.order.is_big != layout.order.is_big:
            yield Way(f"$BYTEORD {turned.order}", "$BYTEORD", place, turned, parameters)
    if all(f.bits == 32 for f in layout.fields):
        for kind in ("F", "I"):
            if all(f.kind != kind for f in layout.fields):
                as_kind = _as_kind(kind, layout, parameters)
                for order in dict.fromkeys((layout.order.digits, (1, 2, 3, 4), (4, 3, 2, 1))):
                    turned = replace(as_kind[0], order=ByteOrder(order))
                    yield Way(f"$DATATYPE {kind} and $BYTEORD {turned.order}", "$DATATYPE", place, turned, as_kind[1])
    for shift in _SHIFTS:
        if place.begin + shift > 0:
            moved = Place(place.begin + shift, place.n_events)
            yield Way(f"DATA from byte {moved.begin} on", "$BEGINDATA", moved, layout, parameters)


def _as_kind(kind: Kind, layout: Layout, parameters: tuple[Parameter, ...]) -> tuple[Layout, tuple[Parameter, ...]]:
    significant = [max(int(p.channel.range) - 1, 1).bit_length() for p in parameters]
    masks = [
        (1 << s) - 1 if kind == "I" and s < f.bits else None for s, f in zip(significant, layout.fields, strict=True)
    ]
    described = tuple(replace(p, kind=kind, mask=m) for p, m in zip(parameters, masks, strict=True))
    return packed([kind] * len(parameters), [f.bits for f in layout.fields], masks, layout.order), described
