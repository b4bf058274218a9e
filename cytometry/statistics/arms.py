"""Change in one arm against change in another, by exact permutation of the arms' labels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.statistics.blocks import ChangeBlock
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.rows import table_of
from cytometry.statistics.two_groups import mean_difference, rank_sum

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One population, visit and pair of arms; ``shift`` is the Hodges-Lehmann difference of changes, first - second."""

    panel: str
    population: str
    path: str
    visit: str
    scale: str
    first: str
    second: str
    n_first: int
    n_second: int
    shift: float
    mean_difference: float
    p: float
    p_count: int | None
    p_total: int | None
    p_floor: float
    p_at_floor: bool
    p_method: str
    p_definition: str
    p_monte_carlo_se: float
    p_rank_sum: float


def arm_table(
    blocks: tuple[ChangeBlock, ...], subjects: tuple[str, ...], design: TrialDesign, rng: np.random.Generator
) -> pd.DataFrame:
    """Every block and every pair of arms; empty for a single-arm trial."""

    arms = list(dict.fromkeys(design.arms.get(s, "") for s in subjects if design.arms.get(s)))
    rows = []
    for (a, b), block in itertools.product(itertools.combinations(arms, 2), blocks):
        d = block.changes.values
        one = d[[design.arms.get(s) == a for s in subjects]]
        two = d[[design.arms.get(s) == b for s in subjects]]
        difference, p = mean_difference(one, two, rng=rng)
        ranks = rank_sum(one, two, rng=rng)
        rows.append(
            ArmRow(
                panel=block.readout.panel,
                population=block.readout.population,
                path=block.readout.path,
                visit=block.visit,
                scale=block.scale,
                first=a,
                second=b,
                n_first=int((~np.isnan(one)).sum()),
                n_second=int((~np.isnan(two)).sum()),
                shift=ranks.shift,
                mean_difference=difference,
                p=p.p,
                p_count=p.count,
                p_total=p.total,
                p_floor=p.floor,
                p_at_floor=p.at_floor,
                p_method=p.method,
                p_definition=p.definition,
                p_monte_carlo_se=p.monte_carlo_se,
                p_rank_sum=ranks.p_value.p,
            )
        )
    return table_of(rows, ArmRow)
