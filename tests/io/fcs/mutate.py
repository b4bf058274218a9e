"""Structured mutation of FCS files: damage that keeps most of the structure, and what must hold afterwards."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cytometry.errors import CytometryError
from cytometry.io.fcs import read_fcs
from cytometry.model.sample import Sample
from tests.effort import TooMuchWorkError, counted
from tests.io.fcs.builder import Fcs, float_file, integer_events, integer_file, packed_bits, pairs_for

NASTY = (
    "",
    "0",
    "-1",
    "1",
    "2",
    "4",
    "5",
    "6",
    "7",
    "31",
    "33",
    "99999999",
    "4294967295",
    "4294967296",
    "9" * 20,
    "9" * 400,
    "1e9",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "0x10",
    "1_000",
    "３",
    "abc",
    "%s%n",
    "../../x",
    "<script>",
    "=1+1",
    "\x1b[2J",
    "\x00",
    "1,2,3,4",
    "4,3,2,1",
    "3,4,1,2",
    "1,2",
    "L",
    "C",
    "U",
    "I",
    "F",
    "D",
    "A",
    "*",
    "4,1",
    "4,0",
    "0,0",
    ",",
    ",,,,",
    "2,FITC-A,PE-A,1,0,0,1",
    "1000000000,A",
    "200",
    "199",
    "201",
    "58",
    "256",
    "18446744073709551616",
    "262144.5",
)
# Lines of Python: mutants run 6,000 as a rule and 30,000 at most; a claim of a file that is believed runs without end.
MOST_LINES = 200_000
# What Python itself needs for tables of keywords and findings, whatever the file's size.
OVERHEAD_BYTES = 3_000_000


@dataclass(frozen=True)
class Mutant:
    """A damaged file, what it was made from, and which parts were touched."""

    content: bytes
    base: Fcs
    touched: frozenset[str]
    how: str


@dataclass(frozen=True)
class Complaint:
    """A promise that the reader broke."""

    kind: str
    how: str
    detail: str


def bases() -> tuple[Fcs, ...]:
    """Small files of every kind."""
    packed = integer_events(64)
    bits = pairs_for(64, "I", [10] * 5, ["1024"] * 5, "4,3,2,1", spill=None)
    chained = float_file(60)
    link = len(chained.set(_NEXTDATA="000000").bytes())
    chained = replace(chained.set(_NEXTDATA=str(link).rjust(6, "0")), tail=integer_file(40).bytes())
    return (
        float_file(60),
        float_file(60, order=">", version="FCS3.0"),
        float_file(60, version="FCS2.0"),
        float_file(40, double=True, version="FCS3.2"),
        integer_file(80),
        integer_file(80, bits=32, order="<"),
        integer_file(80, bits=8, top=256),
        Fcs(pairs=bits, data=packed_bits(packed, [10] * 5), truth=packed),
        replace(float_file(60), delimiter="/", text_start=256, tail=b"00000000"),
        chained,
    )


def mutate(base: Fcs, rng: np.random.Generator) -> Mutant:
    """One to four changes to one file."""
    n = int(rng.choice([1, 1, 1, 2, 3, 4]))
    touched: set[str] = set()
    how = []
    file = base
    for _ in range(n):
        change = _BEFORE[int(rng.integers(len(_BEFORE)))]
        file, what, part = change(file, rng)
        how.append(what)
        touched.add(part)
    try:
        content = file.bytes()
    except (UnicodeEncodeError, RecursionError):
        content = base.bytes()
    if rng.random() < 0.5:
        content, what, part = _AFTER[int(rng.integers(len(_AFTER)))](content, base, rng)
        how.append(what)
        touched.add(part)
    return Mutant(content, base, frozenset(touched), "; ".join(how))


Change = Callable[[Fcs, np.random.Generator], tuple[Fcs, str, str]]
ByteChange = Callable[[bytes, Fcs, np.random.Generator], tuple[bytes, str, str]]


def _nasty(rng: np.random.Generator) -> str:
    return NASTY[int(rng.integers(len(NASTY)))]


def _set_value(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    key = file.pairs[int(rng.integers(len(file.pairs)))][0]
    value = _nasty(rng)
    return file.keywords({key: value}), f"{key}={value[:20]!r}", key


def _nudge_value(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    numeric = [(k, v) for k, v in file.pairs if v.isascii() and v.isdigit()]
    if not numeric:
        return file, "nothing", "nothing"
    key, value = numeric[int(rng.integers(len(numeric)))]
    changed = str(int(value) + int(rng.integers(-9, 10)))
    return file.keywords({key: changed}), f"{key}: {value} to {changed}", key


def _drop(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    key = file.pairs[int(rng.integers(len(file.pairs)))][0]
    return file.keywords({key: None}), f"without {key}", key


def _repeat(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    key = file.pairs[int(rng.integers(len(file.pairs)))][0]
    value = _nasty(rng)
    at = int(rng.integers(len(file.pairs)))
    pairs = (*file.pairs[:at], (key, value), *file.pairs[at:])
    return replace(file, pairs=pairs), f"{key} again as {value[:20]!r}", key


def _raw_value(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    key, value = file.pairs[int(rng.integers(len(file.pairs)))]
    at = int(rng.integers(len(value) + 1))
    changed = f"RAW:{value[:at]}{file.delimiter * int(rng.integers(1, 4))}{value[at:]}"
    return file.keywords({key: changed}), f"{key} with delimiters", "TEXT"


def _header_offset(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    name = ("header_text", "header_data", "header_analysis")[int(rng.integers(3))]
    begin, end = file.text_start, file.text_end
    if name == "header_data":
        begin, end = file.begin, file.end
    values: list[str | int | None] = [begin, end]
    which = int(rng.integers(2))
    nudge = int(rng.choice([-100, -20, -4, -2, -1, 1, 2, 4, 20, 100]))
    values[which] = _nasty(rng)[:8] if rng.random() < 0.5 else int(values[which] or 0) + nudge
    return replace(file, **{name: tuple(values)}), f"{name} {values}", name


def _gap(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    gap = rng.bytes(int(rng.integers(1, 40))) if rng.random() < 0.5 else b" " * int(rng.integers(1, 40))
    return replace(file, gap=gap), f"{len(gap)} bytes before DATA", "gap"


def _tail(file: Fcs, rng: np.random.Generator) -> tuple[Fcs, str, str]:
    return replace(file, tail=file.tail + rng.bytes(int(rng.integers(1, 40)))), "bytes behind", "tail"


def _flip(content: bytes, base: Fcs, rng: np.random.Generator) -> tuple[bytes, str, str]:
    out = bytearray(content)
    limit = min(len(out), base.begin) if rng.random() < 0.7 else len(out)
    places = [int(rng.integers(limit)) for _ in range(int(rng.integers(1, 4)))]
    for at in places:
        out[at] = int(rng.integers(256))
    return bytes(out), f"bytes changed at {places}", "bytes"


def _cut(content: bytes, base: Fcs, rng: np.random.Generator) -> tuple[bytes, str, str]:
    keep = int(rng.integers(len(content)))
    return content[:keep], f"cut to {keep}", "length"


def _remove(content: bytes, base: Fcs, rng: np.random.Generator) -> tuple[bytes, str, str]:
    at = int(rng.integers(len(content)))
    n = int(rng.integers(1, 64))
    return content[:at] + content[at + n :], f"{n} bytes out at {at}", "bytes"


def _insert(content: bytes, base: Fcs, rng: np.random.Generator) -> tuple[bytes, str, str]:
    at = int(rng.integers(len(content)))
    n = int(rng.integers(1, 64))
    return content[:at] + rng.bytes(n) + content[at:], f"{n} bytes in at {at}", "bytes"


_BEFORE: Sequence[Change] = (
    _set_value,
    _set_value,
    _nudge_value,
    _drop,
    _repeat,
    _raw_value,
    _header_offset,
    _gap,
    _tail,
)
_AFTER: Sequence[ByteChange] = (_flip, _flip, _cut, _remove, _insert)
# Keywords that say what the numbers mean; a changed one that still makes sense gives other numbers, and rightly so.
_MEANING = ("$BYTEORD", "$DATATYPE", "$PAR", "$TOT", "$MODE")


def complaints(mutant: Mutant, path: Path, *, strict: bool = True, weigh: bool = True) -> list[Complaint]:
    """Read a mutant and say which promises were broken; ``weigh`` looks at memory and work too, which is slow."""
    path.write_bytes(mutant.content)
    found: list[Complaint] = []
    sample: Sample | None = None
    warned = False
    if weigh:
        tracemalloc.start()
    try:
        with counted(MOST_LINES) if weigh else nullcontext():
            sample = read_fcs(path, strict=strict)
            for i in range(len(sample.channels)):
                sample.raw_column(i)
            warned = any(f.severity != "info" for f in sample.findings)
    except TooMuchWorkError as error:
        found.append(Complaint("slow", mutant.how, str(error)))
    except CytometryError as error:
        if str(path) not in str(error) or not error.hint:
            found.append(Complaint("poor message", mutant.how, str(error)))
    except Exception as error:  # noqa: BLE001 - the very thing that is looked for
        found.append(Complaint("undeclared exception", mutant.how, f"{type(error).__name__}: {error}"))
    peak = tracemalloc.get_traced_memory()[1]
    if weigh:
        tracemalloc.stop()
    if peak > 2 * len(mutant.content) + OVERHEAD_BYTES:
        found.append(Complaint("memory", mutant.how, f"{peak} bytes for {len(mutant.content)}"))
    if sample is not None and not warned:
        found += _silent(mutant, sample)
    return found


def _silent(mutant: Mutant, sample: Sample) -> list[Complaint]:
    truth = np.asarray(mutant.base.truth, dtype=np.float64)
    shape = (sample.n_events, len(sample.channels))
    found = []
    keywords = {t for t in mutant.touched if t.startswith("$")}
    if shape != truth.shape and "$NEXTDATA" not in keywords:
        found.append(Complaint("wrong shape in silence", mutant.how, f"{shape} for {truth.shape}"))
        return found
    in_text = keywords or mutant.touched & {"TEXT", "bytes"}
    if not in_text and sample.channel_names != mutant.base.names:
        found.append(Complaint("wrong names in silence", mutant.how, str(sample.channel_names)))
    means = {t for t in keywords if t in _MEANING or t[-1:] in "BR" or t.endswith("DATA")}
    if "bytes" in mutant.touched and "bytes changed" in mutant.how:
        return found  # a changed byte of DATA is another number, and nothing tells
    same = shape == truth.shape and np.array_equal(sample.raw(), truth)
    if not same and not means:
        found.append(Complaint("wrong values in silence", mutant.how, "differs from the truth"))
    return found
