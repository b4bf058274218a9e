"""Export gates to FlowJo, and prove that they came through before the file is called written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from cytometry.errors import StrategyError
from cytometry.gating.engine import gate_sample
from cytometry.gating.portable import portable_strategy
from cytometry.io.atomic import write_atomically
from cytometry.io.fcs.numbers import parse_number
from cytometry.io.flowjo import Workspace, parse_workspace
from cytometry.io.flowjo.write import WorkspaceEntry, workspace_bytes
from cytometry.model.findings import Finding
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import GatingStrategy
from cytometry.pipeline.gate_group import gated_tubes
from cytometry.pipeline.gate_step import GatingJob
from cytometry.pipeline.tasks import SampleOutcome
from cytometry.preprocessing.dimensions import ChannelMap, channel_map_by_name


@dataclass(frozen=True, eq=False)
class GatedSample:
    """One sample with the gates that were applied to it.

    Parameters
    ----------
    sample
        As read.
    strategy
        Its own: overrides and placed gates are in it.
    channel_map
        As in gating.
    file_compensation
        As in gating.
    """

    sample: Sample
    strategy: GatingStrategy
    channel_map: ChannelMap
    file_compensation: Spillover | None = None


def export_workspace(gated: Sequence[GatedSample], path: Path) -> tuple[Finding, ...]:
    """Write a FlowJo workspace with every sample's own gates.

    The content is read back and applied to the same events, and goes to disk
    only if every population has the same count.

    Returns
    -------
    tuple of Finding
        Populations that were left out because the sample lacks their channel.

    Raises
    ------
    StrategyError
        A gate cannot be held by FlowJo, or came back with another count; no
        file is left behind.
    """
    findings: list[Finding] = []
    entries = []
    for item in gated:
        portable = portable_strategy(
            item.strategy, item.sample, item.channel_map, file_compensation=item.file_compensation
        )
        counts = _counts(portable, item.sample)
        findings += _left_out(item, counts)
        entries.append(
            WorkspaceEntry(
                name=PurePath(item.sample.name).name,
                channels=item.sample.channels,
                n_events=item.sample.n_events,
                strategy=portable,
                counts=counts,
                time_step=_time_step(item.sample),
            )
        )
    data = workspace_bytes(entries)
    _check(parse_workspace(data, where=str(path)), gated, entries)
    write_atomically(path, data)
    return tuple(findings)


def export_job(job: GatingJob, path: Path) -> tuple[tuple[Finding, ...], tuple[SampleOutcome, ...]]:
    """Gate as ``gate`` does and write one workspace with every sample's own gates.

    Returns
    -------
    tuple
        Findings of the export, and the samples that failed and are not in it.
    """
    gated: list[GatedSample] = []
    failed = [i.outcome for i in job.plan.inputs if i.outcome is not None and i.outcome.status == "failed"]
    for task in job.plan.tasks:
        for tube in gated_tubes(task):
            if isinstance(tube, SampleOutcome):
                failed.append(tube)
            else:
                gated.append(GatedSample(tube.sample, tube.strategy, tube.channels, tube.matrix))
    if not gated:
        raise StrategyError("no sample was gated, nothing is exported", where=str(path), code="WORKSPACE_UNWRITABLE")
    return export_workspace(gated, path), tuple(failed)


def _time_step(sample: Sample) -> float:
    """``$TIMESTEP``; 1 where it is none, as in reading."""
    step = parse_number(sample.keywords.get("$TIMESTEP", ""))
    return step if step is not None and step > 0 else 1.0


def _counts(strategy: GatingStrategy, sample: Sample) -> dict[str, int | None]:
    membership = gate_sample(strategy, sample, channel_map_by_name(sample))
    return {path: membership.count(path) for path in membership.paths}


def _left_out(item: GatedSample, counts: dict[str, int | None]) -> list[Finding]:
    membership = gate_sample(item.strategy, item.sample, item.channel_map, file_compensation=item.file_compensation)
    found = []
    for path in membership.paths:
        if path in membership.undefined:
            found.append(
                Finding(
                    "WORKSPACE_POPULATION_LEFT_OUT",
                    "info",
                    f"population '{path}' is undefined in this sample and is not in the workspace",
                    file=item.sample.name,
                    keyword=path,
                )
            )
        elif membership.count(path) != counts[path]:
            raise _moved(item.sample, path, membership.count(path), counts[path])
    return found


def _check(workspace: Workspace, gated: Sequence[GatedSample], entries: Sequence[WorkspaceEntry]) -> None:
    """Apply what was read back, and compare every count."""
    if workspace.findings or len(workspace.samples) != len(entries):
        problem = workspace.findings[0].message if workspace.findings else "a sample is missing"
        raise StrategyError(f"the workspace does not read back: {problem}", code="WORKSPACE_UNWRITABLE")
    for item, entry, found in zip(gated, entries, workspace.samples, strict=True):
        counts = _counts(found.strategy, item.sample)
        for path, count in entry.counts.items():
            if counts.get(path) != count:
                raise _moved(item.sample, path, count, counts.get(path))


def _moved(sample: Sample, path: str, wanted: int | None, found: int | None) -> StrategyError:
    return StrategyError(
        f"has {wanted} events, and {found} after the export to FlowJo",
        where=f"{sample.name}, population '{path}'",
        hint="the workspace was not written; export GatingML instead and report this",
        code="WORKSPACE_UNWRITABLE",
    )
