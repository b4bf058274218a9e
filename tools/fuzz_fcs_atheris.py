"""Coverage-guided fuzzing of the FCS reader with atheris, where it is installed (it is no dependency of ours).

Usage: python tools/fuzz_fcs_atheris.py [libFuzzer options, such as -max_total_time=600] CORPUS_FOLDER
An empty corpus folder is filled with small files of every kind first.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["cytometry.io.fcs"]):
    from cytometry.errors import CytometryError
    from cytometry.io.fcs import read_fcs

from tests.io.fcs.mutate import bases

SLOWEST_S = 2.0


def main() -> None:
    """Fuzz until told to stop; an exception that is not ours, or a slow file, ends the run with the file kept."""
    warnings.simplefilter("ignore")
    folders = [Path(a) for a in sys.argv[1:] if not a.startswith("-")]
    for folder in folders[:1]:
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            for i, base in enumerate(bases()):
                (folder / f"{i}.fcs").write_bytes(base.bytes())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "input.fcs"

        def one_input(data: bytes) -> None:
            path.write_bytes(data)
            begin = time.perf_counter()
            try:
                sample = read_fcs(path, strict=len(data) % 2 == 0)
                for i in range(len(sample.channels)):
                    sample.raw_column(i)
                _ = sample.findings
            except CytometryError as error:
                if str(path) not in str(error):
                    raise AssertionError("the error does not name the file") from error
            if time.perf_counter() - begin > SLOWEST_S:
                raise TimeoutError("slow")

        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
