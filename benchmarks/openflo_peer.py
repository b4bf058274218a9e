"""The peer OpenFlo on the same files: its comparison command, in a process of its own.

OpenFlo reads gates from FlowJo workspaces and counts them with ``openflo-compare``.
It needs other versions of NumPy and pandas than this package, so it lives in an
environment of its own, whose interpreter the variable ``OPENFLO_PYTHON`` names:

    python -m venv openflo-env && openflo-env/bin/pip install openflo
    OPENFLO_PYTHON=openflo-env/bin/python python -m benchmarks.gating
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

# Runs where this package is not installed. One workspace per file; the command prints, and leaves a table.
_CHILD = """
import contextlib, csv, io, json, pathlib, sys, time
import openflo.compare

def resident(field):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) * 1024

def one(workspace):
    table = workspace.with_suffix(".csv")
    sys.argv = ["openflo-compare", str(workspace), "--fcs-dir", str(workspace.parent), "--workers", "1",
                "--csv", str(table), "--html", str(workspace.with_suffix(".html"))]
    with contextlib.redirect_stdout(io.StringIO()):
        openflo.compare.main()
    with table.open() as stream:
        return {row["population"]: int(row["openflo_count"]) for row in csv.DictReader(stream)}

folder, repeats = pathlib.Path(sys.argv[1]), int(sys.argv[2])
one(folder / "small" / "warm.wsp")
pathlib.Path("/proc/self/clear_refs").write_text("5")
held, times, counts = resident("VmRSS"), [], {}
for workspace in sorted(folder.glob("*.wsp")):
    runs = []
    for _ in range(repeats):
        start = time.perf_counter()
        counts[workspace.stem + ".fcs"] = one(workspace)
        runs.append(time.perf_counter() - start)
    times.append(runs)
print(json.dumps({"times": times, "counts": counts, "peak": resident("VmHWM") - held}))
"""


def openflo_python() -> str | None:
    """The interpreter that has OpenFlo; None where there is none."""
    named = os.environ.get("OPENFLO_PYTHON")
    return named or (sys.executable if find_spec("openflo") else None)


def write_workspaces(folder: Path) -> None:
    """Beside each file of a benchmark folder, the folder's gates as a FlowJo workspace."""
    from cytometry.io.fcs import read_fcs
    from cytometry.io.gatingml import read_gatingml
    from cytometry.pipeline.workspace_export import GatedSample, export_workspace
    from cytometry.preprocessing.dimensions import channel_map_by_name

    drawn = read_gatingml(folder / "strategy.gml.xml")
    for path in (*folder.glob("*.fcs"), folder / "small" / "warm.fcs"):
        sample = read_fcs(path)
        export_workspace([GatedSample(sample, drawn, channel_map_by_name(sample))], path.with_suffix(".wsp"))


def gate_with_openflo(python: str, folder: Path, repeats: int) -> dict[str, object]:
    """Times per file and repeat, counts and peak memory, as the other children of the benchmark report them."""
    write_workspaces(folder)
    done = subprocess.run(
        [python, "-c", _CHILD, str(folder), str(repeats)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))
