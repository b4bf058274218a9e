"""FMO percentile: where the events of a fluorescence-minus-one control end."""

from __future__ import annotations

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.methods.convention import percentile_freedom
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.gating.methods.quantile import place_quantile
from cytometry.model.rules import FmoPercentile, Quantile


def place_fmo_percentile(rule: FmoPercentile, evidence: CutEvidence) -> CutPosition:
    """Put the cut at a percentile of the control's background.

    The percentile is a convention, whose freedom (:mod:`~cytometry.gating.methods.convention`) is part of the
    position's error.

    Raises
    ------
    GatingError
        The batch has no such control, or it holds too few events.
    """
    if evidence.fmo is None:
        raise GatingError("has no FMO control in its batch", code="FMO_MISSING")
    as_quantile = Quantile(fraction=rule.percentile / 100.0, between=rule.between)
    found = place_quantile(as_quantile, CutEvidence(evidence.fmo))
    freedom = percentile_freedom(evidence.fmo, as_quantile.fraction)
    return CutPosition(found.value, float(np.hypot(found.sd, freedom)), found.confidence, "fmo", freedom)
