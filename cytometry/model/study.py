"""A study as its tables describe it: files, visits, clinic, and the plan."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from cytometry.model.findings import Finding
from cytometry.model.plan import AnalysisPlan, FrozenModel
from cytometry.model.tables import Row

SAMPLE_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")
ROLE = re.compile(r"^(sample|control|unstained|beads|fmo:.+|single_stain:.+)$")
FROM_FILE = "from_file"
NO_COMPENSATION = "none"

Specimen = Literal["whole_blood", "pbmc_fresh", "pbmc_frozen"]


class VisitSpec(FrozenModel):
    """A planned visit. ``day`` 0 is the infusion; ``window`` is inclusive, in study days."""

    id: str
    label: str = ""
    day: float | None = None
    week: float | None = None
    window: tuple[float, float] | None = None
    baseline: bool = False
    primary: bool = False

    @property
    def planned_day(self) -> float | None:
        """Study day, from ``day`` or ``week``."""
        if self.day is not None:
            return self.day
        return None if self.week is None else 7.0 * self.week

    @property
    def title(self) -> str:
        """Label for people."""
        return self.label or self.id


class Quality(FrozenModel):
    """Limits that acquisition quality is judged by; what they mean is in the quality table.

    ``masks: reported`` keeps events of unsteady flow or signal in every
    population, and only says how many they are.
    """

    min_events: Annotated[int, Field(ge=0)] = 1000
    max_margin_fraction: Annotated[float, Field(ge=0, le=1)] = 0.05
    min_viability: Annotated[float, Field(ge=0, le=1)] = 0.7
    min_singlet_fraction: Annotated[float, Field(ge=0, le=1)] = 0.7
    max_time_excluded: Annotated[float, Field(ge=0, le=1)] = 0.3
    max_unsteady: Annotated[float, Field(ge=0, le=1)] = 0.05
    masks: Literal["applied", "reported"] = "applied"


class StudyFacts(FrozenModel):
    """``study:`` of ``study.yaml``: what the study is called and how it measures.

    ``synthetic: true`` marks simulated data; the report then says so at its head.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]
    title: str = ""
    contact: str = ""
    purpose: str = ""
    sledai_version: str = "SLEDAI-2K"
    antidsdna_unit: str = ""
    synthetic: bool = False


class SampleRow(FrozenModel):
    """One row of ``samples.csv``: an FCS file and what is in it."""

    sample_id: str
    fcs_file: str
    panel: str
    subject_id: str = ""
    visit: str = ""
    role: str = "sample"
    batch: str = ""
    collected_at: str = ""
    acquired_at: str = ""
    specimen: Specimen | Literal[""] = ""
    replicate: int | None = None
    lymphocytes_10e9_per_l: float | None = None
    wbc_10e9_per_l: float | None = None
    beads_total: float | None = None
    sample_volume_ul: float | None = None
    operator: str = ""
    instrument: str = ""
    panel_lot: str = ""
    fcs_sha256: str = ""
    exclude: bool = False
    exclude_reason: str = ""
    extra: Row = Field(default_factory=dict)

    @field_validator("sample_id")
    @classmethod
    def _safe_id(cls, value: str) -> str:
        if not SAMPLE_ID.match(value):
            raise ValueError("1 to 64 of A-Z a-z 0-9 _ . + -, not starting with a sign")
        return value

    @property
    def is_gated(self) -> bool:
        """Whether the tube gets counts: study samples and bridging controls do, FMOs and stains do not."""
        return self.role in {"sample", "control"} and not self.exclude


class StudyFile(FrozenModel):
    """``study.yaml`` as a person writes it; paths are relative to it."""

    schema_version: Literal[1] = 1
    study: StudyFacts
    samples: str = "samples.csv"
    clinical: str | None = None
    subjects: str | None = None
    assays: str | None = None
    visits: Annotated[tuple[VisitSpec, ...], Field(min_length=1)]
    panels: dict[str, str]
    compensation: str = FROM_FILE
    plan: AnalysisPlan = AnalysisPlan()
    quality: Quality = Quality()
    overrides: str | None = None
    covariates: tuple[str, ...] = ()
    extra_columns: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()
    counts: CountsSource | None = None
    miflowcyt: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_baseline(self) -> StudyFile:
        ids = [v.id for v in self.visits]
        repeated = sorted({i for i in ids if ids.count(i) > 1})
        if repeated:
            raise ValueError(f"visit {', '.join(repeated)} is declared more than once")
        if sum(v.baseline for v in self.visits) != 1:
            raise ValueError("exactly one visit has to say 'baseline: true'")
        return self


class CountsSource(FrozenModel):
    """How a counts table of another program maps onto ours (``stats --counts``).

    Parameters
    ----------
    layout
        ``long``: a row per tube and population; ``wide``: a row per tube, a column per population.
    columns
        Our column to theirs, for ``long`` and for the tube's columns: ``subject_id,
        visit`` or ``sample_id`` or ``fcs_file``; ``panel, population, count,
        parent_count, parent``.
    populations
        ``wide``: our population to their column; all other columns are left out.
    parents
        Population to its parent among the counted, where no parent count is given.
    """

    layout: Literal["long", "wide"] = "long"
    columns: dict[str, str] = Field(default_factory=dict)
    populations: dict[str, str] = Field(default_factory=dict)
    parents: dict[str, str] = Field(default_factory=dict)


StudyFile.model_rebuild()


class Study(FrozenModel):
    """A study that has been read and checked; every path in it is resolved.

    Parameters
    ----------
    folder
        Where ``study.yaml`` stands.
    samples_folder
        Where ``samples.csv`` stands; ``fcs_file`` is relative to it.
    samples
        In the order of ``samples.csv``.
    clinical
        Rows of ``clinical.csv``, typed by its schema, missing cells None.
    subjects, assays
        Rows of ``subjects.csv`` and ``assays.csv``.
    sealed_plan
        The plan as it was sealed; None if it was not.
    panels
        Key in ``samples.csv`` to shipped name or folder.
    findings
        What was noticed while reading; nothing in it stopped the reading.
    changed
        Values that took the place of those in ``study.yaml`` for this run, by key.
    """

    folder: Path
    samples_folder: Path
    facts: StudyFacts
    visits: tuple[VisitSpec, ...]
    samples: tuple[SampleRow, ...]
    clinical: tuple[Row, ...] = ()
    subjects: tuple[Row, ...] = ()
    assays: tuple[Row, ...] = ()
    panels: dict[str, str]
    compensation: str = FROM_FILE
    plan: AnalysisPlan = AnalysisPlan()
    sealed_plan: AnalysisPlan | None = None
    quality: Quality = Quality()
    overrides: Path | None = None
    covariates: tuple[str, ...] = ()
    counts: CountsSource | None = None
    miflowcyt: dict[str, str] = Field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    findings: tuple[Finding, ...] = ()
    changed: dict[str, str] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """Identifier of the study."""
        return self.facts.id

    @property
    def baseline(self) -> VisitSpec:
        """The visit that changes are measured from."""
        return next(v for v in self.visits if v.baseline)

    @property
    def visit_ids(self) -> tuple[str, ...]:
        """Visits in planned order."""
        return tuple(v.id for v in self.visits)

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """Participants with a study sample, in the order of ``samples.csv``."""
        return tuple(dict.fromkeys(s.subject_id for s in self.samples if s.role == "sample"))

    def fcs_path(self, sample: SampleRow) -> Path:
        """Where the sample's file lies."""
        return self.samples_folder / sample.fcs_file
