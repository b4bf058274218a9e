"""What the keywords say of each parameter: type, width, range, scale, name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from cytometry.io.fcs.byteorder import ALLOWED, ByteOrder, parse_byte_order
from cytometry.io.fcs.header import Header
from cytometry.io.fcs.keywords import Keywords
from cytometry.io.fcs.layout import Kind
from cytometry.io.fcs.ledger import Ledger, quoted, shown
from cytometry.io.fcs.numbers import parse_number, parse_whole
from cytometry.io.fcs.scale import Scale
from cytometry.model.channels import Channel

_DESCRIBED = re.compile(r"\$P([1-9][0-9]{0,5})[NBR]", re.ASCII)
_FLOAT_BITS = MappingProxyType({"F": 32, "D": 64})
_WIDEST_INTEGER = 64
_TYPES = MappingProxyType(
    {
        "I": "unsigned integers",
        "F": "32-bit floating point",
        "D": "64-bit floating point",
    }
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as described in TEXT.

    Parameters
    ----------
    channel
        Name, marker and the keywords as written.
    kind, bits, mask
        How it is stored; ``bits`` is None where the file does not say.
    scale
        To linear values.
    """

    channel: Channel
    kind: Kind
    bits: int | None
    mask: int | None
    scale: Scale


@dataclass(frozen=True, slots=True)
class Description:
    """All that TEXT says about the events.

    Parameters
    ----------
    parameters
        In file order, as many as will be read.
    order
        Of the bytes.
    total
        ``$TOT``, None if absent.
    described
        Number of consecutive parameters that have a name, width or range.
    claimed
        ``$PAR``, None if absent.
    """

    parameters: tuple[Parameter, ...]
    order: ByteOrder
    total: int | None
    described: int
    claimed: int | None


def describe(keywords: Keywords, header: Header, ledger: Ledger) -> Description:
    """Read the keywords that fix the events' layout and scale.

    All problems are recorded before the first is raised.

    Raises
    ------
    FcsError
        A keyword that fixes the layout is missing or makes no sense.
    """
    _check_mode(keywords, header, ledger)
    kind = _data_type(keywords.get("$DATATYPE"), "$DATATYPE", ledger)
    order = _byte_order(keywords, kind, ledger)
    total = _count(keywords, "$TOT", ledger, header)
    claimed = _count(keywords, "$PAR", ledger, header)
    described = _described(keywords)
    n = _parameter_count(claimed, described, ledger)
    timestep = _timestep(keywords, ledger)
    parameters = tuple(_parameter(keywords, i, kind or "I", timestep, header, ledger) for i in range(1, n + 1))
    _check_names(parameters, ledger)
    if kind is None or order is None:
        ledger.check()
    return Description(parameters, order or ByteOrder((1, 2, 3, 4)), total, described, claimed)


def _check_mode(keywords: Keywords, header: Header, ledger: Ledger) -> None:
    mode = keywords.get("$MODE")
    names = {"C": "one correlated multivariate histogram", "U": "uncorrelated univariate histograms"}
    if mode.upper() == "L":
        return
    if mode.upper() in names:
        ledger.error(
            "MODE_HISTOGRAM",
            f"$MODE is {mode.upper()}: the file holds {names[mode.upper()]}, not events",
            segment="TEXT",
            keyword="$MODE",
            found=mode,
            expected="L (list mode)",
            fix="export the list-mode data; a histogram has no events that could be gated",
        )
    elif mode:
        ledger.guess(
            "MODE_UNKNOWN",
            f"$MODE is '{shown(mode)}'",
            segment="TEXT",
            keyword="$MODE",
            found=shown(mode),
            expected="L (list mode)",
            fix="export the file again as list mode, or read it leniently as such",
        )
    else:
        # FCS 3.2 gave up the other modes, and asks for none.
        note = ledger.info if header.generation >= 3.2 else ledger.warn
        note(
            "MODE_MISSING",
            "$MODE is missing; the file was read as list mode",
            segment="TEXT",
            keyword="$MODE",
            found="nothing",
            expected="L (list mode)",
            fix="nothing to do if the sizes of the segments agree",
        )


def _data_type(value: str, keyword: str, ledger: Ledger) -> Kind | None:
    if value.upper() in _TYPES:
        return cast(Kind, value.upper())
    what = "ASCII text, a type that FCS 3.1 gave up" if value.upper() == "A" else f"'{shown(value)}'"
    ledger.error(
        "DATATYPE",
        f"{keyword} is {what if value else 'missing'}",
        segment="TEXT",
        keyword=keyword,
        found=shown(value) or "nothing",
        expected="; ".join(f"{k} ({v})" for k, v in _TYPES.items()),
        fix="export the file again as FCS 3.1 list mode",
    )
    return None


