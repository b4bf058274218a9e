"""What went in and what ran: files by their hash, panels by their digest, versions, settings, seeds."""

from __future__ import annotations

from markupsafe import Markup

from cytometry.reporting.formats import whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.section import Section
from cytometry.reporting.table import Heading, data_table

_INPUTS = (
    Heading("name", "File", mark="code"),
    Heading("bytes", "Bytes", whole),
    Heading("sha256", "SHA-256", mark="code"),
)
# Result tables in the order in which a reader follows the numbers back.
_DOWNLOADS = ("counts", "frequencies", "intensities", "comparison", "correlation")


def _render(inputs: ReportInputs) -> Markup | None:
    import pandas as pd

    run = inputs.run
    files = pd.DataFrame([(f.name, f.size, f.sha256) for f in run.inputs], columns=["name", "bytes", "sha256"])
    table = data_table(
        files, _INPUTS, name="inputs", caption="Input files, as the study names them", folded=len(files) > 12
    )
    return render(
        "provenance.html",
        run=run,
        inputs=table if len(files) else None,
        panels=[(k, p.name, p.version, p.title, p.digest) for k, p in inputs.panels.items()],
        tables=[(n, len(inputs.tables[n])) for n in _DOWNLOADS if n in inputs.tables],
        synthetic=inputs.is_synthetic,
        plan_digest=inputs.plan_digest,
        version=run.versions.get("cytometry", ""),
    )


SECTION = Section("provenance", "Provenance", _render)
