"""Gate one group of tubes: read, match, place, apply, quantify, write the parts. What a worker process runs.

A tube that cannot be read, matched or placed fails alone; the group goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cytometry.errors import CytometryError, FcsError, OutputError
from cytometry.gating.engine import gate_sample
from cytometry.gating.membership import Membership
from cytometry.io.digests import is_unchanged
from cytometry.io.fcs.read import read_fcs
from cytometry.io.parts import (
    COMPENSATION_PART,
    COUNTS_PART,
    FINDINGS_PART,
    GATE_DRAWS_PART,
    INTENSITIES_PART,
    PREVIEWS_PART,
    QUALITY_PART,
    SETTINGS_PART,
    THRESHOLDS_PART,
    PartRecord,
    arrays_bytes,
    gates_file,
    part_folder,
    write_part,
)
from cytometry.io.result_tables import finding_rows, table_bytes
from cytometry.model.findings import Finding
from cytometry.model.gates import Dimension
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import GatingStrategy
from cytometry.model.tables import (
    COMPENSATION_TUBE,
    COUNTS,
    FINDINGS,
    GATE_DRAWS,
    INTENSITIES,
    QUALITY,
    SETTINGS,
    THRESHOLDS,
)
from cytometry.pipeline.definitions import drawn_gates, panel_of, workspace_of
from cytometry.pipeline.tasks import DRAW_SEED, GroupResult, GroupTask, SampleOutcome, TubeInput
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader, channel_map_by_name
from cytometry.quantification.counts import CountedSample, count_populations
from cytometry.quantification.low_counts import CountLimits
from cytometry.quantification.thresholds import threshold_rows

if TYPE_CHECKING:
    from cytometry.model.panel import Panel
    from cytometry.model.placement import PlacedCut, Placement

# At the head of a sample's gates: where a person meets them.
_ON_MARKERS = (
    "These gates name the panel's markers, not the file's channels, and may hold a mask of single events, which only "
    "this program reads. 'cytometry export gatingml' and 'cytometry export flowjo' write them for other programs."
)
# Other readers hold several copies of a file as float64: above this they would decide a worker's memory.
_MAX_VALUES_FOR_OTHERS = 8_000_000


@dataclass(frozen=True)
class GatedTube:
    """A tube with the gates that were placed for it.

    Parameters
    ----------
    given
        What was asked for.
    sample, strategy, membership
        The file, its gates, and which event lies in which population.
    channels, matrix
        Where the gates' markers are in the file, and what ``FCS`` compensation means in it.
    """

    given: TubeInput
    sample: Sample
    strategy: GatingStrategy
    membership: Membership
    channels: ChannelMap
    matrix: Spillover | None


@dataclass(frozen=True)
class ReadTube:
    """A tube that was read and whose channels are known.

    Parameters
    ----------
    findings
        On the file and on its channels.
    """

    given: TubeInput
    sample: Sample
    channels: ChannelMap
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Gates:
    """The gates of one tube and where they come from."""

    strategy: GatingStrategy
    cuts: tuple[PlacedCut, ...] = ()
    findings: tuple[Finding, ...] = ()
    drawn: tuple[GatingStrategy, ...] = ()
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class _Report:
    """What became of each tube so far."""

    outcomes: dict[str, SampleOutcome] = field(default_factory=dict)

    def failed(self, tube: TubeInput, error: CytometryError) -> None:
        finding = Finding(
            error.code, "error", error.message, file=tube.fcs_file, segment=_place(error, tube), fix=error.hint
        )
        findings = tuple(f.in_file(tube.fcs_file) for f in error.findings) or (finding,)
        self.outcomes[tube.sample_id] = SampleOutcome(
            tube.sample_id, "failed", error.code, _reason(error), findings=findings
        )


def gate_group(task: GroupTask) -> GroupResult:
    """Gate a group and write one part per tube.

    Raises
    ------
    OutputError
        The parts cannot be written: nothing that follows could be either.
    """
    report = _Report()
    matrix = study_matrix(task)
    tubes = _read_all(task, task.tubes, report)
    gates = _gates(task, tubes, matrix, report)
    for tube in tubes:
        given = tube.given
        if given.sample_id in report.outcomes:
            continue
        try:
            report.outcomes[given.sample_id] = _quantify(task, tube, gates[given.sample_id], matrix)
        except OutputError:
            raise
        except CytometryError as error:
            report.failed(given, error)
        except MemoryError:
            report.failed(given, FcsError("does not fit into memory", hint="give the run more memory or fewer --jobs"))
    return GroupResult(tuple(report.outcomes[t.sample_id] for t in task.tubes))


def gated_tubes(task: GroupTask) -> Iterator[GatedTube | SampleOutcome]:
    """Gate a group without writing anything: each tube in turn, or how it failed."""
    report = _Report()
    matrix = study_matrix(task)
    tubes = {t.given.sample_id: t for t in _read_all(task, task.tubes, report)}
    gates = _gates(task, tuple(tubes.values()), matrix, report)
    for given in task.tubes:
        if given.sample_id not in report.outcomes:
            tube, strategy = tubes[given.sample_id], gates[given.sample_id].strategy
            try:
                membership = gate_sample(strategy, tube.sample, tube.channels, file_compensation=matrix)
            except CytometryError as error:
                report.failed(given, error)
            else:
                yield GatedTube(given, tube.sample, strategy, membership, tube.channels, matrix)
                continue
        yield report.outcomes[given.sample_id]


def _read_all(task: GroupTask, given: Sequence[TubeInput], report: _Report) -> list[ReadTube]:
    tubes = []
    for tube in given:
        try:
            tubes.append(read_tube(task, tube))
        except CytometryError as error:
            report.failed(tube, error)
        except MemoryError:
            report.failed(tube, FcsError("does not fit into memory", hint="give the run more memory or fewer --jobs"))
    return tubes


def read_tube(task: GroupTask, given: TubeInput) -> ReadTube:
    """Read a file and find the channels that the task's gates name.

    Raises
    ------
    FcsError
        The file cannot be read, or is not the one that was planned.
    GatingError
        It lacks a marker of the panel.
    """
    sample = read_fcs(given.path, strict=task.settings.strict)
    if is_unchanged(given.path, given.stamp):
        sample = replace(sample, name=given.fcs_file, sha256=given.sha256)
    elif given.sha256 and sample.sha256 and sample.sha256 != given.sha256:
        raise FcsError(
            "changed while the run was going on", where=given.fcs_file, hint="run again", code="INPUT_CHANGED"
        )
    sample = replace(sample, name=given.fcs_file)
    if task.compensation.kind == "none":
        sample = replace(sample, spillover=None)
    findings = [replace(f, file=given.fcs_file) for f in sample.findings]
    if task.source.kind != "panel":
        return ReadTube(given, sample, channel_map_by_name(sample), tuple(findings))
    from cytometry.preprocessing.markers import match_channels

    panel = panel_of(task.source.path, task.source.digest)
    match = match_channels(sample, panel)
    findings += [replace(f, file=given.fcs_file) for f in match.findings]
    if task.compensation.kind == "from_file" and sample.spillover is None and _wants_matrix(panel):
        findings.append(
            Finding(
                "COMPENSATION_ABSENT",
                "warning",
                "has no spillover matrix: its fluorescence was taken as it is",
                file=given.fcs_file,
                keyword="$SPILLOVER",
                fix="name a matrix under 'compensation' in study.yaml, unless the file was compensated before",
            )
        )
    return ReadTube(given, sample, match.channel_map, tuple(findings))


def _gates(
    task: GroupTask, tubes: Sequence[ReadTube], matrix: Spillover | None, report: _Report
) -> Mapping[str, _Gates]:
    if task.source.kind == "gatingml":
        strategy = drawn_gates(task.source.path, task.source.digest)
        return {t.given.sample_id: _Gates(strategy) for t in tubes}
    if task.source.kind == "workspace":
        return _workspace_gates(task, tubes, report)
    return _placed_gates(task, tubes, matrix, report)


def _workspace_gates(task: GroupTask, tubes: Sequence[ReadTube], report: _Report) -> Mapping[str, _Gates]:
    workspace = workspace_of(task.source.path, task.source.digest)
    gates = {}
    for tube in tubes:
        try:
            gates[tube.given.sample_id] = _Gates(workspace.sample_for(tube.sample).strategy)
        except CytometryError as error:
            report.failed(tube.given, error)
    return gates


def _placed_gates(
    task: GroupTask, tubes: Sequence[ReadTube], matrix: Spillover | None, report: _Report
) -> Mapping[str, _Gates]:
    from cytometry.gating.place import place
    from cytometry.gating.tubes import Tube
    from cytometry.model.placement import GateOverride

    panel = panel_of(task.source.path, task.source.digest)
    unread = _Report()
    references = [] if panel.template is None else _read_all(task, task.references, unread)
    lost = tuple(f for o in unread.outcomes.values() for f in o.findings)
    placement = place(
        panel,
        [
            Tube(
                key=t.given.sample_id,
                sample=t.sample,
                channel_map=t.channels,
                subject_group=t.given.subject_group,
                batch_group=t.given.batch_group,
                role=t.given.role,
                file_compensation=matrix,
                is_masked=task.settings.masked,
                other_batches=t.given.other_batches,
            )
            for t in (*tubes, *references)
        ],
        overrides=[GateOverride(o.sample_id, o.cut, o.value) for o in task.overrides],
        batch_sizes=task.batch_sizes,
        alone=task.settings.alone,
    )
    drawn = _drawn_gates(placement, task)
    gates = {}
    for tube in tubes:
        key = tube.given.sample_id
        if key in placement.failed:
            report.failed(tube.given, placement.failed[key])
            continue
        found = tuple(replace(f, file=tube.given.fcs_file) for f in placement.findings_of(key))
        own = tuple(d[key] for d in drawn)
        gates[key] = _Gates(
            placement.strategies[key],
            placement.cuts_of(key),
            (*found, *lost),
            own,
            placement.population_flags(key),
        )
    return gates


def _drawn_gates(placement: Placement, task: GroupTask) -> Sequence[Mapping[str, GatingStrategy]]:
    """Plausible gates around the placed ones; groups draw independently, and the same ones in every run."""
    if task.settings.gate_draws == 0:
        return ()
    import numpy as np

    from cytometry.gating.draws import draw_strategies

    seed = [DRAW_SEED, *"|".join(sorted(placement.strategies)).encode()]
    return list(draw_strategies(placement, task.settings.gate_draws, np.random.default_rng(seed)))


def _quantify(task: GroupTask, tube: ReadTube, gates: _Gates, matrix: Spillover | None) -> SampleOutcome:
    given, sample, strategy = tube.given, tube.sample, gates.strategy
    membership = gate_sample(strategy, sample, tube.channels, file_compensation=matrix)
    identity = CountedSample(given.sample_id, given.fcs_file, given.sha256 or sample.sha256, task.panel)
    limits = _limits(task)
    findings = (*tube.findings, *gates.findings, *_undefined(given, membership, tube.findings))
    folder = part_folder(task.out, task.panel, given.sample_id).relative_to(task.out).as_posix()
    counts = count_populations(identity, strategy, membership, limits=limits, gate_flags=gates.flags)
    files = {
        f"{folder}/{COUNTS_PART}": table_bytes(COUNTS, counts),
        f"{folder}/{THRESHOLDS_PART}": table_bytes(THRESHOLDS, threshold_rows(given.sample_id, task.panel, gates.cuts)),
        f"{folder}/{FINDINGS_PART}": table_bytes(FINDINGS, finding_rows(given.sample_id, findings)),
        gates_file(given.sample_id): _gatingml(task, strategy),
    }
    if gates.drawn:
        from cytometry.quantification.gate_draws import gate_draw_rows

        again = [gate_sample(s, sample, tube.channels, file_compensation=matrix).counts for s in gates.drawn]
        rows = gate_draw_rows(given.sample_id, task.panel, strategy, membership, again)
        files[f"{folder}/{GATE_DRAWS_PART}"] = table_bytes(GATE_DRAWS, rows)
    if task.settings.detail:
        files |= _details(task, tube, gates, membership, matrix, limits, folder)
    record = PartRecord(given.sample_id, task.key, task.ingredients, sample.n_events, {})
    write_part(task.out, task.panel, record, files)
    return SampleOutcome(given.sample_id, "done", total_events=sample.n_events, findings=findings)


def _details(
    task: GroupTask,
    tube: ReadTube,
    gates: _Gates,
    membership: Membership,
    matrix: Spillover | None,
    limits: CountLimits,
    folder: str,
) -> dict[str, bytes]:
    from cytometry.preprocessing.quality import acquisition_quality
    from cytometry.quantification.compensation_quality import compensation_rows
    from cytometry.quantification.intensities import population_medians
    from cytometry.quantification.preview_arrays import previews_to_arrays
    from cytometry.quantification.previews import gate_previews
    from cytometry.quantification.quality import quality_row
    from cytometry.quantification.settings_changes import settings_rows

    strategy = gates.strategy
    reader = DimensionReader(tube.sample, tube.channels, strategy.transforms, strategy.compensations, matrix)
    medians = population_medians(
        tube.given.sample_id, task.panel, strategy, membership, reader, _dimensions(task, strategy), limits=limits
    )
    previews = gate_previews(strategy, reader, membership, gates.cuts)
    quality = quality_row(
        tube.given.sample_id,
        task.panel,
        acquisition_quality(tube.sample),
        membership,
        second_opinion=_second_opinion(tube),
    )
    pairs = compensation_rows(
        tube.given.sample_id, task.panel, tube.sample, membership, matrix or tube.sample.spillover
    )
    return {
        f"{folder}/{QUALITY_PART}": table_bytes(QUALITY, [quality]),
        f"{folder}/{COMPENSATION_PART}": table_bytes(COMPENSATION_TUBE, pairs),
        f"{folder}/{SETTINGS_PART}": table_bytes(SETTINGS, settings_rows(tube.given.sample_id, tube.sample)),
        f"{folder}/{INTENSITIES_PART}": table_bytes(INTENSITIES, medians),
        f"{folder}/{PREVIEWS_PART}": arrays_bytes(previews_to_arrays(previews)),
    }


def _second_opinion(tube: ReadTube) -> str:
    """What other readers make of the file, in one word; not asked where their copies of it would fill the memory."""
    from cytometry.io.fcs.second_opinion import ask_others

    sample = tube.sample
    if sample.n_events * len(sample.channels) > _MAX_VALUES_FOR_OTHERS:
        return "not asked"
    # The sample is labelled as the study names it; the others need the file.
    return ask_others(replace(sample, name=str(tube.given.path))).summary


def _dimensions(task: GroupTask, strategy: GatingStrategy) -> list[Dimension]:
    """The panel's fluorescence markers; for drawn files, what their gates read."""
    if task.source.kind == "panel":
        panel = panel_of(task.source.path, task.source.digest)
        return [panel.dimension(name) for name, m in panel.markers.items() if m.kind == "fluorescence"]
    used = [d for p in strategy.populations for d in p.gate.dimensions if isinstance(d, Dimension)]
    return list({d.name: d for d in used}.values())


