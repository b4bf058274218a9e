"""A column of an FCS file as its keywords describe it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

ChannelKind = Literal["scatter", "fluorescence", "time", "other"]

_SCATTER = re.compile(r"^(FSC|SSC|FS|SS|BSC|FALS|PMT[0-9])([ ._\-].*|[0-9]*(-?[AHW])?)$", re.IGNORECASE)
_TIME = re.compile(r"^(HDR-T|TIME|TIME[0-9])$", re.IGNORECASE)
_OTHER = re.compile(r"^(EVENT[_ ]?(NUMBER|LENGTH|#|COUNT)?|CELL_LENGTH|INDEX|WIDTH)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Channel:
    """One parameter of a list-mode data set.

    Parameters
    ----------
    index
        Position in the file, from 0 (``$P1`` is 0).
    name
        ``$PnN``, as written.
    marker
        ``$PnS`` stripped of blanks, ``""`` if there is none.
    range
        ``$PnR`` as a number.
    bits
        ``$PnB``; 0 where the file says ``*``.
    gain
        ``$PnG``, 1.0 if absent.
    amplification
        ``$PnE``: decades and offset, ``(0.0, 0.0)`` for linear.
    voltage
        ``$PnV``, None if absent or not a number.
    """

    index: int
    name: str
    marker: str = ""
    range: float = 0.0
    bits: int = 32
    gain: float = 1.0
    amplification: tuple[float, float] = (0.0, 0.0)
    voltage: float | None = None

    @property
    def kind(self) -> ChannelKind:
        """What the channel measures, judged by its name."""
        name = self.name.strip()
        if _TIME.match(name):
            return "time"
        if _SCATTER.match(name):
            return "scatter"
        if _OTHER.match(name):
            return "other"
        return "fluorescence"
