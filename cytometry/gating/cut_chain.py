"""Place one cut in one group of tubes: rules in order, and what is borrowed where none is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.methods.density import density_of
from cytometry.gating.methods.evidence import FEWEST_EVENTS, CutEvidence, CutPosition
from cytometry.gating.methods.registry import CUT_METHODS
from cytometry.model.normal import NORMAL_MAD
from cytometry.model.template import CutTemplate

# A rule decides from here on: it is more likely right than wrong.
SURE = 0.5
# As a first rule a method is the author's choice. As a fallback, these describe one peak and never see a
# boundary, so that they are not sure ...
_NO_BOUNDARY = frozenset({"tail", "quantile"})
_FALLBACK_CONFIDENCE = 0.45
# ... and these look elsewhere, so that the population's own density has a say.
_FROM_ELSEWHERE = frozenset({"anchor", "fmo_percentile"})
# Standard deviation of a position that nothing supports: a quarter of a decade where 4.5 decades are displayed.
_UNSURE_SPREAD = 0.25 / 4.5
# So many sure groups of the same batch are needed to borrow from.
FEWEST_LENDERS = 2


@dataclass(frozen=True)
class Decision:
    """Where a cut lies, which rule said so, and what a reader should know.

    Parameters
    ----------
    position
        The answer.
    method
        Of the rule that gave it.
    flags
        ``GATE_FALLBACK``: not the first rule. ``GATE_UNCERTAIN``: no rule was
        sure. ``GATE_BORROWED``: drawn to the batch's other groups, or to the
        subject's tubes of other batches.
    shared_weight
        Weight of what the tube's group says against what the tube says itself; below 1 only where the group spans
        batches (:mod:`cytometry.gating.bridge`).
    """

    position: CutPosition
    method: str
    flags: tuple[str, ...] = ()
    shared_weight: float = 1.0


def decide(cut: CutTemplate, evidence: CutEvidence) -> Decision:
    """Try the rules in order; the first that is sure decides, else the surest.

    Raises
    ------
    GatingError
        No rule gave an answer.
    """
    best: Decision | None = None
    reasons = []
    for order, rule in enumerate(cut.rules):
        try:
            position = CUT_METHODS[rule.method](rule, evidence)
        except GatingError as error:
            reasons.append(f"{rule.method} {error.message}")
            continue
        flags = ("GATE_FALLBACK",) if order else ()
        if order and rule.method in _FROM_ELSEWHERE:
            position = replace(position, confidence=position.confidence * _clearance(position, evidence))
        if order and rule.method in _NO_BOUNDARY:
            position = replace(position, confidence=min(position.confidence, _FALLBACK_CONFIDENCE))
        position = _doubted(position)
        if position.confidence >= SURE:
            return Decision(position, rule.method, flags)
        if best is None or position.confidence > best.position.confidence:
            best = Decision(position, rule.method, (*flags, "GATE_UNCERTAIN"))
    if best is None:
        raise GatingError(
            f"no rule places it: {'; '.join(reasons)}",
            hint="add a rule that always answers ('fixed'), or widen 'between'",
            code="GATE_NOT_PLACED",
        )
    return best


def _doubted(position: CutPosition) -> CutPosition:
    """A position that is not quite sure may be off by more than its sampling error says."""
    sampling = position.sd if np.isfinite(position.sd) else 0.0
    return replace(position, sd=float(np.hypot(sampling, _UNSURE_SPREAD * (1.0 - position.confidence))))


def _clearance(position: CutPosition, evidence: CutEvidence) -> float:
    """How little the population's own density objects to a cut that was read elsewhere: 0 at its highest peak.

    A cut from a control that slices through the bulk of a single peak divides cells that look alike.
    """
    if evidence.pool.n_events < FEWEST_EVENTS:
        return 1.0
    density = density_of(evidence.pool)
    return float((1.0 - density.at(position.value) / density.values.max()) ** 2)


def borrow(decisions: Mapping[str, Decision], batches: Mapping[str, Sequence[str | None]]) -> dict[str, Decision]:
    """Draw unsure positions to those of the batch's sure groups.

    With c the confidence of the group's own answer, m the median and t the
    robust spread of the sure positions: value ``c own + (1 − c) m``, standard
    deviation ``sqrt(t² + (c sd)²)``. Only groups that lie wholly in one batch
    lend and borrow.
    """
    result = dict(decisions)
    for name, decision in decisions.items():
        if decision.position.confidence >= SURE:
            continue
        lenders = [
            d.position
            for other, d in decisions.items()
            if other != name and d.position.confidence >= SURE and set(batches[other]) == set(batches[name])
        ]
        if len(lenders) < FEWEST_LENDERS or len(set(batches[name])) != 1:
            continue
        values = np.array([p.value for p in lenders])
        middle = float(np.median(values))
        spread = max(
            float(np.median(np.abs(values - middle))) / NORMAL_MAD,
            float(np.median(np.nan_to_num([p.sd for p in lenders]))),
        )
        own = decision.position
        c = own.confidence
        own_sd = own.sd if np.isfinite(own.sd) else 0.0
        result[name] = Decision(
            CutPosition(c * own.value + (1 - c) * middle, float(np.hypot(spread, c * own_sd)), max(c, 0.4), "control"),
            decision.method,
            ("GATE_UNCERTAIN", "GATE_BORROWED"),
        )
    return result
