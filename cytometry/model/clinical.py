"""Items of the clinical instruments: names as ``clinical.csv`` writes them, weights, grades.

SLEDAI-2K: Gladman, Ibañez and Urowitz 2002; 24 descriptors, weights 8, 4, 2, 1, total 0 to 105.
BILAG-2004: Isenberg et al. 2005; nine systems, grades A to E.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SLEDAI_WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "seizure": 8,
        "psychosis": 8,
        "organic_brain_syndrome": 8,
        "visual_disturbance": 8,
        "cranial_nerve": 8,
        "lupus_headache": 8,
        "cva": 8,
        "vasculitis": 8,
        "arthritis": 4,
        "myositis": 4,
        "urinary_casts": 4,
        "hematuria": 4,
        "proteinuria": 4,
        "pyuria": 4,
        "rash": 2,
        "alopecia": 2,
        "mucosal_ulcers": 2,
        "pleurisy": 2,
        "pericarditis": 2,
        "low_complement": 2,
        "increased_dna_binding": 2,
        "fever": 1,
        "thrombocytopenia": 1,
        "leukopenia": 1,
    }
)
SLEDAI_SEROLOGY: Final = ("low_complement", "increased_dna_binding")
SLEDAI_MAXIMUM: Final = 105

BILAG_SYSTEMS: Final = (
    "constitutional",
    "mucocutaneous",
    "neuropsychiatric",
    "musculoskeletal",
    "cardiorespiratory",
    "gastrointestinal",
    "ophthalmic",
    "renal",
    "haematological",
)
BILAG_GRADES: Final = ("A", "B", "C", "D", "E")
