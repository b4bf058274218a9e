"""The few numbers that stand above everything else."""

from __future__ import annotations

from cytometry.reporting import results
from cytometry.reporting.formats import percent
from cytometry.reporting.inputs import ReportInputs


def key_facts(inputs: ReportInputs) -> list[tuple[str, str, str]]:
    """Title, number, detail."""
    facts: list[tuple[str, str, str]] = []
    study = inputs.study
    if study is not None:
        facts.append(("Participants", str(len(study.subject_ids)), ""))
    rate = _primary_rate(inputs)
    if rate is not None:
        facts.append(rate)
    samples = inputs.tables.get("samples")
    if samples is not None:
        done, failed = int((samples["status"] == "done").sum()), int((samples["status"] == "failed").sum())
        facts.append(("Files gated", str(done), f"{failed} failed" if failed else "none failed"))
    if study is not None:
        excluded = sum(s.exclude for s in study.samples)
        facts.append(("Excluded", str(excluded), ""))
    thresholds = inputs.tables.get("thresholds")
    if thresholds is not None:
        moved = int((thresholds["source"] == "override").sum())
        fallback = thresholds["flags"].fillna("").str.contains("GATE_FALLBACK", regex=False)
        fell = int((fallback | (thresholds["source"] == "fallback")).sum())
        facts.append(("Boundaries moved by hand", str(moved), f"{fell} of {len(thresholds)} by a second rule"))
    findings = inputs.tables.get("findings")
    if findings is not None:
        facts.append(("Warnings", str(int((findings["severity"] != "info").sum())), "see Quality"))
    return facts


def _primary_rate(inputs: ReportInputs) -> tuple[str, str, str] | None:
    rates = inputs.tables.get("response_rate")
    if rates is None or rates.empty or inputs.study is None:
        return None
    response = inputs.study.plan.response
    visit = results.response_visit(inputs.study)
    own = rates[(rates["rule"] == response.rule) & (rates["visit"] == visit)]
    if own.empty or own["responders"].isna().any():
        return None
    row = own.iloc[0]
    title = results.visit_titles(inputs).get(visit, visit)
    detail = f"exact 95 % interval {percent(row['low'])} to {percent(row['high'])}"
    return f"Responders at {title}", f"{int(row['responders'])}/{int(row['treated'])}", detail
