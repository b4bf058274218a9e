"""Measured against the synthetic truth: frequencies and events, beside the best gates of the same shape.

    python -m benchmarks.truth [--seed N] [--alone]

Per population, over all samples with at least 50 true events: median and 95th percentile of |measured / true - 1|,
per-event F1, and F1 as a share of the oracle's (see oracle.py). Needs nothing but the package.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np

from benchmarks.chain import PANELS, MeasuredTube, measure
from benchmarks.oracle import f1, oracle_masks
from cytometry.io.panels import load_panel
from cytometry.simulation.study import simulate_study
from cytometry.simulation.truth import TRUE_POPULATIONS, truth_mask

MIN_TRUE = 50
TARGET = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="every scope is sample, as without a study")
    arguments = parser.parse_args()
    study = simulate_study(arguments.seed)
    print(f"seed {arguments.seed}, samples with >= {MIN_TRUE} true events{', scope sample' * arguments.alone}")
    print(
        f"{'panel':<7}{'population':<19}{'n':>3}{'err 50%':>9}{'95%':>7}{'F1':>8}{'oracle':>8}{'share':>7}{'worst':>7}"
    )
    short = []
    for key, name in PANELS.items():
        panel = load_panel(name)
        tubes = [(t, study.tube(t.sample_id)) for t in study.tubes if t.panel == key]
        measured, placement = measure(panel, tubes, alone=arguments.alone)
        for error in placement.failed.values():
            print("failed:", error)
        rows = score([m for m in measured if m.tube.role == "sample"])
        for population in TRUE_POPULATIONS:
            if population in rows:
                values = np.array(rows[population])
                error, own, best = values.T
                share = own / best
                mark = " <" * bool(np.median(share) < TARGET)
                short += [population] * bool(mark)
                print(
                    f"{key:<7}{population:<19}{len(values):>3}{np.median(error):>9.3f}{np.quantile(error, 0.95):>7.3f}"
                    f"{np.median(own):>8.3f}{np.median(best):>8.3f}{np.median(share):>7.3f}{share.min():>7.3f}{mark}"
                )
    print("F1 at least 0.95 of the oracle's in the median tube:", "all" if not short else f"not {', '.join(short)}")


def score(measured: list[MeasuredTube]) -> dict[str, list[tuple[float, float, float]]]:
    """Relative error, F1 and the oracle's F1 of each tube, by population."""
    rows: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for tube in measured:
        strategy = tube.placement.strategies[tube.tube.sample_id]
        oracle = oracle_masks(strategy, tube.reader, tube.truth, tube.masks)
        for path, kept in tube.masks.items():
            name = path.rpartition("/")[2]
            if name not in TRUE_POPULATIONS:
                continue
            true = truth_mask(tube.truth, name)
            if true.sum() >= MIN_TRUE:
                error = abs(int(kept.sum()) / int(true.sum()) - 1.0)
                rows[name].append((error, f1(kept, true), f1(oracle[path], true)))
    return rows


if __name__ == "__main__":
    main()
