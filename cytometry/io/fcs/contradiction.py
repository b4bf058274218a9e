"""Notice a file whose values show that a keyword is wrong, though all sizes agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cytometry.io.fcs.byteorder import ByteOrder
from cytometry.io.fcs.evidence import weigh
from cytometry.io.fcs.layout import Kind, Layout, packed
from cytometry.io.fcs.ledger import Ledger
from cytometry.io.fcs.parameters import Parameter
from cytometry.io.fcs.segments import Place
from cytometry.io.fcs.source import Source

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
    here = weigh(source.data, base + place.begin, place.n_events, layout, parameters)
    if not here.is_bad:
        return None
    for way in _other_ways(place, layout, parameters):
        if base + way.place.begin + way.layout.data_bytes(place.n_events) > source.size:
            continue
        there = weigh(source.data, base + way.place.begin, place.n_events, way.layout, way.parameters)
        if there.is_clean and there.beats(here):
            ledger.guess(
                "DATA_CONTRADICTS",
                f"the values contradict {way.keyword}: read as it says, {here}; with {way.what}, {there}",
                segment="DATA",
                keyword=way.keyword,
                byte_range=(base + place.begin, base + place.begin + layout.data_bytes(place.n_events) - 1),
                found=str(here),
                expected=way.what,
                fix=f"export the file again; read leniently, {way.what} counts",
            )
            return way
    if here.sane is not None and here.sane < 0.5:
        ledger.warn(
            "DATA_IMPLAUSIBLE",
            f"the values do not look like measurements: {here}",
            segment="DATA",
            byte_range=(base + place.begin, base + place.begin + layout.data_bytes(place.n_events) - 1),
            found=str(here),
            expected="finite numbers of ordinary size",
            fix="compare a few values with the instrument's software; the file may have been damaged in transfer",
        )
    return None


def _other_ways(place: Place, layout: Layout, parameters: tuple[Parameter, ...]) -> Iterator[Way]:
    if not layout.order.is_mixed:
        digits = tuple(reversed(layout.order.digits)) if len(layout.order.digits) > 1 else (4, 3, 2, 1)
        turned = replace(layout, order=ByteOrder(digits))
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
    masks = [(1 << max(int(p.channel.range) - 1, 1).bit_length()) - 1 if kind == "I" else None for p in parameters]
    described = tuple(replace(p, kind=kind, mask=m) for p, m in zip(parameters, masks, strict=True))
    return packed([kind] * len(parameters), [f.bits for f in layout.fields], masks, layout.order), described
