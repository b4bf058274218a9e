"""SLEDAI-2K: items, total, clinical SLEDAI and bands (Gladman, Ibañez and Urowitz 2002)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytometry.errors import StudyError
from cytometry.model.clinical import SLEDAI_MAXIMUM, SLEDAI_SEROLOGY, SLEDAI_WEIGHTS


@dataclass(frozen=True, slots=True)
class Band:
    """A named range of totals, both ends included."""

    label: str
    low: int
    high: int


FIVE_BANDS = (
    Band("none", 0, 0),
    Band("mild", 1, 5),
    Band("moderate", 6, 10),
    Band("high", 11, 19),
    Band("very high", 20, SLEDAI_MAXIMUM),
)
"""Bands of the register entry NCT06737380."""

FOUR_BANDS = (
    Band("none", 0, 0),
    Band("low", 1, 4),
    Band("moderate", 5, 10),
    Band("high", 11, SLEDAI_MAXIMUM),
)
"""Bands of the European points-to-consider table. The two sources conflict: a study names the one it uses."""


def total(items: Mapping[str, float]) -> int:
    """Sum of the items, absent ones 0.

    Raises
    ------
    StudyError
        An item is unknown, or neither 0 nor its full weight.

    Examples
    --------
    >>> total({"arthritis": 4, "rash": 2, "fever": 1})
    7
    >>> total(SLEDAI_WEIGHTS)
    105
    """
    for name, points in items.items():
        if name not in SLEDAI_WEIGHTS:
            raise StudyError(
                f"'{name}' is not a SLEDAI-2K item", where="SLEDAI-2K", hint=f"items: {', '.join(SLEDAI_WEIGHTS)}"
            )
        if points not in (0, SLEDAI_WEIGHTS[name]):
            raise StudyError(
                f"item {name} is {points:g}", where="SLEDAI-2K", hint=f"0 or {SLEDAI_WEIGHTS[name]}, nothing between"
            )
    return int(sum(items.values()))


def clinical_total(items: Mapping[str, float]) -> int:
    """Total without low complement and DNA binding, at most 101.

    Examples
    --------
    >>> clinical_total({"arthritis": 4, "low_complement": 2})
    4
    """
    return total({name: points for name, points in items.items() if name not in SLEDAI_SEROLOGY})


def clinical_from_total(sledai: float, items: Mapping[str, float]) -> float | None:
    """Clinical SLEDAI where the items are known, else only where it has to be 0.

    Examples
    --------
    >>> clinical_from_total(0, {}), clinical_from_total(4, {})
    (0.0, None)
    """
    if items:
        return float(clinical_total(items))
    return 0.0 if sledai == 0 else None


def band(sledai: float, bands: Sequence[Band] = FIVE_BANDS) -> str:
    """Name of the band that a total falls in.

    Raises
    ------
    StudyError
        The total is outside 0 to 105 or not whole.

    Examples
    --------
    >>> band(5), band(5, FOUR_BANDS)
    ('mild', 'moderate')
    """
    for candidate in bands:
        if candidate.low <= sledai <= candidate.high and sledai == int(sledai):
            return candidate.label
    raise StudyError(f"a total of {sledai:g} is not possible", where="SLEDAI-2K", hint=f"whole, 0 to {SLEDAI_MAXIMUM}")


def change_class(change: float) -> str:
    """Flare, improvement or stable: more than three points either way.

    Examples
    --------
    >>> change_class(4), change_class(-3), change_class(-4)
    ('flare', 'stable', 'improvement')
    """
    if change > 3:
        return "flare"
    return "improvement" if change < -3 else "stable"
