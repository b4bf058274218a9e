"""Everything about one data set that can be known without reading its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cytometry.io.fcs.columns import MappedColumns
from cytometry.io.fcs.contradiction import check_displaced, check_values
from cytometry.io.fcs.evidence import Evidence, weigh
from cytometry.io.fcs.header import Header, read_header
from cytometry.io.fcs.keywords import Keywords, read_keywords
from cytometry.io.fcs.layout import Layout, packed
from cytometry.io.fcs.ledger import Ledger
from cytometry.io.fcs.parameters import Description, Parameter, describe
from cytometry.io.fcs.segments import data_claims, last_byte, locate_data
from cytometry.io.fcs.source import Source
from cytometry.io.fcs.spill import read_spillover
from cytometry.io.fcs.transfer import check_behind, check_transfer
from cytometry.model.channels import Channel
from cytometry.model.spillover import Spillover

_WORDS = (8, 16, 32, 64)


@dataclass(frozen=True, eq=False)
class Survey:
    """One data set, ready to be read.

    Parameters
    ----------
    version
        ``FCS3.1``.
    keywords
        All of TEXT.
    channels
        In file order.
    columns
        The events, mapped.
    spillover
        The acquisition matrix.
    data_type, byte_order
        As in ``$DATATYPE`` and ``$BYTEORD``.
    """

    version: str
    keywords: Mapping[str, str]
    channels: tuple[Channel, ...]
    columns: MappedColumns
    spillover: Spillover | None
    data_type: str
    byte_order: str


def survey_dataset(source: Source, base: int, limit: int, ledger: Ledger) -> Survey:
    """Read HEADER and TEXT at ``base``, find DATA, and check all against each other.

    Nothing is allocated by what the file claims: DATA is mapped after its
    place is known to lie within the file.

    Raises
    ------
    FcsError
        The data set cannot be read, or (strict) not without a guess.
    """
    header = read_header(source, base, ledger)
    keywords = read_keywords(source, header, limit, ledger)
    description = describe(keywords, header, ledger)
    layout, parameters = _choose_layout(description, header, keywords, ledger)
    ledger.check()

    def evidence(begin: int, n_events: int) -> Evidence:
        return weigh(source.data, base + begin, n_events, layout, parameters)

    place = locate_data(source, header, keywords, limit - base, layout, description.total, evidence, ledger)
    ledger.check()
    check_transfer(source, base + place.begin, layout, place.n_events, ledger)
    ledger.check()
    way = check_values(source, base, place, layout, parameters, ledger)
    if way is not None:
        place, layout, parameters = way.place, way.layout, way.parameters
    ledger.check()
    end = base + last_byte(header, keywords, place, layout)
    behind = check_behind(source, end, limit, ledger)
    check_displaced(source, base + place.begin, place.n_events, layout, parameters, behind, ledger)
    ledger.check()
    channels = tuple(p.channel for p in parameters)
    return Survey(
        version=header.version,
        keywords=MappingProxyType(dict(keywords.values)),
        channels=channels,
        columns=MappedColumns(
            source,
            base + place.begin,
            place.n_events,
            layout,
            parameters,
            ledger.strict,
            ledger.dataset or 0,
            (base, limit),
            end,
        ),
        spillover=read_spillover(keywords, channels, ledger),
        data_type=keywords.get("$DATATYPE").upper(),
        byte_order=str(description.order),
    )


def _choose_layout(
    description: Description, header: Header, keywords: Keywords, ledger: Ledger
) -> tuple[Layout, tuple[Parameter, ...]]:
    """Pack the parameters as the keywords say, unless only another way fits the size of DATA."""
    claims = data_claims(header, keywords)
    total = description.total

    def fits(layout: Layout) -> bool:
        # One byte more is the commonest slip of all: an end that counts as exclusive.
        return bool(total) and any(s.length - layout.data_bytes(total or 0) in (0, 1) for s in claims)

    _check_orders(description, ledger)
    described = description.described
    claimed = len(description.parameters)
    first = description.parameters
    options = list(_packings(first, description))
    if not options:
        ledger.check()
        ledger.refuse(
            "BITS",
            "the width of an integer is unknown, and no width fits the size of DATA",
            segment="TEXT",
            keyword="$PnB",
            found="no $PnB",
            expected="1 to 64 bits",
            fix="export the file again",
        )
    chosen = next((o for o in options if fits(o[0])), options[0])
    if described > claimed:
        _note_undescribed(description, keywords, fits(chosen[0]), claims, ledger)
    if chosen is not options[0]:
        ledger.warn(
            "DATA_PACKING",
            f"DATA has the size of {chosen[1]}, not of {options[0][1]} ($PnB), and was read so",
            segment="DATA",
            keyword="$PnB",
            found=", ".join(str(s.length) for s in claims) + " bytes",
            expected=f"{options[0][0].data_bytes(total or 0)} bytes",
            fix="compare a few values with the instrument's software",
        )
    return chosen[0], first


def _check_orders(description: Description, ledger: Ledger) -> None:
    order = description.order
    widths = {(p.bits or 8) // 8 for p in description.parameters}
    if len(order.digits) not in {1, 2, 4, 8} | widths:
        ledger.warn(
            "BYTEORD",
            f"$BYTEORD {order} orders {len(order.digits)} bytes, which no value has; it was read as "
            f"{'most' if order.is_big else 'least'} significant byte first",
            segment="TEXT",
            keyword="$BYTEORD",
            found=str(order),
            expected="1,2,3,4 or 4,3,2,1",
            fix="compare a few values with the instrument's software",
        )
    if not order.is_mixed:
        return
    for parameter in description.parameters:
        bits = parameter.bits or 8
        if bits % 8 or description.order.for_width(bits // 8) is None:
            ledger.error(
                "BYTEORD",
                f"$BYTEORD {description.order} does not say in which order {bits} bits of "
                f"$P{parameter.channel.index + 1}B stand",
                segment="TEXT",
                keyword="$BYTEORD",
                found=str(description.order),
                expected=f"an order of {max(1, bits // 8)} bytes, or one that rises or falls throughout",
                fix="export the file again with $BYTEORD 1,2,3,4",
            )
            return


def _packings(parameters: Sequence[Parameter], description: Description) -> Iterator[tuple[Layout, str]]:
    kinds = [p.kind for p in parameters]
    masks = [p.mask for p in parameters]
    known = [p.bits for p in parameters]
    guesses = [known] if None not in known else [[w if b is None else b for b in known] for w in (16, 32, 8, 64, 24)]
    for widths in guesses:
        bits = [b for b in widths if b is not None]
        order = description.order
        # A mask as wide as the value keeps all of it; it was chosen before a missing width was.
        kept = [m if m is not None and m.bit_length() < b else None for m, b in zip(masks, bits, strict=True)]
        yield packed(kinds, bits, kept, order), f"values of {'/'.join(str(b) for b in sorted(set(bits)))} bits"
        if any(b % 8 for b in bits):
            # FCS 3.0 packs such values without a gap; some writers fill up the event, or each value.
            yield packed(kinds, bits, kept, order, align_event=8), "events filled up to whole bytes"
            words = [next(w for w in _WORDS if w >= b) for b in bits]
            within = [m if m is not None else (1 << b) - 1 for m, b in zip(kept, bits, strict=True)]
            yield packed(kinds, words, within, order), "values filled up to whole words"


def _note_undescribed(
    description: Description, keywords: Keywords, fits: bool, claims: Sequence[object], ledger: Ledger
) -> None:
    claimed, described = description.claimed, description.described
    message = f"$PAR says {claimed} parameters; {described} are described, up to $P{described}N"
    if fits:
        ledger.warn(
            "PAR_STALE",
            f"{message}; the size of DATA agrees with $PAR",
            segment="TEXT",
            keyword="$PAR",
            found=str(described),
            expected=str(claimed),
            fix="nothing to do; a program took away channels and left their keywords",
        )
        return
    ledger.error(
        "PAR",
        f"{message}, and the size of DATA does not agree with $PAR",
        segment="TEXT",
        keyword="$PAR",
        found=str(claimed),
        expected=str(described),
        fix="export the file again: $PAR, or the keywords of a channel, are wrong",
    )
