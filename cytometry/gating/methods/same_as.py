"""Same as: where another cut on the marker was placed."""

from __future__ import annotations

from dataclasses import replace

from cytometry.errors import GatingError
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.model.rules import SameAs

# What a valley of a wider population is worth for a part of it.
_WIDER = 0.8


def place_same_as(rule: SameAs, evidence: CutEvidence) -> CutPosition:
    """Take over the position and its error; a little less sure, for a wider population's valley may lean.

    Raises
    ------
    GatingError
        The other cut was not placed in these tubes.
    """
    if rule.cut not in evidence.others:
        raise GatingError(f"cut '{rule.cut}' was not placed", code="GATE_NOT_PLACED")
    other = evidence.others[rule.cut]
    return replace(other, confidence=_WIDER * other.confidence)
