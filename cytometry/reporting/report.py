"""The report: every section that has something to say, on one page without a network."""

from __future__ import annotations

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.sections import SECTIONS


def build_report(inputs: ReportInputs) -> str:
    """HTML of the report. The same inputs give the same text.

    Parameters
    ----------
    inputs
        Tables, study, analysis, pictures and run of one output folder.
    """
    written = [{"id": s.id, "title": s.title, "body": body} for s in SECTIONS if (body := s.render(inputs)) is not None]
    study = inputs.study
    return str(
        render(
            "page.html",
            title=inputs.title,
            subtitle=study.facts.purpose if study is not None else "",
            synthetic=inputs.is_synthetic,
            sections=written,
            version=inputs.run.versions.get("cytometry", ""),
            stamp=inputs.run.stamp,
        )
    )
