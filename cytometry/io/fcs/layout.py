"""Where each parameter's bits lie in an event, and how to read them."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cytometry.io.fcs.byteorder import ByteOrder

Kind = Literal["I", "F", "D"]
NumberArray = npt.NDArray[Any]
_WORD_BITS = 64
_WHOLE_WORDS = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of an event.

    Parameters
    ----------
    kind
        Unsigned integer, float32 or float64.
    bits
        Width in the file.
    offset
        First bit, from the start of the event.
    mask
        Bits of an integer that count by ``$PnR``; None where all do.
    """

    kind: Kind
    bits: int
    offset: int
    mask: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Events as they lie in DATA.

    Parameters
    ----------
    fields
        In file order.
    order
        Of the bytes of a word; with odd widths also of the bits of the stream:
        most significant first in a big-endian file, least in a little-endian one.
    event_bits
        From one event to the next.
    """

    fields: tuple[Field, ...]
    order: ByteOrder
    event_bits: int

    def data_bytes(self, n_events: int) -> int:
        """Length of DATA with that many events."""
        return -(-self.event_bits * n_events // 8)

    def events_in(self, n_bytes: int) -> int:
        """Whole events in that many bytes."""
        return n_bytes * 8 // self.event_bits if self.event_bits else 0

    def homogeneous_dtype(self) -> np.dtype[Any] | None:
        """The type that all parameters share, None where they do not or need more than reading."""
        kinds = {(f.kind, f.bits, f.mask) for f in self.fields}
        if len(kinds) != 1 or self.order.is_mixed:
            return None
        field = self.fields[0]
        if field.mask is not None or not _is_whole(field) or self.event_bits != field.bits * len(self.fields):
            return None
        return _dtype(field, self.order.code)


def packed(
    kinds: Sequence[Kind], bits: Sequence[int], masks: Sequence[int | None], order: ByteOrder, *, align_event: int = 1
) -> Layout:
    """Fields one behind the other; ``align_event`` rounds an event up to that many bits."""
    fields = []
    offset = 0
    for kind, width, mask in zip(kinds, bits, masks, strict=True):
        fields.append(Field(kind, width, offset, mask))
        offset += width
    return Layout(tuple(fields), order, -(-offset // align_event) * align_event)


def read_matrix(data: mmap.mmap, begin: int, n_events: int, layout: Layout) -> NumberArray | None:
    """Events × channels over the mapped bytes themselves, None where types differ."""
    dtype = layout.homogeneous_dtype()
    if dtype is None:
        return None
    if n_events == 0:
        return np.empty((0, len(layout.fields)), dtype=dtype)
    return np.ndarray((n_events, len(layout.fields)), dtype=dtype, buffer=data, offset=begin)


def read_stored(data: mmap.mmap, begin: int, n_events: int, layout: Layout, index: int) -> NumberArray:
    """One column before masking, in any byte order; over the mapped bytes where the format allows.

    Vectorised for every width: each value lies in a window of at most eight
    bytes, which is read as one word, shifted and masked.
    """
    field = layout.fields[index]
    if n_events == 0:
        return np.empty(0, dtype=_dtype(field, "="))
    if layout.event_bits % 8 == 0 and field.offset % 8 == 0 and field.bits % 8 == 0:
        start, stride = begin + field.offset // 8, layout.event_bits // 8
        if _is_whole(field) and not layout.order.is_mixed:
            dtype = _dtype(field, layout.order.code)
            return np.ndarray((n_events,), dtype=dtype, buffer=data, offset=start, strides=(stride,))
        if layout.order.is_mixed:
            return _read_permuted(data, start, stride, n_events, field, layout.order)
    return _read_windows(data, begin, n_events, layout, field)


def to_native(column: NumberArray) -> NumberArray:
    """The same values in this machine's byte order."""
    return column.astype(column.dtype.newbyteorder("="), copy=False)


def _is_whole(field: Field) -> bool:
    return field.bits in _WHOLE_WORDS


def _dtype(field: Field, code: str) -> np.dtype[Any]:
    if field.kind == "I":
        width = next(w for w in _WHOLE_WORDS if w >= field.bits)
        return np.dtype(f"{code}u{width // 8}")
    return np.dtype(f"{code}f{field.bits // 8}")


def _read_permuted(
    data: mmap.mmap, start: int, stride: int, n_events: int, field: Field, order: ByteOrder
) -> NumberArray:
    """Words whose bytes come in neither order, such as 3,4,1,2: gathered byte by byte."""
    n_bytes = field.bits // 8
    digits = order.for_width(n_bytes)
    if digits is None:  # refused by the survey before anything is read
        raise ValueError(f"byte order {order} says nothing about words of {n_bytes} bytes")
    bytes_in = np.ndarray((n_events, n_bytes), dtype=np.uint8, buffer=data, offset=start, strides=(stride, 1))
    native = _dtype(field, "<")
    gathered = np.zeros((n_events, native.itemsize), dtype=np.uint8)
    for position, significance in enumerate(digits):
        gathered[:, significance - 1] = bytes_in[:, position]
    return to_native(gathered.view(native)[:, 0])


def _read_windows(data: mmap.mmap, begin: int, n_events: int, layout: Layout, field: Field) -> NumberArray:
    # Where an event is no whole number of bytes, every period-th event begins at the same bit of a byte.
    period = 8 // math.gcd(layout.event_bits, 8)
    stride = layout.event_bits * period // 8
    out = np.empty(n_events, dtype=_dtype(field, "="))
    for phase in range(min(period, n_events)):
        first_bit = phase * layout.event_bits + field.offset
        count = -(-(n_events - phase) // period)
        out[phase::period] = _read_phase(
            data, begin + first_bit // 8, stride, count, first_bit % 8, field.bits, layout.order.is_big
        )
    return out


def _read_phase(
    data: mmap.mmap, start: int, stride: int, count: int, shift: int, bits: int, is_big: bool
) -> npt.NDArray[np.uint64]:
    window = 8 if shift + bits <= _WORD_BITS else 9
    # The last windows would reach beyond the file; they are read from a copy with room behind it.
    within = max(0, min(count, (len(data) - window - start) // stride + 1)) if start + window <= len(data) else 0
    parts = []
    if within:
        parts.append(_extract(data, start, stride, within, shift, bits, is_big))
    if within < count:
        tail = bytes(data[start + within * stride :]) + bytes(window)
        parts.append(_extract(tail, 0, stride, count - within, shift, bits, is_big))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _extract(
    data: mmap.mmap | bytes, start: int, stride: int, count: int, shift: int, bits: int, is_big: bool
) -> npt.NDArray[np.uint64]:
    words: npt.NDArray[np.uint64] = np.ndarray(
        (count,), dtype=">u8" if is_big else "<u8", buffer=data, offset=start, strides=(stride,)
    )
    keep = np.uint64((1 << bits) - 1)
    missing = shift + bits - _WORD_BITS
    if missing <= 0:
        right = _WORD_BITS - shift - bits if is_big else shift
        return np.asarray((words >> np.uint64(right)) & keep)
    # A value that straddles nine bytes: the ninth holds its last bits.
    ninth = np.ndarray((count,), dtype=np.uint8, buffer=data, offset=start + 8, strides=(stride,)).astype(np.uint64)
    if is_big:
        return np.asarray(((words << np.uint64(missing)) | (ninth >> np.uint64(8 - missing))) & keep)
    return np.asarray(((words >> np.uint64(shift)) | (ninth << np.uint64(_WORD_BITS - shift))) & keep)
