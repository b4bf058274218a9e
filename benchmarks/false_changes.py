"""How often is a change found where there is none? Null studies through the whole chain.

    python -m benchmarks.false_changes [--studies 200] [--events 6000] [--layouts subject tube visit] [--fmo]

Six simulated participants, two visits, no effect; biology varies between visits, signals shift by 10 to 20 % between
batches. Simulate, place, gate, count, change scores (log odds of the parent), exact sign-flip test at 0.05 two-sided.
Three layouts: `subject`: one batch per participant; `tube`: every tube its own batch; `visit`: a batch is a visit, so
that its shift is aligned with the change. Beside the panel's own scopes, the same with per-sample gates. With n = 6 the
exact test rejects 1 in 32 (0.031) if nothing is wrong. A rate is above the limit if it exceeds 0.05 by more than 1.96
standard errors of the simulation.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np

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
FIRST_SEED = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--events", type=int, default=6_000)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    parser.add_argument("--panels", nargs="+", choices=tuple(PANELS), default=tuple(PANELS))
    parser.add_argument("--fmo", action="store_true", help="with FMO controls in every batch; slower")
    arguments = parser.parse_args()
    limit = ALPHA + 1.96 * np.sqrt(ALPHA * (1 - ALPHA) / arguments.studies)
    print(f"{arguments.studies} null studies of six, two visits; rejections at {ALPHA}; limit {limit:.3f}")
    for layout in arguments.layouts:
        start = time.perf_counter()
        rates = rejection_rates(layout, arguments)
        print(f"\nlayout {layout} ({time.perf_counter() - start:.0f} s)")
        print(f"{'population':<19}{'panel scopes':>13}{'per sample':>12}{'tested':>8}")
        for name in TRUE_POPULATIONS:
            if name in rates[False]:
                own, single = rates[False][name], rates[True][name]
                mark = " <" * bool(np.mean(own) > limit)
                print(f"{name:<19}{np.mean(own):>13.3f}{np.mean(single):>12.3f}{len(own):>8}{mark}")
        pooled = [float(np.mean([r for v in rates[a].values() for r in v])) for a in (False, True)]
        print(f"{'all':<19}{pooled[0]:>13.3f}{pooled[1]:>12.3f}")


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


def rejection_rates(layout: Layout, arguments: argparse.Namespace) -> dict[bool, dict[str, list[bool]]]:
    """Whether each population was called changed, by study, with the panel's scopes (False) and per sample (True).

    Studies in which a population could not be tested are left out of its list.
    """
    panels = {key: load_panel(PANELS[key]) for key in arguments.panels}
    design = null_design(layout, arguments.events, with_fmo=arguments.fmo)
    rejected: dict[bool, dict[str, list[bool]]] = {False: defaultdict(list), True: defaultdict(list)}
    for seed in range(FIRST_SEED, FIRST_SEED + arguments.studies):
        study = simulate_study(seed, design)
        for key, panel in panels.items():
            tubes = [(t, study.tube(t.sample_id)) for t in study.tubes if t.panel == key]
            for alone in (False, True):
                # Alone, nothing is taken from a control, and none has to be gated.
                used = [(t, s) for t, s in tubes if t.role == "sample" or not alone]
                measured, _ = measure(panel, used, alone=alone)
                for name, p in p_values([m for m in measured if m.tube.role == "sample"]).items():
                    rejected[alone][name].append(p <= ALPHA)
    return rejected


def p_values(measured: list[MeasuredTube]) -> dict[str, float]:
    """Exact p of each population's change; those that fewer than six participants have are left out."""
    paths = [p for p in measured[0].masks if p.rpartition("/")[2] in TRUE_POPULATIONS]
    by_key = {(m.tube.subject_id, m.tube.visit): m for m in measured}
    subjects = sorted({m.tube.subject_id for m in measured})
    found = {}
    for path in paths:
        parent, _, name = path.rpartition("/")
        if name in STEM:
            continue
        counts = [[_pair(by_key[s, v], path, parent) for v in ("w00", "w08")] for s in subjects]
        before, after = (np.array([c[i] for c in counts], dtype=np.float64) for i in (0, 1))
        changes = composition_changes(before[:, 0], before[:, 1], after[:, 0], after[:, 1], ChangeRules()).values
        if np.isfinite(changes).all():
            found[name] = sign_flip(changes).p_value.p
    return found


def _pair(tube: MeasuredTube, path: str, parent: str) -> tuple[float, float]:
    kept = tube.masks.get(path)
    whole = tube.truth.n_events if parent == ROOT else int(tube.masks[parent].sum())
    return (np.nan, np.nan) if kept is None else (float(kept.sum()), float(whole))


if __name__ == "__main__":
    main()