def _byte_order(keywords: Keywords, kind: Kind | None, ledger: Ledger) -> ByteOrder | None:
    value = keywords.get("$BYTEORD")
    order = parse_byte_order(value)
    if order is None:
        ledger.guess(
            "BYTEORD",
            f"$BYTEORD is {quoted(value)}",
            segment="TEXT",
            keyword="$BYTEORD",
            found=shown(value) or "nothing",
            expected=ALLOWED,
            fix="export the file again; read leniently, it counts as 1,2,3,4 unless the values say otherwise",
        )
    return order


def _count(keywords: Keywords, keyword: str, ledger: Ledger, header: Header) -> int | None:
    text = keywords.get(keyword)
    if not text:
        return None
    value = parse_whole(text)
    if value is None or value < 0 or value >= 10**20:
        ledger.guess(
            "COUNT",
            f"{keyword} is '{shown(text)}', which is no count",
            segment="TEXT",
            keyword=keyword,
            found=shown(text),
            expected="a whole number ≥ 0 in ASCII digits",
            fix="export the file again; read leniently, the count is taken from the sizes of the segments",
        )
        return None
    return value


def _described(keywords: Keywords) -> int:
    numbers = {int(m.group(1)) for k in keywords.values if (m := _DESCRIBED.fullmatch(k))}
    n = 0
    while n + 1 in numbers:
        n += 1
    return n


def _parameter_count(claimed: int | None, described: int, ledger: Ledger) -> int:
    if claimed is None:
        ledger.warn(
            "PAR_MISSING",
            f"$PAR is missing; {described} parameters are described, from $P1N on",
            segment="TEXT",
            keyword="$PAR",
            found="nothing",
            expected=str(described),
            fix="nothing to do if the sizes of the segments agree",
        )
        return described
    if claimed == 0 or claimed > described:
        ledger.guess(
            "PAR",
            f"$PAR says {claimed} parameters; {described} are described by $PnN, $PnB, $PnR",
            segment="TEXT",
            keyword="$PAR",
            found=str(claimed),
            expected=str(described),
            fix="export the file again: keywords are missing, or $PAR is wrong",
        )
        if described == 0:
            ledger.refuse(
                "PAR",
                "no parameter is described",
                segment="TEXT",
                keyword="$P1N",
                found="nothing",
                expected="$P1N, $P1B, $P1R, …",
                fix="export the file again as FCS 3.1 list mode",
            )
        return described
    return claimed


def _timestep(keywords: Keywords, ledger: Ledger) -> float:
    text = keywords.get("$TIMESTEP")
    if not text:
        return 1.0
    value = parse_number(text)
    if value is None and re.fullmatch(r"[0-9]*,[0-9]+", text, re.ASCII):
        value = parse_number(text.replace(",", "."))
        if value is not None:
            _note_decimal_comma("$TIMESTEP", text, ledger)
    if value is None or value <= 0:
        ledger.warn(
            "TIMESTEP",
            f"$TIMESTEP is '{shown(text)}', which is no time; the time stays in ticks of the instrument",
            segment="TEXT",
            keyword="$TIMESTEP",
            found=shown(text),
            expected="seconds per tick, a number > 0",
            fix="do not read seconds off this file's time axis",
        )
        return 1.0
    return value


def _note_decimal_comma(keyword: str, text: str, ledger: Ledger) -> None:
    ledger.warn(
        "DECIMAL_COMMA",
        f"{keyword} is '{shown(text)}', written with a decimal comma",
        segment="TEXT",
        keyword=keyword,
        found=shown(text),
        expected=shown(text.replace(",", ".")),
        fix="nothing to do; other programs may read it as something else",
    )


