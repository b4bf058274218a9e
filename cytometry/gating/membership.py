"""Which events belong to which population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError
from cytometry.model.strategy import ROOT


@dataclass(frozen=True, eq=False)
class Membership:
    """Result of applying a strategy to one sample.

    Held as one bit per event and population, so that two hundred populations of
    a million events stay below 25 MB.

    Parameters
    ----------
    n_events
        Of the sample.
    paths
        Every population in tree order, undefined ones included, ``root`` excluded.
    counts
        Events by path; None where undefined.
    bits
        Packed membership (``numpy.packbits``) of the defined populations.
    undefined
        Why a population is undefined, by path.
    """

    n_events: int
    paths: tuple[str, ...]
    counts: Mapping[str, int | None]
    bits: Mapping[str, npt.NDArray[np.uint8]]
    undefined: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name in ("counts", "bits", "undefined"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        for array in self.bits.values():
            array.setflags(write=False)

    def count(self, path: str) -> int | None:
        """Events in a population (all for ``root``); None if it is undefined."""
        if path == ROOT:
            return self.n_events
        self._check(path)
        return self.counts[path]

    def mask(self, path: str) -> npt.NDArray[np.bool_]:
        """One boolean per event of the sample.

        Raises
        ------
        GatingError
            The population is unknown or undefined.
        """
        if path == ROOT:
            return np.ones(self.n_events, dtype=np.bool_)
        self._check(path)
        if path in self.undefined:
            raise GatingError(f"population '{path}' is undefined: {self.undefined[path]}", code="POPULATION_UNDEFINED")
        return np.unpackbits(self.bits[path], count=self.n_events).view(np.bool_)

    def indices(self, path: str) -> npt.NDArray[np.int64]:
        """Row numbers of the population's events, rising."""
        return np.flatnonzero(self.mask(path)).astype(np.int64, copy=False)

    def _check(self, path: str) -> None:
        if path not in self.counts:
            raise GatingError(
                f"no population '{path}'",
                hint=f"populations: {', '.join(self.paths)}",
                code="POPULATION_UNKNOWN",
            )

    def __reduce__(self) -> tuple[object, ...]:
        """Results come back from worker processes; a mapping proxy cannot be pickled."""
        state = (self.n_events, self.paths, dict(self.counts), dict(self.bits), dict(self.undefined))
        return (Membership, state)
