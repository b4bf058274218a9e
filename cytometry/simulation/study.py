"""A simulated trial: who is seen when, which tubes are stained in which batch, and the tables that describe them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import log10
from types import MappingProxyType
from typing import Literal

import numpy as np

from cytometry.errors import RequestError
from cytometry.model.tables import Row
from cytometry.simulation.blood import Blood
from cytometry.simulation.clinic import PRESENTATIONS, clinical_rows
from cytometry.simulation.cohort import Course, Effects, Variation, draw_blood
from cytometry.simulation.cytometer import TIMESTEP_S, TUBE_PANELS, tube_panel
from cytometry.simulation.tubes import SimulatedTube, Staining, TubeSpec, simulate_tube

#: What every file, table and report of the simulator has to say.
LABEL = "synthetic; effect sizes are assumptions"

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FIRST_BATCH = datetime(2025, 3, 3, 9, 0)
_BETWEEN_BATCHES = timedelta(days=28)
_BETWEEN_TUBES = timedelta(minutes=5)

Layout = Literal["two_subjects", "subject", "tube", "visit"]


@dataclass(frozen=True)
class Visit:
    """A planned visit: its name, day after infusion, and the share of the treatment effect reached by then."""

    name: str
    day: int
    onset: float


@dataclass(frozen=True)
class StudyDesign:
    """What to simulate; the defaults are the demo study.

    Parameters
    ----------
    n_subjects
        At most six have a clinical course of their own; more repeat them.
    visits
        In order, the baseline first.
    non_responders
        Position of participants on whom the treatment does not act.
    leaves_after
        Position of a participant to the name of the last visit attended.
    gains_helios
        Position of participants whose Helios+ regulatory T cells rise.
    layout
        What is stained together: two participants with all their visits, one participant, each tube
        on its own, or all participants' tubes of one visit.
    panels
        Tubes per visit.
    fmo
        Panel to the markers of which each batch has a fluorescence-minus-one tube: those that the shipped panels use.
    events, control_events
        Events of a study tube, and of a control.
    batch_shift
        Smallest and largest shift of a marker's signal between batches, as fractions; the sign is drawn.
    tube_shift
        Standard deviation of a tube's own shift, in decades.
    cd27_shift, cd27_spread
        Shift of CD27 in decades and factor on its spread, one per participant in turn: shedding and activation
        dim and smear it.
    clogged
        Sample whose acquisition clogs; "" for none.
    """

    n_subjects: int = 6
    visits: tuple[Visit, ...] = (
        Visit("w00", 0, 0.0),
        Visit("w04", 28, 0.6),
        Visit("w08", 56, 0.9),
        Visit("w24", 168, 1.0),
    )
    non_responders: tuple[int, ...] = (3,)
    leaves_after: Mapping[int, str] = field(default_factory=lambda: {3: "w08"})
    gains_helios: tuple[int, ...] = (1, 4)
    layout: Layout = "two_subjects"
    panels: tuple[str, ...] = ("bcell", "treg")
    fmo: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "bcell": ("IgD", "CD27", "CD21", "CD11c", "CXCR5"),
            "treg": ("FoxP3", "Helios", "GARP", "LAP"),
        }
    )
    events: int = 8_000
    control_events: int = 4_000
    blood: Blood = field(default_factory=Blood)
    effects: Effects = field(default_factory=Effects)
    variation: Variation = field(default_factory=Variation)
    batch_shift: tuple[float, float] = (0.10, 0.20)
    tube_shift: float = 0.012
    cd27_shift: tuple[float, ...] = (0.0, -0.12, 0.05, -0.20, 0.08, -0.15)
    cd27_spread: tuple[float, ...] = (1.0, 1.15, 1.0, 1.25, 1.0, 1.2)
    clogged: str = "P03_w04_treg"

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaves_after", MappingProxyType(dict(self.leaves_after)))
        object.__setattr__(self, "fmo", MappingProxyType(dict(self.fmo)))


#: The study that ``cytometry init --demo`` writes.
DEMO_DESIGN = StudyDesign()


@dataclass(frozen=True)
class StudyTube:
    """One file of a simulated study: its row of ``samples.csv`` and how to simulate it.

    Parameters
    ----------
    index
        Position in the study, from which its random numbers come: a tube can be made again alone.
    acquired
        Invented: batches four weeks apart, a tube every five minutes.
    blood
        True composition of the specimen.
    """

    index: int
    acquired: datetime
    sample_id: str
    panel: str
    subject_id: str
    visit: str
    role: str
    batch: str
    blood: Blood
    spec: TubeSpec

    @property
    def fcs_file(self) -> str:
        """Path from ``samples.csv``."""
        return f"fcs/{self.sample_id}.fcs"

    def row(self) -> Row:
        """Its row of ``samples.csv``."""
        return {
            "sample_id": self.sample_id,
            "fcs_file": self.fcs_file,
            "panel": self.panel,
            "subject_id": self.subject_id,
            "visit": self.visit,
            "role": self.role,
            "batch": self.batch,
            "acquired_at": self.acquired.isoformat(timespec="minutes"),
            "specimen": "pbmc_frozen",
        }

    def keywords(self) -> Mapping[str, str]:
        """What the file says about itself, and that it is no measurement."""
        return {
            "$CYT": "synthetic (simulated, no instrument)",
            "$COM": LABEL,
            "$DATE": f"{self.acquired.day:02d}-{_MONTHS[self.acquired.month - 1]}-{self.acquired.year}",
            "$BTIM": self.acquired.strftime("%H:%M:%S"),
            "$FIL": f"{self.sample_id}.fcs",
            "$TIMESTEP": f"{TIMESTEP_S:g}",
        }


@dataclass(frozen=True)
class SimulatedStudy:
    """Tables of a simulated study, and its tubes on demand.

    Parameters
    ----------
    seed, design
        What it came from.
    tubes
        Study tubes by participant and visit, then the controls by batch.
    clinical
        Rows of ``clinical.csv``.
    courses
        True course of each participant, by id.
    """

    seed: int
    design: StudyDesign
    tubes: tuple[StudyTube, ...]
    clinical: tuple[Row, ...]
    courses: Mapping[str, Course]

    def tube(self, sample_id: str) -> SimulatedTube:
        """Simulate one tube; the same bytes as in any other order.

        Raises
        ------
        RequestError
            The study has no such sample.
        """
        for tube in self.tubes:
            if tube.sample_id == sample_id:
                return simulate_tube(tube.spec, _generator(self.seed, 1, tube.index))
        raise RequestError(
            f"no simulated sample is called '{sample_id}'", hint=f"samples: {self.tubes[0].sample_id}, …"
        )

    def simulate(self) -> Iterator[tuple[StudyTube, SimulatedTube]]:
        """Every tube in turn; one is held in memory at a time."""
        for tube in self.tubes:
            yield tube, simulate_tube(tube.spec, _generator(self.seed, 1, tube.index))


def simulate_study(seed: int = 1, design: StudyDesign = DEMO_DESIGN) -> SimulatedStudy:
    """Draw a study: courses, compositions, staining of each batch, clinic. Events are drawn when a tube is asked for.

    Examples
    --------
    >>> study = simulate_study(seed=1)
    >>> len([t for t in study.tubes if t.role == "sample"]), len(study.tubes)
    (46, 79)
    """
    rng = _generator(seed, 0, 0)
    subjects = tuple(f"P{i + 1:02d}" for i in range(design.n_subjects))
    courses = {s: _course(design, i, rng) for i, s in enumerate(subjects)}
    planned = _planned(design, subjects)
    batches = tuple(dict.fromkeys(p.batch for p in planned))
    staining = {(b, panel): _batch_staining(design, panel, rng) for b in batches for panel in design.panels}
    tubes: list[StudyTube] = []
    bloods: dict[tuple[str, str], Blood] = {}
    for plan in planned:
        # Both tubes of a visit hold the same blood.
        key = (plan.subject_id, plan.visit.name)
        if key not in bloods:
            bloods[key] = courses[plan.subject_id].at(plan.visit.onset, design.variation.within, rng)
        own = _own_staining(design, subjects.index(plan.subject_id))
        tubes.append(_study_tube(design, plan, len(tubes), bloods[key], staining[plan.batch, plan.panel], own, rng))
    donor = draw_blood(design.blood, design.variation, rng)
    for batch in batches:
        for panel in design.panels:
            for role in ("control", *(f"fmo:{m}" for m in design.fmo.get(panel, ()))):
                tubes.append(_control(design, batch, panel, role, len(tubes), donor, staining[batch, panel], rng))
    return SimulatedStudy(seed, design, _timed(tubes, batches), _clinical(design, subjects, courses, rng), courses)


def _generator(seed: int, purpose: int, index: int) -> np.random.Generator:
    """Independent streams: purpose 0 draws the study, 1 the events of one tube."""
    return np.random.default_rng([seed, purpose, index])


def _course(design: StudyDesign, position: int, rng: np.random.Generator) -> Course:
    half = design.variation.response
    response = float(rng.uniform(1.0 - half, 1.0 + half))
    return Course(
        blood=draw_blood(design.blood, design.variation, rng),
        response=0.0 if position in design.non_responders else response,
        gains_helios=position in design.gains_helios,
        effects=design.effects,
    )


@dataclass(frozen=True)
class _PlannedTube:
    subject_id: str
    visit: Visit
    panel: str
    batch: str

    @property
    def sample_id(self) -> str:
        return f"{self.subject_id}_{self.visit.name}_{self.panel}"


def _planned(design: StudyDesign, subjects: tuple[str, ...]) -> tuple[_PlannedTube, ...]:
    """Tubes of every attended visit, with the batch that the layout puts them in."""
    names = [v.name for v in design.visits]
    planned = []
    for i, subject in enumerate(subjects):
        attended = len(names) if i not in design.leaves_after else names.index(design.leaves_after[i]) + 1
        for visit in design.visits[:attended]:
            for panel in design.panels:
                batch = {
                    "two_subjects": f"B{i // 2 + 1}",
                    "subject": f"B{i + 1}",
                    "tube": f"B_{subject}_{visit.name}",
                    "visit": f"B_{visit.name}",
                }[design.layout]
                planned.append(_PlannedTube(subject, visit, panel, batch))
    return tuple(planned)


def _batch_staining(design: StudyDesign, panel: str, rng: np.random.Generator) -> Mapping[str, float]:
    """A batch's shift of each marker in decades: 10 to 20 % up or down in the demo."""
    markers = tube_panel(panel).markers
    low, high = design.batch_shift
    size, up = rng.uniform(low, high, size=len(markers)), rng.random(len(markers)) < 0.5
    return {m: log10(1.0 + (s if u else -s)) for m, s, u in zip(markers, size, up, strict=True)}