def _parameter(
    keywords: Keywords, number: int, default: Kind, timestep: float, header: Header, ledger: Ledger
) -> Parameter:
    kind = default
    own_type = keywords.get(f"$P{number}DATATYPE")
    if own_type:
        kind = _data_type(own_type, f"$P{number}DATATYPE", ledger) or default
    bits = _bits(keywords, number, kind, ledger)
    top = _range(keywords, number, kind, ledger)
    decades, offset, trouble = _amplification(keywords, number, kind, ledger)
    gain, gain_trouble = _gain(keywords, number, ledger)
    channel = Channel(
        index=number - 1,
        name=_name(keywords, number, ledger),
        marker=keywords.get(f"$P{number}S"),
        range=float(top),
        bits=bits if bits is not None else 0,
        gain=gain,
        amplification=(decades, offset),
        voltage=parse_number(keywords.get(f"$P{number}V")),
    )
    is_time = channel.name.strip().upper() == "TIME" or keywords.get(f"$P{number}TYPE").upper() == "TIME"
    if is_time:
        scale = Scale(factor=timestep)
    elif kind == "I" and (decades > 0 or trouble):
        if decades > 0 and top <= 0:
            trouble = f"$P{number}R is missing or 0, and $P{number}E asks for log amplification, which needs it"
        scale = Scale(decades, offset, float(top), unusable=trouble)
    else:
        scale = Scale(divisor=gain, unusable=gain_trouble)
    mask = None
    if kind == "I" and top > 0:
        significant = max(int(top) - 1, 1).bit_length() if top > 1 else 1
        mask = (1 << significant) - 1 if bits is None or significant < bits else None
    return Parameter(channel, kind, bits, mask, scale)


def _name(keywords: Keywords, number: int, ledger: Ledger) -> str:
    keyword = f"$P{number}N"
    name = keywords.values.get(keyword, "")
    if name.strip():
        return name
    substitute = keywords.get(f"$P{number}S") or f"P{number}"
    ledger.warn(
        "CHANNEL_UNNAMED",
        f"{keyword} is missing or empty; the channel is called '{shown(substitute)}'",
        segment="TEXT",
        keyword=keyword,
        found=shown(name) or "nothing",
        expected="the parameter's short name",
        fix="export the file again if gates refer to this channel",
    )
    return substitute


def _bits(keywords: Keywords, number: int, kind: Kind, ledger: Ledger) -> int | None:
    keyword = f"$P{number}B"
    text = keywords.get(keyword)
    value = parse_whole(text) if text else None
    if kind in _FLOAT_BITS:
        if value != _FLOAT_BITS[kind]:
            ledger.warn(
                "BITS_OF_FLOAT",
                f"{keyword} is {quoted(text)}; values of type {kind} have {_FLOAT_BITS[kind]} bits and were read so",
                segment="TEXT",
                keyword=keyword,
                found=shown(text) or "nothing",
                expected=str(_FLOAT_BITS[kind]),
                fix="nothing to do if the sizes of the segments agree",
            )
        return _FLOAT_BITS[kind]
    if value is None or not 1 <= value <= _WIDEST_INTEGER:
        ledger.guess(
            "BITS",
            f"{keyword} is {quoted(text)}, which is no width of an integer",
            segment="TEXT",
            keyword=keyword,
            found=shown(text) or "nothing",
            expected=f"1 to {_WIDEST_INTEGER} bits",
            fix="export the file again; read leniently, the width is taken from the size of DATA",
        )
        return None
    return value


def _range(keywords: Keywords, number: int, kind: Kind, ledger: Ledger) -> float:
    """``$PnR``; 0.0 where it does not say."""
    keyword = f"$P{number}R"
    text = keywords.get(keyword)
    value: float | None = parse_whole(text)
    if value is None:
        value = parse_number(text)
    if value is not None and value > 0:
        if kind == "I" and value != int(value):
            value = float(int(value) + 1)
        return value
    problem = f"{keyword} is {quoted(text)}"
    details = {"segment": "TEXT", "keyword": keyword, "found": shown(text) or "nothing"}
    if kind != "I":
        ledger.warn(
            "RANGE",
            f"{problem}; the values are not touched by it",
            **details,  # type: ignore[arg-type]
            expected="the largest value plus 1",
            fix="nothing to do; axes of plots are chosen from the values",
        )
    elif value == 0:
        ledger.warn(
            "RANGE",
            f"{problem}; no bits were masked off",
            **details,  # type: ignore[arg-type]
            expected="the largest value plus 1",
            fix="check that the channel holds no flags in its upper bits",
        )
    else:
        ledger.guess(
            "RANGE",
            f"{problem}; it says which bits of an integer count",
            **details,  # type: ignore[arg-type]
            expected="the largest value plus 1, such as 1024",
            fix="export the file again; read leniently, all bits count",
        )
    return 0.0


