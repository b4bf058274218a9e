"""Build FCS files byte by byte, right or wrong, without the package's own writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

NAMES = ("FSC-A", "SSC-A", "FITC-A", "PE-A", "Time")
MARKERS = ("", "", "CD45", "CD34", "")


def float_events(n: int = 200, seed: int = 7) -> npt.NDArray[np.float32]:
    """Scatter, two colours with negative values, and a Time that rises."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.normal(60_000, 8_000, n),
        rng.normal(30_000, 5_000, n),
        rng.normal(200, 600, n),
        rng.lognormal(7.5, 0.6, n),
        np.sort(rng.uniform(1, 1_500, n)),
    ]
    return np.column_stack(columns).astype(np.float32)


def integer_events(n: int = 200, top: int = 1024, seed: int = 7) -> npt.NDArray[np.int64]:
    """The same with whole numbers below ``top``."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, top, n) for _ in range(4)] + [np.sort(rng.integers(0, top, n))]
    return np.column_stack(columns)


@dataclass(frozen=True)
class Fcs:
    """An FCS file in the making; ``bytes()`` puts it together.

    ``header`` and ``offsets`` override what would be right: keys ``text``,
    ``data``, ``analysis`` with begin and end, raw ``str`` fields allowed.
    ``{begin}`` and ``{end}`` in a keyword's value stand for DATA's offsets.
    """

    version: str = "FCS3.1"
    delimiter: str = "|"
    pairs: tuple[tuple[str, str], ...] = ()
    data: bytes = b""
    text_start: int = 58
    gap: bytes = b""
    tail: bytes = b""
    header_text: tuple[str | int | None, str | int | None] = (None, None)
    header_data: tuple[str | int | None, str | int | None] = (None, None)
    header_analysis: tuple[str | int, str | int] = (0, 0)
    final_delimiter: bool = True
    encoding: str = "utf-8"
    raw_text: bytes | None = None
    truth: Any = field(default=None, compare=False)
    names: tuple[str, ...] = NAMES

    def set(self, **values: str | None) -> Fcs:
        """Change keywords; ``_`` stands for ``$``, None takes a keyword away."""
        return self.keywords({k.replace("_", "$", 1) if k.startswith("_") else k: v for k, v in values.items()})

    def keywords(self, values: Mapping[str, str | None]) -> Fcs:
        table = dict(self.pairs)
        for key, value in values.items():
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        return replace(self, pairs=tuple(table.items()))

    def text(self, begin: int, end: int) -> bytes:
        if self.raw_text is not None:
            return self.raw_text
        d = self.delimiter
        parts = []
        for key, value in self.pairs:
            filled = value.replace("{begin}", str(begin)).replace("{end}", str(end))
            parts += [key, filled.replace(d, d * 2) if "RAW:" not in filled else filled.replace("RAW:", "")]
        return (d + d.join(parts) + (d if self.final_delimiter else "")).encode(self.encoding)

    def layout(self) -> tuple[bytes, int, int]:
        """TEXT, and DATA's first and last byte."""
        begin = end = 0
        while True:
            text = self.text(begin, end)
            now = self.text_start + len(text) + len(self.gap)
            if (now, now + len(self.data) - 1) == (begin, end):
                return text, begin, end
            begin, end = now, now + len(self.data) - 1

    def bytes(self) -> bytes:
        text, begin, end = self.layout()
        right = [self.text_start, self.text_start + len(text) - 1, begin, end, *self.header_analysis]
        wrong = [*self.header_text, *self.header_data, None, None]
        fields = "".join(str(r if w is None else w).rjust(8)[:8] for r, w in zip(right, wrong, strict=True))
        header = (self.version.ljust(10) + fields).ljust(self.text_start).encode("latin-1")
        return header + text + self.gap + self.data + self.tail

    @property
    def begin(self) -> int:
        return self.layout()[1]

    @property
    def end(self) -> int:
        return self.layout()[2]

    @property
    def text_end(self) -> int:
        return self.text_start + len(self.layout()[0]) - 1


def pairs_for(
    n: int,
    datatype: str,
    bits: Sequence[int],
    ranges: Sequence[str],
    byteord: str = "1,2,3,4",
    names: Sequence[str] = NAMES,
    markers: Sequence[str] = MARKERS,
    amplification: Sequence[str] | None = None,
    spill: tuple[str, str] | None = ("$SPILLOVER", "2,FITC-A,PE-A,1,0.18,0.02,1"),
    offsets: bool = True,
) -> tuple[tuple[str, str], ...]:
    pairs = []
    if offsets:
        pairs += [("$BEGINANALYSIS", "0"), ("$BEGINDATA", "{begin}"), ("$BEGINSTEXT", "0")]
        pairs += [("$ENDANALYSIS", "0"), ("$ENDDATA", "{end}"), ("$ENDSTEXT", "0")]
    pairs += [("$BYTEORD", byteord), ("$DATATYPE", datatype), ("$MODE", "L"), ("$NEXTDATA", "0")]
    pairs += [("$PAR", str(len(names))), ("$TOT", str(n))]
    for i, name in enumerate(names):
        k = i + 1
        pairs += [(f"$P{k}N", name), (f"$P{k}B", str(bits[i])), (f"$P{k}R", ranges[i])]
        pairs += [(f"$P{k}E", amplification[i] if amplification else "0,0")]
        if markers[i]:
            pairs.append((f"$P{k}S", markers[i]))
    if spill:
        pairs.append(spill)
    return (*pairs, ("$CYT", "Example One"), ("$TIMESTEP", "0.01"), ("$OP", "operator one"), ("TUBE NAME", "Tube_001"))


def float_file(n: int = 200, *, order: str = "<", version: str = "FCS3.1", double: bool = False, **more: Any) -> Fcs:
    """An ordinary floating-point file of five channels."""
    events = float_events(n)
    code = "f8" if double else "f4"
    pairs = pairs_for(
        n,
        "D" if double else "F",
        [64 if double else 32] * 5,
        ["262144"] * 5,
        byteord="1,2,3,4" if order == "<" else "4,3,2,1",
        offsets=version != "FCS2.0",
    )
    return Fcs(version=version, pairs=pairs, data=events.astype(order + code).tobytes(), truth=events, **more)


def integer_file(
    n: int = 200, *, bits: int = 16, top: int = 1024, order: str = ">", version: str = "FCS3.0", **more: Any
) -> Fcs:
    """An ordinary integer file of five channels, whole words."""
    events = integer_events(n, top)
    pairs = pairs_for(
        n,
        "I",
        [bits] * 5,
        [str(top)] * 5,
        byteord="1,2,3,4" if order == "<" else "4,3,2,1",
        spill=None,
        offsets=version != "FCS2.0",
    )
    data = events.astype(f"{order}u{bits // 8}").tobytes()
    return Fcs(version=version, pairs=pairs, data=data, truth=events, **more)


def packed_bits(events: npt.NDArray[np.int64], widths: Sequence[int], *, big: bool = True) -> bytes:
    """A bit stream without gaps, one value behind the other; the slow and obvious way."""
    stream = []
    for row in events:
        for value, width in zip(row, widths, strict=True):
            bits = [(int(value) >> b) & 1 for b in range(width)]
            stream += bits[::-1] if big else bits
    stream += [0] * (-len(stream) % 8)
    out = bytearray()
    for i in range(0, len(stream), 8):
        octet = stream[i : i + 8]
        out.append(int("".join(map(str, octet if big else octet[::-1])), 2))
    return bytes(out)
