"""Anchor: where an internal population ends that is known to lie on one side."""

from __future__ import annotations

import numpy as np

from cytometry.gating.methods.convention import percentile_freedom
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.gating.methods.quantile import place_quantile
from cytometry.model.rules import Anchor, Quantile

# A reference population shows where background ends, not where a boundary lies.
_MOST_CONFIDENCE = 0.8


def place_anchor(rule: Anchor, evidence: CutEvidence) -> CutPosition:
    """Put the cut at a percentile of the reference population, within ``between``.

    A percentile and not so many deviations: reference populations are skewed
    and often fall into two. The percentile is a convention, whose freedom
    (:mod:`~cytometry.gating.methods.convention`) is part of the position's error.

    Raises
    ------
    GatingError
        The reference population holds too few events.
    """
    fraction = rule.percentile / 100.0 if rule.side == "above" else 1.0 - rule.percentile / 100.0
    as_quantile = Quantile(fraction=fraction, between=rule.between)
    found = place_quantile(as_quantile, CutEvidence(evidence.references[rule.population]))
    freedom = percentile_freedom(evidence.references[rule.population], fraction)
    sd = float(np.hypot(found.sd, freedom))
    return CutPosition(found.value, sd, _MOST_CONFIDENCE * found.confidence, "control", freedom)
