"""Do the published directions come out? The whole chain on many simulated studies.

    python -m benchmarks.directions [--seeds 100] [--first 1] [--events 8000] [--visit w08]

Simulate, place, gate, count, change scores, tests: all in this process, with the plan of the demo study. Directions
(Kamen et al. 2022) are those of the responders' Hodges-Lehmann estimates: double negative, switched memory and
activated naive B cells down, transitional up; Helios+ Treg of CD4+ up in the two participants in whom it was made to
rise.
"Responder" is what SRI-4 finds in the simulated clinic. Also counted: how often all four come out together, what is
called significant, and whether anything is called so whose floor forbids it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.chain import PANELS
from benchmarks.counted import clinical_table, count_study, plan_of, trial_design
from cytometry.io.panels import load_panel
from cytometry.model.plan import AnalysisPlan
from cytometry.simulation.study import DEMO_DESIGN, SimulatedStudy, StudyDesign, simulate_study
from cytometry.statistics.analysis import with_lymphocytes
from cytometry.statistics.blocks import change_blocks, panel_keys
from cytometry.statistics.comparison import compare_blocks
from cytometry.statistics.confirmatory import fixed_sequence, settle_claims
from cytometry.statistics.individuals import control_variation, individual_changes
from cytometry.statistics.readouts import collect_readouts
from cytometry.statistics.response import clinical_courses, responder_estimates, responders_of, sri_table

if TYPE_CHECKING:
    import pandas as pd

# Population, scale, published direction; the order is that of the demo study's plan.
PUBLISHED = (
    ("double_negative", "logit_of:b_cells", -1),
    ("switched_memory", "logit_of:b_cells", -1),
    ("transitional", "logit_of:b_cells", 1),
    ("activated_naive", "logit_parent", -1),
)
HELIOS = ("helios_pos_treg", "logit_of:cd4")
NEEDED = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=DEMO_DESIGN.events)
    parser.add_argument("--visit", default="w08")
    arguments = parser.parse_args()
    panels = {key: load_panel(name) for key, name in PANELS.items()}
    design = StudyDesign(events=arguments.events, control_events=arguments.events // 2)
    tally: Counter[str] = Counter()
    floors: dict[tuple[str, int], float] = {}
    start = time.perf_counter()
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        study = simulate_study(seed, design)
        counts = count_study(study, panels)
        plan = plan_of(
            [(p, s, arguments.visit) for p, s, _ in PUBLISHED],
            {**{p: s for p, s, _ in PUBLISHED}, HELIOS[0]: HELIOS[1]},
            "w24",
        )
        result = tested(study, counts, plan)
        _tally(tally, floors, study, result, arguments.visit)
    _report(tally, floors, arguments.seeds, arguments.visit)
    print(f"{arguments.seeds} seeds of {arguments.events:,} events in {time.perf_counter() - start:.0f} s")


@dataclass(frozen=True, eq=False)
class Tested:
    """The tables of the analysis that this bench reads."""

    responders_found: frozenset[str]
    comparison: pd.DataFrame
    responders: pd.DataFrame
    individuals: pd.DataFrame


def tested(study: SimulatedStudy, counts: pd.DataFrame, plan: AnalysisPlan) -> Tested:
    """The part of ``statistics.analysis.analyse`` that is needed here; the models beside it take most of its time."""
    design, clinical = trial_design(study), clinical_table(study)
    counts = with_lymphocytes(counts, clinical)
    readouts = collect_readouts(counts, design.visits)
    blocks = change_blocks(readouts, design, plan)
    compared = compare_blocks(blocks, plan, panel_keys(blocks, readouts, plan), np.random.default_rng(plan.seed))
    sri = sri_table(clinical_courses(clinical, design), design, plan)
    found = frozenset(responders_of(sri, clinical, design, plan))
    return Tested(
        found,
        settle_claims(compared, fixed_sequence(compared, plan)),
        responder_estimates(blocks, readouts.subjects, found, 1 - plan.alpha),
        individual_changes(blocks, readouts.subjects, control_variation(counts), design, plan),
    )


def _tally(
    tally: Counter[str], floors: dict[tuple[str, int], float], study: SimulatedStudy, result: Tested, visit: str
) -> None:
    true_responders = {s for s, c in study.courses.items() if c.response > 0}
    tally["SRI-4 finds the five responders"] += set(result.responders_found) == true_responders
    estimates = result.responders
    right = []
    for population, scale, sign in PUBLISHED:
        row = estimates[
            (estimates["population"] == population) & (estimates["scale"] == scale) & (estimates["visit"] == visit)
        ]
        right.append(len(row) == 1 and np.sign(float(row["estimate"].iloc[0])) == sign)
        tally[f"{population} {'up' if sign > 0 else 'down'}"] += right[-1]
    tally["all four"] += all(right)
    gainers = {s for s, c in study.courses.items() if c.gains_helios}
    rows = result.individuals.to_dict("records")
    own = [r for r in rows if (r["population"], r["scale"], r["visit"]) == (*HELIOS, visit)]
    tally["Helios+ Treg of CD4+ up in both"] += {r["subject_id"] for r in own if r["change"] > 0} >= gainers
    called = {r["subject_id"] for r in own if r["call"] == "gained"}
    tally["  both called gained"] += called >= gainers
    tally["  another called gained"] += bool(called - gainers)
    for tested in result.comparison.to_dict("records"):
        if tested["role"] == "confirmatory":
            tally[f"{tested['population']} significant in all treated"] += tested["claim"] == "significant"
        if tested["role"] in ("confirmatory", "panel") and tested["n"] > 0:
            floors[str(tested["visit"]), int(tested["n"])] = float(tested["p_floor"])
            impossible = tested["claim"] == "significant" and not tested["p_floor"] <= 0.05
            tally["called significant though the floor is above 0.05"] += bool(impossible)
            tally["p below its floor"] += bool(tested["p"] < tested["p_floor"] * (1 - 1e-9))


def _report(tally: Counter[str], floors: dict[tuple[str, int], float], seeds: int, visit: str) -> None:
    print(f"change from baseline at {visit}; seeds in which it came out, of {seeds}")
    for name, count in tally.items():
        print(f"  {name:<55}{count:>5}")
    for (at, n), floor in sorted(floors.items()):
        verdict = "can be significant" if floor <= 0.05 else "cannot be significant"
        print(f"  floor at {at}, n = {n}: p >= {floor:.4f}, {verdict} at 0.05 two-sided")
    ok = tally["all four"] >= NEEDED * seeds
    print(
        f"published directions in responders together in {tally['all four']} of {seeds}: {'met' if ok else 'NOT met'}"
    )


if __name__ == "__main__":
    main()
