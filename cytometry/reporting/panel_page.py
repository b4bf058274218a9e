"""The page of ``panel check``: what a panel makes of a few tubes, with every gate to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from cytometry.reporting.formats import significant
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.sections import contact_sheet, hierarchy
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class PanelPageInputs:
    """Everything on the page.

    Parameters
    ----------
    subtitle
        What was tried.
    failed
        Tube to the reason why it could not be gated.
    channels
        One row per marker: ``marker``, and a column per tube with its channel.
    boundaries
        Rows of ``thresholds.csv``.
    controls
        One row per tube and cut that a control can place: ``sample_id, marker, cut, state, decided_by, confidence``.
    findings
        Rows of ``findings.csv``.
    shown
        Counts, frequencies and pictures by sample.
    """

    title: str
    subtitle: str
    failed: Mapping[str, str]
    channels: pd.DataFrame
    boundaries: pd.DataFrame
    controls: pd.DataFrame
    findings: pd.DataFrame
    shown: ReportInputs
    version: str


def panel_page(inputs: PanelPageInputs) -> str:
    """HTML of the page; no network, the same bytes for the same inputs."""
    sections = [
        ("short", "In short", _short(inputs)),
        ("pictures", "Every gate", contact_sheet.SECTION.render(inputs.shown)),
        ("tree", "Each tube from root to subset", hierarchy.SECTION.render(inputs.shown)),
        ("boundaries", "Boundaries", _boundaries(inputs)),
        ("controls", "Controls", _controls(inputs)),
        ("channels", "Channels", _channels(inputs)),
        ("findings", "Findings", _findings(inputs)),
    ]
    return str(
        render(
            "page.html",
            title=inputs.title,
            subtitle=inputs.subtitle,
            synthetic=False,
            sections=[{"id": i, "title": t, "body": b} for i, t, b in sections if b is not None],
            version=inputs.version,
            stamp="",
        )
    )


def _short(inputs: PanelPageInputs) -> Markup:
    gated = len(inputs.shown.previews)
    leads = [f"{gated} of {gated + len(inputs.failed)} tubes were gated, each alone."]
    cautions = [f"{name} could not be gated: {reason}" for name, reason in inputs.failed.items()]
    missing = inputs.controls[inputs.controls["state"] == "missing"]
    if len(missing):
        markers = ", ".join(dict.fromkeys(missing["marker"]))
        cautions.append(f"Missing controls: where no boundary was clear, an FMO of {markers} would have placed it.")
    unsure = inputs.boundaries[inputs.boundaries["flags"].astype(str).str.contains("GATE_UNCERTAIN")]
    if len(unsure):
        names = ", ".join(dict.fromkeys(unsure["cut"]))
        cautions.append(f"No clear boundary: {names}. Look at their pictures first.")
    return render("panel.html", leads=leads, cautions=cautions)


def _boundaries(inputs: PanelPageInputs) -> Markup | None:
    if inputs.boundaries.empty:
        return None
    headings = (
        Heading("cut", "Cut", mark="name"),
        Heading("dimension", "Marker"),
        Heading("sample_id", "Tube"),
        Heading("value_linear", "Boundary", significant, "on the compensated linear scale"),
        Heading("value_display", "on display scale", significant),
        Heading("confidence", "Confidence", significant, "0 to 1: how far the data show a boundary there"),
        Heading("source", "Source", under="method"),
        Heading("flags", "Flags", tags=True),
    )
    return data_table(
        inputs.boundaries, headings, name="boundaries", caption="One row per cut, or axis of a placed shape."
    )


def _controls(inputs: PanelPageInputs) -> Markup | None:
    if inputs.controls.empty:
        return None
    order = np.argsort([state != "missing" for state in inputs.controls["state"]], kind="stable")
    table = inputs.controls.iloc[order]
    headings = (
        Heading("marker", "FMO of", mark="name"),
        Heading("cut", "Cut"),
        Heading("sample_id", "Tube"),
        Heading("state", "Control"),
        Heading("decided_by", "Placed by"),
        Heading("confidence", "Confidence", significant),
    )
    marks = ["flagged" if state == "missing" else "" for state in table["state"]]
    return data_table(
        table,
        headings,
        name="controls",
        caption="Cuts that a fluorescence-minus-one control can place, and whether one was needed. Give it with --fmo.",
        row_marks=marks,
    )


def _channels(inputs: PanelPageInputs) -> Markup | None:
    if inputs.channels.empty:
        return None
    tubes = [c for c in inputs.channels.columns if c != "marker"]
    headings = (Heading("marker", "Marker", mark="name"), *(Heading(t, t, mark="code") for t in tubes))
    return data_table(inputs.channels, headings, name="channels", caption="Channel of each marker, by tube.")


def _findings(inputs: PanelPageInputs) -> Markup | None:
    if inputs.findings.empty:
        return None
    headings = (
        Heading("severity", "Severity"),
        Heading("code", "Code", mark="code nowrap"),
        Heading("file", "File"),
        Heading("message", "What was noticed", mark="long"),
        Heading("fix", "What to do", mark="long"),
    )
    return data_table(inputs.findings, headings, name="findings", caption="On files, channels and gates.")
