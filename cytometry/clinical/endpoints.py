"""Direction of benefit of every endpoint: an *increase* of BILAG from A to E is a fall of its number."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Direction = Literal["lower is better", "higher is better", "no direction"]

DIRECTION_OF_BENEFIT: Mapping[str, Direction] = MappingProxyType(
    {
        "sledai": "lower is better",
        "sledai_clinical": "lower is better",
        "bilag_numeric": "lower is better",
        "pga": "lower is better",
        "prednisone_mg_per_day": "lower is better",
        "upcr_mg_per_g": "lower is better",
        "proteinuria_g_per_day": "lower is better",
        "anti_dsdna": "lower is better",
        "c3_g_per_l": "higher is better",
        "c4_g_per_l": "higher is better",
        "egfr": "higher is better",
        "lupus_impact_tracker": "lower is better",
        "sf36_pcs": "higher is better",
        "sf36_mcs": "higher is better",
        "promis_fatigue": "lower is better",
        "promis_pain": "lower is better",
        "promis_depression": "lower is better",
        "promis_physical_function": "higher is better",
        "sri4": "higher is better",
        "lldas": "higher is better",
        "doris": "higher is better",
    }
)


def direction_of_benefit(endpoint: str) -> Direction:
    """Which way is better; cell counts and unknown endpoints have none.

    Examples
    --------
    >>> direction_of_benefit("sledai"), direction_of_benefit("switched_memory")
    ('lower is better', 'no direction')
    """
    return DIRECTION_OF_BENEFIT.get(endpoint, "no direction")


def is_improvement(endpoint: str, change: float) -> bool | None:
    """Whether a change is for the better; None without a direction or a change.

    Examples
    --------
    >>> is_improvement("sledai", -4), is_improvement("c3_g_per_l", -0.2)
    (True, False)
    """
    direction = direction_of_benefit(endpoint)
    if direction == "no direction" or change == 0 or change != change:
        return None
    return (change < 0) == (direction == "lower is better")
