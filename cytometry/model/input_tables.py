"""Columns of the tables that a lab writes: ``samples.csv``, ``clinical.csv``, ``subjects.csv``.

Units stand in the column names, so that a column cannot change its unit unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cytometry.model.clinical import BILAG_GRADES, BILAG_SYSTEMS, SLEDAI_MAXIMUM, SLEDAI_WEIGHTS
from cytometry.model.tables import Column, TableSchema

_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}"
# Ten times the highest count ever seen in leukaemia-free blood; more is a wrong unit.
_MAX_CELLS_10E9_PER_L = 500.0

SAMPLES_CSV: Final = TableSchema(
    "samples.csv",
    "one FCS file",
    ("sample_id",),
    (
        Column("sample_id", "string", "names the results; becomes a folder name", required=True, pattern=_ID_PATTERN),
        Column("fcs_file", "string", "path of the FCS file, relative to this table", required=True),
        Column("panel", "string", "key of 'panels' in study.yaml", required=True),
        Column("subject_id", "string", "participant; needed where role is sample", pattern=_ID_PATTERN),
        Column("visit", "string", "id of a visit in study.yaml; needed where role is sample"),
        Column(
            "role",
            "string",
            "sample (default), control, unstained, beads, fmo:<marker> or single_stain:<marker>",
            pattern=r"(sample|control|unstained|beads|fmo:.+|single_stain:.+)",
        ),
        Column("batch", "string", "what was stained and acquired together"),
        Column("collected_at", "datetime", "when blood was drawn, ISO 8601"),
        Column("acquired_at", "datetime", "when the tube was run, ISO 8601"),
        Column("specimen", "string", "what was stained", allowed=("whole_blood", "pbmc_fresh", "pbmc_frozen")),
        Column("replicate", "integer", "number of the replicate", minimum=1),
        Column("lymphocytes_10e9_per_l", "number", "haematology", "10⁹/L", minimum=0, maximum=_MAX_CELLS_10E9_PER_L),
        Column("wbc_10e9_per_l", "number", "haematology", "10⁹/L", minimum=0, maximum=_MAX_CELLS_10E9_PER_L),
        Column("beads_total", "number", "counting beads added", "beads", minimum=1),
        Column("sample_volume_ul", "number", "blood stained", "µL", minimum=0),
        Column("operator", "string", "who ran the tube, as a code"),
        Column("instrument", "string", "cytometer"),
        Column("panel_lot", "string", "reagent lot"),
        Column("fcs_sha256", "string", "SHA-256 that the file must have", pattern=r"[0-9A-Fa-f]{64}"),
        Column("exclude", "boolean", "leave the file out"),
        Column("exclude_reason", "string", "needed where exclude is true"),
    ),
)

CLINICAL_CSV: Final = TableSchema(
    "clinical.csv",
    "one subject and visit",
    ("subject_id", "visit"),
    (
        Column("subject_id", "string", "participant", required=True, pattern=_ID_PATTERN),
        Column("visit", "string", "id of a visit in study.yaml", required=True),
        Column("study_day", "number", "day 0 is the infusion", "d"),
        Column("visit_date", "date", "ISO date"),
        Column("sledai", "integer", "SLEDAI-2K total", "points", minimum=0, maximum=SLEDAI_MAXIMUM),
        *(
            Column(f"sledai_{item}", "integer", f"SLEDAI-2K item, 0 or {weight}", "points", allowed=("0", str(weight)))
            for item, weight in SLEDAI_WEIGHTS.items()
        ),
        Column("sledai_clinical", "integer", "SLEDAI without serology", "points", minimum=0, maximum=101),
        *(Column(f"bilag_{system}", "string", "BILAG-2004 grade", allowed=BILAG_GRADES) for system in BILAG_SYSTEMS),
        Column("pga", "number", "physician's global assessment, 0 to 3", "1", minimum=0, maximum=3),
        Column("prednisone_mg_per_day", "number", "prednisone equivalent", "mg/d", minimum=0, maximum=1500),
        Column("lymphocytes_10e9_per_l", "number", "haematology", "10⁹/L", minimum=0, maximum=_MAX_CELLS_10E9_PER_L),
        Column("new_immunosuppressant", "boolean", "started or raised since the last visit"),
        Column("withdrawn", "boolean", "left the study at or before this visit"),
        Column("anti_dsdna", "number", "unit as study.yaml names it", minimum=0),
        Column("anti_dsdna_uln", "number", "upper limit of normal of that assay", minimum=0),
        Column("c3_g_per_l", "number", "complement C3", "g/L", minimum=0, maximum=5),
        Column("c4_g_per_l", "number", "complement C4", "g/L", minimum=0, maximum=2),
        Column("upcr_mg_per_g", "number", "urine protein to creatinine", "mg/g", minimum=0),
        Column("rescue_medication", "boolean", "given since the last visit"),
        Column("intercurrent_event", "string", "what happened, as a code"),
        Column("responder", "boolean", "a label given from outside; the program derives its own"),
    ),
)

SUBJECTS_CSV: Final = TableSchema(
    "subjects.csv",
    "one subject",
    ("subject_id",),
    (
        Column("subject_id", "string", "participant", required=True, pattern=_ID_PATTERN),
        Column("arm", "string", "treatment arm"),
        Column("dose_cells", "number", "cells infused", "cells", minimum=0),
        Column("infusion_date", "date", "ISO date; needed where clinical.csv gives dates"),
        Column("age_years", "number", "age at consent", "a", minimum=0, maximum=120),
        Column("sex", "string", "sex", allowed=("F", "M", "X")),
        Column("site", "string", "where"),
    ),
)

ASSAYS_CSV: Final = TableSchema(
    "assays.csv",
    "one analyte of one subject and visit",
    ("analyte", "subject_id", "visit"),
    (
        Column("analyte", "string", "what was measured", required=True),
        Column("unit", "string", "unit of the value; OD for optical density", required=True),
        Column("platform", "string", "how it was measured"),
        Column("plate", "string", "plate; needed for optical densities, which are not compared across plates"),
        Column("lloq", "number", "lower limit of quantification, in the same unit", minimum=0),
        Column("subject_id", "string", "participant", required=True, pattern=_ID_PATTERN),
        Column("visit", "string", "id of a visit in study.yaml", required=True),
        Column("value", "number", "result", minimum=0),
    ),
)

INPUT_TABLES: Mapping[str, TableSchema] = MappingProxyType(
    {"samples": SAMPLES_CSV, "clinical": CLINICAL_CSV, "subjects": SUBJECTS_CSV, "assays": ASSAYS_CSV}
)

# Columns that say who somebody is have no place in a study folder, declared or not.
IDENTIFYING_COLUMNS: Final = frozenset(
    {
        *("name", "patient_name", "first_name", "last_name", "surname", "forename", "initials"),
        *("dob", "date_of_birth", "birth_date", "birthdate", "birthday", "birth"),
        *("mrn", "medical_record_number", "patient_id", "hospital_id", "nhs_number", "ssn"),
        *("address", "phone", "email", "postcode", "zip"),
    }
)
