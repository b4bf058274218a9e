"""Colours and marks that stay apart for colour-blind readers and in grey print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

# Okabe and Ito (2008), without yellow (too light on paper) and black (kept for summaries).
SUBJECT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B07C00", "#56B4E9", "#6A3D9A", "#7F7F7F")
# Shapes repeat the distinction for readers who see no colour.
SUBJECT_MARKS = ("o", "s", "^", "D", "v", "P", "X", "h")
INK = "#1d252c"
MUTED = "#5c6770"
RULE = "#d5d9dc"
ACCENT = "#0b5567"
ALERT = "#a3360b"

# Behind a label, so that lines do not strike it through.
PAPER: Mapping[str, object] = MappingProxyType(
    {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
)

# Gate outlines on a picture: dark enough to stand on the density's light end.
GATE_COLOURS = ("#0b5567", "#a3360b", "#5b2a86", "#1b6e35", "#8a5a00", "#8f1d4f")


@dataclass(frozen=True, slots=True)
class SubjectStyle:
    """How one participant is drawn in every figure."""

    colour: str
    mark: str

    @property
    def ink(self) -> str:
        """The colour for text: a third darker, so that it reads on white.

        >>> SubjectStyle("#56B4E9", "o").ink
        '#39789b'
        """
        channels = (int(self.colour[k : k + 2], 16) for k in (1, 3, 5))
        return "#" + "".join(f"{round(c * 2 / 3):02x}" for c in channels)


def subject_styles(subjects: Sequence[str]) -> dict[str, SubjectStyle]:
    """One style per participant, in the order given; marks shift when colours repeat.

    >>> subject_styles(["A", "B"])["B"].colour
    '#D55E00'
    """
    n = len(SUBJECT_COLOURS)
    return {
        subject: SubjectStyle(SUBJECT_COLOURS[i % n], SUBJECT_MARKS[(i + i // n) % n])
        for i, subject in enumerate(subjects)
    }


def density_colours(levels: int) -> tuple[tuple[int, int, int], ...]:
    """A ramp from pale to dark blue, monotone in lightness, so that grey print keeps the order.

    >>> ramp = density_colours(3)
    >>> sum(ramp[0]) > sum(ramp[1]) > sum(ramp[2])
    True
    """
    stops = ((214, 228, 240), (128, 177, 211), (49, 118, 173), (10, 60, 110), (4, 22, 50))
    out = []
    for k in range(levels):
        place = k / max(levels - 1, 1) * (len(stops) - 1)
        low = min(int(place), len(stops) - 2)
        share = place - low
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(stops[low], stops[low + 1], strict=True))
        out.append((red, green, blue))
    return tuple(out)
