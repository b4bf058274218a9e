"""Fixed: a position that no data support."""

from __future__ import annotations

from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.model.rules import Fixed


def place_fixed(rule: Fixed, evidence: CutEvidence) -> CutPosition:
    """Put the cut where the template says, with no confidence."""
    del evidence
    return CutPosition(rule.at, float("nan"), 0.0, "fallback")
