"""Hostile XML: refused with a reason, quickly, and without opening anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytometry.errors import StrategyError
from cytometry.io.xml import MAX_DEPTH, parse_xml, read_xml

LIMIT = 2**20

BILLION_LAUGHS = (
    b"<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY l0 'lol'>"
    + b"".join(b"<!ENTITY l%d '%s'>" % (i, b"&l%d;" % (i - 1) * 10) for i in range(1, 10))
    + b"]><a>&l9;</a>"
)
QUADRATIC = b"<!DOCTYPE a [<!ENTITY x '" + b"A" * 50_000 + b"'>]><a>" + b"&x;" * 5_000 + b"</a>"


def attack(data: bytes) -> StrategyError:
    with pytest.raises(StrategyError) as caught:
        parse_xml(data, where="evil.xml", max_bytes=LIMIT)
    return caught.value


@pytest.mark.parametrize(
    "data",
    [
        BILLION_LAUGHS,
        QUADRATIC,
        b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
        b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/p'> %p;]><a/>",
    ],
    ids=["billion laughs", "quadratic blowup", "external document type", "parameter entity"],
)
def test_entities_and_document_types_are_refused(data: bytes) -> None:
    error = attack(data)
    assert error.code == "XML_FORBIDDEN"
    assert str(error) == (
        "evil.xml: declares a document type or an entity, which is not read (remove the <!DOCTYPE …> part)"
    )


def test_a_local_file_is_not_read_through_an_entity(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("patient 17")
    data = f"<!DOCTYPE a [<!ENTITY s SYSTEM 'file://{secret}'>]><a>&s;</a>".encode()
    assert "patient" not in str(attack(data))


def test_deep_nesting_is_refused() -> None:
    depth = MAX_DEPTH + 1
    error = attack(b"<a>" * depth + b"</a>" * depth)
    assert error.code == "XML_TOO_LARGE"
    assert f"deeper than {MAX_DEPTH} levels" in str(error)


def test_a_file_beyond_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "large.xml"
    with file.open("wb") as stream:
        stream.truncate(50 * LIMIT)
    with pytest.raises(StrategyError, match="is larger than 1 MiB"):
        read_xml(file, max_bytes=LIMIT)


@pytest.mark.parametrize(
    "data",
    [b"", b"<a>", b"<a></b>", b"\x00\x01\x02", b"<a b='1' b='2'/>", b"<?xml version='1.0' encoding='nonsense'?><a/>"],
    ids=["empty", "cut off", "crossed", "binary", "attribute twice", "unknown encoding"],
)
def test_damage_is_named(data: bytes) -> None:
    error = attack(data)
    assert error.code == "XML_MALFORMED"
    assert str(error).startswith("evil.xml: is not well-formed XML")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"gates\.xml: cannot be read: No such file or directory"):
        read_xml(tmp_path / "gates.xml", max_bytes=LIMIT)
