"""Where each gate was placed, as rows of ``thresholds.csv``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cytometry.model.tables import Cell

if TYPE_CHECKING:
    from cytometry.model.placement import PlacedCut


def threshold_rows(sample_id: str, panel: str, cuts: Iterable[PlacedCut]) -> list[dict[str, Cell]]:
    """One row per placed cut, and per axis of a placed shape."""
    return [
        {
            "sample_id": sample_id,
            "panel": panel,
            "cut": cut.name,
            "dimension": cut.dimension,
            "method": cut.method,
            "source": cut.source,
            "value_display": _number(cut.value),
            "value_linear": _number(cut.value_linear),
            "uncertainty_sd": _number(cut.uncertainty_sd),
            "confidence": _number(cut.confidence),
            "scope": cut.scope,
            "flags": ";".join(cut.flags),
        }
        for cut in cuts
    ]


def _number(value: float) -> float | None:
    return float(f"{value:.8g}") if math.isfinite(value) else None
