"""Tubes as different as a laboratory's worst year: for the accuracy bench."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from cytometry.simulation.blood import Blood
from cytometry.simulation.cohort import vary
from cytometry.simulation.cytometer import tube_panel
from cytometry.simulation.study import DEMO_DESIGN, StudyTube
from cytometry.simulation.tubes import SimulatedTube, Staining, TubeSpec, simulate_tube

KINDS = ("usual", "depleted", "plasmablast-rich")
SUBJECTS, VISITS = 2, 4
# An acquisition time is needed and means nothing here.
_WHEN = datetime(2025, 3, 3)
# Closest to the demo study's donor: a control is a healthy aliquot whatever the patients are.
_CONTROL = Blood(b_cells=0.15, double_negative=0.05, activated_naive=0.03, asc=0.01, unswitched_memory=0.15)


@dataclass(frozen=True)
class VariedBatch:
    """One batch: two subjects with four visits each, its controls, and what is difficult about it.

    Parameters
    ----------
    kind
        Of the subjects: usual, depleted (B cells 0.1 to 1 %), plasmablast-rich (10 to 50 % of B cells).
    has_fmo
        Whether the batch has its FMO controls.
    """

    name: str
    kind: str
    has_fmo: bool
    tubes: tuple[StudyTube, ...]

    def simulate(self, seed: int) -> Iterator[tuple[StudyTube, SimulatedTube]]:
        """Tubes and their events."""
        for tube in self.tubes:
            yield tube, simulate_tube(tube.spec, np.random.default_rng([seed, 1, tube.index]))


def varied_batches(panel: str, seed: int, n_batches: int, events: int) -> Iterator[VariedBatch]:
    """Draw batches; kinds and FMO controls take turns, everything else is random.

    B cells 0.1 to 20 % of lymphocytes, subsets about 0.2 to 60 % of B cells; spreads of clusters 0.8 to 1.3 of the
    reference, by batch; signal of each marker shifted by up to 30 % by batch and 5 % by tube; CD27 up to 40 % dimmer by
    subject; coefficients of the stored spillover wrong by up to 10 % (standard deviation), by batch.
    """
    for index in range(n_batches):
        rng = np.random.default_rng([seed, 0, index])
        kind = KINDS[(0, 0, 1, 0, 2)[index % 5] if panel == "bcell" else 0]
        yield _batch(panel, f"V{index:02d}", kind, index % 2 == 0, index * 100, events, rng)


def _batch(
    panel: str, name: str, kind: str, has_fmo: bool, first: int, events: int, rng: np.random.Generator
) -> VariedBatch:
    markers = tube_panel(panel).markers
    shift = dict(zip(markers, rng.uniform(-0.155, 0.114, size=len(markers)), strict=True))  # 0.7 to 1.3 in decades
    spread = dict.fromkeys(markers, float(rng.uniform(0.8, 1.3)))
    error = float(rng.uniform(0.0, 0.10))
    tubes: list[StudyTube] = []
    for subject in range(SUBJECTS):
        usual, dim = _subject(kind, rng), {"CD27": -float(rng.uniform(0.0, 0.22))}
        for visit in range(VISITS):
            blood = vary(usual, 0.25, {}, rng)
            own = {m: s + dim.get(m, 0.0) + float(rng.normal(0.0, 0.02)) for m, s in shift.items()}
            spec = TubeSpec(
                panel=panel,
                cells=blood.cell_shares(),
                n_events=events,
                staining=Staining(own, spread),
                doublets=float(rng.uniform(0.02, 0.10)),
                debris=float(rng.uniform(0.03, 0.20)),
                dead=float(rng.uniform(0.03, 0.25)),
                spillover_error=error,
                name=f"{name}_S{subject}_v{visit}",
            )
            tubes.append(_tube(first + len(tubes), spec, f"{name}_S{subject}", f"v{visit}", "sample", name, blood))
    roles = ["control", *(f"fmo:{m}" for m in DEMO_DESIGN.fmo[panel] if has_fmo)]
    for role in roles:
        spec = TubeSpec(
            panel=panel,
            cells=_CONTROL.cell_shares(),
            n_events=events // 2,
            staining=Staining(shift, spread),
            spillover_error=error,
            omit=role.removeprefix("fmo:") if role != "control" else None,
            name=f"{name}_{role}",
        )
        tubes.append(_tube(first + len(tubes), spec, "", "", role, name, _CONTROL))
    return VariedBatch(name, kind, has_fmo, tuple(tubes))


def _subject(kind: str, rng: np.random.Generator) -> Blood:
    blood = vary(Blood(), 1.0, {"b_cells": 0.0, "helios": 0.6, "treg": 0.6}, rng)
    low, high = (0.001, 0.01) if kind == "depleted" else (0.01, 0.20)
    blood = replace(blood, b_cells=float(np.exp(rng.uniform(np.log(low), np.log(high)))))
    if kind == "plasmablast-rich":
        # The other subsets keep their proportions; antibody-secreting cells crowd them.
        asc = float(rng.uniform(0.10, 0.50))
        names = ("transitional", "unswitched_memory", "switched_memory", "double_negative")
        blood = replace(blood, asc=asc, **{n: getattr(blood, n) * (1 - asc) for n in names})
    return vary(blood, 0.0, {}, rng)  # makes room where fractions exceed the whole


def _tube(index: int, spec: TubeSpec, subject: str, visit: str, role: str, batch: str, blood: Blood) -> StudyTube:
    return StudyTube(
        index=index,
        acquired=_WHEN,
        sample_id=spec.name.replace(":", "_"),
        panel=spec.panel,
        subject_id=subject,
        visit=visit,
        role=role,
        batch=batch,
        blood=blood,
        spec=spec,
    )