def _limits(task: GroupTask) -> CountLimits:
    if task.source.kind != "panel":
        return CountLimits()
    return panel_limits(panel_of(task.source.path, task.source.digest))


def panel_limits(panel: Panel) -> CountLimits:
    """The panel's event limits."""
    m = panel.minimum_events
    return CountLimits(m.parent_undefined_below, m.parent_flagged_below, m.detected_from, m.quantified_from)


def _undefined(given: TubeInput, membership: Membership, known: Sequence[Finding]) -> list[Finding]:
    """One finding per reason that left populations undefined, unless matching has said it already."""
    reasons: dict[str, list[str]] = {}
    for path, reason in membership.undefined.items():
        reasons.setdefault(reason, []).append(path)
    told = any(f.code == "MARKER_MISSING" for f in known)
    return [
        Finding(
            "MARKER_MISSING",
            "warning",
            f"{', '.join(paths)}: undefined, {reason}",
            file=given.fcs_file,
            keyword=paths[0],
            found=reason,
        )
        for reason, paths in reasons.items()
        if not told
    ]


def _wants_matrix(panel: Panel) -> bool:
    return panel.compensation == "FCS" and sum(m.kind == "fluorescence" for m in panel.markers.values()) > 1


def _gatingml(task: GroupTask, strategy: GatingStrategy) -> bytes:
    from cytometry.io.gatingml import gatingml_bytes

    return gatingml_bytes(strategy, _ON_MARKERS if task.source.kind == "panel" else "")


def study_matrix(task: GroupTask) -> Spillover | None:
    """The matrix that the study names in place of the files' own; None where each file has its own, or none is used."""
    if task.compensation.kind != "csv" or task.compensation.path is None:
        return None
    from cytometry.io.spillover import read_spillover_csv

    return read_spillover_csv(task.compensation.path)


def _place(error: CytometryError, tube: TubeInput) -> str:
    return "" if error.where in {"", tube.fcs_file, str(tube.path)} else error.where


def _reason(error: CytometryError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
