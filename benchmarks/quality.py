"""How well are faults of an acquisition masked, beside peacoqc-rs?

    python -m benchmarks.quality [--tubes 6] [--events 8000 30000] [FILE.fcs ...]

Simulated tubes with a known fault (cytometry.simulation.faults), each 8 % of the run at a random place. Per fault and
mask: share of the faulty events that is masked, share of the good events that is lost, seconds per tube, and what the
mask does to the frequencies: bcell_v1 is placed on what is left, and the median |measured / true - 1| is taken over
subsets of at least 50 true events, the truth being that of the events without fault. For real files only the masked
share, the seconds, and how many of the events with impossible scatter (below zero) are among the masked.

peacoqc-rs (MIT) is optional: `pip install peacoqc-rs`. It gets compensated arcsinh values of fluorescence and scatter,
as its documentation asks, with its default settings, and again with twice its tolerance (mad=12), since it loses
good events.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cytometry.gating.engine import gate_sample
from cytometry.gating.methods.evidence import ShapeEvidence
from cytometry.gating.methods.time import place_time
from cytometry.gating.place import Tube, place
from cytometry.io.fcs import read_fcs
from cytometry.io.panels import load_panel
from cytometry.model.panel import Panel
from cytometry.model.rules import Time
from cytometry.model.sample import Sample
from cytometry.preprocessing.markers import match_channels
from cytometry.preprocessing.steady_signal import COFACTOR
from cytometry.simulation.blood import Blood
from cytometry.simulation.faults import FAULTS, FaultyTube, with_fault
from cytometry.simulation.truth import STEM, TRUE_POPULATIONS, truth_mask
from cytometry.simulation.tubes import TubeSpec, simulate_tube

BoolArray = npt.NDArray[np.bool_]
Masker = Callable[[Sample], BoolArray]

FEWEST_TRUE = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="real FCS files")
    parser.add_argument("--tubes", type=int, default=6)
    parser.add_argument("--events", type=int, nargs="+", default=[8_000, 30_000])
    arguments = parser.parse_args()
    maskers = available()
    panel = load_panel("bcell_v1")
    for events in arguments.events:
        print(f"\n{events:,} events, {arguments.tubes} tubes per fault")
        print(f"{'fault':<14}{'mask':<18}{'found':>7}{'lost':>8}{'s':>8}{'error':>8}{'95 %':>8}")
        for kind in FAULTS:
            runs = [faulty(kind, events, seed) for seed in range(arguments.tubes)]
            for name, masker in maskers.items():
                print(f"{kind:<14}{name:<18}{scored(runs, masker, panel)}", flush=True)
    for path in arguments.files:
        sample = read_fcs(path, strict=False)
        below = impossible(sample)
        for name, masker in maskers.items():
            start = time.perf_counter()
            mask = masker(sample)
            seconds = time.perf_counter() - start
            caught = f"{mask[below].mean():.3f} of {int(below.sum())} below zero" if below.any() else ""
            print(f"{path.rpartition('/')[2]:<36}{name:<18}{mask.mean():>7.3f} masked{seconds:>8.3f} s  {caught}")


def available() -> Mapping[str, Masker]:
    """Masks by name; peacoqc where it is installed."""
    maskers: dict[str, Masker] = {"none": lambda s: np.zeros(s.n_events, dtype=np.bool_), "ours": ours}
    try:
        import peacoqc  # noqa: F401
    except ImportError:
        print("peacoqc-rs: not installed (pip install peacoqc-rs); its rows are left out")
        return maskers
    return maskers | {"peacoqc": lambda s: peaco(s, 6.0), "peacoqc, 12 MAD": lambda s: peaco(s, 12.0)}


def ours(sample: Sample) -> BoolArray:
    """What the panel's time gate leaves out."""
    times = [c for c in sample.channels if c.kind == "time"]
    ticks = [np.asarray(sample.linear_column(c.index), dtype=np.float64) for c in times]
    points = np.column_stack(ticks) if ticks else np.empty((sample.n_events, 0))
    found = place_time(Time(), ShapeEvidence((points,), (sample.n_events,), (sample,)), ())
    mask = np.ones(sample.n_events, dtype=np.bool_)
    for start, stop in found.gate.kept_runs:  # type: ignore[union-attr]
        mask[start:stop] = False
    return mask


