"""Time gating: this engine and FlowKit on the same files, each in its own process.

    python -m benchmarks.gating                    500,000 events × 21 channels, 12 gates
    python -m benchmarks.gating --scaling          events 10^5 … 5·10^6, files 1 … 200, gates 5 … 200
    python -m benchmarks.gating --cold             the command line against a FlowKit script, new processes

Every ratio is between medians of repeated runs on one machine; counts must be
equal or the program stops. Peak memory is over what the process held after its
imports and one small file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.openflo_peer import gate_with_openflo, openflo_python
from cytometry.io.gatingml import write_gatingml
from cytometry.model.channels import Channel
from cytometry.model.gates import Dimension, Interval, PolygonGate, RectangleGate
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population, join_path
from cytometry.model.transforms import Logicle

DYES = tuple(f"FL{i}-A" for i in range(1, 15))
SCATTER = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H", "SSC-W")
TOP = 262144.0
REPEATS = 5


def spillover(rng: np.random.Generator) -> Spillover:
    """Fourteen dyes that spill up to a tenth into each other."""
    matrix = np.eye(len(DYES)) + rng.uniform(0, 0.1, (len(DYES), len(DYES))) * (1 - np.eye(len(DYES)))
    return Spillover(DYES, matrix)


def write_file(path: Path, n_events: int, seed: int) -> None:
    """One tube: time, six scatter channels and fourteen dyes, each with two clouds."""
    from cytometry.io.fcs import write_fcs

    rng = np.random.default_rng(seed)
    matrix = spillover(np.random.default_rng(0))
    events = np.empty((n_events, 1 + len(SCATTER) + len(DYES)), dtype=np.float32)
    events[:, 0] = np.sort(rng.uniform(0, 60_000, n_events))
    events[:, 1] = np.exp(rng.normal(11.3, 0.35, n_events))
    events[:, 2] = events[:, 1] * rng.normal(0.8, 0.05, n_events)
    events[:, 4] = np.exp(rng.normal(10.5, 0.5, n_events))
    events[:, 5] = events[:, 4] * rng.normal(0.8, 0.05, n_events)
    events[:, [3, 6]] = rng.normal(60_000, 5_000, (n_events, 2))
    true = np.empty((n_events, len(DYES)))
    for dye in range(len(DYES)):
        bright = rng.random(n_events) < 0.3 + 0.03 * dye
        true[:, dye] = np.where(bright, np.exp(rng.normal(9, 0.6, n_events)), rng.normal(50, 150, n_events))
    events[:, 7:] = true @ matrix.matrix
    np.clip(events, -10_000, TOP - 1, out=events)
    channels = [Channel(i, name, range=TOP) for i, name in enumerate(("Time", *SCATTER, *DYES))]
    write_fcs(path, events, channels, spillover=matrix, keywords={"$TIMESTEP": "0.01"})


def strategy(n_gates: int = 12) -> GatingStrategy:
    """A tree like the B-cell panel's: polygons, rectangles, quadrants; more leaves if asked for."""
    scale = Logicle(TOP, 0.5, 4.5, 0.0)

    def dye(number: int) -> Dimension:
        return Dimension(f"FL{number}-A", "FCS", "logicle")

    def polygon(x: Dimension, y: Dimension, corners: list[tuple[float, float]]) -> PolygonGate:
        return PolygonGate((x, y), np.array(corners))

    fsc_a, fsc_h, ssc_a = Dimension("FSC-A"), Dimension("FSC-H"), Dimension("SSC-A")
    singlet = [(2e4, 1.2e4), (2.6e5, 1.8e5), (2.6e5, 2.4e5), (2e4, 2e4)]
    lymphocyte = [(3e4, 5e3), (1.5e5, 8e3), (2.2e5, 9e4), (1.2e5, 1.3e5), (3e4, 6e4)]
    bright = [(0.55, 0.05), (1.0, 0.05), (1.0, 0.5), (0.8, 0.62), (0.55, 0.5)]
    blast = [(0.5, 0.6), (0.62, 0.5), (0.95, 0.55), (0.95, 0.95), (0.6, 0.95)]
    gates: list[tuple[str, str, RectangleGate | PolygonGate]] = [
        ("time_ok", ROOT, RectangleGate((Interval(Dimension("Time"), 5.0, 590.0),))),
        ("singlets", "time_ok", polygon(fsc_a, fsc_h, singlet)),
        ("live", "singlets", RectangleGate((Interval(dye(1), maximum=0.45),))),
        ("lymphocytes", "live", polygon(fsc_a, ssc_a, lymphocyte)),
        ("b_cells", "lymphocytes", polygon(dye(10), dye(2), bright)),
        ("asc", "b_cells", polygon(dye(11), dye(12), blast)),
        *(
            (name, "b_cells", RectangleGate((x, y), quadrant_of="igd_cd27"))
            for name, x, y in (
                ("naive", Interval(dye(7), 0.45), Interval(dye(12), maximum=0.42)),
                ("unswitched", Interval(dye(7), 0.45), Interval(dye(12), 0.42)),
                ("switched", Interval(dye(7), maximum=0.45), Interval(dye(12), 0.42)),
                ("double_negative", Interval(dye(7), maximum=0.45), Interval(dye(12), maximum=0.42)),
            )
        ),
        ("transitional", "naive", polygon(dye(8), dye(9), blast)),
        ("dn2", "double_negative", RectangleGate((Interval(dye(3), maximum=0.4), Interval(dye(4), 0.4)))),
    ]
    rng = np.random.default_rng(7)
    while len(gates) < n_gates:
        parent = gates[int(rng.integers(1, len(gates)))][0]
        x, y = (int(v) for v in rng.choice(np.arange(1, 15), 2, replace=False))
        corners = np.array([(0.2, 0.2), (0.8, 0.15), (0.95, 0.7), (0.5, 0.95), (0.15, 0.8)])
        gates.append((f"extra{len(gates)}", parent, polygon(dye(x), dye(y), [tuple(c) for c in corners])))
    gates = gates[:n_gates]
    paths = {ROOT: ROOT}
    populations = []
    for name, parent, gate in gates:
        paths[name] = join_path(paths[parent], name)
        populations.append(Population(name, paths[parent], gate))
    return GatingStrategy("benchmark", tuple(populations), {"logicle": scale}, {})


