"""From rows of changes to the courses that a figure draws: the same counts, the same added half."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cytometry.model.plan import ChangeRules
from cytometry.model.study import Study
from cytometry.plotting.trajectories import Course
from cytometry.reporting.results import ABUNDANCE
from cytometry.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]


def courses(changes: pd.DataFrame, study: Study, notes: Mapping[str, str]) -> list[Course]:
    """One course per participant of rows that share panel, path and scale.

    Shares are (k + ½)/(N + 1), as the logit change takes them; a concentration
    of k cells is scaled by (k + ½)/k. A point is low where the population or
    its whole is below the plan's limits; it then carries the Clopper–Pearson
    interval of its counts, scaled like the value on the abundance axis.
    """
    abundance = bool((changes["scale"] == ABUNDANCE).all())
    return [
        _course(str(subject), rows, study, notes.get(str(subject), ""), abundance=abundance)
        for subject, rows in changes.groupby("subject_id", sort=False)
    ]


def _course(subject: str, rows: pd.DataFrame, study: Study, note: str, *, abundance: bool) -> Course:
    count, whole, cells = (np.full(len(study.visit_ids), np.nan) for _ in range(3))
    for row in rows.to_dict("records"):
        for visit, end in ((study.baseline.id, "_baseline"), (str(row["visit"]), "")):
            at = study.visit_ids.index(visit)
            count[at] = row[f"count{end}"]
            whole[at] = row["denominator_baseline" if end else "denominator_count"]
            cells[at] = row[f"cells_per_ul{end}"]
    values, low, high = _abundance(count, cells) if abundance else _composition(count, whole, study.plan.rules)
    is_low = _is_low(count, whole, study.plan.rules) & np.isfinite(values)
    return Course(subject, values, low, high, is_low, note)


def _composition(count: FloatArray, whole: FloatArray, rules: ChangeRules) -> tuple[FloatArray, FloatArray, FloatArray]:
    usable = whole >= max(rules.min_parent, 1)
    values = np.where(usable, (count + 0.5) / (whole + 1), np.nan)
    low, high = np.full(count.size, np.nan), np.full(count.size, np.nan)
    for i in np.flatnonzero(usable):
        interval = proportion_interval(int(count[i]), int(whole[i]))
        low[i], high[i] = interval.low, interval.high
    return values, low, high


def _abundance(count: FloatArray, cells: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(count > 0, cells * (count + 0.5) / count, np.nan)
    return values, np.full(count.size, np.nan), np.full(count.size, np.nan)


def _is_low(count: FloatArray, whole: FloatArray, rules: ChangeRules) -> npt.NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((count < rules.lloq) | (whole < rules.flag_parent))
