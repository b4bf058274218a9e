"""What a section of the report is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from cytometry.reporting.inputs import ReportInputs


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page.

    Parameters
    ----------
    id
        Its anchor: small letters and hyphens.
    title
        Head and entry in the navigation.
    render
        Inputs in, markup out; None leaves the section out.
    """

    id: str
    title: str
    render: Callable[[ReportInputs], Markup | None]
