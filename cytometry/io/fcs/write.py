"""Write list mode as FCS 3.1, byte for byte the same for the same input."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError
from cytometry.io.atomic import write_atomically
from cytometry.io.fcs.ledger import shown
from cytometry.model.channels import Channel
from cytometry.model.spillover import Spillover

# The first that no keyword or value holds; doubling it inside values is right and read wrongly by many.
DELIMITERS = ("|", "\f", "\x1e", "~", "^", "/")
HEADER_LENGTH = 58
LARGEST_HEADER_OFFSET = 99_999_999
NO_CRC = b"00000000"

# The writer knows these better than the caller: they follow from the events and the channels.
_OWN_KEYWORDS = frozenset(
    {
        "$BEGINANALYSIS",
        "$BEGINDATA",
        "$BEGINSTEXT",
        "$BYTEORD",
        "$DATATYPE",
        "$ENDANALYSIS",
        "$ENDDATA",
        "$ENDSTEXT",
        "$MODE",
        "$NEXTDATA",
        "$PAR",
        "$TOT",
    }
)
_OWN_PARAMETER_FIELDS = frozenset("BENRSG")
_DTYPES = MappingProxyType({"F": "<f4", "D": "<f8"})


def write_fcs(
    path: str | os.PathLike[str],
    events: npt.ArrayLike,
    channels: Sequence[Channel | str],
    *,
    keywords: Mapping[str, str] | None = None,
    spillover: Spillover | None = None,
    datatype: Literal["F", "D", "I"] = "F",
) -> None:
    """Write events × channels as one FCS 3.1 data set, little-endian.

    No clock, host or random name goes into the file: the same arguments give
    the same bytes. The file appears whole or not at all.

    Parameters
    ----------
    path
        Where to write; an existing file is replaced.
    events
        As they shall be stored (raw values), events × channels.
    channels
        In column order. A bare name stands for a channel without marker, gain
        or amplification, its range the next power of two above its largest value.
    keywords
        Further keywords, standard ones with ``$``. Those that describe the
        layout ($TOT, $PnB, …) are the writer's own and are passed over.
    spillover
        Goes into ``$SPILLOVER``.
    datatype
        ``F`` float32, ``D`` float64, ``I`` unsigned integers of the channels'
        ``bits`` (8, 16, 32 or 64; 32 unless given).

    Raises
    ------
    RequestError
        Shapes differ, a value does not fit the type exactly, or a name is empty
        or begins with the delimiter.
    OutputError
        The file cannot be written.
    """
    table = np.asarray(events)
    if table.ndim != 2 or table.shape[1] != len(channels):
        raise RequestError(
            f"events of shape {table.shape} for {len(channels)} channels",
            where=str(path),
            hint="give a two-dimensional array, events in rows, one column per channel",
        )
    if datatype not in ("F", "D", "I"):
        raise RequestError(f"data type '{datatype}' cannot be written", where=str(path), hint="allowed: F, D, I")
    described = tuple(_described(c, i, table[:, i], datatype) for i, c in enumerate(channels))
    data = _data_bytes(table, described, datatype, where=str(path))
    text = _text_pairs(described, int(table.shape[0]), datatype, keywords or {}, spillover, where=str(path))
    header, text_segment = _with_offsets(text, len(data))
    write_atomically(Path(path), b"".join((header, text_segment, data, NO_CRC)))


def _described(channel: Channel | str, index: int, column: npt.NDArray[Any], datatype: str) -> Channel:
    if isinstance(channel, Channel):
        return channel
    finite = column[np.isfinite(column)] if column.size else column
    largest = float(finite.max()) if finite.size else 0.0
    bits = {"F": 32, "D": 64, "I": 32}[datatype]
    exponent = max(10, int(np.ceil(np.log2(max(largest, 1.0) + 1.0))))
    return Channel(index=index, name=channel, range=float(2**exponent), bits=bits)


def _data_bytes(table: npt.NDArray[Any], channels: Sequence[Channel], datatype: str, *, where: str) -> bytes:
    if datatype in _DTYPES:
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(table, dtype=_DTYPES[datatype]).tobytes()
    record = np.dtype([(f"p{i}", f"<u{_integer_bits(c, where) // 8}") for i, c in enumerate(channels)])
    out = np.zeros(table.shape[0], dtype=record)
    for i, channel in enumerate(channels):
        column = table[:, i]
        limit = min(2 ** _integer_bits(channel, where), 2 ** max(0, int(np.ceil(np.log2(max(channel.range, 1.0))))))
        if column.size and not (
            np.all(np.isfinite(column)) and np.all(column == np.floor(column)) and column.min() >= 0
        ):
            raise RequestError(
                f"channel '{channel.name}' has values that are not whole numbers ≥ 0",
                where=where,
                hint="write them with datatype='F' or 'D'",
            )
        if column.size and int(column.max()) >= limit:
            raise RequestError(
                f"channel '{channel.name}' has the value {int(column.max())}, its range holds at most {limit - 1}",
                where=where,
                hint="raise the channel's range and bits: a reader masks what lies above $PnR",
            )
        out[f"p{i}"] = column.astype(record[f"p{i}"])
    return out.tobytes()


def _integer_bits(channel: Channel, where: str) -> int:
    if channel.bits not in (8, 16, 32, 64):
        raise RequestError(
            f"channel '{channel.name}' has {channel.bits} bits", where=where, hint="allowed: 8, 16, 32, 64"
        )
    return channel.bits


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _text_pairs(
    channels: Sequence[Channel],
    n_events: int,
    datatype: str,
    keywords: Mapping[str, str],
    spillover: Spillover | None,
    *,
    where: str,
) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, str] = {
        "$BYTEORD": "1,2,3,4",
        "$DATATYPE": datatype,
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(len(channels)),
        "$TOT": str(n_events),
    }
    for i, channel in enumerate(channels, start=1):
        bits = {"F": 32, "D": 64}.get(datatype, channel.bits)
        pairs[f"$P{i}N"] = channel.name
        pairs[f"$P{i}B"] = str(bits)
        pairs[f"$P{i}R"] = _number(channel.range) if channel.range else "262144"
        amplified = channel.amplification if datatype == "I" else (0.0, 0.0)
        pairs[f"$P{i}E"] = ",".join(_number(v) for v in amplified)
        if channel.marker:
            pairs[f"$P{i}S"] = channel.marker
        if channel.gain != 1.0:
            pairs[f"$P{i}G"] = _number(channel.gain)
        if channel.voltage is not None:
            pairs[f"$P{i}V"] = _number(channel.voltage)
    if spillover is not None:
        values = ",".join(_number(v) for v in spillover.matrix.ravel())
        pairs["$SPILLOVER"] = ",".join([str(len(spillover.channels)), *spillover.channels, values])
    for key, value in keywords.items():
        name = key.strip()
        name = name.upper() if name.startswith("$") else name
        if name in _OWN_KEYWORDS or name in pairs or _is_own_parameter_keyword(name) or value == "":
            continue
        pairs[name] = value
    for key, value in pairs.items():
        if not value or not key or any(c < " " or c == "\x7f" for c in key):
            raise RequestError(
                f"keyword '{shown(key)}' = '{shown(value)}' cannot be written",
                where=where,
                hint="keywords have no control characters, and neither they nor their values are empty",
            )
    return tuple(pairs.items())


def _is_own_parameter_keyword(name: str) -> bool:
    return name.startswith("$P") and name[2:-1].isdigit() and name[-1] in _OWN_PARAMETER_FIELDS


def _with_offsets(pairs: Sequence[tuple[str, str]], data_length: int) -> tuple[bytes, bytes]:
    """HEADER and TEXT, whose lengths depend on the offsets that stand in them."""
    begin, end = HEADER_LENGTH, HEADER_LENGTH
    delimiter = _delimiter(pairs)
    while True:
        offsets = (
            ("$BEGINANALYSIS", "0"),
            ("$BEGINDATA", str(begin)),
            ("$BEGINSTEXT", "0"),
            ("$ENDANALYSIS", "0"),
            ("$ENDDATA", str(end)),
            ("$ENDSTEXT", "0"),
        )
        escaped = (part.replace(delimiter, delimiter * 2) for pair in (*offsets, *pairs) for part in pair)
        text = (delimiter + delimiter.join(escaped) + delimiter).encode("utf-8")
        begin_now = HEADER_LENGTH + len(text)
        # The standard has no form for an empty segment; begin and end 0 says so without a negative length.
        begin_now, end_now = (begin_now, begin_now + data_length - 1) if data_length else (0, 0)
        if (begin_now, end_now) == (begin, end):
            break
        begin, end = begin_now, end_now
    text_end = HEADER_LENGTH + len(text) - 1
    fits = end <= LARGEST_HEADER_OFFSET
    numbers = (HEADER_LENGTH, text_end, begin if fits else 0, end if fits else 0, 0, 0)
    header = "FCS3.1    " + "".join(f"{n:>8}" for n in numbers)
    return header.encode("ascii"), text


def _delimiter(pairs: Sequence[tuple[str, str]]) -> str:
    """The first delimiter that stands in no text, else the first that begins none, which could not be read back."""
    parts = [part for pair in pairs for part in pair]
    for delimiter in DELIMITERS:
        if not any(delimiter in part for part in parts):
            return delimiter
    return next((d for d in DELIMITERS if not any(part.startswith(d) for part in parts)), DELIMITERS[0])