def _own_staining(design: StudyDesign, position: int) -> Staining:
    """How a participant's cells take the stain."""
    shift, spread = (v[position % len(v)] for v in (design.cd27_shift, design.cd27_spread))
    return Staining({"CD27": shift}, {"CD27": spread})


def _tube_staining(
    design: StudyDesign, batch: Mapping[str, float], own: Staining, rng: np.random.Generator
) -> Staining:
    noise = rng.normal(0.0, design.tube_shift, size=len(batch))
    shift = {m: s + z + own.shift.get(m, 0.0) for (m, s), z in zip(batch.items(), noise, strict=True)}
    return Staining(shift, own.spread)


def _study_tube(
    design: StudyDesign,
    plan: _PlannedTube,
    index: int,
    blood: Blood,
    batch: Mapping[str, float],
    own: Staining,
    rng: np.random.Generator,
) -> StudyTube:
    # Frozen cells: viability, debris and monocytes vary from thaw to thaw.
    blood = replace(blood, monocytes=float(rng.uniform(0.03, 0.08)))
    spec = TubeSpec(
        panel=plan.panel,
        cells=blood.cell_shares(),
        n_events=design.events,
        staining=_tube_staining(design, batch, own, rng),
        doublets=float(rng.uniform(0.03, 0.06)),
        debris=float(rng.uniform(0.05, 0.10)),
        dead=float(rng.uniform(0.04, 0.12)),
        clog=0.06 if plan.sample_id == design.clogged else 0.0,
        name=plan.sample_id,
    )
    return StudyTube(
        index,
        _FIRST_BATCH,
        plan.sample_id,
        plan.panel,
        plan.subject_id,
        plan.visit.name,
        "sample",
        plan.batch,
        blood,
        spec,
    )


