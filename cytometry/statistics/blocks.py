"""The unit of testing: one population's changes at one visit on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.changes import (
    OVERRIDES,
    Changes,
    abundance_changes,
    composition_changes,
    percentage_point_changes,
)
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.ranks import FloatArray
from cytometry.statistics.readouts import Readout, Readouts

if TYPE_CHECKING:
    import pandas as pd

ABUNDANCE = "log2_per_ul"
PERCENT = "percent"
VISIT_MISSING = "VISIT_MISSING"
BASELINE_MISSING = "BASELINE_MISSING"


BlockKey: TypeAlias = tuple[str, str, str, str]
"""Panel, path, visit and scale."""


@dataclass(frozen=True)
class ChangeBlock:
    """Changes of all subjects, in the readouts' order of subjects.

    Parameters
    ----------
    denominator
        What the population is a share of; ``µL`` on the abundance scale.
    changes
        On the scale.
    points
        The same change in percentage points of the denominator; NaN for abundance.
    before, whole_before, now, whole_now
        Counts of the population and of the denominator.
    """

    readout: Readout
    visit: str
    scale: str
    denominator: str
    changes: Changes
    points: FloatArray
    before: FloatArray
    whole_before: FloatArray
    now: FloatArray
    whole_now: FloatArray
    same_batch: tuple[bool, ...]

    @property
    def key(self) -> BlockKey:
        """What tells this block from all others."""
        return (self.readout.panel, self.readout.path, self.visit, self.scale)

    @property
    def overridden(self) -> int:
        """Changes that one of the two overrides set to 0."""
        return sum(any(code in flags.split(";") for code in OVERRIDES) for flags in self.changes.flags)


def change_blocks(readouts: Readouts, design: TrialDesign, plan: AnalysisPlan) -> tuple[ChangeBlock, ...]:
    """Every population, follow-up visit and scale that the plan or the reader asks for.

    A population is compared on its scale of the panel, on the scales of the
    confirmatory list, and in cells/µL where these are known.
    """
    return tuple(
        change_block(readouts, readout, visit, scale, design, plan)
        for readout in readouts.items
        for scale in scales_of(readout, plan)
        for visit in design.follow_up
    )


def scales_of(readout: Readout, plan: AnalysisPlan) -> tuple[str, ...]:
    """Scales that a population is compared on, the panel's first."""
    names = (readout.population, readout.path)
    listed = [r.scale for r in plan.confirmatory if r.population in names]
    wanted = dict.fromkeys([plan.scale_of(*names), *listed, ABUNDANCE])
    return tuple(s for s in wanted if s != ABUNDANCE or readout.has_abundance)


def panel_keys(blocks: tuple[ChangeBlock, ...], readouts: Readouts, plan: AnalysisPlan) -> frozenset[BlockKey]:
    """Blocks that the panel is adjusted over: its populations on their own scale.

    An empty ``panel`` in the plan means every population but the stem.

    Raises
    ------
    StatisticsError
        The plan names a population that was not counted.
    """
    chosen = [readouts.named(name) for name in plan.panel] or list(readouts.items)
    members = {(r.panel, r.path) for r in chosen}
    return frozenset(
        b.key
        for b in blocks
        if (b.readout.panel, b.readout.path) in members
        and b.scale == plan.scale_of(b.readout.population, b.readout.path)
    )


def change_block(
    readouts: Readouts, readout: Readout, visit: str, scale: str, design: TrialDesign, plan: AnalysisPlan
) -> ChangeBlock:
    """Changes of one population at one visit."""
    base, at = readouts.visits.index(design.baseline), readouts.visits.index(visit)
    k0, k1 = readout.counts[:, base], readout.counts[:, at]
    batches = readouts.batches[readout.panel]
    same_batch = tuple(bool(a == b) for a, b in zip(batches[:, base], batches[:, at], strict=True))
    if scale == ABUNDANCE:
        f0, f1 = readout.cells_per_event[:, base], readout.cells_per_event[:, at]
        return ChangeBlock(
            readout, visit, scale, "µL", abundance_changes(k0, f0, k1, f1, plan.rules), np.full(k0.size, np.nan),
            k0, f0, k1, f1, same_batch,
        )  # fmt: skip
    denominator, whole = readout.denominator(scale)
    n0, n1 = whole[:, base], whole[:, at]
    points = percentage_point_changes(k0, n0, k1, n1, plan.rules)
    changes = composition_changes(k0, n0, k1, n1, plan.rules)
    if scale == PERCENT:
        changes = Changes(points, np.full(k0.size, np.nan), changes.flags)
    return ChangeBlock(readout, visit, scale, denominator, changes, points, k0, n0, k1, n1, same_batch)


CHANGE_COLUMNS = (
    "subject_id",
    "panel",
    "population",
    "path",
    "visit",
    "scale",
    "denominator",
    "count_baseline",
    "denominator_baseline",
    "count",
    "denominator_count",
    "percent_baseline",
    "percent",
    "cells_per_ul_baseline",
    "cells_per_ul",
    "change",
    "change_percentage_points",
    "counting_variance",
    "same_batch",
    "flags",
)


def changes_table(blocks: tuple[ChangeBlock, ...], subjects: tuple[str, ...]) -> pd.DataFrame:
    """One row per subject, population, visit and scale; ``change`` is empty where undefined."""
    import pandas as pd

    parts = [_change_rows(block, subjects) for block in blocks]
    if not parts:
        return pd.DataFrame(columns=list(CHANGE_COLUMNS))
    return pd.concat(parts, ignore_index=True)[list(CHANGE_COLUMNS)]


def _change_rows(block: ChangeBlock, subjects: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    abundance = block.scale == ABUNDANCE
    nothing = np.full(len(subjects), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        percent_before = np.where(block.whole_before > 0, 100 * block.before / block.whole_before, np.nan)
        percent_now = np.where(block.whole_now > 0, 100 * block.now / block.whole_now, np.nan)
    return pd.DataFrame(
        {
            "subject_id": subjects,
            "panel": block.readout.panel,
            "population": block.readout.population,
            "path": block.readout.path,
            "visit": block.visit,
            "scale": block.scale,
            "denominator": block.denominator,
            "count_baseline": block.before,
            "denominator_baseline": nothing if abundance else block.whole_before,
            "count": block.now,
            "denominator_count": nothing if abundance else block.whole_now,
            "percent_baseline": nothing if abundance else percent_before,
            "percent": nothing if abundance else percent_now,
            "cells_per_ul_baseline": block.before * block.whole_before if abundance else nothing,
            "cells_per_ul": block.now * block.whole_now if abundance else nothing,
            "change": block.changes.values,
            "change_percentage_points": block.points,
            "counting_variance": block.changes.variances,
            "same_batch": block.same_batch,
            "flags": _flags(block),
        }
    )


def _flags(block: ChangeBlock) -> list[str]:
    """Flags of the change, or which of the two visits is missing."""
    flags = []
    for own, k0, k1 in zip(block.changes.flags, block.before, block.now, strict=True):
        missing = [code for code, k in ((BASELINE_MISSING, k0), (VISIT_MISSING, k1)) if np.isnan(k)]
        flags.append(";".join(missing) if missing else own)
    return flags
