"""From simulated tubes to placed gates in this process: what `cytometry run` does per group, without files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube, place
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
    """Place a panel on simulated tubes together and apply the gates to those that are samples or controls."""
    pairs = list(tubes)
    # Tubes of one simulated panel have the same channels.
    by_channels: dict[tuple[str, ...], ChannelMap] = {}
    for _, s in pairs:
        if s.sample.channel_names not in by_channels:
            by_channels[s.sample.channel_names] = match_channels(s.sample, panel).channel_map
    maps = {t.sample_id: by_channels[s.sample.channel_names] for t, s in pairs}
    placement = place(
        panel,
        [
            Tube(t.sample_id, s.sample, maps[t.sample_id], t.subject_id or None, t.batch or None, t.role)
            for t, s in pairs
        ],
        alone=alone,
    )
    measured = []
    for t, s in pairs:
        strategy = placement.strategies.get(t.sample_id)
        if strategy is None:
            continue
        membership = gate_sample(strategy, s.sample, maps[t.sample_id])
        masks = {p: membership.mask(p) for p in membership.paths if p not in membership.undefined}
        reader = DimensionReader(s.sample, maps[t.sample_id], strategy.transforms, strategy.compensations)
        measured.append(MeasuredTube(t, s, s.truth, masks, reader, placement))
    return measured, placement
