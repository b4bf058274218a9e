"""Same as: where another cut on the marker was placed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.methods.density import density_of
from cytometry.gating.methods.evidence import FEWEST_EVENTS, CutEvidence, CutPosition
from cytometry.model.rules import SameAs

# What a valley of a wider population is worth for a part of it.
_WIDER = 0.8


def place_same_as(rule: SameAs, evidence: CutEvidence) -> CutPosition:
    """Take over the position; a little less sure, for a wider population's valley may lean.

    The error grows by the bandwidth of the own events' density: what is finer cannot be told from them.

    Raises
    ------
    GatingError
        The other cut was not placed in these tubes.
    """
    if rule.cut not in evidence.others:
        raise GatingError(f"cut '{rule.cut}' was not placed", code="GATE_NOT_PLACED")
    other = evidence.others[rule.cut]
    own = density_of(evidence.pool).bandwidth if evidence.pool.n_events >= FEWEST_EVENTS else 0.0
    return replace(
        other,
        sd=float(np.hypot(other.sd, own)),
        confidence=_WIDER * other.confidence,
        systematic=float(np.hypot(other.systematic, own)),
    )