def resident_bytes(field: str) -> int:
    """Resident set of this process: ``VmRSS`` now, ``VmHWM`` its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) * 1024


def forget_peak() -> None:
    """Let the peak begin again at what is held now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def child_ours(folder: Path, repeats: int) -> dict[str, object]:
    """Gate every file of the folder with this package."""
    from cytometry.gating.engine import gate_sample
    from cytometry.io.fcs import read_fcs
    from cytometry.io.gatingml import read_gatingml
    from cytometry.preprocessing.dimensions import channel_map_by_name

    drawn = read_gatingml(folder / "strategy.gml.xml")

    def one(path: Path) -> dict[str, int]:
        sample = read_fcs(path)
        membership = gate_sample(drawn, sample, channel_map_by_name(sample), compiled=True)
        return {p.rpartition("/")[2]: membership.count(p) or 0 for p in membership.paths}

    return measured(one, folder, repeats)


def child_flowkit(folder: Path, repeats: int) -> dict[str, object]:
    """Gate every file of the folder with FlowKit's own analysis."""
    import flowkit

    drawn = flowkit.parse_gating_xml(str(folder / "strategy.gml.xml"))

    def one(path: Path) -> dict[str, int]:
        result = drawn.gate_sample(flowkit.Sample(str(path)))
        return {str(n): int(c) for n, c in zip(result.report["gate_name"], result.report["count"], strict=True)}

    return measured(one, folder, repeats)


def measured(one: object, folder: Path, repeats: int) -> dict[str, object]:
    """Times per file and repeat, counts, and peak memory over a warm start on a small file."""
    one(folder / "small" / "warm.fcs")  # type: ignore[operator]
    forget_peak()
    held = resident_bytes("VmRSS")
    times, counts = [], {}
    for path in sorted(folder.glob("*.fcs")):
        runs = []
        for _ in range(repeats):
            start = time.perf_counter()
            counts[path.name] = one(path)  # type: ignore[operator]
            runs.append(time.perf_counter() - start)
        times.append(runs)
    return {"times": times, "counts": counts, "peak": resident_bytes("VmHWM") - held}


def run_child(which: str, folder: Path, repeats: int) -> dict[str, object]:
    """The other process of a comparison."""
    command = [sys.executable, "-m", "benchmarks.gating", "--child", which, str(folder), "--repeats", str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))


def reading_time(path: Path) -> float:
    """Median time of reading the bytes and adding them up, file cache warm."""
    runs = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        np.fromfile(path, dtype="<u4").sum()
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


def make_folder(folder: Path, n_events: int, n_files: int, n_gates: int) -> None:
    """Files, a small one for warming up, and the strategy."""
    (folder / "small").mkdir(parents=True)
    write_file(folder / "small" / "warm.fcs", 1_000, 99)
    for i in range(n_files):
        write_file(folder / f"tube{i:03d}.fcs", n_events, i)
    write_gatingml(strategy(n_gates), folder / "strategy.gml.xml")


def median_time(report: dict[str, object]) -> float:
    """Median over files and repeats."""
    return float(statistics.median(t for runs in report["times"] for t in runs))  # type: ignore[attr-defined]


