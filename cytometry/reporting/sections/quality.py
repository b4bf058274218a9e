"""What a reader should distrust: findings, repairs, acquisition, controls, boundaries far from the others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from markupsafe import Markup

from cytometry.quantification.quality import QualityLimits, passed_limits
from cytometry.reporting.boundaries import boundary_table
from cytometry.reporting.compensation_pairs import compensation_pairs
from cytometry.reporting.control_charts import control_charts
from cytometry.reporting.formats import percent, significant, whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

if TYPE_CHECKING:
    import pandas as pd

_FINDINGS = (
    Heading("severity", "Severity"),
    Heading("code", "Code", mark="code nowrap"),
    Heading("message", "What was noticed", mark="long"),
    Heading("n", "Times"),
    Heading("where", "Where", mark="long"),
    Heading("fix", "What to do", mark="long"),
)
# So many places are named on the page; the CSV names all.
_PLACES = 6
_THRESHOLDS = (
    Heading("sample_id", "Sample", mark="nowrap", under="panel"),
    Heading("cut", "Cut"),
    Heading("dimension", "Marker"),
    Heading("value_linear", "Boundary", significant, "on the compensated linear scale"),
    Heading("value_display", "on display scale", significant),
    Heading("uncertainty_sd", "± SD", significant, "standard deviation of the position, display scale"),
    Heading("confidence", "Confidence", significant, "0 to 1: how far the data show a boundary there"),
    Heading("robust_z", "Robust z", significant, "(value − median) / (1.4826 · MAD) among the tubes of the panel"),
    Heading(
        "subject_z", "z to own visits", significant, "distance from the same participant's visits, likewise scaled"
    ),
    Heading("source", "Source", under="method"),
    Heading("scope", "Scope"),
    Heading("flags", "Flags", tags=True),
)
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "total_events": "few events",
        "margin_fraction": "off scale",
        "negative_scatter_fraction": "scatter below 0",
        "viability": "viability",
        "singlet_fraction": "doublets",
        "time_excluded_fraction": "much left out",
        "rate_unsteady_fraction": "rate",
        "signal_unsteady_fraction": "signal",
        "drift": "drift",
    }
)
_ACQUISITION = (
    Heading("sample_id", "Sample", mark="nowrap", under="panel"),
    Heading("beyond", "Beyond a limit", tags=True),
    Heading("total_events", "Events", whole),
    Heading("events_per_s", "Events/s", whole),
    Heading("rate_unsteady_fraction", "Unsteady rate", percent, "events in stretches that came much faster or slower"),
    Heading("signal_unsteady_fraction", "Unsteady signal", percent, "events in stretches unlike the run around them"),
    Heading("time_excluded_fraction", "Left out", percent, "by the time gate"),
    Heading("drift", "Drift", significant, "largest shift of a twentieth of the run in spreads", under="drift_channel"),
    Heading("margin_fraction", "Off scale", percent, "events at the top of any channel"),
    Heading("negative_scatter_fraction", "Scatter ≤ 0", percent),
    Heading("singlet_fraction", "Singlets", percent, "of the events before; the rest are doublets and margins"),
    Heading("viability", "Live", percent, "of the singlets"),
    Heading("second_opinion", "Other readers"),
)
_SEVERITY_ORDER = ("error", "warning", "info")


def _render(inputs: ReportInputs) -> Markup | None:
    found = (
        _findings(inputs),
        _acquisition(inputs),
        compensation_pairs(inputs),
        control_charts(inputs),
        _thresholds(inputs),
    )
    parts = [p for p in found if p is not None]
    if not parts:
        return None
    return render("quality.html", parts=parts)


def _findings(inputs: ReportInputs) -> Markup | None:
    frame = inputs.tables.get("findings")
    if frame is None:
        return None
    counts = [(s, int((frame["severity"] == s).sum())) for s in _SEVERITY_ORDER]
    if frame.empty:
        return render("findings.html", counts=counts, table=None)
    grouped = _grouped(frame)
    headings = [h for h in _FINDINGS if h.field != "fix" or grouped["fix"].str.len().any()]
    table = data_table(
        grouped,
        headings,
        name="findings",
        caption="Findings, alike ones together: repairs, fallbacks and flags, errors first",
        row_marks=["flagged" if s != "info" else "" for s in grouped["severity"]],
        download=frame,
    )
    return render("findings.html", counts=counts, table=table)


def _grouped(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per severity, code, message and advice, with the places where it was met."""
    text = frame.fillna("").astype(str)
    place = text["sample_id"].where(text["sample_id"] != "", text["file"])
    keys = ["severity", "code", "message", "fix"]
    grouped = text.assign(place=place).groupby(keys, sort=False)["place"].agg(["size", _places]).reset_index()
    rank = grouped["severity"].map({s: i for i, s in enumerate(_SEVERITY_ORDER)})
    order = grouped.assign(rank=rank).sort_values(["rank", "code"], kind="stable").index
    return grouped.loc[order].rename(columns={"size": "n", "_places": "where"})


def _places(names: pd.Series[str]) -> str:
    found = [n for n in dict.fromkeys(names) if n]
    more = f" and {len(found) - _PLACES} more" if len(found) > _PLACES else ""
    return ", ".join(found[:_PLACES]) + more


def _acquisition(inputs: ReportInputs) -> Markup | None:
    """One row per sample, those that pass most limits first; findings name the limits."""
    frame = inputs.tables.get("qc")
    if frame is None or frame.empty:
        return None
    limits = _limits(inputs)
    passed = [passed_limits({str(k): v for k, v in row.items()}, limits) for row in frame.to_dict("records")]
    shown = frame.assign(
        beyond=["; ".join(_WORDS.get(name, name) for name in names) for names in passed],
        n=[len(names) for names in passed],
    )
    unusual = shown[["time_excluded_fraction", "rate_unsteady_fraction", "signal_unsteady_fraction", "drift"]]
    shown["worst"] = unusual.max(axis=1)
    shown = shown.sort_values(["n", "worst"], ascending=False, na_position="last", kind="stable")
    n_odd = sum(bool(names) for names in passed)
    masked = inputs.study is None or inputs.study.quality.masks == "applied"
    return data_table(
        shown,
        _ACQUISITION,
        name="qc",
        caption=f"Acquisition, samples beyond a limit first: {n_odd} of {len(frame)}. Stretches of unsteady rate or "
        f"signal are {'left out of every population' if masked else 'reported only, as the study asks'}",
        row_marks=["flagged" if n else "" for n in shown["n"]],
        download=frame,
    )


def _limits(inputs: ReportInputs) -> QualityLimits:
    return QualityLimits(**inputs.study.quality.model_dump(exclude={"masks"})) if inputs.study else QualityLimits()


def _thresholds(inputs: ReportInputs) -> Markup | None:
    frame = boundary_table(inputs)
    if frame is None:
        return None
    return data_table(
        frame,
        _THRESHOLDS,
        name="thresholds",
        caption=f"Boundaries of every tube, farthest from the others or from the participant's own visits first; "
        f"{int(frame['is_outlier'].sum())} beyond a robust z of 3.5",
        row_marks=["flagged" if f else "" for f in frame["is_outlier"]],
        download=frame.drop(columns="is_outlier"),
        folded=True,
    )


SECTION = Section("quality", "Quality and exceptions", _render)
