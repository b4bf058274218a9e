"""Time and memory of reading FCS, as ratios to ``numpy.fromfile``, FlowIO and fcsparser in one run.

Usage: python benchmarks/read_fcs.py [--events 500000] [--channels 21] [--repeats 7]
Ratios hold on any machine; seconds do not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cytometry.io.fcs import read_fcs, write_fcs
from cytometry.io.fcs.second_opinion import read_with_fcsparser, read_with_flowio
from cytometry.model.channels import Channel

KIBI = 1024


def main() -> None:
    """Write the files, time the readers, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--channels", type=int, default=21)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        floats = _float_file(Path(folder), options.events, options.channels)
        masked = _integer_file(Path(folder), options.events, options.channels, odd=False)
        odd = _integer_file(Path(folder), options.events, options.channels, odd=True)
        _compare_floats(floats, options.repeats)
        _compare_integers("16-bit integers, masked to 10 bits", masked, options.repeats)
        _compare_integers("mixed 8/16/32-bit integers", odd, options.repeats)
        _memory(floats)


def _float_file(folder: Path, n: int, p: int) -> Path:
    path = folder / "float.fcs"
    rng = np.random.default_rng(1)
    events = rng.lognormal(6, 1, (n, p)).astype(np.float32)
    events[:, -1] = np.arange(n)
    write_fcs(path, events, [*(f"FL{i}-A" for i in range(p - 1)), "Time"], keywords={"$TIMESTEP": "0.01"})
    return path


def _integer_file(folder: Path, n: int, p: int, *, odd: bool) -> Path:
    path = folder / f"integer_{odd}.fcs"
    rng = np.random.default_rng(2)
    widths = [(8, 16, 32)[i % 3] if odd else 16 for i in range(p)]
    channels = [Channel(i, f"FL{i}-H", range=2.0**w, bits=w) for i, w in enumerate(widths)]
    write_fcs(path, rng.integers(0, 256, (n, p)), channels, datatype="I")
    if not odd:
        # The same bytes with $PnR 64 for all: every value has bits to be masked off.
        path.write_bytes(path.read_bytes().replace(b"R|65536|", b"R|00064|"))
    return path


def _best(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


def _three_columns(path: Path) -> None:
    sample = read_fcs(path)
    for i in (0, len(sample.channels) // 2, len(sample.channels) - 2):
        sample.linear_column(i).sum()


def _all_columns(path: Path) -> None:
    sample = read_fcs(path)
    for i in range(len(sample.channels)):
        sample.raw_column(i)


def _compare_floats(path: Path, repeats: int) -> None:
    whole = _best(lambda: np.fromfile(path, dtype=np.uint8), repeats)
    print(f"float32, {path.stat().st_size / 1e6:.0f} MB: numpy.fromfile of all bytes {whole * 1e3:.1f} ms")
    rows = {
        "read_fcs and three columns": _best(lambda: _three_columns(path), repeats),
        "read_fcs(...).raw(), float64": _best(lambda: read_fcs(path).raw(), repeats),
        "read_fcs(...).findings": _best(lambda: read_fcs(path).findings, repeats),
        "read_fcs(...).sha256": _best(lambda: read_fcs(path).sha256, repeats),
        "FlowIO": _best(lambda: read_with_flowio(str(path), 0), 2),
        "fcsparser": _best(lambda: read_with_fcsparser(str(path), 0), 2),
    }
    for name, seconds in rows.items():
        print(f"  {name:32} {seconds * 1e3:8.1f} ms  {seconds / whole:6.2f} x fromfile")


def _compare_integers(what: str, path: Path, repeats: int) -> None:
    ours = _best(lambda: _all_columns(path), repeats)
    theirs = _best(lambda: read_with_flowio(str(path), 0), 1)
    third = _best(lambda: read_with_fcsparser(str(path), 0), 1)
    print(f"{what}, {path.stat().st_size / 1e6:.0f} MB: all columns {ours * 1e3:.1f} ms")
    print(f"  FlowIO {theirs:.2f} s, {theirs / ours:.0f} x ours; fcsparser {third:.2f} s, {third / ours:.1f} x ours")


def _peak_of_three_columns(path: Path, queue: multiprocessing.Queue[int]) -> None:
    before = _peak_bytes()
    _three_columns(path)
    queue.put(_peak_bytes() - before)


def _peak_bytes() -> int:
    """Peak resident memory of this process alone; what ``getrusage`` says includes the parent's before ``exec``."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * KIBI
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _memory(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[int] = context.Queue()
    worker = context.Process(target=_peak_of_three_columns, args=(path, queue))
    worker.start()
    peak = queue.get()
    worker.join()
    size = path.stat().st_size
    print(f"peak memory over import for three columns: {peak / 1e6:.0f} MB, {peak / size:.2f} x the file")


if __name__ == "__main__":
    main()
