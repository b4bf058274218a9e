"""A spillover matrix: which share of each dye's signal lands in each detector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cytometry.errors import SpilloverError

FloatArray = npt.NDArray[np.float64]

# FCS 3.1, 3.2.26: a dye spills fully, 1, into its own detector. Rounding and rescaling stay far within these.
LEAST_DIAGONAL, LARGEST_DIAGONAL = 0.5, 2.0
# Beyond this, float32 data carry no digit through the inverse.
LARGEST_CONDITION = 1e8


def condition_number(matrix: FloatArray) -> float:
    """Ratio of largest to smallest singular value; infinite where it cannot be computed."""
    if matrix.size == 0:
        return 1.0
    try:
        with np.errstate(all="ignore"):
            condition = float(np.linalg.cond(matrix))
    except np.linalg.LinAlgError:
        return float("inf")
    return condition if np.isfinite(condition) else float("inf")


@dataclass(frozen=True, eq=False)
class Spillover:
    """A square spillover matrix, dyes in rows, detectors in columns.

    ``observed = true @ matrix`` for row vectors of events, so that
    ``true = observed @ inverse`` (FCS 3.1, ``$SPILLOVER``; GatingML 2.0,
    spectrum matrix).

    Parameters
    ----------
    channels
        ``$PnN`` of the detectors, in the order of the columns.
    matrix
        Dyes × detectors, float64; made read-only. Square unless ``dyes`` says otherwise.
    source
        Where it came from: a keyword, a file, ``identity``.
    dyes
        Names of the rows in a GatingML spectrum matrix, where gates refer to a
        dye and not to a detector. May be fewer than the detectors (spectral
        unmixing by least squares). Empty: the rows are named as the detectors.
    """

    channels: tuple[str, ...]
    matrix: FloatArray
    source: str = ""
    dyes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "dyes", tuple(self.dyes))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Spillover)
            and self.channels == other.channels
            and self.dyes == other.dyes
            and np.array_equal(self.matrix, other.matrix)
        )

    def __hash__(self) -> int:
        return hash((self.channels, self.dyes, self.matrix.tobytes()))

    @cached_property
    def inverse(self) -> FloatArray:
        """The compensation matrix, detectors × dyes: the inverse, or the pseudo-inverse if not square.

        Raises
        ------
        SpilloverError
            The matrix does not fit its names, repeats a channel, has a diagonal that is
            not positive, is not finite, or is singular; the message names the channel.
        """
        n = len(self.channels)
        rows = len(self.dyes) or n
        named = (self.channels, self.dyes)
        repeated = sorted({c for names in named for c in names if names.count(c) > 1})
        if repeated:
            raise SpilloverError(
                f"spillover matrix names channel {', '.join(repeated)} more than once",
                where=self.source,
                hint="give each detector one row and column",
                code="SPILLOVER_DUPLICATE_CHANNEL",
            )
        if self.matrix.shape != (rows, n) or rows > n:
            raise SpilloverError(
                f"spillover matrix has shape {self.matrix.shape} for {rows} dyes and {n} channels",
                where=self.source,
                hint=f"{rows} × {n} numbers are needed, and at least as many detectors as dyes",
                code="SPILLOVER_NOT_SQUARE",
            )
        if not np.isfinite(self.matrix).all():
            bad = (self.dyes or self.channels)[int(np.argwhere(~np.isfinite(self.matrix))[0][0])]
            raise SpilloverError(
                f"spillover matrix has a value that is not finite in the row of {bad}",
                where=self.source,
                hint="export the matrix again, or give one as CSV under 'compensation'",
                code="SPILLOVER_NOT_FINITE",
            )
        diagonal = np.diagonal(self.matrix)
        # Dyes and detectors of a spectrum matrix may stand in different orders.
        off = ~((diagonal > LEAST_DIAGONAL) & (diagonal < LARGEST_DIAGONAL))
        if not self.dyes and off.any():
            at = int(np.argmax(off))
            raise SpilloverError(
                f"spillover matrix has {diagonal[at]:g} on the diagonal at {self.channels[at]}",
                where=self.source,
                hint="the diagonal is 1 for each dye in its own detector; rows or columns may be out of order, "
                "or the numbers be per cent",
                code="SPILLOVER_BAD_DIAGONAL",
            )
        condition = condition_number(self.matrix)
        if not condition < LARGEST_CONDITION:
            raise SpilloverError(
                f"spillover matrix over {', '.join(self.channels)} is singular (condition number {condition:.3g})",
                where=self.source,
                hint="two detectors have the same spectrum or the matrix is damaged; give one as CSV",
                code="SPILLOVER_SINGULAR",
            )
        inverse = np.linalg.inv(self.matrix) if rows == n else np.linalg.pinv(self.matrix)
        inverse.setflags(write=False)
        return np.asarray(inverse)
