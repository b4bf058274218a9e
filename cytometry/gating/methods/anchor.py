"""Anchor: a limit of an internal population that is known to lie on one side."""

from __future__ import annotations

import numpy as np

from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.model.rules import Anchor

# Median absolute deviation of a standard normal variable.
_MAD = 0.6745
# A reference population shows where background ends, not where a boundary lies.
_MOST_CONFIDENCE = 0.8


def place_anchor(rule: Anchor, evidence: CutEvidence) -> CutPosition:
    """Put the cut ``spreads`` robust deviations from the reference population's median, within ``between``.

    The deviation is measured on the side of the cut, so that skew counts.

    Raises
    ------
    GatingError
        The reference population holds too few events.
    """
    reference = evidence.references[rule.population]
    reference.require()
    median = reference.quantile(0.5)
    sign = 1.0 if rule.side == "above" else -1.0
    # Half of the events lie on the side of the cut; their middle is the quartile.
    spread = abs(reference.quantile(0.75 if sign > 0 else 0.25) - median) / _MAD
    n = reference.n_events
    value = float(np.clip(median + sign * rule.spreads * spread, *rule.between))
    sd = spread * np.sqrt((1.57 + 1.36 * rule.spreads**2) / n)
    return CutPosition(value, float(sd), _MOST_CONFIDENCE * n / (n + 30.0), "control")
