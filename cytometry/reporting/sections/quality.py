"""What a reader should distrust: findings, repairs, acquisition quality, boundaries far from the others."""

from __future__ import annotations

from markupsafe import Markup

from cytometry.reporting.formats import significant, whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

_FINDINGS = (
    Heading("severity", "Severity"),
    Heading("code", "Code", mark="code"),
    Heading("sample_id", "Sample", mark="nowrap"),
    Heading("file", "File", mark="code"),
    Heading("keyword", "Field"),
    Heading("message", "What was noticed", mark="long"),
    Heading("fix", "What to do", mark="long"),
)
_THRESHOLDS = (
    Heading("sample_id", "Sample", mark="nowrap"),
    Heading("panel", "Panel"),
    Heading("cut", "Cut"),
    Heading("dimension", "Marker"),
    Heading("value_linear", "Boundary", significant, "on the compensated linear scale"),
    Heading("value_display", "on display scale", significant),
    Heading("uncertainty_sd", "± SD", significant, "standard deviation of the position, display scale"),
    Heading("confidence", "Confidence", significant, "0 to 1: how far the data show a boundary there"),
    Heading("robust_z", "Robust z", significant, "(value − median) / (1.4826 · MAD) among the tubes of the panel"),
    Heading("source", "Source"),
    Heading("method", "Method"),
    Heading("scope", "Scope"),
    Heading("flags", "Flags"),
)
_SEVERITY_ORDER = ("error", "warning", "info")


def _render(inputs: ReportInputs) -> Markup | None:
    parts = [p for p in (_findings(inputs), _acquisition(inputs), _thresholds(inputs)) if p is not None]
    if not parts:
        return None
    return render("quality.html", parts=parts)


def _findings(inputs: ReportInputs) -> Markup | None:
    frame = inputs.tables.get("findings")
    if frame is None:
        return None
    counts = [(s, int((frame["severity"] == s).sum())) for s in _SEVERITY_ORDER]
    rank = frame["severity"].map({s: i for i, s in enumerate(_SEVERITY_ORDER)})
    ordered = frame.assign(_rank=rank).sort_values("_rank", kind="stable").drop(columns="_rank")
    by_code = frame.groupby(["severity", "code"], sort=True).size().reset_index(name="n")
    table = data_table(
        ordered,
        _FINDINGS,
        name="findings",
        caption="Findings: one row per repair, fallback or flag, errors first",
        row_marks=["flagged" if s != "info" else "" for s in ordered["severity"]],
        folded=len(ordered) > 40,
    )
    summary = [(str(s), str(c), int(n)) for s, c, n in by_code.itertuples(index=False, name=None)]
    return render("findings.html", counts=counts, summary=summary, table=table, empty=frame.empty)


def _acquisition(inputs: ReportInputs) -> Markup | None:
    frame = inputs.tables.get("qc")
    if frame is None or frame.empty:
        return None
    headings = [Heading(str(c), str(c).replace("_", " "), _shown) for c in frame.columns]
    return data_table(frame, headings, name="qc", caption="Acquisition quality: one row per sample")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return whole(value)
    return significant(value) if isinstance(value, float) else str(value)


def _thresholds(inputs: ReportInputs) -> Markup | None:
    from cytometry.quantification.threshold_spread import threshold_spread

    frame = inputs.tables.get("thresholds")
    if frame is None or frame.empty:
        return None
    spread = threshold_spread(frame)
    far = spread["is_outlier"].tolist()
    order = spread["robust_z"].abs().sort_values(ascending=False, na_position="last", kind="stable").index
    spread = spread.loc[order]
    return data_table(
        spread,
        _THRESHOLDS,
        name="thresholds",
        caption=f"Boundaries of every tube, farthest from the others first; {sum(far)} beyond a robust z of 3.5",
        row_marks=["flagged" if f else "" for f in spread["is_outlier"]],
        folded=True,
    )


SECTION = Section("quality", "Quality and exceptions", _render)
