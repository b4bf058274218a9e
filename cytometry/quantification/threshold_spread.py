"""How far a tube's boundary lies from those of other tubes: the first place to look for a misplaced gate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from cytometry.model.channels import Channel
from cytometry.model.normal import MAD_TO_SD
from cytometry.model.tables import Cell, Row
from cytometry.quantification.table_numbers import table_number

# Iglewicz and Hoaglin (1993) call a modified z-score beyond 3.5 an outlier.
ROBUST_Z_LIMIT: Final = 3.5
# With fewer tubes the median absolute deviation says nothing.
MINIMUM_TUBES: Final = 5


def threshold_spread(thresholds: Sequence[Row], subject_of: Mapping[str, str]) -> list[dict[str, Cell]]:
    """Rows of ``thresholds.csv`` with ``robust_z`` and ``subject_z`` filled in.

    ``robust_z`` = (value − median) / (1.4826 · MAD) among the tubes of the
    panel. ``subject_z`` is the distance from the median of the same subject's
    visits (of two visits, from the other one), over 1.4826 times the median of
    such distances in the whole panel: a person has too few visits for a spread
    of their own.

    Undefined for fewer than five tubes, where more than half of them share one
    value, and along time, where a position says how long a tube ran and not
    where a gate lies. A subject's tubes that share one boundary have a distance of 0.

    Parameters
    ----------
    subject_of
        Subject by sample; a control has none.
    """
    groups: dict[tuple[Cell, ...], list[int]] = {}
    for i, row in enumerate(thresholds):
        if isinstance(row["value_display"], float | int) and not _is_time(str(row["dimension"])):
            groups.setdefault((row["panel"], row["cut"], row["dimension"]), []).append(i)
    z: dict[int, tuple[float, float]] = {}
    for places in groups.values():
        values = [float(thresholds[i]["value_display"] or 0.0) for i in places]
        subjects = [subject_of.get(str(thresholds[i]["sample_id"]), "") for i in places]
        middle = median(values)
        from_group = _scaled([v - middle for v in values])
        from_visits = _scaled(_from_visits(values, subjects))
        z |= dict(zip(places, zip(from_group, from_visits, strict=True), strict=True))
    nothing = (math.nan, math.nan)
    return [
        {**row, "robust_z": table_number(z.get(i, nothing)[0]), "subject_z": table_number(z.get(i, nothing)[1])}
        for i, row in enumerate(thresholds)
    ]


def is_outlier(robust_z: Cell, subject_z: Cell) -> bool:
    """Whether a boundary lies more than 3.5 robust standard deviations off, from the group or from its own visits."""
    return any(isinstance(d, float | int) and abs(d) > ROBUST_Z_LIMIT for d in (robust_z, subject_z))


def _from_visits(values: Sequence[float], subjects: Sequence[str]) -> list[float]:
    """Distance of each value from the middle of its subject's; NaN for a subject with one, and without a subject."""
    own: dict[str, list[float]] = {}
    for value, subject in zip(values, subjects, strict=True):
        own.setdefault(subject, []).append(value)
    distances = []
    for value, subject in zip(values, subjects, strict=True):
        visits = own[subject]
        if not subject or len(visits) == 1:
            distances.append(math.nan)
        elif len(visits) == 2:
            distances.append(2 * value - sum(visits))
        else:
            distances.append(value - median(visits))
    return distances


def _scaled(distances: Sequence[float]) -> list[float]:
    known = [abs(d) for d in distances if not math.isnan(d)]
    spread = MAD_TO_SD * median(known) if len(known) >= MINIMUM_TUBES else 0.0
    return [d / spread if spread > 0 else math.nan for d in distances]


def _is_time(dimension: str) -> bool:
    return Channel(0, dimension).kind == "time"
