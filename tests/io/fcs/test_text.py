"""Splitting TEXT: escapes, empty values, and what the standard keywords tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytometry.io.fcs.text import decode_text, is_standard, split_text

PART = st.text(st.sampled_from("ab|c $1"), min_size=1, max_size=8).filter(lambda t: t[0] != "|" and t.strip())


def pairs(text: str) -> list[tuple[str, str]]:
    return [(k.decode(), v.decode()) for k, v in split_text(text.encode()).pairs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|A|1|B|2|", [("A", "1"), ("B", "2")]),
        ("|A|x||y|B|2|", [("A", "x|y"), ("B", "2")]),
        ("|A|x|||B|2|", [("A", "x|"), ("B", "2")]),
        ("|A|x||||y|B|2|", [("A", "x||y"), ("B", "2")]),
        ("|A||B|2|", [("A", ""), ("B", "2")]),
        ("|A||B||C|3|", [("A", ""), ("B", ""), ("C", "3")]),
        ("|A|||x|B|2|", [("A", "|x"), ("B", "2")]),
        ("|A||||B|2|", [("A", "|"), ("B", "2")]),
        ("|A|1|B||", [("A", "1"), ("B", "")]),
        ("|A|1|B|2", [("A", "1"), ("B", "2")]),
        ("|A|1|B|2|  \r\n", [("A", "1"), ("B", "2")]),
        ("|A|1|B|2||", [("A", "1"), ("B", "2")]),
        ("|$OP|13|06|$TOT|5|", [("$OP", "13|06"), ("$TOT", "5")]),
        ("|$P1S|$P1N|FSC|", [("$P1S", ""), ("$P1N", "FSC")]),
    ],
)
def test_segment_is_split(text: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(text) == expected


@pytest.mark.parametrize("n", range(1, 9))
def test_delimiters_alone_make_no_keyword(n: int) -> None:
    assert [k for k, _ in pairs("|" * n) if k] == []


@given(st.lists(st.tuples(PART.filter(lambda k: "|" not in k), PART), min_size=1, max_size=6))
def test_escaped_values_come_back(table: list[tuple[str, str]]) -> None:
    # Values that look like standard keywords, or end at the very end with the delimiter, are the reader's to judge.
    table = [(f"K{i}{k}".strip(), f"{v}.") for i, (k, v) in enumerate(table)]
    text = "|" + "|".join(part.replace("|", "||") for pair in table for part in pair) + "|"
    assert pairs(text) == table


@pytest.mark.parametrize(
    ("raw", "text", "is_utf8"),
    [
        (b"abc", "abc", True),
        ("µ".encode(), "µ", True),
        (b"\xb5", "µ", False),
        (b"\x80", "€", False),
        (b"\x81", "\x81", False),
    ],
)
def test_every_byte_becomes_a_letter(raw: bytes, text: str, is_utf8: bool) -> None:
    assert decode_text(raw) == (text, is_utf8)


@pytest.mark.parametrize(("keyword", "known"), [(b"$P12N", True), (b"$tot", True), (b"$PN", False), (b"TOT", False)])
def test_standard_keywords_are_known(keyword: bytes, known: bool) -> None:
    assert is_standard(keyword) == known
