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
    here, there = _place(first, pair.first_paths), _place(second, pair.second_paths)
    both = None
    if here in first.bits and there in second.bits:
        both = int(np.bitwise_count(first.bits[here] & second.bits[there]).sum())
    return SharedEvents(
        pair.name,
        _count(first, here),
        _count(second, there),
        both,
        pair.denominator,
        _count(first, _place(first, pair.first_denominator_paths)),
        _count(second, _place(second, pair.second_denominator_paths)),
    )


def _place(membership: Membership, paths: Sequence[str]) -> str:
    """Where the population stands in this tube; empty where it has none."""
    return next((p for p in paths if p == ROOT or p in membership.counts), "")


def _count(membership: Membership, path: str) -> int | None:
    return membership.count(path) if path else None
