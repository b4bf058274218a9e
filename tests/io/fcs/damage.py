"""Two hundred kinds of damage and oddity, each with what a good reader does about it.

``read``: right values, no error. ``warn``: right values, and a warning. ``either``: a warning with right values,
or a refusal. ``refuse``: a refusal. Never values other than the truth.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tests.io.fcs.builder import (
    MARKERS,
    NAMES,
    Fcs,
    float_events,
    float_file,
    integer_events,
    integer_file,
    packed_bits,
    pairs_for,
)

Expect = Literal["read", "warn", "either", "refuse"]


@dataclass(frozen=True)
class Case:
    """One file, what to expect of it, and words that the message holds."""

    name: str
    content: bytes
    expect: Expect
    says: tuple[str, ...] = ()
    truth: object = None
    names: tuple[str, ...] | None = NAMES


def case(name: str, file: Fcs | bytes, expect: Expect, *says: str, names: tuple[str, ...] | None = NAMES) -> Case:
    if isinstance(file, bytes):
        return Case(name, file, expect, says, None, None)
    return Case(name, file.bytes(), expect, says, file.truth, names if names != NAMES else file.names)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _good()
    yield from _disguises()
    yield from _header()
    yield from _text()
    yield from _keywords()
    yield from _offsets()
    yield from _data()
    yield from _integers()
    yield from _spillover()
    yield from _several()
    yield from _in_transit()


def _good() -> Iterator[Case]:
    for version in ("FCS2.0", "FCS3.0", "FCS3.1", "FCS3.2"):
        for order in "<>":
            yield case(f"float {version} {order}", float_file(version=version, order=order), "read")
            yield case(f"double {version} {order}", float_file(version=version, order=order, double=True), "read")
            for bits in (8, 16, 32, 64):
                file = integer_file(version=version, order=order, bits=bits, top=min(1024, 2**bits))
                yield case(f"int{bits} {version} {order}", file, "read")
    for delimiter in "/\\!,\t\r\n\x0c\x1e*^~#; Z7":
        yield case(f"delimiter {delimiter!r}", replace(float_file(), delimiter=delimiter), "read")
    yield case("$MODE missing in FCS 3.2", float_file(version="FCS3.2").set(_MODE=None), "read")
    yield case("$NEXTDATA at the end of the file", _linked_to_its_end(), "read")
    yield case("value begins with delimiter", float_file().set(_OP="|x"), "read")
    yield case("value is a delimiter", float_file().set(_OP="|"), "read")
    yield case("one event", float_file(1), "read")
    yield case("two events", float_file(2), "read")
    yield case("no events", float_file(0), "read")
    yield case("TEXT behind a gap", replace(float_file(), text_start=256), "read")
    yield case("gap of blanks before DATA", replace(float_file(), gap=b" " * 100), "read")
    yield case("gap of zeros before DATA", replace(float_file(), gap=b"\0" * 100), "read")
    yield case("CRC not computed", replace(float_file(), tail=b"00000000"), "read")
    yield case("padding behind DATA", replace(float_file(), tail=b"\0" * 500), "read")
    yield case("lower-case data type", float_file().set(_DATATYPE="f"), "read")
    yield case("lower-case mode", float_file().set(_MODE="l"), "read")
    yield case("lower-case keywords", replace(float_file(), pairs=_lowered(float_file())), "read")
    yield case("blanks in $BYTEORD", float_file().set(_BYTEORD=" 1, 2, 3, 4 "), "read")
    yield case("$BYTEORD 1,2", float_file().set(_BYTEORD="1,2"), "read")
    yield case("$TOT with leading zeros", float_file().set(_TOT="000200"), "read")
    yield case("$TOT with blanks", float_file().set(_TOT="  200  "), "read")
    yield case("$PnR as decimal", float_file().set(_P1R="262144.000000"), "read")
    yield case("$PnR as exponent", float_file().set(_P1R="2.62144e5"), "read")
    yield case("$PnE with decimals", float_file().set(_P1E="0.0,0.0"), "read")
    yield case("offsets padded in TEXT", float_file().keywords({"$BEGINDATA": "0000{begin}"}), "read")
    yield case("value with delimiter", float_file().set(_OP="night|shift"), "read")
    yield case("value ends with delimiter", float_file().set(_OP="night|"), "read")
    yield case("value with two delimiters", float_file().set(_OP="a||b"), "read")
    yield case("UTF-8 value", float_file().set(_OP="Zoë 東京"), "read")
    yield case("empty value", float_file().set(_P1S="RAW:"), "read")
    yield case("empty values of other keywords", float_file().keywords({"A": "RAW:", "B": "RAW:"}), "read")
    yield case("line breaks in values", float_file().set(_COM="one\r\ntwo"), "read")
    yield case("white space between keywords", replace(float_file(), pairs=_spaced(float_file())), "read")
    yield case("TEXT padded after its end", replace(float_file(), gap=b"\r\n" + b" " * 30), "read")
    yield case("hardware gain zero", float_file().set(_P3G="0"), "read")
    yield case("DATA before TEXT", _data_first(), "read")


def _linked_to_its_end() -> Fcs:
    return float_file().set(_NEXTDATA=str(len(float_file().set(_NEXTDATA="00000").bytes())).rjust(5, "0"))


def _lowered(file: Fcs) -> tuple[tuple[str, str], ...]:
    return tuple((k.lower() if k.startswith("$") else k, v) for k, v in file.pairs)


def _spaced(file: Fcs) -> tuple[tuple[str, str], ...]:
    return tuple((f"\n{k} ", v) for k, v in file.pairs)


def _data_first() -> Fcs:
    file = float_file()
    data = file.data
    begin, end = 100, 100 + len(data) - 1
    text = file.text(begin, end)
    t0 = end + 1
    header = "FCS3.1    " + "".join(str(v).rjust(8) for v in (t0, t0 + len(text) - 1, begin, end, 0, 0))
    content = header.encode().ljust(100) + data + text
    return _Raw(content, file.truth)


class _Raw(Fcs):
    """Bytes that were put together elsewhere, with their truth."""

    def __init__(self, content: bytes, truth: object, names: tuple[str, ...] = NAMES) -> None:
        super().__init__(truth=truth, names=names)
        object.__setattr__(self, "_content", content)

    def bytes(self) -> bytes:
        return self._content  # type: ignore[attr-defined,no-any-return]


def _disguises() -> Iterator[Case]:
    good = float_file().bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("a.fcs", good)
    yield case("empty", b"", "refuse", "0 bytes")
    yield case("one byte", b"F", "refuse", "FCS")
    yield case("FCS only", b"FCS", "refuse", "HEADER")
    yield case("version only", b"FCS3.1", "refuse", "HEADER")
    yield case("57 bytes", good[:57], "refuse", "HEADER")
    yield case("58 bytes", good[:58], "refuse", "TEXT")
    yield case("LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "refuse", "LFS")
    yield case("annex pointer", b"/annex/objects/SHA256E-s1--00.fcs\n", "refuse", "annex")
    yield case("gzip", gzip.compress(good, mtime=0), "refuse", "gzip")
    yield case("zip", archive.getvalue(), "refuse", "zip")
    yield case("bzip2", b"BZh91AY&SY" + bytes(50), "refuse", "bzip2")
    yield case("xz", b"\xfd7zXZ\0" + bytes(50), "refuse", "xz")
    yield case("zstd", b"\x28\xb5\x2f\xfd" + bytes(50), "refuse", "zstd")
    yield case("HTML", b"<!DOCTYPE html><html><body>Login</body></html>" * 5, "refuse", "HTML")
    yield case("HTML with blanks", b"\n\n  <html><body>404</body></html>" * 5, "refuse", "HTML")
    yield case("XML", b'<?xml version="1.0"?><Workspace/>' * 4, "refuse", "XML")
    yield case("JSON", b'{"error": "not found", "status": 404}' * 3, "refuse", "JSON")
    yield case("CSV", b"FSC-A,SSC-A\n1,2\n3,4\n" * 10, "refuse", "text")
    yield case("PDF", b"%PDF-1.7" + bytes(60), "refuse", "PDF")
    yield case("PNG", b"\x89PNG\r\n\x1a\n" + bytes(60), "refuse", "PNG")
    yield case("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(60), "refuse", "HDF5")
    yield case("Parquet", b"PAR1" + bytes(60), "refuse", "Parquet")
    yield case("zeros", bytes(5000), "refuse", "zeros")
    yield case("0xFF", b"\xff" * 5000, "refuse", "FCS")
    yield case("random bytes", np.random.default_rng(1).bytes(5000), "refuse", "FCS")
    yield case("UTF-8 BOM before", b"\xef\xbb\xbf" + good, "refuse", "3")
    yield case("newline before", b"\n" + good, "refuse", "1")
    yield case("UTF-16", good.decode("latin-1").encode("utf-16"), "refuse", "UTF-16")
    yield case("lower-case magic", b"fcs" + good[3:], "refuse", "capitals")
    yield case("re-saved as UTF-8 text", good.decode("latin-1").encode("utf-8"), "refuse")
    yield case("re-saved as UTF-8, replaced", good.decode("utf-8", "replace").encode("utf-8"), "refuse")
    yield case("line feeds became CR LF", good.replace(b"\n", b"\r\n") + bytes(0), "refuse")
    yield case("high bits cut off", bytes(b & 127 for b in good), "either")


def _header() -> Iterator[Case]:
    file = float_file()
    good = file.bytes()
    t1, d0, d1 = file.text_end, file.begin, file.end

    def header(at: int, text: str) -> bytes:
        return good[:at] + text.rjust(8).encode() + good[at + 8 :]

    def known(name: str, content: bytes, expect: Expect, *says: str) -> Case:
        return case(name, _Raw(content, file.truth), expect, *says)

    for version in ("FCS1.0", "FCS4.0", "FCS9.9", "FCS3.x", "FCS   ", "FCSXXX"):
        yield known(f"version {version}", version.encode() + good[6:], "refuse", "version")
    yield known("TEXT begin + 1", header(10, "59"), "warn", "TEXT")
    yield known("TEXT begin - 1", header(10, "57"), "warn", "TEXT")
    yield known("TEXT begin + 20", header(10, "78"), "warn", "TEXT")
    yield known("TEXT begin 0", header(10, "0"), "warn", "TEXT")
    yield known("TEXT begin blank", header(10, ""), "warn", "TEXT")
    yield known("TEXT begin letters", header(10, "abc"), "warn", "HEADER")
    yield known("TEXT begin negative", header(10, "-58"), "warn", "HEADER")
    yield known("TEXT begin beyond file", header(10, "99999999"), "refuse", "TEXT")
    yield known("TEXT end + 1", header(18, str(t1 + 1)), "warn", "TEXT")
    yield known("TEXT end + 100", header(18, str(t1 + 100)), "warn", "TEXT")
    yield known("TEXT end - 1", header(18, str(t1 - 1)), "warn", "TEXT")
    yield known("TEXT end - 3", header(18, str(t1 - 3)), "warn", "TEXT")
    yield known("TEXT end - 200", header(18, str(t1 - 200)), "either", "TEXT")
    yield known("TEXT end - 500", header(18, str(t1 - 500)), "either", "TEXT")
    yield known("TEXT end 0", header(18, "0"), "warn", "TEXT")
    yield known("TEXT end before begin", header(18, "30"), "warn", "TEXT")
    yield known("TEXT end beyond file", header(18, "99999999"), "either", "TEXT")
    yield known("TEXT end letters", header(18, "#VALUE!"), "either", "HEADER")
    for delta in (-8, -4, -2, -1, 1, 2, 4, 8, 20):
        yield known(f"HEADER DATA begin {delta:+}", header(26, str(d0 + delta)), "either", "BEGINDATA")
    yield known("HEADER DATA begin 0", header(26, "0"), "read")
    yield known("HEADER DATA begin and end 0", header(26, "0")[:34] + b"       0" + good[42:], "read")
    yield known("HEADER DATA blank", good[:26] + b" " * 16 + good[42:], "read")
    yield known("HEADER DATA begin letters", header(26, "xyz"), "warn", "HEADER")
    yield known("HEADER DATA begin negative", header(26, "-1"), "warn", "HEADER")
    yield known("HEADER DATA begin beyond file", header(26, "99999999"), "either", "DATA")
    yield known("HEADER DATA begin inside TEXT", header(26, "300"), "either", "DATA")
    yield known("HEADER DATA begin inside HEADER", header(26, "20"), "either", "DATA")
    for delta in (-21, -20, -2, -1, 1, 2, 19, 20, 21):
        yield known(f"HEADER DATA end {delta:+}", header(34, str(d1 + delta)), "either", "DATA")
    yield known("HEADER DATA end 0", header(34, "0"), "either", "DATA")
    yield known("HEADER ANALYSIS letters", header(42, "zzz"), "warn", "HEADER")
    yield known(
        "HEADER ANALYSIS inside DATA",
        header(42, str(d0 + 10))[:50] + str(d0 + 90).rjust(8).encode() + good[58:],
        "either",
    )
    yield known("HEADER ANALYSIS beyond file", header(42, "9999999")[:50] + b" 9999999" + good[58:], "either")
    yield known("HEADER zero-padded", _zero_padded(good), "read")
    yield known("HEADER NUL-padded", good[:10] + good[10:58].replace(b" ", b"\0") + good[58:], "read")
    yield known("HEADER left-justified", _left_justified(good), "read")
    yield known("HEADER all garbage", good[:10] + b"\xde\xad\xbe\xef" * 12 + good[58:], "either")
    yield known(
        "HEADER full-width digits", good[:10] + "\uff15\uff18".encode().rjust(8) + good[18:], "either", "HEADER"
    )


def _zero_padded(good: bytes) -> bytes:
    fields = [good[10 + 8 * i : 18 + 8 * i].strip().rjust(8, b"0") for i in range(6)]
    return good[:10] + b"".join(fields) + good[58:]


def _left_justified(good: bytes) -> bytes:
    fields = [good[10 + 8 * i : 18 + 8 * i].strip().ljust(8) for i in range(6)]
    return good[:10] + b"".join(fields) + good[58:]


def _text() -> Iterator[Case]:
    file = float_file()
    yield case("no final delimiter", replace(file, final_delimiter=False), "warn", "TEXT")
    yield case("Latin-1", replace(file.set(_OP="Zoë"), encoding="latin-1"), "warn", "$OP")
    yield case(
        "Latin-1 in a name",
        replace(file.set(_P3N="FITC-\xb5"), encoding="latin-1", names=("FSC-A", "SSC-A", "FITC-\xb5", "PE-A", "Time")),
        "warn",
        "UTF-8",
    )
    yield case("undoubled delimiter in a value", file.set(_OP="RAW:night|shift"), "warn", "TEXT")
    yield case("two undoubled delimiters in a value", file.set(_OP="RAW:13|06|2024"), "read")
    yield case("keyword without value", replace(file, pairs=_without_value(file)), "either")
    yield case("repeated keyword, same value", replace(file, pairs=(*file.pairs, ("$TOT", "200"))), "read")
    yield case("repeated $TOT", replace(file, pairs=(*file.pairs, ("$TOT", "100"))), "either", "$TOT")
    yield case("repeated $PAR", replace(file, pairs=(("$PAR", "4"), *file.pairs)), "either", "$PAR")
    yield case("repeated $P3N", replace(file, pairs=(("$P3N", "APC-A"), *file.pairs)), "either", "$P3N", names=None)
    yield case("repeated $DATATYPE", replace(file, pairs=(("$DATATYPE", "I"), *file.pairs)), "either", "$DATATYPE")
    yield case("repeated $OP", replace(file, pairs=(*file.pairs, ("$OP", "somebody"))), "warn", "$OP")
    yield case("NUL bytes in a value", file.set(_COM="a\0b"), "read")
    yield case("escape codes in a value", file.set(_COM="\x1b[2J"), "read")
    yield case("binary behind TEXT's last value", _junk_in_text(file), "warn", "TEXT")
    yield case("no TEXT at all", replace(file, raw_text=b""), "refuse", "TEXT")
    yield case("TEXT of blanks", replace(file, raw_text=b" " * 600), "refuse", "TEXT")
    yield case("TEXT of zeros", replace(file, raw_text=b"\0" * 600), "refuse", "TEXT")
    yield case("TEXT of delimiters", replace(file, raw_text=b"|" * 600), "refuse", "TEXT")
    yield case("TEXT without delimiter", replace(file, raw_text=b"|" + b"$PAR 5 $TOT 200 " * 30), "refuse")
    yield case("supplemental TEXT", _supplemental(file), "read")
    yield case("supplemental TEXT beyond file", file.set(_BEGINSTEXT="999999", _ENDSTEXT="9999999"), "warn", "STEXT")
    yield case("supplemental TEXT letters", file.set(_BEGINSTEXT="abc", _ENDSTEXT="def"), "warn", "STEXT")
    yield case("supplemental TEXT equal to TEXT", file.set(_BEGINSTEXT="58", _ENDSTEXT=str(file.text_end)), "either")
    yield case("dollar signs lost", replace(file, pairs=tuple((k.lstrip("$"), v) for k, v in file.pairs)), "refuse")
    yield case("100 kB comment", file.set(_COM="x" * 100_000), "read")
    yield case("5000 keywords", file.keywords({f"K{i}": str(i) for i in range(5000)}), "read")


def _without_value(file: Fcs) -> tuple[tuple[str, str], ...]:
    # '|$SRC|$FIL|x.fcs|': the value of $SRC and its delimiter are lost.
    return (*file.pairs, ("$SRC", "RAW:$FIL|x.fcs"))


def _junk_in_text(file: Fcs) -> Fcs:
    junk = b"\x01\x02\x03|\x04\x05\x06|\x07\x08"
    moved = replace(file, gap=junk)
    return replace(moved, header_text=(None, 58 + len(moved.layout()[0]) + len(junk) - 1))


def _supplemental(file: Fcs) -> Fcs:
    short = file.set(_P3S=None)
    for _ in range(3):
        end = short.end
        short = short.set(_BEGINSTEXT=str(end + 1), _ENDSTEXT=str(end + len(b"|$P3S|CD45|")))
    return replace(short, tail=b"|$P3S|CD45|")


def _keywords() -> Iterator[Case]:
    file = float_file()
    for keyword in ("$PAR", "$TOT", "$MODE"):
        yield case(f"{keyword} missing", file.keywords({keyword: None}), "warn", keyword)
    for keyword in ("$DATATYPE", "$BYTEORD"):
        yield case(f"{keyword} missing", file.keywords({keyword: None}), "refuse", keyword)
    yield case("$NEXTDATA missing", file.set(_NEXTDATA=None), "read")
    for value in ("", "0", "-5", "4", "6", "50", "abc", "5.5", "5e0x", "\uff15", "1000000000", "9" * 400):
        yield case(f"$PAR {value[:12]!r}", file.set(_PAR=f"RAW:{value}"), "either" if value == "" else "refuse", "PAR")
    for value in (
        "0",
        "-1",
        "199",
        "201",
        "100",
        "400",
        "5000",
        "abc",
        "2e",
        "\uff12\uff10\uff10",
        "1" + "0" * 18,
        "9" * 30,
        "9" * 5000,
    ):
        yield case(f"$TOT {value[:12]!r} of {len(value)}", file.set(_TOT=value), "refuse", "TOT")
    yield case("$TOT empty", file.set(_TOT="RAW:"), "either", "TOT")
    for value in ("A", "X", "32", "float", "FF"):
        yield case(f"$DATATYPE {value}", file.set(_DATATYPE=value), "refuse", "DATATYPE")
    yield case("$DATATYPE D on float", file.set(_DATATYPE="D"), "refuse")
    yield case("$DATATYPE I on float", file.set(_DATATYPE="I"), "refuse", "DATATYPE")
    for value in ("middle", "1,1,1,1", "1,2,3", "0,1,2,3", "5,6,7,8", "1,2,3,4,5,6,7,8,9", "little", "-1,2,3,4"):
        yield case(f"$BYTEORD {value}", file.set(_BYTEORD=value), "refuse" if value != "1,2,3" else "either", "BYTEORD")
    yield case("$BYTEORD turned", file.set(_BYTEORD="4,3,2,1"), "refuse", "BYTEORD")
    yield case("$BYTEORD turned, big-endian file", float_file(order=">").set(_BYTEORD="1,2,3,4"), "refuse", "BYTEORD")
    yield case("$BYTEORD mixed on plain file", file.set(_BYTEORD="3,4,1,2"), "refuse", "BYTEORD")
    for mode in ("C", "U"):
        yield case(f"$MODE {mode}", file.set(_MODE=mode), "refuse", "MODE", "histogram")
    yield case("$MODE X", file.set(_MODE="X"), "either", "MODE")
    for keyword in ("$P3N", "$P3B", "$P3R", "$P3E"):
        yield case(
            f"{keyword} missing", file.keywords({keyword: None}), "either" if keyword != "$P3E" else "read", names=None
        )
    for keyword in ("$P3N", "$P3B", "$P3R", "$P3E"):
        yield case(
            f"{keyword} empty", file.keywords({keyword: "RAW:"}), "either" if keyword != "$P3E" else "read", names=None
        )
    for value in ("16", "8", "64", "0", "-32", "*", "abc", "33"):
        yield case(f"$P3B {value}", file.set(_P3B=value), "either", "$P3B")
    for value in ("0", "-1", "abc", "nan", "inf", "1e400"):
        yield case(f"$P3R {value}", file.set(_P3R=value), "either", "$P3R")
    yield case("$P3R huge", file.set(_P3R="18446744073709551616"), "read")
    for value in ("4,1", "4,0", "abc", "4", "4,1,2", "-4,1", "4;1", "0,0,0,0", "nan,nan"):
        yield case(f"$P3E {value} on float", file.set(_P3E=value), "either" if value != "0,0,0,0" else "read")
    for value in ("-1", "abc", "nan", "0,5", "1e999"):
        yield case(f"$P3G {value}", file.set(_P3G=value), "warn", "$P3G")
    for value in ("xxxxx", "-0.01", "0", "nan", "inf", "0,01"):
        yield case(f"$TIMESTEP {value}", file.set(_TIMESTEP=value), "warn", "$TIMESTEP")
    yield case("$P3V letters", file.set(_P3V="high"), "read")
    yield case(
        "$P6N too many, size fits $PAR", file.set(_P6N="APC-A", _P6B="32", _P6R="262144", _P6E="0,0"), "either", "$PAR"
    )
    yield case(
        "duplicate names", file.set(_P3N="PE-A"), "warn", "PE-A", names=("FSC-A", "SSC-A", "PE-A", "PE-A", "Time")
    )
    yield case("all names alike", file.keywords({f"$P{i}N": "X" for i in range(1, 6)}), "warn", "X", names=("X",) * 5)
    hostile = file.set(_P3N="<b>FITC</b>", _P4N="=1+1", _FIL="../../etc/passwd", _SPILLOVER=None)
    yield case("hostile names", hostile, "read", names=("FSC-A", "SSC-A", "<b>FITC</b>", "=1+1", "Time"))
    yield case(
        "name of 10000 letters",
        file.set(_P3N="x" * 10_000, _SPILLOVER=None),
        "read",
        names=("FSC-A", "SSC-A", "x" * 10_000, "PE-A", "Time"),
    )


def _offsets() -> Iterator[Case]:
    file = float_file()
    begin, end = file.begin, file.end
    for delta in (-20, -8, -4, -2, -1, 1, 2, 3, 4, 8, 20, 40):
        yield case(f"$BEGINDATA {delta:+}", file.set(_BEGINDATA=str(begin + delta)), "either", "BEGINDATA")
        both = replace(file.set(_BEGINDATA=str(begin + delta)), header_data=(begin + delta, None))
        yield case(f"both DATA begins {delta:+}", both, "either", "DATA")
    for delta in (-40, -20, -2, -1, 1, 2, 8, 19, 20, 21, 40, 1_000, 100_000):
        both = replace(file.set(_ENDDATA=str(end + delta)), header_data=(None, end + delta))
        yield case(f"both DATA ends {delta:+}", both, "either", "DATA")
    for delta in (-8, -4, -1, 1, 2, 4, 8):
        shifted = replace(
            file.set(_BEGINDATA=str(begin + delta), _ENDDATA=str(end + delta)), header_data=(begin + delta, end + delta)
        )
        yield case(f"DATA shifted {delta:+}", shifted, "either")
        yield case(f"DATA shifted {delta:+}, bytes behind", replace(shifted, tail=b"00000000" * 4), "either")
    for value in ("-1", "abc", "99999999999", "1" + "0" * 25, "0", "\uff11"):
        yield case(f"$BEGINDATA is {value[:10]}", file.set(_BEGINDATA=value), "either" if value != "0" else "read")
    yield case("$BEGINDATA and $ENDDATA 0", file.set(_BEGINDATA="0", _ENDDATA="0"), "read")
    yield case("$BEGINDATA missing", file.set(_BEGINDATA=None), "read")
    yield case("$ENDDATA missing", file.set(_ENDDATA=None), "read")
    yield case("both missing", file.set(_BEGINDATA=None, _ENDDATA=None), "read")
    nowhere = replace(file.set(_BEGINDATA="0", _ENDDATA="0"), header_data=(0, 0))
    yield case("DATA offsets nowhere", nowhere, "either", "DATA")
    swapped = replace(file.set(_BEGINDATA=str(end), _ENDDATA=str(begin)), header_data=(end, begin))
    yield case("DATA begin and end swapped", swapped, "either", "DATA")
    huge = replace(file.set(_BEGINDATA="34359738368", _ENDDATA="68719476736", _TOT="1717986918"), header_data=(0, 0))
    yield case("32 GB claimed", huge, "refuse", "DATA")
    for value in ("5", "58", "99999999", "-700", "abc", "1" + "0" * 20):
        yield case(f"$NEXTDATA {value[:9]}", file.set(_NEXTDATA=value), "warn", "NEXTDATA")
    yield case("$BEGINANALYSIS letters", file.set(_BEGINANALYSIS="abc"), "warn", "ANALYSIS")


def _data() -> Iterator[Case]:
    file = float_file()
    good = file.bytes()
    n = len(good)
    for keep in (file.begin + 1, file.begin + 19, file.begin + 2000, n - 8, n - 1):
        yield case(f"cut off after {keep - file.begin} bytes of DATA", good[:keep], "refuse", "DATA", "$TOT")
    yield case("cut off in TEXT", good[:400], "refuse", "TEXT")
    yield case("cut off behind TEXT", good[: file.begin], "refuse", "DATA")
    yield case("all DATA lost, zeros instead", replace(file, data=bytes(len(file.data)), truth=None), "warn")
    half = file.data[: len(file.data) // 2]
    yield case("second half zeros", replace(file, data=half.ljust(len(file.data), b"\0"), truth=None), "either", "zero")
    yield case("four bytes lost in DATA", _Raw(good[: file.begin + 400] + good[file.begin + 404 :], None), "refuse")
    yield case(
        "four bytes too many in DATA",
        _Raw(good[: file.begin + 400] + bytes(4) + good[file.begin + 400 :], None),
        "either",
    )
    values = float_events()
    values[7, 2], values[8, 3], values[9, 3] = np.nan, np.inf, -np.inf
    yield case("NaN and infinity", replace(file, data=values.tobytes(), truth=values), "warn", "FITC-A", "PE-A")
    values = float_events()
    values[:, 2] = np.nan
    yield case("a channel of NaN", replace(file, data=values.tobytes(), truth=values), "warn", "FITC-A")
    values = float_events()
    values[:, 4] = values[::-1, 4]
    yield case("Time falls", replace(file, data=values.tobytes(), truth=values), "warn", "Time goes back")
    values = float_events()
    values[:, 4] = 0
    yield case("Time is zero", replace(file, data=values.tobytes(), truth=values), "read")
    values = np.random.default_rng(3).permutation(float_events())
    yield case("events shuffled", replace(file, data=values.tobytes(), truth=values), "warn", "Time goes back")
    values = float_events() * np.float32(1e-3)
    yield case("values near one", replace(file, data=values.tobytes(), truth=values), "read")
    values = np.arcsinh(float_events() / 150).astype(np.float32)
    yield case("transformed values", replace(file, data=values.tobytes(), truth=values), "read")
    yield case("CRC wrong", replace(file, tail=b"00012345"), "either", "CRC")


def _integers() -> Iterator[Case]:
    for widths in ((10,) * 5, (12, 12, 10, 10, 14), (24,) * 5, (8, 16, 32, 64, 16), (20,) * 5, (1, 7, 9, 33, 17)):
        events = integer_events(203, 2 ** min(min(widths), 10))
        for big in (True, False):
            data = packed_bits(events, widths, big=big)
            if all(w % 8 == 0 for w in widths) and not big:
                data = b"".join(
                    int(v).to_bytes(w // 8, "little") for row in events for v, w in zip(row, widths, strict=True)
                )
            pairs = pairs_for(
                203, "I", widths, [str(2**w) for w in widths], "4,3,2,1" if big else "1,2,3,4", spill=None
            )
            yield case(
                f"packed {widths} {'big' if big else 'little'}", Fcs(pairs=pairs, data=data, truth=events), "read"
            )
    events = integer_events()
    padded = np.zeros((200, 7), dtype=np.uint8)
    for i, row in enumerate(events):
        padded[i] = np.frombuffer(packed_bits(row[None, :], [10] * 5), dtype=np.uint8)
    pairs = pairs_for(200, "I", [10] * 5, ["1024"] * 5, "4,3,2,1", spill=None)
    yield case("10 bits, events filled up", Fcs(pairs=pairs, data=padded.tobytes(), truth=events), "warn", "$PnB")
    yield case(
        "10 bits in 16-bit words", Fcs(pairs=pairs, data=events.astype(">u2").tobytes(), truth=events), "warn", "$PnB"
    )
    mixed = Fcs(
        pairs=pairs_for(200, "I", [32] * 5, ["1024"] * 5, "3,4,1,2", spill=None), data=_permuted(events), truth=events
    )
    yield case("byte order 3,4,1,2", mixed, "read")
    flags = events | (np.int64(0xA400))
    file = integer_file()
    yield case("flags above $PnR", replace(file, data=flags.astype(">u2").tobytes()), "read")
    yield case("$PnR not a power of two", file.keywords({f"$P{i}R": "1000" for i in range(1, 6)}), "read")
    yield case("$PnR missing", file.set(_P3R=None), "either", "$P3R")
    yield case("$PnR letters", file.set(_P3R="abc"), "refuse", "$P3R")
    yield case("$PnR zero", file.set(_P3R="0"), "warn", "$P3R")
    yield case("$PnR beyond the width", file.set(_P3R="65537"), "read")
    yield case("integer $P3B missing", file.set(_P3B=None), "refuse", "$P3B")
    for value in ("*", "0", "-16", "128", "abc", "8", "32", "17"):
        yield case(f"integer $P3B {value}", file.set(_P3B=value), "refuse")
    yield case("$PnE missing", file.set(_P3E=None), "read")
    yield case("$PnE 4,0", file.set(_P3E="4,0"), "read")
    yield case("$PnE letters", file.set(_P3E="log"), "warn", "$P3E")
    yield case("$PnE decimal commas", file.set(_P3E="4,0,1,0"), "read")
    yield case("byte order turned, range tells", integer_file(bits=32).set(_BYTEORD="1,2,3,4"), "refuse", "BYTEORD")
    yield case("byte order turned, Time tells", integer_file(top=65536).set(_BYTEORD="1,2,3,4"), "refuse", "BYTEORD")
    yield case("integers called floats", integer_file(bits=32).set(_DATATYPE="F"), "refuse", "DATATYPE")
    yield case("$PAR too small, integers", file.set(_PAR="4"), "refuse", "PAR")
    yield case("$TOT missing in FCS 2.0", integer_file(version="FCS2.0").set(_TOT=None), "read")
    yield case("mixed types of 3.2", _mixed_types(), "read")


def _permuted(events: np.ndarray) -> bytes:
    # Significance 3,4,1,2: the upper half first, each half with its lower byte first.
    little = events.astype("<u4").view(np.uint8).reshape(-1, 4)
    return little[:, [2, 3, 0, 1]].tobytes()


def _mixed_types() -> Fcs:
    floats = float_events()
    record = np.zeros(200, dtype=[("a", "<f4"), ("b", "<f8"), ("c", "<u2"), ("d", "<u4"), ("e", "<f4")])
    truth = floats.astype(np.float64)
    truth[:, 2] = np.arange(200) % 1024
    truth[:, 3] = np.arange(200) * 1000
    for i, name in enumerate("abcde"):
        record[name] = truth[:, i]
    pairs = pairs_for(200, "F", [32, 64, 16, 32, 32], ["262144", "262144", "1024", "262144", "262144"])
    file = Fcs(version="FCS3.2", pairs=pairs, data=record.tobytes(), truth=truth)
    return file.set(_P2DATATYPE="D", _P3DATATYPE="I", _P4DATATYPE="I")


def _spillover() -> Iterator[Case]:
    base = float_file().set(_SPILLOVER=None)
    for keyword in ("$SPILLOVER", "SPILLOVER", "SPILL", "$SPILL", "COMP", "$COMP", "spill"):
        yield case(f"matrix in {keyword}", base.keywords({keyword: "2,FITC-A,PE-A,1,0.18,0.02,1"}), "read")
    good = "2,FITC-A,PE-A,1,0.18,0.02,1"
    odd = {
        "count too large": "3,FITC-A,PE-A,1,0.18,0.02,1",
        "count too small": "1,FITC-A,PE-A,1,0.18,0.02,1",
        "count zero": "0,FITC-A,PE-A,1,0.18,0.02,1",
        "count negative": "-2,FITC-A,PE-A,1,0.18,0.02,1",
        "count huge": "1000000000,FITC-A,PE-A,1,0.18,0.02,1",
        "count letters": "two,FITC-A,PE-A,1,0.18,0.02,1",
        "count missing": "FITC-A,PE-A,1,0.18,0.02,1",
        "value missing": "2,FITC-A,PE-A,1,0.18,0.02",
        "value letters": "2,FITC-A,PE-A,1,abc,0.02,1",
        "value NaN": "2,FITC-A,PE-A,1,nan,0.02,1",
        "value infinite": "2,FITC-A,PE-A,1,inf,0.02,1",
        "decimal commas": "2,FITC-A,PE-A,1,0,18,0,02,1",
        "singular": "2,FITC-A,PE-A,1,1,1,1",
        "zero diagonal": "2,FITC-A,PE-A,0,0.18,0.02,0",
        "negative diagonal": "2,FITC-A,PE-A,-1,0.18,0.02,-1",
        "in per cent": "2,FITC-A,PE-A,100,18,2,100",
        "unknown channel": "2,FITC-A,APC-A,1,0.18,0.02,1",
        "duplicate channel": "2,FITC-A,FITC-A,1,0.18,0.02,1",
        "empty name": "2,,PE-A,1,0.18,0.02,1",
        "garbage": "%%%%",
        "only commas": ",,,,,,",
    }
    for name, value in odd.items():
        yield case(f"matrix: {name}", base.set(_SPILLOVER=value), "warn", "$SPILLOVER")
    for name, value in {
        "blanks": "2, FITC-A, PE-A, 1, 0.18, 0.02, 1",
        "semicolons": good.replace(",", ";"),
        "markers": "2,CD45,CD34,1,0.18,0.02,1",
        "numbers": "2,3,4,1,0.18,0.02,1",
        "lower case": "2,fitc-a,pe-a,1,0.18,0.02,1",
    }.items():
        yield case(f"matrix by {name}", base.set(_SPILLOVER=value), "read")
    different = base.keywords({"$SPILLOVER": good, "SPILL": "2,FITC-A,PE-A,1,0.5,0.02,1"})
    yield case("two matrices", different, "warn", "SPILL")


def _several() -> Iterator[Case]:
    first = float_file(100)
    second = integer_file(50)
    link = len(first.set(_NEXTDATA="000000").bytes())
    chained = first.set(_NEXTDATA=str(link).rjust(6, "0"))
    yield case("two data sets", _Raw(chained.bytes() + second.bytes(), first.truth), "warn", "NEXTDATA")
    loop = first.set(_NEXTDATA=str(link).rjust(6, "0"))
    back = second.set(_NEXTDATA="0" * 5 + "0")
    yield case("second data set damaged", _Raw(loop.bytes() + back.bytes()[:300], first.truth), "warn", "NEXTDATA")
    yield case("second data set cut to its magic", _Raw(loop.bytes() + b"FCS3.0", first.truth), "warn", "NEXTDATA")
    own = float_file(100, version="FCS3.1").set(_NEXTDATA="58")
    yield case("$NEXTDATA points into itself", own, "warn", "NEXTDATA")
    yield case("marker names reused", float_file().keywords({"$P3S": MARKERS[3]}), "read")


def _in_transit() -> Iterator[Case]:
    """Bytes lost, put in or changed on the way: refused wherever the values tell."""
    timeless = ("FSC-A", "SSC-A", "FITC-A", "PE-A", "APC-A")
    for n in (150, 1_000, 4_000):
        with_time = replace(float_file(n), tail=b"00000000")
        without = replace(
            with_time, pairs=tuple((k, "APC-A" if k == "$P5N" else v) for k, v in with_time.pairs), names=timeless
        )
        for name, file in (("with Time", with_time), ("without Time", without)):
            good = file.bytes()
            at = file.begin + len(file.data) // 3
            for k in (1, 2, 4, 7, 20, 512):
                # Whole events put in are one event more among many, which pushes the last behind DATA.
                whole = k % 20 == 0
                junk = np.random.default_rng(k).bytes(k)
                put_in = good[:at] + junk + good[at:]
                yield case(f"{k} bytes put into {n} events {name}", put_in, "either" if whole or k == 512 else "refuse")
                yield case(f"{k} bytes lost from {n} events {name}", good[:at] + good[at + k :], "refuse")
    floats = float_file(4_000)
    good = floats.bytes()
    middle = floats.begin + len(floats.data) // 2
    lost = good[:middle] + bytes(4096) + good[middle + 4096 :]
    yield case("block of zeros in the middle", lost, "warn", "all 0x00")
    ones = good[:middle] + b"\xff" * 4096 + good[middle + 4096 :]
    yield case("block of ones in the middle", ones, "warn", "NaN")
    turned = good[: floats.begin] + good[floats.begin :].replace(b"\r", b"\n")
    yield case("carriage returns became line feeds", turned, "refuse", "line end")
    turned = good[: floats.begin] + good[floats.begin :].replace(b"\n", b"\r")
    yield case("line feeds became carriage returns", turned, "refuse", "line end")
    whole = integer_file(2_000)
    content = whole.bytes()
    seven = content[: whole.begin] + bytes(b & 127 for b in content[whole.begin :])
    yield case("eighth bits of integers cut off", seven, "refuse", "seven bits")
    gapped = replace(float_file(), gap=b" " * 21, tail=b"00000000")
    begin = gapped.begin
    for delta in (-8, -4, -1):
        early = replace(gapped.set(_BEGINDATA=str(begin + delta)), header_data=(begin + delta, None))
        yield case(f"begin {delta} within padding", early, "either", "DATA")
    late = replace(gapped.set(_BEGINDATA=str(begin + 1)), header_data=(begin + 1, None))
    yield case("begin one late behind padding", late, "either", "DATA")
    first, second = float_file(100), integer_file(50)
    link = len(first.set(_NEXTDATA="000000").bytes())
    chained = first.set(_NEXTDATA=str(link).rjust(6, "0")).bytes() + second.bytes()
    at = first.begin + 300
    yield case("bytes lost before the second data set", chained[:at] + chained[at + 3 :], "refuse", "$NEXTDATA")
