"""Same as: where another cut on the marker was placed."""

from __future__ import annotations

from cytometry.errors import GatingError
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.model.rules import SameAs


def place_same_as(rule: SameAs, evidence: CutEvidence) -> CutPosition:
    """Take over the position, its error and its confidence.

    Raises
    ------
    GatingError
        The other cut was not placed in these tubes.
    """
    if rule.cut not in evidence.others:
        raise GatingError(f"cut '{rule.cut}' was not placed", code="GATE_NOT_PLACED")
    return evidence.others[rule.cut]
