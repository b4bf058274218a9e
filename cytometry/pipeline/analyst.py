"""What a notebook calls: the steps of ``run`` one by one, on values in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError
from cytometry.gating.engine import gate_sample
from cytometry.gating.membership import Membership
from cytometry.gating.place import place as place_tubes
from cytometry.gating.tubes import Tube
from cytometry.io.gatingml import read_gatingml
from cytometry.io.panels import load_panel
from cytometry.io.study import load_study
from cytometry.model.gates import FROM_FILE, Dimension
from cytometry.model.panel import Panel
from cytometry.model.placement import Placement
from cytometry.model.sample import Sample
from cytometry.model.strategy import ROOT, GatingStrategy
from cytometry.model.study import Study
from cytometry.pipeline.definitions import workspace_of
from cytometry.pipeline.file_inputs import find_strategy, safe_name
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader, channel_map_by_name
from cytometry.preprocessing.markers import match_channels

if TYPE_CHECKING:
    import pandas as pd

    from cytometry.simulation.tubes import SimulatedTube
    from cytometry.statistics.analysis import AnalysisResult

FloatArray = npt.NDArray[np.float64]

# Key of the one tube of a placement that was made for it alone.
_ALONE = "sample"


@dataclass(frozen=True, eq=False)
class GatedSample:
    """One sample with its gates and the populations of its events.

    Parameters
    ----------
    panel
        None where the gates came from a GatingML file.
    placement
        How the gates were placed; None where they were drawn.
    """

    sample: Sample
    strategy: GatingStrategy
    channel_map: ChannelMap
    membership: Membership
    panel: Panel | None = None
    placement: Placement | None = None

    @property
    def populations(self) -> tuple[str, ...]:
        """Paths in tree order."""
        return self.membership.paths

    def path(self, population: str) -> str:
        """Path of a population given by name or path."""
        if population == ROOT or population in self.membership.paths:
            return population
        return self.strategy.by_name(population).path

    def mask(self, population: str) -> npt.NDArray[np.bool_]:
        """Which events of the sample belong to a population, given by name or path."""
        return self.membership.mask(self.path(population))

    def values(self, marker: str, population: str = ROOT) -> FloatArray:
        """A marker's compensated values on its display scale, one per event of the population."""
        reader = DimensionReader(
            self.sample,
            self.channel_map,
            self.strategy.transforms,
            self.strategy.compensations,
            self.sample.spillover,
        )
        rows = None if population == ROOT else self.membership.indices(self.path(population))
        return reader.values(self._dimension(marker), rows)

    def _dimension(self, marker: str) -> Dimension:
        if self.panel is not None and marker in self.panel.markers:
            return self.panel.dimension(marker)
        used = {d.name: d for p in self.strategy.populations for d in p.gate.dimensions if isinstance(d, Dimension)}
        return used.get(marker, Dimension(marker, FROM_FILE if self.sample.spillover else "uncompensated"))

    @property
    def counts(self) -> pd.DataFrame:
        """Rows as in ``counts.csv``."""
        from cytometry.model.tables import COUNTS
        from cytometry.pipeline.frames import frame
        from cytometry.pipeline.gate_group import panel_limits
        from cytometry.quantification.counts import CountedSample, count_populations

        name = Path(self.sample.name)
        tube = CountedSample(safe_name(name.stem), name.name, self.sample.sha256, self.strategy.name)
        rows = count_populations(
            tube,
            self.strategy,
            self.membership,
            limits=panel_limits(self.panel) if self.panel else None,
            gate_flags=self.placement.population_flags(_ALONE) if self.placement else None,
        )
        return frame(COUNTS, rows)

    def _repr_html_(self) -> str:
        """The tree with counts, as Jupyter shows it."""
        rows = []
        for population in self.strategy.populations:
            count = self.membership.count(population.path)
            parent = self.membership.count(population.parent_path)
            share = f"{count / parent:.1%}" if count is not None and parent else ""
            depth = population.parent_path.count("/") + 1
            rows.append(
                f"<tr><td style='text-align:left;padding-left:{depth}em'>{escape(population.name)}</td>"
                f"<td>{'undefined' if count is None else f'{count:,}'}</td><td>{share}</td></tr>"
            )
        return (
            f"<p><b>{escape(self.sample.name)}</b>, {self.sample.n_events:,} events, {escape(self.strategy.name)}</p>"
            f"<table><tr><th>population</th><th>events</th><th>of parent</th></tr>{''.join(rows)}</table>"
        )


