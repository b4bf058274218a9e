"""Which tubes share a gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cytometry.gating.tubes import CONTROL, SAMPLE, Tube
from cytometry.model.template import Scope


@dataclass(frozen=True, eq=False)
class ScopeGroup:
    """Tubes that share a gate.

    Parameters
    ----------
    name
        Scope and opaque key.
    scope
        As it is used.
    contributing
        Tubes whose events place the gate, by key.
    receiving
        Tubes that get it; a control gets its batch's gate without shaping it.
    spans_batches
        The scope asked for would make a change between batches. With
        ``bridged`` the gate takes a per-batch offset; otherwise the scope was
        narrowed.
    """

    name: str
    scope: Scope
    contributing: tuple[Tube, ...]
    receiving: tuple[Tube, ...]
    spans_batches: bool = False
    bridged: bool = False


def scope_groups(tubes: Iterable[Tube], scope: Scope, *, alone: bool, can_bridge: bool) -> tuple[ScopeGroup, ...]:
    """Divide the gated tubes into groups that share a gate.

    A pool spans batches only where ``can_bridge`` says that a bridging control
    gives each batch's offset: pooled visits of several batches would turn the
    shift between batches into a change. And a batch shares a gate only among
    subjects that lie wholly in it: where batches follow the visits, the gate of
    a visit's batch errs the same way in every subject, and that is a change,
    too. Tubes that may not share get gates of their own.
    """
    gated = sorted((t for t in tubes if t.is_gated), key=lambda t: t.order)
    if alone or scope == "sample":
        return tuple(_single(t) for t in gated)
    samples = [t for t in gated if t.role == SAMPLE]
    controls = [t for t in gated if t.role == CONTROL]
    if scope == "subject":
        groups = _by_subject(samples, can_bridge=can_bridge)
        return (*groups, *(_single(t) for t in controls))
    if scope == "batch":
        return _by_batch(samples, controls)
    if len({t.batch_group for t in gated}) == 1:
        return (ScopeGroup("study", "study", tuple(samples or controls), tuple(gated)),)
    if gated and can_bridge:
        members = tuple(samples or controls)
        return (ScopeGroup("study", "study", members, tuple(gated), spans_batches=True, bridged=True),)
    return tuple(replace(g, spans_batches=True) for g in _by_batch(samples, controls))


def _several_batches(samples: Sequence[Tube]) -> frozenset[str]:
    """Subjects whose tubes do not all lie in one batch."""
    seen = {(t.subject_group, t.batch_group) for t in samples if t.subject_group is not None}
    elsewhere = {t.subject_group for t in samples if t.subject_group is not None and t.other_batches}
    return frozenset(s for s, _ in seen if s is not None and sum(s == other for other, _ in seen) > 1) | elsewhere


def _single(tube: Tube, *, spans_batches: bool = False) -> ScopeGroup:
    return ScopeGroup(f"sample {tube.key}", "sample", (tube,), (tube,), spans_batches=spans_batches)


def _by_subject(samples: Sequence[Tube], *, can_bridge: bool) -> tuple[ScopeGroup, ...]:
    groups: list[ScopeGroup] = []
    several = _several_batches(samples)
    for subject in dict.fromkeys(t.subject_group for t in samples):
        members = tuple(t for t in samples if t.subject_group == subject)
        if subject is None:
            groups += [_single(t) for t in members]
        elif subject not in several:
            groups.append(ScopeGroup(f"subject {subject}", "subject", members, members))
        elif can_bridge and len({t.batch_group for t in members}) > 1:
            groups.append(
                ScopeGroup(f"subject {subject}", "subject", members, members, spans_batches=True, bridged=True)
            )
        else:
            groups += [_single(t, spans_batches=True) for t in members]
    return tuple(groups)


def _by_batch(samples: Sequence[Tube], controls: Sequence[Tube]) -> tuple[ScopeGroup, ...]:
    several = _several_batches(samples)
    groups = [_single(t, spans_batches=True) for t in samples if t.subject_group in several]
    sharing = [t for t in samples if t.subject_group not in several]
    for batch in dict.fromkeys(t.batch_group for t in (*sharing, *controls)):
        members = tuple(t for t in sharing if t.batch_group == batch)
        bridging = tuple(t for t in controls if t.batch_group == batch)
        receiving = tuple(sorted((*members, *bridging), key=lambda t: t.order))
        groups.append(ScopeGroup(f"batch {batch}", "batch", members or bridging, receiving))
    return tuple(groups)
