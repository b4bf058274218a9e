"""Read mutated FCS files for as long as asked and report every broken promise of the reader.

Usage: python tools/fuzz_fcs.py [--seconds 600] [--seed 1] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.io.fcs.mutate import bases, complaints, mutate


def main() -> int:
    """Fuzz, print a table, and return 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the files that broke a promise")
    options = parser.parse_args()
    warnings.simplefilter("error")
    rng = np.random.default_rng(options.seed)
    files = bases()
    counts: Counter[str] = Counter()
    n = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutant.fcs"
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            mutant = mutate(files[int(rng.integers(len(files)))], rng)
            for complaint in complaints(mutant, path, strict=bool(rng.random() < 0.7), weigh=n % 10 == 0):
                counts[complaint.kind] += 1
                if counts[complaint.kind] <= 10:
                    print(f"{complaint.kind}: {complaint.how}: {complaint.detail}", flush=True)
                    if options.keep:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        (options.keep / f"{n}.fcs").write_bytes(mutant.content)
            n += 1
    print(f"{n} files in {options.seconds:g} s; broken promises: {dict(counts) or 'none'}")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
