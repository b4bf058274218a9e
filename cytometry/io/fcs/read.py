"""First working reader for well-formed files; the full intake replaces it."""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from cytometry.errors import FcsError
from cytometry.model.channels import Channel
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover


@dataclass(frozen=True, eq=False)
class _Columns:
    events: npt.NDArray[Any]
    channels: tuple[Channel, ...]
    timestep: float

    def raw(self, index: int) -> npt.NDArray[Any]:
        column = self.events[:, index] if self.events.dtype.names is None else self.events[f"p{index}"]
        return column.astype(column.dtype.newbyteorder("="))

    def linear(self, index: int) -> npt.NDArray[Any]:
        channel = self.channels[index]
        column = self.raw(index)
        if channel.kind == "time":
            return column * self.timestep if self.timestep != 1.0 else column
        decades, offset = channel.amplification
        if decades:
            return np.asarray(offset * 10.0 ** (decades * column / channel.range))
        return column / channel.gain if channel.gain != 1.0 else column

    def matrix(self) -> npt.NDArray[Any] | None:
        plain = all(
            c.gain == 1.0 and c.amplification[0] == 0 and (c.kind != "time" or self.timestep == 1.0)
            for c in self.channels
        )
        return self.events if plain and self.events.dtype.names is None else None


def read_fcs(path: str | os.PathLike[str], *, dataset: int = 0, strict: bool = True) -> Sample:
    """Read one data set."""
    try:
        with Path(path).open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise FcsError(f"cannot be read: {error}", where=str(path)) from error
    header = mapped[:58].decode("latin-1")
    if not header.startswith("FCS"):
        raise FcsError("is not an FCS file", where=str(path))
    t0, t1, d0, _ = (int(header[i : i + 8] or 0) for i in (10, 18, 26, 34))
    text = mapped[t0 : t1 + 1].decode("utf-8", "replace")
    delimiter = re.escape(text[0])
    tokens = re.split(f"(?<!{delimiter}){delimiter}(?!{delimiter})", text[1:].rstrip(text[0]))
    tokens = [t.replace(text[0] * 2, text[0]) for t in tokens]
    kw = {(k.upper() if k.startswith("$") else k): v for k, v in zip(tokens[::2], tokens[1::2], strict=False)}
    n, par = int(kw["$TOT"]), int(kw["$PAR"])
    begin = int(kw.get("$BEGINDATA", 0)) or d0
    kind = kw["$DATATYPE"]
    big = kw["$BYTEORD"].strip().startswith(("4", "2"))
    channels = []
    for i in range(1, par + 1):
        pe = [float(x) for x in kw.get(f"$P{i}E", "0,0").split(",")]
        amp = (pe[0], pe[1] or 1.0) if kind == "I" and pe[0] > 0 else (0.0, 0.0)
        channels.append(
            Channel(
                index=i - 1,
                name=kw[f"$P{i}N"],
                marker=kw.get(f"$P{i}S", "").strip(),
                range=float(kw[f"$P{i}R"]),
                bits=int(kw[f"$P{i}B"]),
                gain=float(kw.get(f"$P{i}G", 1) or 1) or 1.0,
                amplification=amp,
            )
        )
    order = ">" if big else "<"
    if kind in "FD":
        events = np.ndarray((n, par), dtype=order + {"F": "f4", "D": "f8"}[kind], buffer=mapped, offset=begin)
    else:
        dt = np.dtype([(f"p{c.index}", f"{order}u{c.bits // 8}") for c in channels])
        events = np.ndarray((n,), dtype=dt, buffer=mapped, offset=begin)
    spill = next((kw[k] for k in ("$SPILLOVER", "SPILLOVER", "SPILL", "$SPILL", "$COMP", "COMP") if k in kw), None)
    spillover = None
    if spill:
        parts = spill.split(",")
        m = int(parts[0])
        spillover = Spillover(tuple(parts[1 : m + 1]), np.array(parts[m + 1 :], dtype=float).reshape(m, m), str(path))
    step = kw.get("$TIMESTEP", "1")
    return Sample(
        name=str(path),
        channels=tuple(channels),
        n_events=n,
        columns=_Columns(events, tuple(channels), float(step) if step.strip() else 1.0),
        keywords=MappingProxyType(kw),
        spillover=spillover,
        sha256=hashlib.sha256(mapped).hexdigest(),
    )
