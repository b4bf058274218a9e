"""Where each gate was placed, as rows of ``thresholds.csv``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from cytometry.model.tables import Cell
from cytometry.quantification.table_numbers import table_number

if TYPE_CHECKING:
    from cytometry.model.placement import PlacedCut

# One more than a float32, the finest values that files hold, tells apart.
_DIGITS: Final = 8


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
            "value_display": table_number(cut.value, _DIGITS),
            "value_linear": table_number(cut.value_linear, _DIGITS),
            "uncertainty_sd": table_number(cut.uncertainty_sd, _DIGITS),
            "confidence": table_number(cut.confidence, _DIGITS),
            "scope": cut.scope,
            "flags": ";".join(cut.flags),
        }
        for cut in cuts
    ]
