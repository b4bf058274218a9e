"""What each simulated event really is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError
from cytometry.simulation.cell_types import CELL_TYPE_NAMES, CELL_TYPES, NOT_LYMPHOCYTES

BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]

#: Code of a particle that is no cell.
DEBRIS = 255

# Bits of ``Truth.flags``.
DOUBLET = 1
DEAD = 2
CLOG = 4
MARGIN = 8

STEM: tuple[str, ...] = ("time_ok", "singlets", "live", "lymphocytes")

#: Every population that :func:`truth_mask` knows, the stem first, then as in :data:`CELL_TYPES`.
TRUE_POPULATIONS: tuple[str, ...] = (*STEM, *dict.fromkeys(p for cell in CELL_TYPES for p in cell.populations))


@dataclass(frozen=True, eq=False)
class Truth:
    """One tube's events, in file order.

    Parameters
    ----------
    codes
        Position in :data:`~cytometry.simulation.cell_types.CELL_TYPES` of the cell, of the first one
        for a doublet; 255 for debris.
    flags
        Bits: 1 doublet or aggregate, 2 dead, 4 acquired during a clog, 8 off scale.
    """

    codes: ByteArray
    flags: ByteArray

    def __post_init__(self) -> None:
        for name in ("codes", "flags"):
            values = np.array(getattr(self, name), dtype=np.uint8)
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.codes.size)


def truth_mask(truth: Truth, population: str) -> BoolArray:
    """Say which events belong to a canonical population.

    ``time_ok``: not during a clog. ``singlets``: of these, no doublets (debris is single too).
    ``live``: of these, not dead. ``lymphocytes``: of these, cells other than monocytes. All
    others: lymphocytes whose kind belongs to the population, so ancestors are included.

    Raises
    ------
    RequestError
        No simulated cell carries that name.

    Examples
    --------
    >>> import numpy as np
    >>> naive, debris = CELL_TYPE_NAMES.index("resting_naive"), DEBRIS
    >>> truth = Truth(np.array([naive, naive, debris]), np.array([0, DOUBLET, 0]))
    >>> truth_mask(truth, "b_cells").tolist(), truth_mask(truth, "live").tolist()
    ([True, False, False], [True, False, True])
    """
    if population not in TRUE_POPULATIONS:
        raise RequestError(
            f"no simulated cell belongs to '{population}'", hint=f"populations: {', '.join(TRUE_POPULATIONS)}"
        )
    kept: BoolArray = (truth.flags & CLOG) == 0
    for stem, forbidden in (("time_ok", 0), ("singlets", DOUBLET), ("live", DEAD)):
        kept &= (truth.flags & forbidden) == 0
        if population == stem:
            return kept
    inside: BoolArray = kept & _members(population)[truth.codes]
    return inside


def _members(population: str) -> BoolArray:
    """Which of the 256 codes belong to a population below ``live``."""
    table = np.zeros(256, dtype=bool)
    for code, cell in enumerate(CELL_TYPES):
        is_lymphocyte = cell.name not in NOT_LYMPHOCYTES
        table[code] = is_lymphocyte and (population == "lymphocytes" or population in cell.populations)
    return table


__all__ = [
    "CELL_TYPE_NAMES",
    "CLOG",
    "DEAD",
    "DEBRIS",
    "DOUBLET",
    "MARGIN",
    "STEM",
    "TRUE_POPULATIONS",
    "Truth",
    "truth_mask",
]
