"""Small trials made by hand for the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.design import TrialDesign

DESIGN = TrialDesign(
    ("w0", "w8", "w24"), "w0", days={"w0": 0, "w8": 56, "w24": 168}, titles={"w8": "week 8", "w24": "week 24"}
)
PARENT = 2000


def counts(
    courses: Mapping[str, Sequence[Sequence[int | None]]],
    *,
    parent: int = PARENT,
    visits: Sequence[str] = DESIGN.visits,
    batch: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Counts of each population per subject and visit, out of B cells; None is a missing tube."""
    rows = []
    for population, subjects in courses.items():
        for i, course in enumerate(subjects):
            for visit, k in zip(visits, course, strict=True):
                if k is not None:
                    rows.append(row(f"P{i + 1}", visit, population, k, parent, batch))
    tubes = {(r["subject_id"], r["visit"]) for r in rows}
    for subject, visit in sorted(tubes):
        rows.append({**row(subject, visit, "lymphocytes", 10_000, 20_000, batch), "path": "root/lymphocytes"})
        rows.append({**row(subject, visit, "b_cells", parent, 10_000, batch), "path": "root/lymphocytes/b_cells"})
    return pd.DataFrame(rows)


def row(
    subject: str, visit: str, population: str, k: int, parent: int, batch: Mapping[str, str] | None = None
) -> dict[str, object]:
    """One row of counts."""
    return {
        "sample_id": f"{subject}_{visit}",
        "subject_id": subject,
        "visit": visit,
        "panel": "bcell",
        "batch": (batch or {}).get(visit, f"batch of {subject}"),
        "role": "sample",
        "population": population,
        "path": f"root/lymphocytes/b_cells/{population}",
        "count": k,
        "parent_count": parent,
    }


def clinical(sledai: Sequence[Sequence[float | None]], **columns: Sequence[Sequence[object]]) -> pd.DataFrame:
    """SLEDAI per subject and visit; further columns likewise."""
    rows = []
    for i, course in enumerate(sledai):
        for j, (visit, points) in enumerate(zip(DESIGN.visits, course, strict=True)):
            extra = {name: values[i][j] for name, values in columns.items()}
            rows.append(
                {"subject_id": f"P{i + 1}", "visit": visit, "sledai": points, "lymphocytes_10e9_per_l": 1.5, **extra}
            )
    return pd.DataFrame(rows)


def plan(**fields: object) -> AnalysisPlan:
    """A plan with the fields given, the rest default."""
    return AnalysisPlan.model_validate(fields)


# Six participants; the sixth leaves after week 8. One population falls in all, one rises in all, one does neither.
FALLS = [[400, 200, 180], [300, 160, 150], [500, 210, 260], [350, 190, 140], [420, 230, 200], [380, 170, None]]
RISES = [[100, 180, 220], [120, 200, 210], [90, 160, 240], [110, 230, 190], [130, 250, 280], [105, 170, None]]
NOISE = [[600, 590, 640], [620, 650, 600], [580, 575, 610], [640, 660, 655], [610, 600, 590], [590, 605, None]]
SLEDAI: list[list[float | None]] = [[12, 6, 4], [10, 7, 5], [14, 4, 2], [10, 6, 6], [8, 5, 4], [12, 9, None]]