def _amplification(keywords: Keywords, number: int, kind: Kind, ledger: Ledger) -> tuple[float, float, str]:
    """Decades and offset of ``$PnE`` for integers, and why such a channel has no linear scale."""
    keyword = f"$P{number}E"
    text = keywords.get(keyword)
    if not text:
        if keyword not in keywords.values and kind == "I":
            ledger.info(
                "AMPLIFICATION_MISSING",
                f"{keyword} is missing; the channel counts as linear",
                segment="TEXT",
                keyword=keyword,
                found="nothing",
                expected="0,0 (linear) or decades and offset",
                fix="check the amplifier if the channel looks logarithmic",
            )
        return 0.0, 0.0, ""
    pair = _pair(text)
    if pair is None:
        problem = f"{keyword} is '{shown(text)}', which is no amplification"
        effect = "it counts as linear" if kind != "I" or not ledger.strict else "its linear values are refused"
        ledger.warn(
            "AMPLIFICATION",
            f"{problem}; {effect}",
            segment="TEXT",
            keyword=keyword,
            found=shown(text),
            expected="0,0 (linear) or decades and offset, such as 4,1",
            fix="use the stored values, or mend the keyword",
        )
        return 0.0, 0.0, problem if kind == "I" and ledger.strict else ""
    decades, offset = pair
    if decades > 0 and kind != "I":
        ledger.warn(
            "AMPLIFICATION_OF_FLOAT",
            f"{keyword} is '{shown(text)}', but values of type {kind} are linear by the standard and were left so",
            segment="TEXT",
            keyword=keyword,
            found=shown(text),
            expected="0,0",
            fix="nothing to do; some readers raise 10 to these values",
        )
        return 0.0, 0.0, ""
    if decades > 0 and offset == 0:
        # FCS 3.1, 3.2.20: "$PnE/4,0/ ... shall be treated as $PnE/4,1/".
        ledger.info(
            "AMPLIFICATION_OFFSET",
            f"{keyword} is '{shown(text)}'; an offset of 0 is read as 1, as FCS 3.1 says",
            segment="TEXT",
            keyword=keyword,
            found=shown(text),
            expected=f"{decades:g},1",
            fix="nothing to do",
        )
        offset = 1.0
    return decades, offset, ""


def _pair(text: str) -> tuple[float, float] | None:
    parts = re.split(r"[,;]", text.strip(" ,;"))
    if len(parts) == 4:  # a decimal comma: '4,0,1,0' is 4.0 and 1.0
        parts = [f"{parts[0]}.{parts[1]}", f"{parts[2]}.{parts[3]}"]
    if len(parts) == 1 and parse_number(parts[0]) == 0:
        return 0.0, 0.0
    numbers = [parse_number(p) for p in parts]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None or numbers[0] < 0 or numbers[1] < 0:
        return None
    return numbers[0], numbers[1]


def _gain(keywords: Keywords, number: int, ledger: Ledger) -> tuple[float, str]:
    keyword = f"$P{number}G"
    text = keywords.get(keyword)
    if not text:
        return 1.0, ""
    value = parse_number(text)
    if value is None and re.fullmatch(r"[0-9]*,[0-9]+", text, re.ASCII):
        value = parse_number(text.replace(",", "."))
        _note_decimal_comma(keyword, text, ledger)
    if value is not None and value > 0:
        return value, ""
    problem = f"{keyword} is '{shown(text)}', which is no gain"
    ignored = value == 0 or not ledger.strict
    # 0 stands for "not recorded" in files of several makers.
    note = ledger.info if value == 0 else ledger.warn
    note(
        "GAIN",
        f"{problem}; " + ("it was passed over" if ignored else "the channel's linear values are refused"),
        segment="TEXT",
        keyword=keyword,
        found=shown(text),
        expected="a number > 0, or 1",
        fix="use the stored values, or mend the keyword",
    )
    return 1.0, "" if ignored else problem


def _check_names(parameters: tuple[Parameter, ...], ledger: Ledger) -> None:
    places: dict[str, list[int]] = {}
    for i, parameter in enumerate(parameters, start=1):
        places.setdefault(parameter.channel.name.strip(), []).append(i)
    for name, numbers in places.items():
        if len(numbers) > 1:
            keywords = ", ".join(f"$P{n}N" for n in numbers)
            ledger.warn(
                "CHANNEL_DUPLICATE",
                f"{len(numbers)} channels are called '{shown(name)}': {keywords}; they stay apart by position",
                segment="TEXT",
                keyword=f"$P{numbers[1]}N",
                found=shown(name),
                expected="each $PnN once",
                fix="gates cannot refer to this name; rename the channels on the instrument or in the export",
            )
