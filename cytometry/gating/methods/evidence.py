"""What a method looks at, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError
from cytometry.model.gates import Gate
from cytometry.model.placement import Source
from cytometry.model.sample import Sample

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Below this many events in a whole pool no position is read from them.
FEWEST_EVENTS = 10
# From here on a tube has a full say in a pool. Below, its sampling error exceeds what it could tell of a position:
# after depletion a dozen B cells would otherwise outweigh the thousands of another visit.
FULL_SAY = 100


@dataclass(frozen=True, eq=False)
class Pool:
    """Display values of one marker in one population, tube by tube.

    Every tube with 100 events or more has the same weight, so that a large tube
    does not decide for a small one; a smaller one has it in proportion.
    """

    tubes: tuple[FloatArray, ...]

    @property
    def filled(self) -> tuple[FloatArray, ...]:
        """Tubes that hold events."""
        return tuple(t for t in self.tubes if t.size)

    @property
    def weights(self) -> tuple[float, ...]:
        """Weight of each filled tube; they sum to 1."""
        says = [min(t.size / FULL_SAY, 1.0) for t in self.filled]
        return tuple(s / sum(says) for s in says)

    @property
    def n_events(self) -> int:
        """Events of all tubes."""
        return sum(t.size for t in self.tubes)

    def sorted_with_weights(self) -> tuple[FloatArray, FloatArray]:
        """All values, rising, and the weight of each; weights sum to 1."""
        filled = self.filled
        values = np.concatenate(filled) if filled else np.empty(0)
        shares = [np.full(t.size, w / t.size) for t, w in zip(filled, self.weights, strict=True)]
        weights = np.concatenate(shares or [np.empty(0)])
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]

    def quantile(self, fraction: float) -> float:
        """Weighted quantile: the middle of the step at which the weights reach ``fraction``."""
        values, weights = self.sorted_with_weights()
        if values.size == 0:
            raise GatingError("has no events to take a quantile of", code="GATE_NO_EVENTS")
        return float(np.interp(fraction, np.cumsum(weights) - weights / 2, values))

    def require(self, fewest: int = FEWEST_EVENTS) -> None:
        """Refuse to read a position from a handful of events.

        Raises
        ------
        GatingError
            There are fewer.
        """
        if self.n_events < fewest:
            raise GatingError(f"has {self.n_events} events; {fewest} are needed", code="GATE_NO_EVENTS")


@dataclass(frozen=True)
class CutPosition:
    """Where a method puts a cut.

    Parameters
    ----------
    value
        On the display scale.
    sd
        Its standard deviation: by sampling of events, and by what the method's own choices leave open.
    confidence
        0 to 1, 0.5 where the method is in two minds.
    source
        What it was read from.
    systematic
        Part of ``sd`` that is the same in every tube that the method is used on, such as a convention's.
    """

    value: float
    sd: float
    confidence: float
    source: Source = "data"
    systematic: float = 0.0

    @property
    def own_sd(self) -> float:
        """Standard deviation without what is the same in every tube."""
        return float(np.sqrt(max(self.sd**2 - self.systematic**2, 0.0)))


@dataclass(frozen=True, eq=False)
class CutEvidence:
    """What a 1-D method may look at.

    Parameters
    ----------
    pool
        The population in which the cut is placed.
    references
        Reference populations by name, same marker, same tubes.
    fmo
        The same population in the batch's FMO controls of the marker.
    others
        Cuts placed before, by name.
    """

    pool: Pool
    references: Mapping[str, Pool] = field(default_factory=lambda: MappingProxyType({}))
    fmo: Pool | None = None
    others: Mapping[str, CutPosition] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, eq=False)
class ShapeEvidence:
    """What a shape method may look at: events × axes of the parent, tube by tube.

    Parameters
    ----------
    tubes
        Display values of the rule's axes.
    n_events
        Events in each file.
    samples
        The files themselves, for a method that looks at more than the rule's axes.
    is_masked
        Whether faults of the acquisition are to be left out, or only reported.
    """

    tubes: tuple[FloatArray, ...]
    n_events: tuple[int, ...] = ()
    samples: tuple[Sample, ...] = ()
    is_masked: bool = True

    def stacked(self, most: int = 20_000) -> FloatArray:
        """Equally many events of every tube, every k-th, at most ``most`` of each."""
        filled = [t for t in self.tubes if len(t)]
        if not filled:
            raise GatingError("has no events", code="GATE_NO_EVENTS")
        size = min(most, min(len(t) for t in filled))
        # A tube with next to nothing would leave next to nothing of the others.
        size = max(size, min(1_000, most))
        return np.concatenate([t[np.linspace(0, len(t) - 1, min(size, len(t))).astype(np.int64)] for t in filled])


@dataclass(frozen=True, eq=False)
class ShapePosition:
    """A placed shape.

    Parameters
    ----------
    gate
        Its gate; the dimensions are those of the rule.
    centre, sd
        One number per axis, display scale.
    confidence, source
        As for :class:`CutPosition`.
    at_stake
        Standard deviation of the count by overlap with neighbours, as a share of the parent's events.
    size_sd
        The same as a standard deviation of the logarithm of the shape's extent.
    """

    gate: Gate
    centre: tuple[float, ...]
    sd: tuple[float, ...]
    confidence: float
    source: Source = "data"
    at_stake: float = 0.0
    size_sd: float = 0.0
