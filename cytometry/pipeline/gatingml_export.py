"""Every sample's own gates as GatingML that any program can apply to its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cytometry.errors import CytometryError, StrategyError
from cytometry.gating.engine import gate_sample
from cytometry.gating.portable import portable_strategy
from cytometry.io.atomic import write_atomically
from cytometry.io.gatingml import gatingml_bytes, parse_gatingml
from cytometry.pipeline.gate_group import GatedTube, gated_tubes
from cytometry.pipeline.gate_step import GatingJob
from cytometry.pipeline.tasks import SampleOutcome
from cytometry.preprocessing.dimensions import channel_map_by_name


@dataclass(frozen=True, slots=True)
class GatingMLExport:
    """Files that were written, and samples that failed."""

    files: tuple[Path, ...]
    failed: tuple[SampleOutcome, ...]


def export_gatingml(job: GatingJob, folder: Path) -> GatingMLExport:
    """Gate as ``gate`` does and write ``<sample_id>.gml.xml`` on the file's own channel names.

    The matrix that was used is inside, masks of events are intervals of time;
    each file is read back and applied before it is called written.
    """
    files: list[Path] = []
    failed = [i.outcome for i in job.plan.inputs if i.outcome is not None and i.outcome.status == "failed"]
    for task in job.plan.tasks:
        for tube in gated_tubes(task):
            if isinstance(tube, SampleOutcome):
                failed.append(tube)
                continue
            try:
                files.append(_export(tube, folder))
            except CytometryError as error:
                failed.append(SampleOutcome(tube.given.sample_id, "failed", error.code, str(error)))
    return GatingMLExport(tuple(files), tuple(failed))


def _export(tube: GatedTube, folder: Path) -> Path:
    portable = portable_strategy(tube.strategy, tube.sample, tube.channels, file_compensation=tube.matrix)
    file = folder / f"{tube.given.sample_id}.gml.xml"
    data = gatingml_bytes(portable)
    again = gate_sample(parse_gatingml(data, where=str(file)), tube.sample, channel_map_by_name(tube.sample))
    for path in tube.membership.paths:
        if path not in tube.membership.undefined and again.count(path) != tube.membership.count(path):
            raise StrategyError(
                f"has {tube.membership.count(path)} events, and {again.count(path)} after the export",
                where=f"{tube.sample.name}, population '{path}'",
                hint="the file was not written; please report this",
                code="GATINGML_UNWRITABLE",
            )
    write_atomically(file, data)
    return file
