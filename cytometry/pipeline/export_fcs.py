"""Gated populations as FCS files, one per sample and population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytometry.errors import GatingError, RequestError
from cytometry.io.fcs.export import export_events
from cytometry.model.strategy import ROOT
from cytometry.pipeline.file_inputs import safe_name
from cytometry.pipeline.gate_group import GatedTube, gated_tubes
from cytometry.pipeline.gate_step import GatingJob
from cytometry.pipeline.tasks import SampleOutcome


@dataclass(frozen=True, slots=True)
class Exported:
    """One file that was written."""

    sample_id: str
    population: str
    file: Path
    n_events: int


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written and what failed."""

    exported: tuple[Exported, ...]
    failed: tuple[SampleOutcome, ...]


def export_populations(
    job: GatingJob, populations: Sequence[str], folder: Path, *, membership: bool = False
) -> ExportResult:
    """Gate as ``gate`` does and write the events of the populations.

    Parameters
    ----------
    populations
        Paths, or names where they are unique; ``root`` is every event.
    folder
        Gets ``<sample_id>.<population>.fcs``.
    membership
        Add a channel of 0 and 1 for every population of the tree.

    Raises
    ------
    RequestError
        No population is asked for.
    OutputError
        A file cannot be written.
    """
    if not populations:
        raise RequestError("no population is asked for", hint="--population NAME, or root for every event")
    exported: list[Exported] = []
    failed = [i.outcome for i in job.plan.inputs if i.outcome is not None and i.outcome.status == "failed"]
    for task in job.plan.tasks:
        for tube in gated_tubes(task):
            if isinstance(tube, SampleOutcome):
                failed.append(tube)
                continue
            try:
                exported += [_export(tube, p, folder, membership=membership) for p in populations]
            except GatingError as error:
                failed.append(SampleOutcome(tube.given.sample_id, "failed", error.code, str(error)))
    return ExportResult(tuple(exported), tuple(failed))


def _export(tube: GatedTube, population: str, folder: Path, *, membership: bool) -> Exported:
    path = _path_of(tube, population)
    mask = np.ones(tube.sample.n_events, dtype=np.bool_) if path == ROOT else tube.membership.mask(path)
    file = folder / f"{tube.given.sample_id}.{safe_name(path.removeprefix(f'{ROOT}/'))}.fcs"
    columns = {}
    if membership:
        defined = [p for p in tube.membership.paths if p != ROOT and p not in tube.membership.undefined]
        columns = {f"gate:{p.removeprefix(f'{ROOT}/')}": tube.membership.mask(p) for p in defined}
    export_events(tube.sample, file, mask, population=path, membership=columns)
    return Exported(tube.given.sample_id, path, file, int(np.count_nonzero(mask)))


def _path_of(tube: GatedTube, population: str) -> str:
    paths = [p.path for p in tube.strategy.populations]
    if population == ROOT or population in paths:
        return population
    named = [p.path for p in tube.strategy.populations if p.name == population]
    if len(named) != 1:
        raise GatingError(
            f"{len(named)} populations are called '{population}'",
            where=tube.given.fcs_file,
            hint=f"populations: {', '.join([ROOT, *paths])}",
            code="POPULATION_UNKNOWN",
        )
    return named[0]