def compare(n_events: int, n_files: int) -> None:
    """The main table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_folder(folder, n_events, n_files, 12)
        size = (folder / "tube000.fcs").stat().st_size
        ours = run_child("ours", folder, REPEATS)
        theirs = run_child("flowkit", folder, 2)
        peer = gate_with_openflo(python, folder, 2) if (python := openflo_python()) else None
        if ours["counts"] != theirs["counts"]:
            raise SystemExit(f"counts differ: {ours['counts']} against {theirs['counts']}")
        if peer is not None and peer["counts"] != ours["counts"]:
            raise SystemExit(f"counts differ: {ours['counts']} against OpenFlo's {peer['counts']}")
        read = reading_time(folder / "tube000.fcs")
    mine, other = median_time(ours), median_time(theirs)
    print(f"{n_files} files of {n_events:,} events × 21 channels ({size / 1e6:.1f} MB), 12 gates; counts equal")
    print(f"  this engine   {mine * 1e3:9.1f} ms per file   peak +{int(ours['peak']) / size:.2f} × file")  # type: ignore[call-overload]
    print(f"  FlowKit       {other * 1e3:9.1f} ms per file   peak +{int(theirs['peak']) / size:.2f} × file")  # type: ignore[call-overload]
    print(f"  ratio         {other / mine:9.1f} ×")
    print(f"  fromfile.sum  {read * 1e3:9.1f} ms              this engine takes {mine / read:.2f} × that")
    if peer is None:
        print("  OpenFlo       not installed (OPENFLO_PYTHON, see openflo_peer.py)")
        return
    fastest = median_time(peer)
    print(f"  OpenFlo       {fastest * 1e3:9.1f} ms per file   peak +{int(peer['peak']) / size:.2f} × file")  # type: ignore[call-overload]
    print(f"  ratio         {fastest / mine:9.1f} ×")


def scaling() -> None:
    """Time and memory against events, files and gates; one variable at a time."""
    for label, grid in (
        ("events", [(n, 1, 12) for n in (100_000, 300_000, 1_000_000, 3_000_000, 5_000_000)]),
        ("files", [(20_000, n, 12) for n in (1, 10, 50, 200)]),
        ("gates", [(500_000, 1, n) for n in (5, 12, 50, 200)]),
    ):
        print(f"{label:>10} {'ms per file':>12} {'ns per event':>13} {'peak / file':>12}")
        for n_events, n_files, n_gates in grid:
            with tempfile.TemporaryDirectory() as name:
                make_folder(Path(name), n_events, n_files, n_gates)
                size = (Path(name) / "tube000.fcs").stat().st_size
                report = run_child("ours", Path(name), 3)
            mine = median_time(report)
            shown = {"events": n_events, "files": n_files, "gates": n_gates}[label]
            peak = int(report["peak"]) / size  # type: ignore[call-overload]
            print(f"{shown:>10,} {mine * 1e3:12.1f} {mine / n_events * 1e9:13.1f} {peak:12.2f}")


_FLOWKIT_SCRIPT = """
import sys, flowkit
strategy = flowkit.parse_gating_xml(sys.argv[2])
report = strategy.gate_sample(flowkit.Sample(sys.argv[1])).report
report[["gate_name", "count"]].to_csv(sys.argv[3], index=False)
"""


def cold(n_events: int) -> None:
    """The command line against a script that does the same with FlowKit; new processes, file cache warm."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_folder(folder, n_events, 1, 12)
        (folder / "script.py").write_text(_FLOWKIT_SCRIPT)
        tube, drawn = str(folder / "tube000.fcs"), str(folder / "strategy.gml.xml")
        times: dict[str, list[float]] = {"ours": [], "flowkit": []}
        program = str(Path(sys.executable).with_name("cytometry"))
        for i in range(REPEATS + 1):
            commands = {
                "ours": [program, "gate", tube, "--strategy", drawn, "-o", str(folder / f"out{i}")],
                "flowkit": [sys.executable, str(folder / "script.py"), tube, drawn, str(folder / "out.csv")],
            }
            for which, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                # The first run of each compiles, or reads libraries from the disk.
                if i:
                    times[which].append(time.perf_counter() - start)
    mine, other = statistics.median(times["ours"]), statistics.median(times["flowkit"])
    print(f"cold, {n_events:,} × 21: this {mine:.2f} s, FlowKit script {other:.2f} s, ratio {other / mine:.1f} ×")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--files", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--child", nargs=2, metavar=("WHICH", "FOLDER"))
    arguments = parser.parse_args()
    if arguments.child:
        which, folder = arguments.child
        child = child_ours if which == "ours" else child_flowkit
        print(json.dumps(child(Path(folder), arguments.repeats)))
    elif arguments.scaling:
        scaling()
    elif arguments.cold:
        cold(arguments.events)
    else:
        compare(arguments.events, arguments.files)


if __name__ == "__main__":
    main()
