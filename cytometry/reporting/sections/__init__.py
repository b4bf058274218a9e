"""The sections of the report, in the order in which they are read."""

from __future__ import annotations

from typing import Final

from cytometry.reporting.section import Section
from cytometry.reporting.sections import contact_sheet, design, hierarchy, miflowcyt, provenance, quality

SECTIONS: Final[tuple[Section, ...]] = (
    design.SECTION,
    contact_sheet.SECTION,
    hierarchy.SECTION,
    quality.SECTION,
    miflowcyt.SECTION,
    provenance.SECTION,
)
