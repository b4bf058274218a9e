"""From a gate's dimension to numbers: find the channel, compensate, transform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError, StrategyError
from cytometry.model.gates import AnyDimension, RatioDimension
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.transforms import Transform
from cytometry.preprocessing.compensation import LinearSum, compensated, matrix_for

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class ChannelMap:
    """Which channel of a file measures what a gate calls by name.

    Parameters
    ----------
    indices
        Marker or channel name to position in the file, from 0.
    """

    indices: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "indices", MappingProxyType(dict(self.indices)))

    def __contains__(self, name: object) -> bool:
        return name in self.indices

    def __reduce__(self) -> tuple[type[ChannelMap], tuple[dict[str, int]]]:
        """Channel maps go to worker processes; a mapping proxy cannot be pickled."""
        return (ChannelMap, (dict(self.indices),))


def channel_map_by_name(sample: Sample) -> ChannelMap:
    """Every name by which an imported strategy may call a channel.

    ``$PnN`` wins over ``$PnS``; FlowJo's ``Comp-`` prefix is understood for
    either. A name that two channels carry is left out unless it is the ``$PnN``
    of exactly one of them, so that a gate on it fails by name and not at random.
    """
    found: dict[str, int] = {}
    for labels in (
        [c.name for c in sample.channels],
        [c.marker for c in sample.channels],
        [f"Comp-{c.name}" for c in sample.channels],
        [f"Comp-{c.marker}" for c in sample.channels if c.marker],
    ):
        for index, label in enumerate(labels):
            if label and labels.count(label) == 1 and label not in found:
                found[label] = index
    return ChannelMap(found)


@dataclass(frozen=True, eq=False)
class DimensionReader:
    """Values of gate dimensions in one sample.

    Parameters
    ----------
    sample
        Whose events are read.
    channel_map
        Names that dimensions use.
    transforms, compensations
        Of the strategy, by key.
    file_compensation
        What ``FCS`` means where a study replaces the matrix of the file; None
        takes the file's own, and no compensation where it has none.
    """

    sample: Sample
    channel_map: ChannelMap
    transforms: Mapping[str, Transform]
    compensations: Mapping[str, Spillover]
    file_compensation: Spillover | None = None

    def formula(self, name: str, compensation: str) -> LinearSum:
        """Columns and weights of a dimension's linear value.

        Raises
        ------
        GatingError
            The sample lacks the channel, or a detector of the matrix.
        SpilloverError
            The matrix cannot be used.
        """
        index = self.channel_map.indices.get(name)
        spillover = matrix_for(compensation, self.sample, self.compensations, self.file_compensation)
        if spillover is None and index is not None:
            return LinearSum((index,), (1.0,))
        if spillover is None or (index is None and name not in spillover.dyes):
            raise GatingError(
                f"no channel measures '{name}'",
                where=self.sample.name,
                hint=f"channels: {_labels(self.sample)}",
                code="CHANNEL_MISSING",
            )
        return compensated(self.sample, index, name, spillover, self._detectors(spillover))

    def linear(self, name: str, compensation: str, rows: Rows | None = None) -> FloatArray:
        """Compensated values on the linear scale, float64, of all events or of ``rows``."""
        formula = self.formula(name, compensation)
        if formula.is_plain:
            return self._column(formula.columns[0], rows)
        total = np.zeros(self.sample.n_events if rows is None else len(rows))
        # An event at infinity in one detector may be no number after compensation: no gate keeps it.
        with np.errstate(invalid="ignore", over="ignore"):
            for column, weight in zip(formula.columns, formula.weights, strict=True):
                total += self._column(column, rows) * weight
        return total

    def values(self, dimension: AnyDimension, rows: Rows | None = None) -> FloatArray:
        """Values on the dimension's display scale, float64, of all events or of ``rows``."""
        linear = self._untransformed(dimension, rows)
        if dimension.transform is None:
            return linear
        if dimension.transform not in self.transforms:
            raise StrategyError(
                f"no transform '{dimension.transform}'",
                hint=f"transforms: {', '.join(self.transforms) or 'none'}",
                code="TRANSFORM_UNKNOWN",
            )
        return self.transforms[dimension.transform].apply(linear)

    def _untransformed(self, dimension: AnyDimension, rows: Rows | None) -> FloatArray:
        if isinstance(dimension, RatioDimension):
            numerator = self.linear(dimension.numerator, dimension.compensation, rows) - dimension.B
            denominator = self.linear(dimension.denominator, dimension.compensation, rows) - dimension.C
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = dimension.A * (numerator / denominator)
            return np.clip(ratio, dimension.minimum, dimension.maximum)
        return self.linear(dimension.name, dimension.compensation, rows)

    @cached_property
    def _by_name(self) -> Mapping[str, int]:
        return {c.name: c.index for c in self.sample.channels}

    def _detectors(self, spillover: Spillover) -> tuple[int, ...]:
        by_name = self._by_name
        found = [by_name.get(d, self.channel_map.indices.get(d)) for d in spillover.channels]
        missing = [d for d, i in zip(spillover.channels, found, strict=True) if i is None]
        if missing:
            raise GatingError(
                f"has no channel for detector {', '.join(missing)} of the compensation matrix",
                where=self.sample.name,
                hint=f"channels: {_labels(self.sample)}",
                code="COMPENSATION_CHANNEL_MISSING",
            )
        return tuple(i for i in found if i is not None)

    def _column(self, index: int, rows: Rows | None) -> FloatArray:
        return np.asarray(self.sample.linear_column(index, rows), dtype=np.float64)


def _labels(sample: Sample) -> str:
    return ", ".join(f"{c.name} ({c.marker})" if c.marker else c.name for c in sample.channels)
