"""Write the demo study: FCS files, tables, plan and truth. What ``cytometry init --demo`` calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cytometry.io.fcs import write_fcs
from cytometry.io.synthetic import make_study_folder, read_truth, write_rows, write_text, write_truth
from cytometry.model.input_tables import CLINICAL_CSV, SAMPLES_CSV
from cytometry.simulation.cell_types import CELL_TYPE_NAMES
from cytometry.simulation.study import DEMO_DESIGN, LABEL, StudyDesign, StudyTube, simulate_study
from cytometry.simulation.truth import Truth
from cytometry.simulation.tubes import SimulatedTube

STUDY_YAML = """\
# Synthetic; effect sizes are assumptions. Written by `cytometry init --demo`.
schema_version: 1
study:
  id: demo-{seed}
  title: "Synthetic demo: six participants, one infusion, weeks 0, 4, 8 and 24"
  purpose: "Show the whole path from FCS files to the report on data whose truth is known"
  sledai_version: SLEDAI-2K
  synthetic: true
samples: samples.csv
clinical: clinical.csv
visits:
  - {{id: w00, label: week 0, week: 0, window: [-7, 0], baseline: true}}
  - {{id: w04, label: week 4, week: 4, window: [21, 35]}}
  - {{id: w08, label: week 8, week: 8, window: [49, 63], primary: true}}
  - {{id: w24, label: week 24, week: 24, window: [154, 182]}}
panels: {{bcell: bcell_v1, treg: treg_v1}}
compensation: from_file
plan:
  # Week 8 is confirmatory: all six are still there. With the five of week 24 no two-sided exact test can reach 0.05.
  confirmatory:
    - {{population: double_negative, scale: "logit_of:b_cells", visit: w08}}
    - {{population: switched_memory, scale: "logit_of:b_cells", visit: w08}}
    - {{population: transitional, scale: "logit_of:b_cells", visit: w08}}
    - {{population: activated_naive, scale: logit_parent, visit: w08}}
  # Tested together, each on the scale that its question needs; the rest of the panel is exploratory.
  panel:
    - b_cells
    - naive
    - transitional
    - activated_naive
    - unswitched_memory
    - switched_memory
    - double_negative
    - dn2
    - asc
    - treg
    - helios_pos_treg
  scales:
    b_cells: log2_per_ul
    naive: "logit_of:b_cells"
    transitional: "logit_of:b_cells"
    activated_naive: logit_parent
    unswitched_memory: "logit_of:b_cells"
    switched_memory: "logit_of:b_cells"
    double_negative: "logit_of:b_cells"
    dn2: logit_parent
    asc: "logit_of:b_cells"
    treg: "logit_of:cd4"
    helios_pos_treg: "logit_of:cd4"
  panel_adjust: maxt
  alpha: 0.05
  sided: two
  outcome: sledai
  response: {{rule: sri4, visit: w24}}
quality: {{min_events: 1000, max_margin_fraction: 0.05, min_viability: 0.7}}
"""

README = """\
# A synthetic study

Nothing here was measured. `cytometry init --demo` wrote it (seed {seed}); the same version writes the same bytes.
**Synthetic; effect sizes are assumptions.**

- `fcs/`: {n_study} study tubes of {events} events and {n_controls} controls of {control_events}. Six participants
  in three batches of two, all visits of a participant in one batch; a B-cell and a Treg tube at weeks 0, 4, 8 and 24.
  P04 does not respond and leaves after week 8. In each batch, per panel: one bridging control (the same donor)
  and fluorescence-minus-one tubes. The acquisition of `{clogged}` clogs.
- `samples.csv`, `clinical.csv`, `study.yaml`: files, invented clinical courses, and the analysis plan.
- `truth/`: what each event is. `codes` is a position in `names` (255: debris); `flags` are bits: 1 doublet, 2 dead,
  4 during the clog, 8 off scale. `cytometry.pipeline.demo.read_demo_truth` reads them.

## What is assumed

- Directions of the responders' changes (double negative, switched memory and activated naive B cells fall,
  transitional B cells rise; Helios+ regulatory T cells rise in P02 and P05) are those of Kamen et al. 2022
  (Lupus Science & Medicine, doi 10.1136/lupus-2022-000704). Their sizes, the time course, the spread between
  participants and visits, and the link between B-cell changes and SLEDAI are ours.
- B cells are about 35 % of lymphocytes and transitional cells about 4 % of B cells: more than in lupus, so that
  tubes of {events} events hold enough of them.
- Batches shift the signal of each marker by 10 to 20 %, up or down. CD27 is dim in some participants.
- What an event is, is drawn before its signal: populations overlap, and no gate can be perfect.
"""


def write_demo_study(folder: str | Path, seed: int = 1, design: StudyDesign = DEMO_DESIGN) -> Path:
    """Write a simulated study with its truth into an empty folder; return the path of its ``study.yaml``.

    The same seed and design give the same bytes.

    Parameters
    ----------
    folder
        Must not exist, or be empty.
    seed
        1 is shipped as ``sample_fcs/``.

    Raises
    ------
    OutputError
        The folder is not empty or cannot be written.
    """
    root = Path(folder)
    make_study_folder(root, ("fcs", "truth"))
    study = simulate_study(seed, design)
    for tube, simulated in study.simulate():
        write_demo_tube(root, tube, simulated)
    write_rows(root / "samples.csv", SAMPLES_CSV.names, [t.row() for t in study.tubes])
    write_rows(root / "clinical.csv", CLINICAL_CSV.names, study.clinical)
    write_text(root / "study.yaml", STUDY_YAML.format(seed=seed))
    write_text(root / "README.md", README.format(**_facts(seed, design, study.tubes)))
    return root / "study.yaml"


def write_demo_tube(root: Path, tube: StudyTube, simulated: SimulatedTube) -> None:
    """Write one tube's FCS file and truth below ``root``."""
    sample = simulated.sample
    write_fcs(
        root / tube.fcs_file,
        sample.raw(),
        sample.channels,
        keywords=tube.keywords(),
        spillover=sample.spillover,
    )
    write_truth(_truth_file(root, tube.sample_id), simulated.truth.codes, simulated.truth.flags, CELL_TYPE_NAMES)


def read_demo_truth(folder: str | Path, sample_id: str) -> Truth:
    """Read the truth of one file of a demo study.

    Raises
    ------
    RequestError
        There is none, or it was written by another version of the simulator.
    """
    return Truth(*read_truth(_truth_file(Path(folder), sample_id), CELL_TYPE_NAMES))


def _truth_file(root: Path, sample_id: str) -> Path:
    return root / "truth" / f"{sample_id}.npz"


def _facts(seed: int, design: StudyDesign, tubes: tuple[StudyTube, ...]) -> Mapping[str, object]:
    n_study = sum(t.role == "sample" for t in tubes)
    return {
        "seed": seed,
        "n_study": n_study,
        "n_controls": len(tubes) - n_study,
        "events": f"{design.events:,}",
        "control_events": f"{design.control_events:,}",
        "clogged": design.clogged,
    }


__all__ = ["LABEL", "read_demo_truth", "write_demo_study", "write_demo_tube"]
