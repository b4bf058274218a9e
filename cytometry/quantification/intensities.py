"""Median fluorescence of each population, on the linear compensated scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytometry.gating.membership import Membership
from cytometry.model.gates import Dimension
from cytometry.model.strategy import ROOT, GatingStrategy
from cytometry.model.tables import Cell
from cytometry.preprocessing.dimensions import DimensionReader
from cytometry.quantification.low_counts import BELOW_LOD, CountLimits


def population_medians(
    sample_id: str,
    panel: str,
    strategy: GatingStrategy,
    membership: Membership,
    reader: DimensionReader,
    dimensions: Sequence[Dimension],
    *,
    limits: CountLimits | None = None,
) -> list[dict[str, Cell]]:
    """Median of each dimension in each defined population; undefined, not 0, without events.

    Values that are not finite do not count. Medians are taken before any
    transform, so that they can be compared between scales.

    Parameters
    ----------
    dimensions
        Name and compensation; those that the file lacks are left out.
    """
    limits = limits or CountLimits()
    present = [d for d in dimensions if d.name in reader.channel_map]
    paths = [(ROOT, ROOT), *((p.name, p.path) for p in strategy.populations)]
    members = {path: membership.indices(path) for _, path in paths if membership.count(path) is not None}
    medians: dict[tuple[str, str], tuple[int, float]] = {}
    for dimension in present:
        # One column at a time: the whole compensated matrix never exists.
        values = reader.linear(dimension.name, dimension.compensation)
        finite = np.isfinite(values)
        for path, rows in members.items():
            inside = values[rows] if finite.all() else values[rows[finite[rows]]]
            medians[path, dimension.name] = (len(inside), float(np.median(inside)) if len(inside) else np.nan)
    rows_out: list[dict[str, Cell]] = []
    for name, path in paths:
        if path not in members:
            continue
        for dimension in present:
            n, median = medians[path, dimension.name]
            channel = reader.sample.channels[reader.channel_map.indices[dimension.name]]
            rows_out.append(
                {
                    "sample_id": sample_id,
                    "panel": panel,
                    "population": name,
                    "path": path,
                    "channel": channel.name,
                    "marker": dimension.name,
                    "n_events": n,
                    "median": None if np.isnan(median) else float(f"{median:.8g}"),
                    "flags": BELOW_LOD if n < limits.detected_from else "",
                }
            )
    return rows_out
