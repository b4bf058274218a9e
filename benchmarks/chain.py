"""From simulated tubes to placed gates in this process: what `cytometry run` does per group, without files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube, place
from cytometry.gating.tubes import SAMPLE
from cytometry.model.panel import Panel
from cytometry.model.placement import Placement
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader
from cytometry.preprocessing.markers import match_channels
from cytometry.simulation.study import StudyTube
from cytometry.simulation.truth import Truth
from cytometry.simulation.tubes import SimulatedTube

BoolArray = npt.NDArray[np.bool_]

#: Panels of the demo study by their key in samples.csv.
PANELS: Mapping[str, str] = {"bcell": "bcell_v1", "treg": "treg_v1"}


@dataclass(frozen=True, eq=False)
class MeasuredTube:
    """One gated tube: events by population path, beside the truth."""

    tube: StudyTube
    simulated: SimulatedTube
    truth: Truth
    masks: Mapping[str, BoolArray]
    reader: DimensionReader
    placement: Placement

    def mask(self, name: str) -> BoolArray | None:
        """Events of a population by its name; None where it is undefined."""
        return next((m for p, m in self.masks.items() if p.rpartition("/")[2] == name), None)


def measure(
    panel: Panel, tubes: Iterable[tuple[StudyTube, SimulatedTube]], *, alone: bool = False
) -> tuple[list[MeasuredTube], Placement]:
    """Place a panel on simulated tubes and apply the gates to the samples.

    Tubes are placed in the groups that `cytometry run` makes: with a subject's tubes go the controls of their batches
    and nobody else's.
    """
    pairs = list(tubes)
    # Tubes of one simulated panel have the same channels.
    by_channels: dict[tuple[str, ...], ChannelMap] = {}
    for _, s in pairs:
        if s.sample.channel_names not in by_channels:
            by_channels[s.sample.channel_names] = match_channels(s.sample, panel).channel_map
    given = {
        t.sample_id: Tube(
            t.sample_id,
            s.sample,
            by_channels[s.sample.channel_names],
            t.subject_id or None,
            t.batch or None,
            t.role,
        )
        for t, s in pairs
    }
    samples = [t for t in given.values() if t.role == SAMPLE]
    sizes = Counter(t.batch_group for t in samples if t.batch_group is not None)
    placements = []
    for group in _groups(panel, samples, alone=alone):
        batches = {t.batch_group for t in group}
        references = [t for t in given.values() if t.role != SAMPLE and t.batch_group in batches and not alone]
        placement = place(panel, [*group, *references], batch_sizes=sizes, alone=alone)
        placements.append(_only(placement, {t.key for t in group}))
    whole = _joined(panel, placements)
    return [_measured(t, s, given[t.sample_id], whole) for t, s in pairs if t.sample_id in whole.strategies], whole


def _groups(panel: Panel, samples: Sequence[Tube], *, alone: bool) -> list[list[Tube]]:
    scope = "sample" if alone else panel.widest_scope
    key = {"sample": _key, "subject": _subject, "batch": _batch, "study": _one}[scope]
    groups: dict[str | None, list[Tube]] = defaultdict(list)
    for tube in samples:
        groups[key(tube)].append(tube)
    return list(groups.values())


def _key(tube: Tube) -> str | None:
    return tube.key


def _subject(tube: Tube) -> str | None:
    return tube.subject_group


def _batch(tube: Tube) -> str | None:
    return tube.batch_group


def _one(_: Tube) -> str | None:
    return None


def _only(placement: Placement, keys: set[str]) -> Placement:
    """What concerns these tubes."""
    return Placement(
        placement.panel,
        {k: v for k, v in placement.strategies.items() if k in keys},
        tuple(c for c in placement.cuts if c.sample_key in keys),
        {k: v for k, v in placement.shapes.items() if k in keys},
        tuple(f for f in placement.findings if f.file in keys),
        {k: v for k, v in placement.failed.items() if k in keys},
        {k: v for k, v in placement.gating_cv.items() if k in keys},
    )


def _joined(panel: Panel, placements: Sequence[Placement]) -> Placement:
    return Placement(
        panel,
        {k: v for p in placements for k, v in p.strategies.items()},
        tuple(c for p in placements for c in p.cuts),
        {k: v for p in placements for k, v in p.shapes.items()},
        tuple(f for p in placements for f in p.findings),
        {k: v for p in placements for k, v in p.failed.items()},
        {k: v for p in placements for k, v in p.gating_cv.items()},
    )


def _measured(tube: StudyTube, simulated: SimulatedTube, given: Tube, placement: Placement) -> MeasuredTube:
    strategy = placement.strategies[tube.sample_id]
    membership = gate_sample(strategy, simulated.sample, given.channel_map)
    masks = {p: membership.mask(p) for p in membership.paths if p not in membership.undefined}
    reader = DimensionReader(simulated.sample, given.channel_map, strategy.transforms, strategy.compensations)
    return MeasuredTube(tube, simulated, simulated.truth, masks, reader, placement)