def _control(
    design: StudyDesign,
    batch: str,
    panel: str,
    role: str,
    index: int,
    donor: Blood,
    staining: Mapping[str, float],
    rng: np.random.Generator,
) -> StudyTube:
    """An aliquot of the same donor in every batch; without one dye for an FMO."""
    name = f"{batch}_{panel}_{role.replace(':', '_')}"
    spec = TubeSpec(
        panel=panel,
        cells=donor.cell_shares(),
        n_events=design.control_events,
        staining=_tube_staining(design, staining, Staining(), rng),
        omit=role.removeprefix("fmo:") if role.startswith("fmo:") else None,
        name=name,
    )
    return StudyTube(index, _FIRST_BATCH, name, panel, "", "", role, batch, donor, spec)


def _timed(tubes: list[StudyTube], batches: tuple[str, ...]) -> tuple[StudyTube, ...]:
    """Give every tube its time: the controls of a batch run first, as in a laboratory."""
    run = dict.fromkeys(batches, 0)
    times: dict[int, datetime] = {}
    for tube in sorted(tubes, key=lambda t: (t.role == "sample", t.index)):
        start = _FIRST_BATCH + batches.index(tube.batch) * _BETWEEN_BATCHES
        times[tube.index] = start + run[tube.batch] * _BETWEEN_TUBES
        run[tube.batch] += 1
    return tuple(replace(t, acquired=times[t.index]) for t in tubes)


def _clinical(
    design: StudyDesign, subjects: tuple[str, ...], courses: Mapping[str, Course], rng: np.random.Generator
) -> tuple[Row, ...]:
    visits = tuple((v.name, float(v.day), v.onset) for v in design.visits)
    return tuple(
        row
        for i, subject in enumerate(subjects)
        for row in clinical_rows(
            subject,
            PRESENTATIONS[i % len(PRESENTATIONS)],
            courses[subject].response,
            visits,
            design.leaves_after.get(i),
            rng,
        )
    )


__all__ = [
    "DEMO_DESIGN",
    "LABEL",
    "TUBE_PANELS",
    "SimulatedStudy",
    "StudyDesign",
    "StudyTube",
    "Visit",
    "simulate_study",
]
