"""Reporting checklists: what a program can fill is filled, the rest is named as outstanding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.miflowcyt import checklist
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd

_REMARK = (
    Heading("number", "Item"),
    Heading("item", "Title", mark="long"),
    Heading("answer", "Content", mark="long"),
)


def _render(inputs: ReportInputs) -> Markup | None:
    items = checklist(inputs)
    owed = [i for i in items if i.origin == "outstanding"]
    remark = inputs.tables.get("remark")
    return render("checklists.html", items=items, owed=owed, remark=None if remark is None else _remark(remark))


def _remark(frame: pd.DataFrame) -> Markup:
    filled = int(frame["filled"].astype(bool).sum())
    marks = ["" if done else "flagged" for done in frame["filled"].astype(bool)]
    caption = f"REMARK: {filled} of {len(frame)} items filled by the analysis"
    return data_table(frame, _REMARK, name="remark", caption=caption, row_marks=marks, folded=True)


SECTION = Section("checklists", "Reporting checklists", _render)
