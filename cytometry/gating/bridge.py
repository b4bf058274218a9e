"""Offsets between batches, read from the bridging control that each of them holds, and how far to trust them.

One control tube tells the offset of its batch, and errs. Its error is the same in every tube of the batch; where
batches follow the visits it moves the mean change of all subjects, and no number of subjects averages it out. An
error that n tubes share therefore counts as n errors of one tube would: of the combinations of a tube's own position
(variance ``s²``) and the shared position carried over by an offset (variance ``v``), the mean change errs least with
the shared one's weight at ``s² / (s² + n v)``. What a method errs alike in every tube (its bandwidth, its percentile)
is in neither variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.cut_chain import SURE, Decision, decide
from cytometry.gating.methods.evidence import CutEvidence
from cytometry.model.template import CutTemplate

# Standard errors from which samples contradict a control: fewer, and one small tube's scatter would.
_CONTRADICTION = 2.0


@dataclass(frozen=True)
class Offsets:
    """How far each batch lies above the mean of all, on the display scale.

    Parameters
    ----------
    by_batch
        Opaque batch key to offset.
    variance
        Of one batch's offset.
    """

    by_batch: Mapping[str | None, float]
    variance: float

    def of(self, batch: str | None) -> float:
        """Offset of a batch."""
        return self.by_batch[batch]


def bridging_offsets(
    cut: CutTemplate,
    batches: set[str | None],
    controls: Sequence[tuple[str | None, CutEvidence]],
) -> Offsets | None:
    """Place the cut on every control; None unless all batches have one and all are sure.

    The same cells in every batch: where their cut moves, the instrument or the
    reagent did.
    """
    found: dict[str | None, list[tuple[float, float]]] = {b: [] for b in batches}
    for batch, evidence in controls:
        try:
            position = decide(cut, evidence).position
        except GatingError:
            continue
        if position.confidence >= SURE and np.isfinite(position.sd):
            found[batch].append((position.value, position.own_sd))
    if len(batches) < 2 or None in batches or not all(found.values()):
        return None
    means = {b: float(np.mean([v for v, _ in rows])) for b, rows in found.items()}
    # Sorted by size: names of batches do not even decide a rounding.
    overall = float(np.mean(sorted(means.values())))
    variances = [float(np.mean([s**2 for _, s in rows])) / len(rows) for rows in found.values()]
    return Offsets({b: v - overall for b, v in means.items()}, float(np.mean(sorted(variances))))


def contradicted(offsets: Offsets, own: Sequence[tuple[str | None, str | None, float, float]]) -> Offsets:
    """Offsets whose variance covers what the samples' own positions say against them.

    Subjects with tubes in several batches show offsets of their own, freed of
    what is the subject's. Where these differ from the controls' by more than
    twice what both errors explain, the offsets' variance is that difference. The
    samples never move an offset: they can only make it count for less.

    Parameters
    ----------
    own
        Subject, batch, position and standard deviation of each sure sample tube.
    """
    rows = [(s, b, v - offsets.of(b), sd) for s, b, v, sd in own if s is not None and np.isfinite(sd)]
    means = {s: float(np.mean([v for t, _, v, _ in rows if t == s])) for s in sorted({r[0] for r in rows})}
    several = {s for s in means if len({b for t, b, _, _ in rows if t == s}) > 1}
    batches = {b for s, b, _, _ in rows if s in several}
    seen, expected = [], []
    for batch in batches:
        left = [(v - means[s], sd) for s, b, v, sd in rows if s in several and b == batch]
        mean = float(np.mean([d for d, _ in left]))
        # A subject's mean holds this batch too, which hides one batch's share of the difference.
        seen.append(mean**2 * len(batches) / (len(batches) - 1))
        expected.append(float(np.mean([sd**2 for _, sd in left])) / len(left))
    against, by_chance = (float(np.mean(np.sort(x))) if x else 0.0 for x in (seen, expected))
    if against <= _CONTRADICTION**2 * (by_chance + offsets.variance):
        return offsets
    return replace(offsets, variance=against - by_chance)


def carried(own: Decision | None, shared: Decision, offset: float, variance: float, n_sharing: int) -> Decision:
    """A tube's position from its own and the shared one, by the rule above.

    A tube that is unsure by itself is flagged as borrowing.

    Parameters
    ----------
    own
        None where the tube gave no answer: the shared position stands.
    shared
        Of all tubes of the group, freed of their offsets.
    offset, variance
        Of the tube's batch.
    n_sharing
        Tubes of the batch that take this offset.
    """
    moved = replace(
        shared.position, value=shared.position.value + offset, sd=float(np.hypot(shared.position.sd, variance**0.5))
    )
    if own is None:
        return replace(shared, position=moved, flags=_borrowing(shared.flags))
    weight = shared_weight(own.position.own_sd, variance, n_sharing)
    if weight == 0.0:
        return replace(own, shared_weight=0.0)
    mine, lead = own.position, shared if weight >= 0.5 else own
    if weight == 1.0:
        position = moved
    else:
        position = replace(
            lead.position,
            value=(1.0 - weight) * mine.value + weight * moved.value,
            # The shared position holds the tube's own events, so that the two may err together.
            sd=(1.0 - weight) * mine.sd + weight * moved.sd,
            confidence=(1.0 - weight) * mine.confidence + weight * moved.confidence,
        )
    flags = lead.flags if mine.confidence >= SURE else _borrowing(lead.flags)
    return Decision(position, lead.method, flags, weight)


def _borrowing(flags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*flags, "GATE_BORROWED")))


def shared_weight(own_sd: float, variance: float, n_sharing: int) -> float:
    """Weight of the shared position: ``s² / (s² + n v)``; 1 where the tube's own error has no bound.

    Examples
    --------
    >>> round(shared_weight(0.02, 0.0004, 6), 3)  # as good a control as tube, six tubes
    0.143
    >>> shared_weight(0.02, 0.0, 6)  # an offset without error
    1.0
    """
    if not np.isfinite(own_sd):
        return 1.0
    return own_sd**2 / (own_sd**2 + n_sharing * variance) if own_sd > 0.0 else 0.0
