"""Our counts beside those that FlowJo or FACSDiva stored, gate by gate, with the difference explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from cytometry.errors import CytometryError, StrategyError
from cytometry.gating.binning import undecided_by_binning
from cytometry.io.fcs import read_fcs
from cytometry.io.flowjo import Workspace, WorkspaceSample, read_workspace
from cytometry.io.result_tables import read_table
from cytometry.model.flowjo_transforms import FlowJoBiex, FlowJoLinear, FlowJoLog
from cytometry.model.gates import EllipsoidGate, PolygonGate
from cytometry.model.sample import Sample
from cytometry.model.strategy import ROOT, GatingStrategy
from cytometry.model.tables import COUNTS
from cytometry.model.transforms import Asinh
from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name

Reason = Literal["equal", "binning", "transform", "real", "not stored", "not ours", "not examined"]

# FlowJo documents these scales; on others a slanted edge runs differently there.
_DOCUMENTED = (FlowJoLinear, FlowJoLog, FlowJoBiex, Asinh)


@dataclass(frozen=True, slots=True)
class ComparedCount:
    """One population of one sample.

    Parameters
    ----------
    ours, flowjo
        Counts; None where there is none. In what follows FACSDiva may stand for FlowJo.
    undecided
        Events within one plot channel of an edge; None where events were not read.
    reason
        ``binning``: FlowJo counts by plot channel, and at least as many events
        as the difference lie within one channel of an edge. ``transform``: a
        slanted edge on a scale that FlowJo does not document. ``real``: neither;
        the gates or the events are not those that FlowJo counted.
    """

    sample_id: str
    path: str
    ours: int | None
    flowjo: int | None
    undecided: int | None
    reason: Reason

    @property
    def difference(self) -> int | None:
        """Ours minus FlowJo's."""
        return None if self.ours is None or self.flowjo is None else self.ours - self.flowjo


@dataclass(frozen=True, slots=True)
class Comparison:
    """All counts of an output folder beside a workspace's.

    Parameters
    ----------
    program
        That stored the others: FlowJo or FACSDiva.
    """

    program: str
    rows: tuple[ComparedCount, ...]


def compare_counts(out: Path, workspace_path: Path, fcs_folder: Path | None = None) -> Comparison:
    """Compare an output folder's counts with a workspace's.

    Parameters
    ----------
    fcs_folder
        Where the FCS files are, to explain differences; by default the
        workspace's own folder is searched.

    Raises
    ------
    StrategyError
        No sample of the output is in the workspace.
    """
    workspace = read_workspace(workspace_path)
    folder = fcs_folder if fcs_folder is not None else workspace_path.parent
    found: list[ComparedCount] = []
    for sample_id, file_name, counts in _counted(out):
        entry = _entry(workspace, file_name, counts.get(ROOT))
        if entry is not None:
            found += _compare(sample_id, counts, entry, _sample(folder, file_name, counts.get(ROOT)))
    if not found:
        raise StrategyError(
            "holds none of the samples that were counted",
            where=str(workspace_path),
            hint=f"its samples: {', '.join(s.name for s in workspace.samples[:30])}",
            code="WORKSPACE_SAMPLE_MISSING",
        )
    return Comparison(workspace.program, tuple(found))


def _counted(out: Path) -> Iterator[tuple[str, str, dict[str, int | None]]]:
    """Sample id, file name, and counts by path."""
    samples: dict[tuple[str, str], dict[str, int | None]] = {}
    for row in read_table(out / "tables" / "counts.csv", COUNTS):
        count = row["count"]
        key = (str(row["sample_id"]), str(row["fcs_file"]))
        samples.setdefault(key, {})[str(row["path"])] = int(count) if isinstance(count, int | float) else None
    for (sample_id, file), counts in samples.items():
        yield sample_id, PurePath(file).name, counts


def _entry(workspace: Workspace, file_name: str, n_events: int | None) -> WorkspaceSample | None:
    fitting = [s for s in workspace.samples if file_name in s.file_names and s.n_events in (None, n_events)]
    return fitting[0] if len(fitting) == 1 else None


def _sample(folder: Path, file_name: str, n_events: int | None) -> Sample | None:
    """The FCS file, if it is where it was looked for."""
    for path in sorted(p for p in folder.rglob("*") if p.name == file_name and p.is_file()):
        try:
            sample = read_fcs(path, strict=False)
        except CytometryError:
            continue
        if sample.n_events == n_events:
            return sample
    return None


def _compare(
    sample_id: str, counts: Mapping[str, int | None], entry: WorkspaceSample, sample: Sample | None
) -> Sequence[ComparedCount]:
    undecided: Mapping[str, int] = {}
    differs = any(counts.get(p) != c for p, c in entry.counts.items())
    if sample is not None and differs:
        strategy = entry.strategy
        names = channel_map_by_name(sample)
        reader = DimensionReader(sample, names, strategy.transforms, strategy.compensations)
        undecided = undecided_by_binning(strategy, reader, entry.plot_channels)
    return [
        ComparedCount(
            sample_id,
            path,
            counts.get(path),
            flowjo,
            undecided.get(path),
            _reason(counts.get(path), flowjo, undecided.get(path), entry.strategy, path),
        )
        for path, flowjo in entry.counts.items()
    ]


def _reason(ours: int | None, flowjo: int | None, undecided: int | None, strategy: GatingStrategy, path: str) -> Reason:
    if ours is None:
        return "not ours"
    if flowjo is None:
        return "not stored"
    if ours == flowjo:
        return "equal"
    if undecided is None:
        return "not examined"
    if abs(ours - flowjo) <= undecided:
        return "binning"
    return "transform" if _has_undocumented_edge(strategy, path) else "real"


def _has_undocumented_edge(strategy: GatingStrategy, path: str) -> bool:
    while path != ROOT:
        population = strategy[path]
        if isinstance(population.gate, PolygonGate | EllipsoidGate):
            scales = [strategy.transforms[d.transform] for d in population.gate.dimensions if d.transform is not None]
            if any(not isinstance(s, _DOCUMENTED) for s in scales):
                return True
        path = population.parent_path
    return False
