"""Offsets between batches, read from the bridging control that each of them holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.cut_chain import SURE, decide
from cytometry.gating.methods.evidence import CutEvidence
from cytometry.model.template import CutTemplate


@dataclass(frozen=True)
class Offsets:
    """How far each batch lies above the mean of all, on the display scale.

    Parameters
    ----------
    by_batch
        Opaque batch key to offset.
    sd
        Standard deviation of an offset.
    """

    by_batch: Mapping[str | None, float]
    sd: float

    def of(self, batch: str | None) -> float:
        """Offset of a batch."""
        return self.by_batch[batch]


def bridging_offsets(
    cut: CutTemplate,
    batches: set[str | None],
    controls: Sequence[tuple[str | None, CutEvidence]],
) -> Offsets | None:
    """Place the cut on every control; None unless all batches have one and all are sure.

    The same cells in every batch: where their cut moves, the instrument or the
    reagent did.
    """
    found: dict[str | None, list[tuple[float, float]]] = {b: [] for b in batches}
    for batch, evidence in controls:
        try:
            position = decide(cut, evidence).position
        except GatingError:
            continue
        if position.confidence >= SURE:
            found[batch].append((position.value, position.sd))
    if len(batches) < 2 or None in batches or not all(found.values()):
        return None
    means = {b: float(np.mean([v for v, _ in rows])) for b, rows in found.items()}
    overall = float(np.mean([means[b] for b in sorted(b for b in means if b is not None)]))
    sds = [s for rows in found.values() for _, s in rows if np.isfinite(s)]
    return Offsets({b: v - overall for b, v in means.items()}, float(np.mean(sds)) if sds else 0.0)