@dataclass(frozen=True, eq=False)
class GatedStudy:
    """Tables of a study that was gated, statistics not yet done.

    Parameters
    ----------
    tables
        Frames by name: counts, frequencies, intensities, thresholds, findings, samples.
    counts
        ``counts.csv`` with subject, visit, batch, role and cells per microlitre.
    """

    study: Study
    counts: pd.DataFrame
    tables: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, eq=False)
class RunFolder:
    """An output folder that is complete.

    Parameters
    ----------
    folder, report
        Where it is, and the report in it.
    exit_code
        As ``cytometry run`` would end.
    """

    folder: Path
    report: Path
    exit_code: int

    def table(self, name: str) -> pd.DataFrame:
        """One of ``tables/``, by name.

        Raises
        ------
        RequestError
            There is no such table.
        """
        from cytometry.io.frames import read_frame

        path = self.folder / "tables" / f"{name}.csv"
        if not path.is_file():
            known = sorted(p.stem for p in path.parent.glob("*.csv"))
            raise RequestError(
                f"there is no table '{name}'", where=str(self.folder), hint=f"tables: {', '.join(known)}"
            )
        return read_frame(path)


def place(panel: Panel | str | Path, sample: Sample) -> Placement:
    """Place a panel's gates on one sample, every scope being that sample.

    For a study, :func:`gate` places tubes together as the panel's scopes say.

    Raises
    ------
    PanelError, GatingError
        The panel is wrong, or does not fit the sample.
    """
    given = panel if isinstance(panel, Panel) else load_panel(panel)
    tube = Tube(_ALONE, sample, match_channels(sample, given).channel_map)
    placement = place_tubes(given, [tube], alone=True)
    for error in placement.failed.values():
        raise error
    return placement


@overload
def gate(source: Sample, strategy: Panel | GatingStrategy | str | Path) -> GatedSample: ...


@overload
def gate(source: Study, strategy: None = None, *, jobs: int = 1) -> GatedStudy: ...


def gate(
    source: Sample | Study, strategy: Panel | GatingStrategy | str | Path | None = None, *, jobs: int = 1
) -> GatedSample | GatedStudy:
    """Gate one sample in memory, or all tubes of a study with its own panels.

    Parameters
    ----------
    strategy
        For a sample: a panel or its name or folder, a strategy, a GatingML file or a FlowJo workspace.
    jobs
        For a study: worker processes.

    Raises
    ------
    RequestError
        A sample came without a strategy, or a study with one.
    """
    if isinstance(source, Study):
        if strategy is not None:
            raise RequestError("a study names its own panels", hint="leave 'strategy' out, or change study.yaml")
        return _gate_study(source, jobs)
    if strategy is None:
        raise RequestError("a sample needs gates", hint="name a panel, for example 'bcell_v1', or a GatingML file")
    return _gate_sample(source, strategy)


def _gate_sample(sample: Sample, strategy: Panel | GatingStrategy | str | Path) -> GatedSample:
    if isinstance(strategy, str | Path):
        strategy = _named_strategy(sample, str(strategy))
    if isinstance(strategy, GatingStrategy):
        channel_map = channel_map_by_name(sample)
        return GatedSample(sample, strategy, channel_map, gate_sample(strategy, sample, channel_map))
    placement = place(strategy, sample)
    placed = placement.strategies[_ALONE]
    channel_map = match_channels(sample, strategy).channel_map
    return GatedSample(sample, placed, channel_map, gate_sample(placed, sample, channel_map), strategy, placement)


def _named_strategy(sample: Sample, name: str) -> Panel | GatingStrategy:
    found = find_strategy(name)
    if found.kind == "panel":
        return load_panel(found.path)
    if found.kind == "workspace":
        return workspace_of(found.path, found.digest).sample_for(sample).strategy
    return read_gatingml(found.path)


