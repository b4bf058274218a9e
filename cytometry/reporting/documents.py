"""The methods and the checklist as Markdown, to be pasted into a manuscript."""

from __future__ import annotations

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.methods_text import methods_paragraphs
from cytometry.reporting.miflowcyt import checklist


def methods_markdown(inputs: ReportInputs) -> str:
    """Paragraphs of what was done, from the settings that were used."""
    parts = [f"**{title}.** {text}" for title, text in methods_paragraphs(inputs)]
    return "# Methods\n\n" + "\n\n".join(parts) + "\n"


def miflowcyt_markdown(inputs: ReportInputs) -> str:
    """The MIFlowCyt items as a table; what a person still owes says *outstanding*."""
    rows = [
        f"| {item.number} | {item.title} | {_cell(item.text) or '*outstanding*'} | {item.origin if item.text else ''} |"
        for item in checklist(inputs)
    ]
    head = "# MIFlowCyt\n\n| Item | Title | Content | From |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    """Text that does not end its cell or its row."""
    return text.replace("|", "\\|").replace("\n", " ")
