"""What ``cytometry gate`` on drawn gates may load: the cost of a cold start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("pandas", "pyarrow", "sklearn", "scipy", "matplotlib", "seaborn", "flowkit", "anndata", "numba", "pydantic")
SCRIPT = """
import sys
from cytometry.cli.main import main
try:
    main()
finally:
    print("LOADED", *sorted(set(sys.modules) & set({heavy!r})))
"""


def test_drawn_gates_on_one_file_load_nothing_heavy(project: Path, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-c", SCRIPT.format(heavy=HEAVY), "gate"),
        str(project / "sample_fcs" / "fcs" / "B1_bcell_control.fcs"),
        *("--strategy", str(project / "gating_strategies" / "bcell_drawn_v1" / "strategy.gml.xml")),
        *("-o", str(tmp_path / "out")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"], done.stdout + done.stderr
