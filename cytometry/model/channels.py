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
        ``$PnE``: decades and offset, ``(0.0, 0.0)`` for linear and for values that
        are no integers, which are linear whatever the keyword says.
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
    def linear_top(self) -> float:
        """Where the range ends on the linear scale; 0 where the file does not say.

        >>> Channel(0, "PE-A", range=1024.0, gain=4.0).linear_top
        256.0
        >>> Channel(0, "FL1-H", range=1024.0, amplification=(4.0, 1.0)).linear_top
        10000.0
        """
        return self._linear(self.range)

    @property
    def linear_last(self) -> float:
        """Linear value of the last channel, one stored step below the range's end: there lies what is off scale."""
        return self._linear(self.range - 1.0)

    def _linear(self, stored: float) -> float:
        """FCS 3.1, 3.2.20: f2 * 10^(f1 * x / range) with ``$PnE/f1,f2/``, else x / ``$PnG``."""
        decades, offset = self.amplification
        if decades > 0:
            part = stored / self.range if self.range > 0 else 1.0
            return float((offset or 1.0) * 10.0 ** (decades * part))
        return stored / (self.gain or 1.0)

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
