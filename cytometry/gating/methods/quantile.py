"""Quantile: a given share of the events lies below."""

from __future__ import annotations

import numpy as np

from cytometry.gating.methods.density import density_of
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.model.rules import Quantile


def place_quantile(rule: Quantile, evidence: CutEvidence) -> CutPosition:
    """Put the cut at the weighted quantile, kept within ``between``.

    Its error is ``sqrt(p (1 − p) / n) / f`` with the density f at the cut.
    """
    evidence.pool.require()
    value = float(np.clip(evidence.pool.quantile(rule.fraction), *rule.between))
    density = density_of(evidence.pool)
    level = max(density.at(value), 1.0 / (density.n_effective * density.bandwidth))
    sd = np.sqrt(rule.fraction * (1 - rule.fraction) / density.n_effective) / level
    rarer = min(rule.fraction, 1 - rule.fraction) * density.n_effective
    return CutPosition(value, float(sd), float(rarer / (rarer + 2.0)))
