"""The sections of the report, in the order in which they are read."""

from __future__ import annotations

from typing import Final

from cytometry.reporting.section import Section
from cytometry.reporting.sections import (
    answer,
    association,
    checklists,
    clinic,
    contact_sheet,
    design,
    glance,
    hierarchy,
    methods,
    provenance,
    quality,
    supporting,
    trajectories,
)

SECTIONS: Final[tuple[Section, ...]] = (
    answer.SECTION,
    glance.SECTION,
    design.SECTION,
    trajectories.SECTION,
    association.SECTION,
    clinic.SECTION,
    supporting.SECTION,
    contact_sheet.SECTION,
    hierarchy.SECTION,
    quality.SECTION,
    methods.SECTION,
    checklists.SECTION,
    provenance.SECTION,
)
