"""Tail: so many robust standard deviations from the main peak."""

from __future__ import annotations

import numpy as np

from cytometry.gating.methods.density import density_of, half_width
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.model.rules import Tail

# Half width at half maximum of a standard normal density: sqrt(2 ln 2).
_HALF_WIDTH = 1.1774


def place_tail(rule: Tail, evidence: CutEvidence) -> CutPosition:
    """Put the cut ``spreads`` spreads from the main peak, the spread being measured on the peak's other side.

    The other side is free of the population that is cut off. Only peaks on the
    near side of the end of ``between`` count as the main one; the cut is kept
    within ``between``.
    """
    density = density_of(evidence.pool)
    sign = 1.0 if rule.side == "above" else -1.0
    inside = density.grid <= rule.between[1] if sign > 0 else density.grid >= rule.between[0]
    peak = int(np.argmax(np.where(inside, density.values, 0.0)))
    raw = half_width(density, peak, side=-int(sign)) / _HALF_WIDTH
    spread = float(np.sqrt(max(raw**2 - density.bandwidth**2, 0.25 * raw**2)))
    value = float(np.clip(density.grid[peak] + sign * rule.spreads * spread, *rule.between))
    # Mode and spread each carry about spread / sqrt(n); the spread enters `spreads` times.
    sd = spread * np.sqrt((1.0 + 0.5 * rule.spreads**2) / density.n_effective)
    return CutPosition(value, float(sd), density.n_effective / (density.n_effective + 30.0))
