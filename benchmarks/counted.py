"""Counts of measured tubes as the statistics take them: the columns of counts.csv joined with the samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from benchmarks.chain import PANELS, measure
from cytometry.model.panel import Panel
from cytometry.model.plan import AnalysisPlan
from cytometry.model.strategy import ROOT
from cytometry.simulation.study import SimulatedStudy
from cytometry.statistics.design import TrialDesign

if TYPE_CHECKING:
    import pandas as pd


def count_study(study: SimulatedStudy, panels: dict[str, Panel], *, alone: bool = False) -> pd.DataFrame:
    """Simulate, place, gate and count every tube of a study; one row per sample and population."""
    import pandas as pd

    rows: list[dict[str, object]] = []
    for key in study.design.panels:
        tubes = ((t, study.tube(t.sample_id)) for t in study.tubes if t.panel == key)
        measured, _ = measure(panels[key], tubes, alone=alone)
        for m in measured:
            for path, mask in m.masks.items():
                parent, _, name = path.rpartition("/")
                rows.append(
                    {
                        "sample_id": m.tube.sample_id,
                        "subject_id": m.tube.subject_id,
                        "visit": m.tube.visit,
                        "batch": m.tube.batch,
                        "role": m.tube.role,
                        "panel": PANELS[key],
                        "population": name,
                        "path": path,
                        "count": int(mask.sum()),
                        "parent_count": mask.size if parent == ROOT else int(m.masks[parent].sum()),
                    }
                )
    return pd.DataFrame(rows)


def clinical_table(study: SimulatedStudy) -> pd.DataFrame:
    """Rows of clinical.csv as a table."""
    import pandas as pd

    return pd.DataFrame([dict(r) for r in study.clinical])


def trial_design(study: SimulatedStudy) -> TrialDesign:
    """Visits of a simulated study as the statistics need them."""
    visits = study.design.visits
    return TrialDesign(
        tuple(v.name for v in visits), visits[0].name, {v.name: float(v.day) for v in visits}, visits[-1].name
    )


def plan_of(confirmatory: Iterable[tuple[str, str, str]], panel: dict[str, str], visit: str) -> AnalysisPlan:
    """A plan of (population, scale, visit), and panel populations with their scales."""
    return AnalysisPlan.model_validate(
        {
            "confirmatory": [{"population": p, "scale": s, "visit": v} for p, s, v in confirmatory],
            "panel": list(panel),
            "scales": panel,
            "response": {"rule": "sri4", "visit": visit},
        }
    )
