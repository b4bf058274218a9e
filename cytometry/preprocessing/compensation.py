"""Undo spillover: linear values of single dyes, without building the whole compensated matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError, StrategyError
from cytometry.model.gates import FROM_FILE, UNCOMPENSATED
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearSum:
    """A value on the linear scale as a weighted sum of a file's columns.

    Parameters
    ----------
    columns
        Positions in the file, from 0.
    weights
        One per column. An uncompensated channel is one column with weight 1.
    """

    columns: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it is one column as it stands in the file."""
        return self.weights == (1.0,)


def compensated(
    sample: Sample,
    index: int | None,
    name: str,
    spillover: Spillover,
    detectors: Sequence[int],
) -> LinearSum:
    """Express one compensated value by the columns it needs.

    Parameters
    ----------
    index
        Position of the channel; None where ``name`` is a dye of the matrix only.
    name
        Dye or channel that is wanted.
    detectors
        Position in the file of each of the matrix's channels.

    Raises
    ------
    GatingError
        The matrix cannot be used; the message is the matrix's own, with the sample.
    """
    dyes = spillover.dyes or spillover.channels
    if name in dyes:
        wanted = dyes.index(name)
    elif index is not None and index in detectors and len(dyes) == len(detectors):
        wanted = list(detectors).index(index)
    elif index is not None:
        return LinearSum((index,), (1.0,))
    else:
        raise GatingError(
            f"'{name}' is neither a channel nor a dye of the matrix '{spillover.source}'",
            where=sample.name,
            hint=f"dyes: {', '.join(dyes)}",
            code="CHANNEL_MISSING",
        )
    weights = spillover.inverse[:, wanted]
    used = np.flatnonzero(weights)
    return LinearSum(tuple(detectors[i] for i in used), tuple(float(weights[i]) for i in used))


def matrix_for(
    reference: str,
    sample: Sample,
    compensations: Mapping[str, Spillover],
    file_compensation: Spillover | None,
) -> Spillover | None:
    """Resolve a dimension's compensation reference; None is uncompensated.

    ``FCS`` without any matrix is uncompensated, as in GatingML 2.0, section 4.4.

    Raises
    ------
    StrategyError
        The reference is unknown.
    """
    if reference == UNCOMPENSATED:
        return None
    if reference == FROM_FILE:
        return file_compensation if file_compensation is not None else sample.spillover
    if reference not in compensations:
        raise StrategyError(
            f"no compensation matrix '{reference}'",
            hint=f"matrices: {', '.join(compensations) or 'none'}, {FROM_FILE}, {UNCOMPENSATED}",
            code="COMPENSATION_UNKNOWN",
        )
    return compensations[reference]
