"""The MIFlowCyt checklist as a table that says what is still owed."""

from __future__ import annotations

from markupsafe import Markup

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.miflowcyt import checklist
from cytometry.reporting.section import Section


def _render(inputs: ReportInputs) -> Markup | None:
    items = checklist(inputs)
    owed = [i for i in items if i.origin == "outstanding"]
    return render("miflowcyt.html", items=items, owed=owed)


SECTION = Section("miflowcyt", "MIFlowCyt checklist", _render)
