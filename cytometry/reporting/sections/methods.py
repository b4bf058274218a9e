"""A methods paragraph ready to paste, made of the settings that were used."""

from __future__ import annotations

from markupsafe import Markup

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.methods_text import methods_paragraphs
from cytometry.reporting.section import Section


def _render(inputs: ReportInputs) -> Markup | None:
    return render("methods.html", paragraphs=methods_paragraphs(inputs))


SECTION = Section("methods", "Methods, ready to paste", _render)