def peaco(sample: Sample, deviations: float) -> BoolArray:
    """What peacoqc-rs leaves out."""
    import peacoqc
    import polars

    measured = [c for c in sample.channels if c.kind == "fluorescence" or c.name.upper().endswith("-A")]
    measured = [c for c in measured if c.kind in ("fluorescence", "scatter")] or list(sample.channels)
    values = {c.name: np.asarray(sample.linear_column(c.index), dtype=np.float64) for c in measured}
    matrix = sample.spillover
    if matrix is not None and not matrix.dyes and set(matrix.channels) <= set(values):
        try:
            clean = np.column_stack([values[n] for n in matrix.channels]) @ matrix.inverse
        except Exception:  # noqa: BLE001 - a malformed matrix of a real file: as acquired
            clean = np.column_stack([values[n] for n in matrix.channels])
        values |= dict(zip(matrix.channels, clean.T, strict=True))
    values = {n: np.arcsinh(np.nan_to_num(v) / COFACTOR) for n, v in values.items()}
    ranges: dict[str, Any] = {n: (float(v.min()), float(v.max())) for n, v in values.items()}
    result = peacoqc.run_qc(polars.DataFrame(values), list(values), ranges, mad=deviations)
    return ~np.asarray(result.good_cells, dtype=np.bool_)


def faulty(kind: str, events: int, seed: int) -> FaultyTube:
    """A tube with the fault somewhere in it."""
    rng = np.random.default_rng([20_261, seed])
    tube = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=events), rng)
    return with_fault(tube, kind, start=float(rng.uniform(0.1, 0.8)))


def scored(runs: list[FaultyTube], masker: Masker, panel: Panel) -> str:
    """One line of the table."""
    found, lost, seconds, errors = [], [], [], []
    for run in runs:
        start = time.perf_counter()
        mask = masker(run.tube.sample)
        seconds.append(time.perf_counter() - start)
        lost.append(mask[~run.is_faulty].mean())
        if run.is_faulty.any():
            found.append(mask[run.is_faulty].mean())
        errors += frequency_errors(run, ~mask, panel)
    caught = f"{np.mean(found):7.3f}" if found else f"{'-':>7}"
    return (
        f"{caught}{np.mean(lost):8.4f}{np.mean(seconds):8.3f}{np.median(errors):8.4f}{np.quantile(errors, 0.95):8.4f}"
    )


def frequency_errors(run: FaultyTube, kept: BoolArray, panel: Panel) -> list[float]:
    """Relative error of each subset's share of B cells, gated on the kept events, against the faultless truth."""
    sample = run.tube.sample
    events = np.column_stack([np.asarray(sample.linear_column(c.index), dtype=np.float64) for c in sample.channels])
    # Evenly spaced times: the panel's own time gate has nothing to add to the mask.
    events[:, -1] = np.arange(len(events)) / 100.0
    left = Sample.from_array(events[kept], sample.channels, name=sample.name, spillover=sample.spillover)
    channels = match_channels(left, panel).channel_map
    placed = place(panel, [replace(Tube("t", left, channels), is_masked=False)], alone=True)
    if placed.failed:
        return [1.0]
    membership = gate_sample(placed.strategies["t"], left, channels)
    by_name = {p.rpartition("/")[2]: n for p, n in membership.counts.items()}
    whole = by_name["b_cells"] or 0
    good = ~run.is_faulty
    true_whole = int((truth_mask(run.tube.truth, "b_cells") & good).sum())
    errors = []
    for name in TRUE_POPULATIONS:
        count = by_name.get(name)
        true = int((truth_mask(run.tube.truth, name) & good).sum())
        if name not in (*STEM, "b_cells") and count is not None and true >= FEWEST_TRUE and whole:
            errors.append(abs((count / whole) / (true / true_whole) - 1.0))
    return errors


def impossible(sample: Sample) -> BoolArray:
    """Events with a scatter area below zero."""
    areas = [c for c in sample.channels if c.kind == "scatter" and c.name.upper().endswith("-A")]
    below = np.zeros(sample.n_events, dtype=np.bool_)
    for channel in areas:
        below |= np.asarray(sample.linear_column(channel.index)) < 0
    return below


if __name__ == "__main__":
    # polars and the reader of odd files warn; this is a table.
    warnings.simplefilter("ignore")
    main()
