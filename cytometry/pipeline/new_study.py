"""Start a study from FCS files: tables filled with what headers hold, every guess marked with ``?``.

``check`` refuses a table with a ``?`` in it: nobody runs a study that nobody has read.
Only keywords that cannot carry a name are looked at.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cytometry.errors import CytometryError, OutputError, RequestError
from cytometry.io.atomic import write_atomically
from cytometry.io.fcs import read_fcs
from cytometry.io.result_tables import table_bytes
from cytometry.model.input_tables import CLINICAL_CSV, SAMPLES_CSV
from cytometry.model.sample import Sample
from cytometry.model.tables import Cell, TableSchema
from cytometry.pipeline.file_inputs import FCS_SUFFIXES, safe_name

UNREVIEWED: Final = "?"
_SAMPLE_COLUMNS: Final = (
    "sample_id",
    "fcs_file",
    "panel",
    "subject_id",
    "visit",
    "role",
    "batch",
    "acquired_at",
    "instrument",
)
_CLINICAL_COLUMNS: Final = (
    "subject_id",
    "visit",
    "study_day",
    "sledai",
    "pga",
    "prednisone_mg_per_day",
    "lymphocytes_10e9_per_l",
)

STUDY_YAML: Final = """\
# Written by `cytometry init --from-fcs`. Replace every "?" in here and in samples.csv, then run `cytometry check`.
schema_version: 1
study:
  id: "?"
  title: ""
  sledai_version: SLEDAI-2K
samples: samples.csv
clinical: clinical.csv
visits:
  - {id: pre, day: 0, baseline: true}
  - {id: post, day: 28}
panels: {bcell: bcell_v1, treg: treg_v1}
compensation: from_file
plan:
  confirmatory: []
"""


def start_study(folder: Path, files: Sequence[Path]) -> int:
    """Write ``study.yaml``, ``samples.csv`` and ``clinical.csv`` for the files; return how many could be read.

    Raises
    ------
    OutputError
        One of the three is there already.
    RequestError
        There is no FCS file.
    """
    if not files:
        raise RequestError(
            "no FCS file", hint=f"name files, or a folder with files ending in {' or '.join(FCS_SUFFIXES)}"
        )
    for name in ("study.yaml", "samples.csv", "clinical.csv"):
        if (folder / name).exists():
            raise OutputError(
                f"has a {name} already", where=str(folder), hint="name another folder; nothing was written"
            )
    rows = [_row(folder, path) for path in files]
    taken: dict[str, int] = {}
    for row in rows:
        name = str(row["sample_id"])
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            row["sample_id"] = f"{name}-{taken[name]}"
    write_atomically(folder / "samples.csv", table_bytes(_columns(SAMPLES_CSV, _SAMPLE_COLUMNS), rows))
    write_atomically(folder / "clinical.csv", table_bytes(_columns(CLINICAL_CSV, _CLINICAL_COLUMNS), []))
    write_atomically(folder / "study.yaml", STUDY_YAML.encode())
    return sum(row["instrument"] is not None for row in rows)


def fcs_files(arguments: Sequence[Path]) -> list[Path]:
    """Files, and the FCS files of folders, sorted, hidden ones left out."""
    found: list[Path] = []
    for path in arguments:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in FCS_SUFFIXES)
            found += [p for p in inside if not any(part.startswith(".") for part in p.relative_to(path).parts)]
        else:
            found.append(path)
    return found


def _row(folder: Path, path: Path) -> dict[str, Cell]:
    row: dict[str, Cell] = {
        "sample_id": safe_name(path.stem)[:64],
        "fcs_file": _relative(folder, path),
        "panel": UNREVIEWED,
        "subject_id": UNREVIEWED,
        "visit": UNREVIEWED,
        "role": UNREVIEWED,
        "batch": UNREVIEWED,
        "acquired_at": None,
        "instrument": None,
    }
    try:
        sample = read_fcs(path, strict=False)
    except CytometryError:
        return row
    row["instrument"] = sample.keywords.get("$CYT", "").strip()
    row["acquired_at"] = _acquired(sample)
    if row["acquired_at"]:
        row["batch"] = f"{UNREVIEWED}{str(row['acquired_at'])[:10]}"
    return row


def _relative(folder: Path, path: Path) -> str:
    """Path from the study's folder to the file, upwards where it has to be (``Path`` learns that in Python 3.12)."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _acquired(sample: Sample) -> str | None:
    date, time = sample.keywords.get("$DATE", "").strip(), sample.keywords.get("$BTIM", "").strip()[:8]
    for pattern in ("%d-%b-%Y", "%d-%b-%y", "%Y-%m-%d", "%d-%B-%Y"):
        try:
            day = datetime.strptime(date.title(), pattern).date().isoformat()
        except ValueError:
            continue
        try:
            return f"{day}T{datetime.strptime(time, '%H:%M:%S').time().isoformat()}"
        except ValueError:
            return day
    return None


def _columns(schema: TableSchema, names: Sequence[str]) -> TableSchema:
    return TableSchema(schema.name, schema.row, schema.key, tuple(schema[n] for n in names))
