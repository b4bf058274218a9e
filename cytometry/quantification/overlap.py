"""Events that two strategies put into the same population of one tube."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytometry.gating.membership import Membership
from cytometry.model.strategy import ROOT
from cytometry.quantification.population_match import PopulationPair


@dataclass(frozen=True, slots=True)
class SharedEvents:
    """Counts of one pair of populations; None where either is undefined.

    Parameters
    ----------
    first, second
        Events of the population.
    both
        Events that are in both.
    denominator
        Name of the nearest ancestor that both strategies have.
    first_denominator, second_denominator
        Its events.
    """

    name: str
    first: int | None
    second: int | None
    both: int | None
    denominator: str
    first_denominator: int | None
    second_denominator: int | None


def shared_events(first: Membership, second: Membership, pairs: Sequence[PopulationPair]) -> tuple[SharedEvents, ...]:
    """Count every pair of populations on the same events.

    Parameters
    ----------
    first, second
        Of the same sample.
    """
    if first.n_events != second.n_events:
        raise ValueError("two memberships of one sample have the same events")
    return tuple(_shared(first, second, pair) for pair in pairs)


def _shared(first: Membership, second: Membership, pair: PopulationPair) -> SharedEvents:
    both = None
    if pair.first_path in first.bits and pair.second_path in second.bits:
        both = int(np.bitwise_count(first.bits[pair.first_path] & second.bits[pair.second_path]).sum())
    return SharedEvents(
        pair.name,
        _count(first, pair.first_path),
        _count(second, pair.second_path),
        both,
        pair.denominator,
        _count(first, pair.first_denominator),
        _count(second, pair.second_denominator),
    )


def _count(membership: Membership, path: str) -> int | None:
    """A workspace may gate a tube with fewer populations than the others."""
    return membership.count(path) if path == ROOT or path in membership.counts else None
