"""Mechanistic flow cytometry for clinical trials.

FCS files go in; gated B-cell subsets and Tregs become counts; pre/post changes
are tested with honest small-n statistics, correlated with the change in SLEDAI,
and reported.

    import cytometry as cy

    study = cy.load_study("sample_fcs/study.yaml")
    gated = cy.gate(study)
    changes = cy.compare(cy.count(gated), study)

Names resolve on first use: ``import cytometry`` brings in neither NumPy nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytometry.errors import CytometryError
    from cytometry.io.fcs import inspect_fcs, read_fcs, write_fcs
    from cytometry.io.gatingml import read_gatingml, write_gatingml
    from cytometry.io.panels import load_panel
    from cytometry.io.study import load_study
    from cytometry.model.sample import Sample
    from cytometry.pipeline.analyst import (
        GatedSample,
        GatedStudy,
        RunFolder,
        analyse,
        compare,
        correlate,
        count,
        frequencies,
        gate,
        place,
        report,
        run,
        simulate,
    )
    from cytometry.pipeline.anndata_export import to_anndata

__version__ = "0.1.0"

__all__ = [
    "CytometryError",
    "GatedSample",
    "GatedStudy",
    "RunFolder",
    "Sample",
    "analyse",
    "compare",
    "correlate",
    "count",
    "frequencies",
    "gate",
    "inspect_fcs",
    "load_panel",
    "load_study",
    "place",
    "read_fcs",
    "read_gatingml",
    "report",
    "run",
    "simulate",
    "to_anndata",
    "write_fcs",
    "write_gatingml",
]

_HOMES = MappingProxyType(
    {
        "CytometryError": "cytometry.errors",
        "Sample": "cytometry.model.sample",
        "inspect_fcs": "cytometry.io.fcs",
        "read_fcs": "cytometry.io.fcs",
        "write_fcs": "cytometry.io.fcs",
        "read_gatingml": "cytometry.io.gatingml",
        "write_gatingml": "cytometry.io.gatingml",
        "load_panel": "cytometry.io.panels",
        "load_study": "cytometry.io.study",
        "to_anndata": "cytometry.pipeline.anndata_export",
    }
)


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'cytometry' has no attribute '{name}'")
    return getattr(import_module(_HOMES.get(name, "cytometry.pipeline.analyst")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
