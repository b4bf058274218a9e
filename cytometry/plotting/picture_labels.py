"""Where a gate's percentage stands in its picture: in a corner of the outline that no other label holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# In drawing units, for the style sheet's bold text of 8.5 units.
LINE = 9.0
LETTER = 5.2
# A vertex farther than this from the corner of its outline's box is a dent, not a corner.
CORNER_REACH = 12.0


@dataclass(frozen=True, slots=True)
class LabelPlace:
    """A label's anchor and its extent."""

    x: float
    y: float
    anchor: Literal["start", "end"]
    width: float

    @property
    def left(self) -> float:
        """Left edge of the text."""
        return self.x if self.anchor == "start" else self.x - self.width

    def meets(self, other: LabelPlace) -> bool:
        """Whether the two texts would touch."""
        apart = self.left >= other.left + other.width or other.left >= self.left + self.width
        return not apart and abs(self.y - other.y) < LINE


def place_label(points: FloatArray, text: str, taken: Sequence[LabelPlace], centre: tuple[float, float]) -> LabelPlace:
    """The free corner of an outline that is farthest from the picture's centre.

    Parameters
    ----------
    points
        Vertices of the outline in drawing units, y downward.
    text
        What stands there.
    taken
        Labels that are placed already.
    centre
        Of the picture, where the events usually are.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    ranked: list[tuple[bool, float, LabelPlace, int]] = []
    for right, down in ((1, -1), (-1, -1), (-1, 1), (1, 1)):
        vertex = points[int(np.argmax(points @ np.array([right, down])))]
        corner = np.array([high[0] if right > 0 else low[0], high[1] if down > 0 else low[1]])
        is_dent = bool(np.abs(vertex - corner).max() > CORNER_REACH)
        place = LabelPlace(
            x=float(vertex[0]) - 2 * right,
            y=float(vertex[1]) + (-3 if down > 0 else 8),
            anchor="end" if right > 0 else "start",
            width=LETTER * len(text),
        )
        ranked.append((is_dent, -float(np.hypot(*(vertex - np.array(centre)))), place, -down))
    ranked.sort(key=lambda r: r[:2])
    # A corner that is taken gives way to the next one, then to places one or two lines further in.
    for step in (0, 1, 2):
        for _, _, place, inward in ranked:
            moved = LabelPlace(place.x, place.y + inward * LINE * step, place.anchor, place.width)
            if not any(moved.meets(other) for other in taken):
                return moved
    return ranked[0][2]
