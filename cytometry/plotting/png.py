"""A palette PNG of a 2-D histogram (PNG specification, second edition, 2003): small, the same bytes each time."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from cytometry.plotting.palette import density_colours

# Sixteen grey values are what an eye tells apart in a picture this small; four bits a pixel halve its size.
LEVELS = 15
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def density_png(histogram: npt.NDArray[Any]) -> bytes:
    """PNG of counts: ``histogram[i, j]`` at column i from the left, row j from below.

    Empty bins are transparent; the others are coloured by the logarithm of
    their count, scaled to the fullest bin.
    """
    counts = np.asarray(histogram, dtype=np.float64)
    top = float(counts.max(initial=0.0))
    share = np.log1p(counts) / np.log1p(top) if top > 0 else np.zeros_like(counts)
    index = np.where(counts > 0, 1 + np.minimum((share * LEVELS).astype(np.int64), LEVELS - 1), 0)
    rows = index.T[::-1].astype(np.uint8)
    height, width = rows.shape
    padded = np.zeros((height, width + width % 2), dtype=np.uint8)
    padded[:, :width] = rows
    packed = (padded[:, 0::2] << 4) | padded[:, 1::2]
    # Filter type 0 before every row.
    raw = b"".join(b"\x00" + row.tobytes() for row in packed)
    palette = b"".join(bytes(c) for c in ((255, 255, 255), *density_colours(LEVELS)))
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    return (
        _SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", palette)
        + _chunk(b"tRNS", b"\x00")
        + _chunk(b"IDAT", zlib.compress(raw, 6))
        + _chunk(b"IEND", b"")
    )


def data_uri(png: bytes) -> str:
    """The picture as text that stands in a page."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