def _gate_study(study: Study, jobs: int) -> GatedStudy:
    from cytometry.io.result_tables import read_table
    from cytometry.pipeline.frames import frame
    from cytometry.pipeline.gate_step import GateOptions, GatingJob, gate_job
    from cytometry.pipeline.gating_run import GATING_TABLES
    from cytometry.pipeline.stats_step import joined_counts
    from cytometry.pipeline.study_inputs import load_panels, plan_study
    from cytometry.pipeline.tasks import GatingSettings

    panels = load_panels(study)
    with tempfile.TemporaryDirectory(prefix="cytometry-") as folder:
        out = Path(folder) / "out"
        job = GatingJob(plan_study(study, panels, out, GatingSettings()), out, study, panels)
        gate_job(job, GateOptions(jobs=jobs))
        tables = {s.name: frame(s, read_table(out / "tables" / f"{s.name}.csv", s)) for s in GATING_TABLES}
        return GatedStudy(study, joined_counts(out), MappingProxyType(tables))


def count(gated: GatedSample | GatedStudy) -> pd.DataFrame:
    """Counts, one row per sample and population, ``root`` included."""
    return gated.counts


def frequencies(gated: GatedSample | GatedStudy) -> pd.DataFrame:
    """Fractions of the parent and of the panel's denominators, each with its 95 % interval, NaN if undefined."""
    if isinstance(gated, GatedStudy):
        return gated.tables["frequencies"]
    from cytometry.model.tables import FREQUENCIES
    from cytometry.pipeline.collect import frequency_rules
    from cytometry.pipeline.frames import frame, records
    from cytometry.quantification import frequencies as shares

    rules = frequency_rules({gated.strategy.name: gated.panel}) if gated.panel else {}
    rows = [{k: None if v != v else v for k, v in row.items()} for row in records(gated.counts)]
    whole = [{k: int(v) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    return frame(FREQUENCIES, shares.frequencies(whole, rules, {}))


def analyse(counts: pd.DataFrame, study: Study) -> AnalysisResult:
    """Every table of the study's analysis plan, from the joined counts of :func:`gate`."""
    from cytometry.pipeline.stats_step import analyse_study

    return analyse_study(study, counts)


def compare(counts: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Changes from baseline with exact tests, one row per population, scale and visit."""
    return analyse(counts, study).comparison


def correlate(counts: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Rank correlation of each change with the change in the plan's outcome, with exact p."""
    return analyse(counts, study).correlation


def run(study: str | Path, out: str | Path, *, jobs: int = 1) -> RunFolder:
    """Do what ``cytometry run STUDY -o OUT`` does.

    Raises
    ------
    StudyError, OutputError
        As the command would say.
    """
    from cytometry.pipeline.gate_step import GateOptions, study_job
    from cytometry.pipeline.run_step import run_job
    from cytometry.pipeline.tasks import GatingSettings

    folder = Path(out)
    result = run_job(study_job(study, folder, GatingSettings()), GateOptions(jobs=jobs))
    return RunFolder(folder, folder / "report.html", result.exit_code)


def report(study: str | Path, out: str | Path) -> Path:
    """Write the report of a gated folder again, with its statistics; return its path."""
    from cytometry.pipeline.gate_step import study_job
    from cytometry.pipeline.run_step import stats_job
    from cytometry.pipeline.tasks import GatingSettings

    stats_job(study_job(study, Path(out), GatingSettings()), with_report=True)
    return Path(out) / "report.html"


def simulate(panel: str = "bcell", *, n_events: int = 8_000, seed: int = 1) -> SimulatedTube:
    """A synthetic tube of one blood sample with the truth of every event.

    Parameters
    ----------
    panel
        ``bcell`` or ``treg``.
    seed
        The same seed gives the same events.
    """
    from dataclasses import replace

    from cytometry.simulation.study import simulate_study
    from cytometry.simulation.tubes import simulate_tube

    first = next((t for t in simulate_study(seed).tubes if t.spec.panel == panel), None)
    if first is None:
        raise RequestError(f"there is no simulated panel '{panel}'", hint="panels: bcell, treg")
    return simulate_tube(replace(first.spec, n_events=n_events), np.random.default_rng(seed))


__all__ = [
    "GatedSample",
    "GatedStudy",
    "RunFolder",
    "analyse",
    "compare",
    "correlate",
    "count",
    "frequencies",
    "gate",
    "load_study",
    "place",
    "report",
    "run",
    "simulate",
]
