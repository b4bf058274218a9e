"""Integers of every width, order and phase, against a slow and obvious reading bit by bit."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytometry.io.fcs.byteorder import ByteOrder, parse_byte_order
from cytometry.io.fcs.layout import Layout, packed, read_stored, to_native
from tests.io.fcs.builder import packed_bits


def mapped(folder: Path, content: bytes) -> mmap.mmap:
    path = folder / "bits"
    path.write_bytes(content)
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    widths=st.lists(st.integers(1, 64), min_size=1, max_size=5),
    n=st.integers(1, 20),
    big=st.booleans(),
    lead=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_any_widths_are_read_as_bit_by_bit(
    widths: list[int], n: int, big: bool, lead: int, seed: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    values = np.array(
        [
            [
                int(rng.integers(0, 2**w, dtype=np.uint64, endpoint=False)) if w < 64 else int(rng.integers(0, 2**63))
                for w in widths
            ]
            for _ in range(n)
        ],
        dtype=object,
    )
    if all(w % 8 == 0 for w in widths) and not big:
        content = b"".join(
            int(v).to_bytes(w // 8, "little") for row in values for v, w in zip(row, widths, strict=True)
        )
    else:
        content = packed_bits(values, widths, big=big)
    order = ByteOrder((4, 3, 2, 1) if big else (1, 2, 3, 4))
    layout = packed(["I"] * len(widths), widths, [None] * len(widths), order)
    data = mapped(tmp_path, bytes(lead) + content)
    for i in range(len(widths)):
        assert to_native(read_stored(data, lead, n, layout, i)).tolist() == [int(v) for v in values[:, i]]


@pytest.mark.parametrize("digits", [(3, 4, 1, 2), (2, 1, 4, 3), (1, 3, 2, 4), (4, 1, 2, 3)])
@pytest.mark.parametrize("kind", ["I", "F"])
def test_mixed_orders_put_each_byte_at_its_significance(digits: tuple[int, ...], kind: str, tmp_path: Path) -> None:
    values = np.array([[1.5, -2.75], [3e10, 1e-3]]) if kind == "F" else np.array([[1, 2**31], [0x01020304, 77]])
    little = values.astype("<f4" if kind == "F" else "<u4").view(np.uint8).reshape(2, 2, 4)
    stored = little[..., [d - 1 for d in digits]]
    layout = packed([kind] * 2, [32] * 2, [None] * 2, ByteOrder(digits))  # type: ignore[list-item]
    data = mapped(tmp_path, stored.tobytes())
    expected = values.astype(np.float32 if kind == "F" else np.uint32)
    for i in range(2):
        np.testing.assert_array_equal(read_stored(data, 0, 2, layout, i), expected[:, i])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3,4", (1, 2, 3, 4)),
        ("4,3,2,1", (4, 3, 2, 1)),
        ("1234", (1, 2, 3, 4)),
        ("2,1", (2, 1)),
        ("1;2;3;4", (1, 2, 3, 4)),
        ("8,7,6,5,4,3,2,1", (8, 7, 6, 5, 4, 3, 2, 1)),
        ("1,2,3,4,", (1, 2, 3, 4)),
        ("", None),
        ("1,1,1,1", None),
        ("0,1,2,3", None),
        ("１,２,３,４", None),
        ("little-endian", None),
        ("4,3,2,1,0", None),
    ],
)
def test_byte_order_is_an_order_of_bytes(text: str, expected: tuple[int, ...] | None) -> None:
    order = parse_byte_order(text)
    assert (order.digits if order else None) == expected


def test_no_more_than_the_asked_for_events_are_counted() -> None:
    layout = Layout((), ByteOrder((1, 2, 3, 4)), 50)
    assert [layout.data_bytes(n) for n in (0, 1, 4, 8)] == [0, 7, 25, 50]
    assert [layout.events_in(n) for n in (0, 6, 7, 25, 50)] == [0, 0, 1, 4, 8]
