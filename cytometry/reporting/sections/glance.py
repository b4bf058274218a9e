"""What a run without statistics did: how many files, and why some failed."""

from __future__ import annotations

from markupsafe import Markup

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.key_facts import key_facts
from cytometry.reporting.markup import render
from cytometry.reporting.section import Section


def _render(inputs: ReportInputs) -> Markup | None:
    comparison = inputs.tables.get("comparison")
    if comparison is not None and not comparison.empty:
        return None
    samples = inputs.tables.get("samples")
    failed: list[tuple[str, str, str]] = []
    if samples is not None:
        rows = samples[samples["status"] == "failed"][["sample_id", "code", "reason"]].fillna("")
        failed = [(str(s), str(c), str(r)) for s, c, r in rows.itertuples(index=False, name=None)]
    return render("glance.html", facts=key_facts(inputs), failed=failed, has_study=inputs.study is not None)


SECTION = Section("glance", "At a glance", _render)
