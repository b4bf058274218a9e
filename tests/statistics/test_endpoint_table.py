"""Clinical endpoints by subject and visit."""

from __future__ import annotations

import pandas as pd

from cytometry.model.clinical import BILAG_SYSTEMS, SLEDAI_WEIGHTS
from cytometry.statistics.endpoint_table import endpoint_table
from cytometry.statistics.response import clinical_courses
from tests.statistics.trial import DESIGN


def test_activity_low_activity_and_remission_of_one_course() -> None:
    grades = dict.fromkeys((f"bilag_{s}" for s in BILAG_SYSTEMS), "D")
    quiet = dict.fromkeys((f"sledai_{i}" for i in SLEDAI_WEIGHTS), 0)
    common = {"subject_id": "P1", **grades, **quiet}
    rows = [
        {
            **common,
            "visit": "w0",
            "sledai": 12,
            "sledai_psychosis": 8,
            "sledai_arthritis": 4,
            "pga": 2,
            "bilag_renal": "B",
        },
        {**common, "visit": "w8", "sledai": 4, "sledai_arthritis": 4, "pga": 0.8},
        {**common, "visit": "w24", "sledai": 2, "sledai_low_complement": 2, "pga": 0.3},
    ]
    table = endpoint_table(clinical_courses(pd.DataFrame(rows).assign(prednisone_mg_per_day=5.0), DESIGN))
    assert table["sledai_class"].tolist() == ["", "improvement", "improvement"]
    assert table["sledai_band"].tolist() == ["high", "mild", "mild"]
    assert table["sledai_clinical"].tolist() == [12, 4, 0]
    assert table["bilag_numeric"].tolist() == [8, 0, 0]
    assert table["lldas"].tolist() == [False, True, False]
    assert table["lldas_reason"].tolist()[2] == "new activity: low_complement"
    assert table["doris"].tolist() == [False, False, True]


def test_an_unknown_visit_leaves_its_cells_empty() -> None:
    table = endpoint_table(clinical_courses(pd.DataFrame({"subject_id": ["P1"], "visit": ["w0"]}), DESIGN))
    assert table["lldas"].tolist() == [None]
    assert table["doris_reason"].tolist() == ["component missing"]
    assert table["sledai_band"].tolist() == [""]
