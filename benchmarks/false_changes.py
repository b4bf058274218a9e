"""How often is a change found where there is none? Null studies through the whole chain.

    python -m benchmarks.false_changes [--studies 200] [--events 6000] [--layouts subject tube visit] [--fmo]
                                      [--jobs 1] [--seed 70000]

Six simulated participants, two visits, no effect; biology varies between visits, signals shift by 10 to 20 % between
batches. Simulate, place in the groups that a run makes, gate, count, change scores (log odds of the parent), exact
sign-flip test at 0.05 two-sided. Three layouts: `subject`: one batch per participant; `tube`: every tube its own batch;
`visit`: a batch is a visit, so that its shift is aligned with the change. Beside the panel's own scopes, the same with
per-sample gates. With n = 6 the exact test rejects 1 in 32 (0.031) if nothing is wrong. A rate is above the limit if it
exceeds 0.05 by more than 1.96 standard errors of the simulation.

The last column needs fewer studies to show what a rate shows: the standard deviation over studies of the mean change,
in standard errors as each study estimates them from its six participants. An error that all participants share is in
the first and not in the second; without one the ratio is 1.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.chain import PANELS, MeasuredTube, measure
from cytometry.io.panels import load_panel
from cytometry.model.plan import ChangeRules
from cytometry.model.strategy import ROOT
from cytometry.simulation.cohort import NO_EFFECTS
from cytometry.simulation.study import DEMO_DESIGN, Layout, StudyDesign, Visit, simulate_study
from cytometry.simulation.truth import STEM, TRUE_POPULATIONS
from cytometry.statistics.changes import composition_changes
from cytometry.statistics.sign_flip import sign_flip

LAYOUTS: tuple[Layout, ...] = ("subject", "tube", "visit")
ALPHA = 0.05
FIRST_SEED = 70_000


@dataclass(frozen=True)
class Outcome:
    """One population in one study.

    Parameters
    ----------
    alone
        With per-sample gates.
    mean, standard_error
        Of the participants' changes.
    """

    population: str
    alone: bool
    p: float
    mean: float
    standard_error: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--events", type=int, default=6_000)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    parser.add_argument("--panels", nargs="+", choices=tuple(PANELS), default=tuple(PANELS))
    parser.add_argument("--fmo", action="store_true", help="with FMO controls in every batch; slower")
    parser.add_argument("--jobs", type=int, default=1, help="studies at a time")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first study")
    arguments = parser.parse_args()
    limit = ALPHA + 1.96 * np.sqrt(ALPHA * (1 - ALPHA) / arguments.studies)
    seeds = range(arguments.seed, arguments.seed + arguments.studies)
    print(
        f"{arguments.studies} null studies of six, two visits, seeds {seeds[0]} to {seeds[-1]}; "
        f"rejections at {ALPHA}; limit {limit:.3f}"
    )
    for layout in arguments.layouts:
        start = time.perf_counter()
        with ProcessPoolExecutor(arguments.jobs) as pool:
            study = partial(study_outcomes, layout, arguments.events, tuple(arguments.panels), arguments.fmo)
            outcomes = [o for found in pool.map(study, seeds) for o in found]
        print(f"\nlayout {layout} ({time.perf_counter() - start:.0f} s)")
        report(outcomes, limit)


def report(outcomes: list[Outcome], limit: float) -> None:
    """One line per population; a rate above the limit is marked."""
    by_name: dict[tuple[str, bool], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_name[outcome.population, outcome.alone].append(outcome)
    print(f"{'population':<19}{'panel scopes':>13}{'per sample':>12}{'tested':>8}{'mean/SE':>9}{'per sample':>12}")
    for name in TRUE_POPULATIONS:
        if (name, False) in by_name:
            own, single = by_name[name, False], by_name[name, True]
            mark = " <" * bool(_rate(own) > limit)
            ratios = f"{_ratio(own):>9.2f}{_ratio(single):>12.2f}"
            print(f"{name:<19}{_rate(own):>13.3f}{_rate(single):>12.3f}{len(own):>8}{ratios}{mark}")
    pooled = [_rate([o for o in outcomes if o.alone == alone]) for alone in (False, True)]
    print(f"{'all':<19}{pooled[0]:>13.3f}{pooled[1]:>12.3f}")


def _rate(outcomes: list[Outcome]) -> float:
    return float(np.mean([o.p <= ALPHA for o in outcomes]))


def _ratio(outcomes: list[Outcome]) -> float:
    """Spread of the mean change over studies, against what the studies take it for."""
    means, errors = (np.array([getattr(o, f) for o in outcomes]) for f in ("mean", "standard_error"))
    return float(np.sqrt(np.mean(means**2) / np.mean(errors**2)))


def null_design(layout: Layout, events: int, *, with_fmo: bool) -> StudyDesign:
    """Two visits and no effect."""
    return StudyDesign(
        visits=(Visit("w00", 0, 0.0), Visit("w08", 56, 1.0)),
        non_responders=(),
        leaves_after={},
        gains_helios=(),
        layout=layout,
        fmo=DEMO_DESIGN.fmo if with_fmo else {},
        events=events,
        control_events=events // 2,
        effects=NO_EFFECTS,
        clogged="",
    )


def study_outcomes(layout: Layout, events: int, panels: tuple[str, ...], with_fmo: bool, seed: int) -> list[Outcome]:
    """Every population that could be tested, with the panel's scopes and per sample, on the same simulated tubes."""
    study = simulate_study(seed, null_design(layout, events, with_fmo=with_fmo))
    found = []
    for key in panels:
        panel = load_panel(PANELS[key])
        tubes = [(t, study.tube(t.sample_id)) for t in study.tubes if t.panel == key]
        for alone in (False, True):
            # Alone, nothing is taken from a control, and none has to be gated.
            measured, _ = measure(panel, [(t, s) for t, s in tubes if t.role == "sample" or not alone], alone=alone)
            for name, values in changes(measured):
                error = float(values.std(ddof=1) / np.sqrt(values.size))
                found.append(Outcome(name, alone, sign_flip(values).p_value.p, float(values.mean()), error))
    return found


def changes(measured: list[MeasuredTube]) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """Changes of the participants, by population; those that fewer than all six have are left out."""
    paths = [p for p in measured[0].masks if p.rpartition("/")[2] in TRUE_POPULATIONS]
    by_key = {(m.tube.subject_id, m.tube.visit): m for m in measured}
    subjects = sorted({m.tube.subject_id for m in measured})
    for path in paths:
        parent, _, name = path.rpartition("/")
        if name in STEM:
            continue
        counts = [[_pair(by_key[s, v], path, parent) for v in ("w00", "w08")] for s in subjects]
        before, after = (np.array([c[i] for c in counts], dtype=np.float64) for i in (0, 1))
        values = composition_changes(before[:, 0], before[:, 1], after[:, 0], after[:, 1], ChangeRules()).values
        if np.isfinite(values).all():
            yield name, values


def _pair(tube: MeasuredTube, path: str, parent: str) -> tuple[float, float]:
    kept = tube.masks.get(path)
    whole = tube.truth.n_events if parent == ROOT else int(tube.masks[parent].sum())
    return (np.nan, np.nan) if kept is None else (float(kept.sum()), float(whole))


if __name__ == "__main__":
    main()
