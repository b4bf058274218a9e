"""Does the compensation check find wrong coefficients, and leave right ones alone?

    python -m benchmarks.compensation [--tubes 6] [--matrices 4] [--events 8000]

Simulated tubes of both demo panels, with a shift of every stain between tubes, compensated, placed and gated with the
matrix that the file claims. First a right matrix; then per size of error so many matrices with six wrong coefficients
each, of those that spill at all. Per size: pairs that cells say something about, wrong ones found, right ones called
wrong, and the error of the estimated coefficient at the wrong ones, in percentage points.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmarks.chain import PANELS
from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube, place
from cytometry.io.panels import load_panel
from cytometry.model.spillover import Spillover
from cytometry.model.tables import Cell
from cytometry.preprocessing.markers import match_channels
from cytometry.quantification.compensation_quality import compensation_rows, pooled_compensation
from cytometry.simulation.blood import Blood
from cytometry.simulation.cytometer import TubePanel, tube_panel
from cytometry.simulation.tubes import Staining, TubeSpec, simulate_tube

SIZES = (0.0, 0.02, 0.03, 0.05)
WRONG_PER_MATRIX = 6
SHIFT = 0.05
SEED = 20_262


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tubes", type=int, default=6, help="with one matrix")
    parser.add_argument("--matrices", type=int, default=4, help="per panel and size of error")
    parser.add_argument("--events", type=int, default=8_000)
    arguments = parser.parse_args()
    print(f"{arguments.tubes} tubes of {arguments.events:,} events per matrix; errors in percentage points")
    print(f"{'panel':<7}{'error':>6}{'told':>12}{'found':>12}{'false':>12}{'|off| 50 %':>12}{'90 %':>7}{'s/tube':>8}")
    for key in PANELS:
        for size in SIZES:
            report(key, size, arguments.matrices if size else 1, arguments.tubes, arguments.events)


def report(key: str, size: float, matrices: int, tubes: int, events: int) -> None:
    """One line of the table."""
    panel = tube_panel(key)
    told = found = false = right = wrong = 0
    off: list[float] = []
    seconds: list[float] = []
    for number in range(matrices):
        error = errors(panel, size, np.random.default_rng([SEED, number, round(1000 * size)]))
        verdicts = check(key, error, [SEED, number], tubes, events, seconds)
        for (i, j), row in verdicts.items():
            is_called, is_told = row["verdict"] in ("under", "over"), row["verdict"] != "cannot tell"
            if error[i, j]:
                told += is_told
                found += is_called
                off.append(abs(float(row["error"] or 0.0) + error[i, j]))
            else:
                right += is_told
                false += is_called
        wrong += int(np.count_nonzero(error))
    spread = f"{100 * np.median(off):12.2f}{100 * np.quantile(off, 0.9):7.2f}" if off else f"{'-':>12}{'-':>7}"
    print(
        f"{key:<7}{100 * size:6.1f}{f'{told} of {wrong}':>12}{f'{found} of {told}':>12}{f'{false} of {right}':>12}"
        f"{spread}{np.mean(seconds):8.3f}",
        flush=True,
    )


def errors(panel: TubePanel, size: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Stored minus true coefficients; none becomes negative."""
    true = panel.spillover().matrix
    error = np.zeros_like(true)
    if size:
        spills = np.argwhere((true > 0) & ~np.eye(len(true), dtype=bool))
        for i, j in spills[rng.choice(len(spills), WRONG_PER_MATRIX, replace=False)]:
            error[i, j] = size * rng.choice([-1, 1])
            if true[i, j] + error[i, j] < 0:
                error[i, j] = size
    return error


def check(
    key: str,
    error: npt.NDArray[np.float64],
    seed: Sequence[int],
    tubes: int,
    events: int,
    seconds: list[float],
) -> Mapping[tuple[int, int], Mapping[str, Cell]]:
    """Verdicts over tubes by dye and detector."""
    panel, simulated = load_panel(PANELS[key]), tube_panel(key)
    true = simulated.spillover()
    stored = Spillover(true.channels, true.matrix + error, source="claimed")
    rows: list[dict[str, Cell]] = []
    for number in range(tubes):
        rng = np.random.default_rng([*seed, number])
        shift = {m: rng.normal(0.0, SHIFT) for m in simulated.markers}
        spec = TubeSpec(key, Blood().cell_shares(), n_events=events, staining=Staining(shift=shift))
        sample = replace(simulate_tube(spec, rng).sample, spillover=stored)
        channels = match_channels(sample, panel).channel_map
        placed = place(panel, [Tube("t", sample, channels)], alone=True)
        if not placed.failed:
            membership = gate_sample(placed.strategies["t"], sample, channels)
            start = time.perf_counter()
            rows += compensation_rows(str(number), key, sample, membership, stored)
            seconds.append(time.perf_counter() - start)
    place_of = {name: k for k, name in enumerate(true.channels)}
    return {(place_of[str(r["source"])], place_of[str(r["target"])]): r for r in pooled_compensation(rows)}


if __name__ == "__main__":
    main()
