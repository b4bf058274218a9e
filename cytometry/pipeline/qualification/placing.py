"""Placed gates against cells whose kind is known, because they were simulated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from cytometry.model.claims import Claim

AREA: Final = "placing gates"
_PANELS: Final = (("bcell", "bcell_v1"), ("treg", "treg_v1"))
_SEEDS: Final = (1, 2, 3)
_EVENTS: Final = 40_000
# Fewer true events than these say more about chance than about gates.
_FEWEST_TRUE: Final = 100


def placing_claims(folder: Path) -> Iterator[Claim]:
    """Events found and missed in simulated tubes, each tube gated alone."""
    from cytometry.pipeline.analyst import gate, simulate
    from cytometry.simulation.truth import TRUE_POPULATIONS, truth_mask

    source = "simulated truth"
    for kind, panel in _PANELS:
        scores: dict[str, list[float]] = {}
        errors: list[float] = []
        for seed in _SEEDS:
            tube = simulate(kind, n_events=_EVENTS, seed=seed)
            membership = gate(tube.sample, strategy=panel).membership
            for path in membership.paths:
                name = path.rpartition("/")[2]
                if name not in TRUE_POPULATIONS or path in membership.undefined:
                    continue
                true, found = truth_mask(tube.truth, name), membership.mask(path)
                if true.sum() >= _FEWEST_TRUE:
                    scores.setdefault(name, []).append(float(2 * (true & found).sum() / (true.sum() + found.sum())))
                    errors.append(abs(float(found.sum() / true.sum()) - 1.0))
        typical = {name: float(np.median(values)) for name, values in scores.items()}
        worst = min(typical, key=lambda n: typical[n])
        where = f"{len(_SEEDS)} tubes of {_EVENTS:,} events"
        yield Claim(
            AREA,
            f"{panel}: median F1 over {len(typical)} populations, {where}",
            source,
            "at least",
            0.95,
            float(np.median(list(typical.values()))),
        )
        yield Claim(AREA, f"{panel}: F1 of the worst population ({worst})", source, "at least", 0.8, typical[worst])
        yield Claim(
            AREA,
            f"{panel}: median relative error of a count",
            source,
            "at most",
            0.05,
            float(np.median(errors)),
        )
