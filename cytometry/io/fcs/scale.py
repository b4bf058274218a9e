"""From stored to linear values: log amplification, gain, time step.

FCS 3.1, sections 3.2.20 ($PnE), 3.2.21 ($PnG) and 3.2.24 ($TIMESTEP).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytometry.errors import FcsError
from cytometry.model.sample import LinearScale

NumberArray = npt.NDArray[Any]
# A table of every possible result beats a power per event as long as it stays in the processor's cache.
_LARGEST_TABLE = 1 << 16


@dataclass(frozen=True, slots=True)
class Scale:
    """How one parameter's stored values become linear ones.

    Parameters
    ----------
    decades, log_offset
        ``log_offset · 10 ** (decades · x / range)`` where ``decades`` > 0: integers only.
    range
        ``$PnR``.
    factor
        Times this, else: ``1 / $PnG``, or ``$TIMESTEP`` for the time.
    divisor
        ``$PnG``, kept beside the factor, since x / g and x · (1 / g) differ in the last bit.
    unusable
        What is wrong with the keyword that should say how; the values are then
        refused where they are asked for.
    """

    decades: float = 0.0
    log_offset: float = 1.0
    range: float = 0.0
    factor: float = 1.0
    divisor: float = 1.0
    unusable: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether linear equals stored."""
        return not self.unusable and self.decades == 0 and self.factor == 1.0 and self.divisor == 1.0

    @property
    def as_factor(self) -> LinearScale | None:
        """The scale as a factor and divisor; None where it is none, or unusable."""
        if self.unusable or self.decades > 0:
            return None
        return LinearScale(self.factor, 1.0 if self.factor != 1.0 else self.divisor)

    def apply(self, column: NumberArray, *, where: str) -> NumberArray:
        """Linear values of a stored column; float64 unless nothing is to be done.

        Raises
        ------
        FcsError
            The keyword cannot be understood.
        """
        if self.unusable:
            raise FcsError(
                self.unusable,
                where=where,
                hint="use the stored values, mend the keyword, or read leniently: the channel then counts as linear",
                code="SCALE_UNUSABLE",
            )
        if self.is_identity:
            return column
        if self.decades > 0:
            return self._expand(column)
        with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity stay what they are
            values = column.astype(np.float64)
            return np.asarray(values * self.factor if self.factor != 1.0 else values / self.divisor)

    def _expand(self, column: NumberArray) -> NumberArray:
        if column.size and column.dtype.kind == "u":
            largest = int(column.max())
            if largest < _LARGEST_TABLE < column.size * 2:
                return np.asarray(self._power(np.arange(largest + 1, dtype=np.float64))[column])
        return self._power(column.astype(np.float64))

    def _power(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return np.asarray(self.log_offset * 10.0 ** (self.decades * values / self.range))
