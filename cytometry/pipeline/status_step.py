"""What an output folder says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cytometry.io.manifest import read_manifest
from cytometry.io.parts import damaged_outputs, read_part_record
from cytometry.io.result_tables import read_table
from cytometry.model.tables import SAMPLES

_WORST_FIRST: Final = ("failed", "damaged", "skipped", "done")


@dataclass(frozen=True, slots=True)
class SampleStatus:
    """``done``, ``damaged``, ``failed`` or ``skipped``, and why."""

    sample_id: str
    status: str
    why: str


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """The last command and what became of each sample, the troubled ones first."""

    command: str
    status: str
    samples: tuple[SampleStatus, ...]


def folder_status(out: Path) -> FolderStatus:
    """Read a folder's manifest and samples, and check its parts.

    Raises
    ------
    OutputError
        It is not an output folder of ours.
    """
    manifest = read_manifest(out)
    table = out / "tables" / "samples.csv"
    rows = read_table(table, SAMPLES) if table.is_file() else []
    samples = []
    for row in rows:
        sample_id, status, why = str(row["sample_id"]), str(row["status"]), str(row["reason"])
        if status == "done":
            record = read_part_record(out, str(row["panel"]), sample_id)
            damaged = damaged_outputs(out, record) if record else ("done.json",)
            if damaged:
                status, why = "damaged", f"changed or missing: {', '.join(damaged)}"
        samples.append(SampleStatus(sample_id, status, why))
    samples.sort(key=lambda s: _WORST_FIRST.index(s.status) if s.status in _WORST_FIRST else 0)
    return FolderStatus(str(manifest.get("command")), str(manifest.get("status")), tuple(samples))
