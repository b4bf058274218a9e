"""``report``: tables and pictures of an output folder in, one HTML file out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cytometry.io.atomic import write_atomically
from cytometry.io.digests import value_digest
from cytometry.io.parts import PREVIEWS_PART, part_folder, read_arrays
from cytometry.io.result_tables import read_table
from cytometry.model.tables import SAMPLES
from cytometry.pipeline.collect import TABLES
from cytometry.pipeline.frames import frame
from cytometry.pipeline.gating_run import GATING_TABLES
from cytometry.pipeline.out_folder import RunRecord, versions

if TYPE_CHECKING:
    from cytometry.model.panel import Panel
    from cytometry.model.study import Study
    from cytometry.quantification.previews import GatePreview
    from cytometry.statistics.analysis import AnalysisResult

REPORT: Final = "report.html"
METHODS: Final = "methods.md"
CHECKLIST: Final = "miflowcyt.md"


class PartPreviews(Mapping[str, "Sequence[GatePreview]"]):
    """Pictures by sample id, in input order, read from the parts when asked for: never all in memory."""

    def __init__(self, out: Path, panel_of: Mapping[str, str]) -> None:
        self._files = {
            sample: path
            for sample, panel in panel_of.items()
            if (path := part_folder(out, panel, sample) / PREVIEWS_PART).is_file()
        }

    def __getitem__(self, sample_id: str) -> Sequence[GatePreview]:
        from cytometry.quantification.preview_arrays import previews_from_arrays

        return previews_from_arrays(read_arrays(self._files[sample_id]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def write_report(
    out: Path,
    record: RunRecord,
    *,
    study: Study | None,
    panels: Mapping[str, Panel],
    analysis: AnalysisResult | None,
) -> Path:
    """Build the report from the folder's tables and write it, with the methods and the checklist as Markdown.

    Raises
    ------
    OutputError
        A table is missing or damaged, or the report cannot be written.
    """
    from cytometry.reporting.documents import methods_markdown, miflowcyt_markdown
    from cytometry.reporting.inputs import InputFile, ReportInputs, RunFacts
    from cytometry.reporting.report import build_report

    tables = {s.name: frame(s, read_table(out / TABLES / f"{s.name}.csv", s)) for s in GATING_TABLES}
    if analysis is not None:
        tables |= analysis.tables()
    samples = read_table(out / TABLES / f"{SAMPLES.name}.csv", SAMPLES)
    panel_of = {str(r["sample_id"]): str(r["panel"]) for r in samples if r["status"] == "done"}
    facts = RunFacts(
        versions=versions(),
        settings={name: _text(value) for name, value in record.settings.items()},
        settings_digest=value_digest(dict(record.settings)),
        seeds=dict(record.seeds),
        inputs=tuple(InputFile(r.name, r.size, r.sha256) for r in record.inputs),
        command=f"cytometry {record.command}",
        stamp="" if os.environ.get("SOURCE_DATE_EPOCH") else datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    inputs = ReportInputs(
        title=(study.facts.title or study.id) if study else "Gated samples",
        tables=tables,
        study=study,
        panels=panels,
        sentences=analysis.sentences if analysis else (),
        plan_digest=analysis.plan_digest if analysis else "",
        departures=analysis.departures if analysis else (),
        previews=PartPreviews(out, panel_of),
        run=facts,
    )
    write_atomically(out / METHODS, methods_markdown(inputs).encode())
    write_atomically(out / CHECKLIST, miflowcyt_markdown(inputs).encode())
    write_atomically(out / REPORT, build_report(inputs).encode())
    return out / REPORT


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)
