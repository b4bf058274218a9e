"""What was checked of acquisition, compensation and controls, in one sentence each, from the tables of the run."""

from __future__ import annotations

from cytometry.quantification.control_rules import RUNS_FOR_LIMITS, is_rejected
from cytometry.reporting.formats import percent
from cytometry.reporting.inputs import ReportInputs


def quality_sentences(inputs: ReportInputs) -> str:
    """Nothing is said of a check that the run has no table of."""
    return " ".join(s for s in (_masks(inputs), _compensation(inputs), _controls(inputs)) if s)


def _masks(inputs: ReportInputs) -> str:
    frame = inputs.tables.get("qc")
    if frame is None or frame.empty:
        return ""
    what = "Stretches of unsteady event rate or signal"
    if inputs.study is not None and inputs.study.quality.masks == "reported":
        unsteady = frame[["rate_unsteady_fraction", "signal_unsteady_fraction"]].max(axis=1)
        return f"{what} were reported and not left out ({_extent(unsteady.fillna(0.0).tolist())})."
    return (
        f"{what} were left out of every population ({_extent(frame['time_excluded_fraction'].fillna(0.0).tolist())})."
    )


def _extent(fractions: list[float]) -> str:
    touched = [f for f in fractions if f > 0]
    most = f", at most {percent(max(touched))} of the events" if touched else ""
    return f"{len(touched)} of {len(fractions)} tubes{most}"


def _compensation(inputs: ReportInputs) -> str:
    frame = inputs.tables.get("qc_compensation")
    if frame is None or frame.empty:
        return ""
    wrong = int(frame["verdict"].isin(["under", "over"]).sum())
    judged = int((frame["verdict"] != "cannot tell").sum())
    return (
        f"The slope left by each dye in each other detector among gated cells negative in it was checked: {wrong} of "
        f"{judged} coefficients that could be judged are off by more than 1.5 percentage points."
    )


def _controls(inputs: ReportInputs) -> str:
    frame = inputs.tables.get("control_chart")
    if frame is None or frame.empty:
        return ""
    out = {s for s, rules in zip(frame["sample_id"], frame["rules"], strict=True) if is_rejected(str(rules).split(";"))}
    tubes = frame["sample_id"].nunique()
    limits = (
        "provisional limits, being fewer than" if (frame["limits"] == "provisional").any() else "limits of the first"
    )
    return (
        f"Populations, boundaries and intensities of {tubes} bridging-control tubes were charted with Westgard's rules "
        f"and {limits} {RUNS_FOR_LIMITS} runs; {len(out)} of them broke a rejecting rule in some chart."
    )
