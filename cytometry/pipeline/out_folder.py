"""The output folder as a whole: whose it is, and what its manifest says after each step."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cytometry.errors import OutputError
from cytometry.io.atomic import TEMPORARY_SUFFIX, sweep_leftovers
from cytometry.io.digests import Plain, value_digest
from cytometry.io.lock import LOCK_FILE
from cytometry.io.manifest import (
    LOGS,
    MANIFEST,
    FileRecord,
    listed_outputs,
    output_files,
    read_manifest,
    record_files,
    write_manifest,
)
from cytometry.io.provenance import installed_versions

SCHEMA_VERSION: Final = 1
# Begins the owner of a folder that no study's run wrote; no study can be called so.
PANEL_CHECK: Final = "panel check of "
# What computes results; their versions belong to the results.
_PACKAGES: Final = ("cytometry", "numpy", "scipy", "pandas", "scikit-learn", "numba", "flowutils", "matplotlib")


@dataclass(frozen=True)
class RunRecord:
    """What a command did, for the manifest.

    Parameters
    ----------
    command
        Verb.
    study
        Id of the study; empty without one.
    settings
        Resolved settings by name.
    inputs
        Every file that was read.
    seeds
        Of whatever drew random numbers.
    """

    command: str
    study: str = ""
    settings: Mapping[str, Plain] = field(default_factory=lambda: MappingProxyType({}))
    inputs: Sequence[FileRecord] = ()
    seeds: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def claim(out: Path, record: RunRecord, *, force: bool = False) -> None:
    """Make sure that the folder may be written, and mark it as being written.

    Raises
    ------
    OutputError
        It holds something else, or another study's results.
    """
    check_owner(out, record.study, force=force)
    sweep_leftovers(out)
    before = _previous(out)
    write_manifest(out, _document(record, "running", None, before.get("outputs", []), before.get("summary", {})))


def check_owner(out: Path, study: str, *, force: bool = False, replaceable: bool = True) -> None:
    """Refuse a folder that is not ours or belongs to another study; see :func:`claim`.

    ``replaceable`` says whether the command has a ``--force`` to hint at.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(
            "is a file, not a folder", where=str(out), hint="name a folder with -o", code="OUTPUT_FOREIGN"
        )
    # A run that was killed before its first manifest leaves a lock and a temporary file.
    names = {p.name for p in out.iterdir() if not p.name.endswith(TEMPORARY_SUFFIX)} - {LOCK_FILE, LOGS}
    if not names:
        return
    if MANIFEST not in names:
        raise OutputError(
            "holds files of something else",
            where=str(out),
            hint="name a new or empty folder with -o",
            code="OUTPUT_FOREIGN",
        )
    owner = str(read_manifest(out).get("study", ""))
    if owner != study and not force:
        raise OutputError(
            f"holds the results of {_shown(owner)}, not of {_shown(study)}",
            where=str(out),
            hint="name another folder with -o" + (", or replace them with --force" if replaceable else ""),
            code="OUTPUT_FOREIGN",
        )


def finish(
    out: Path, record: RunRecord, *, exit_code: int, summary: Mapping[str, Plain], seconds: float, status: str = "done"
) -> None:
    """Write the manifest of the finished folder: every file in it with size and hash."""
    files: list[Plain] = [r.to_dict() for r in record_files(out, output_files(out))]
    document = _document(record, status, exit_code, files, summary)
    stamp = os.environ.get("SOURCE_DATE_EPOCH") is None
    system = os.uname()  # platform.platform() says more, and takes as long as writing all of this
    document["environment"] = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds") if stamp else "",
        "seconds": round(seconds, 2) if stamp else None,
        "host": system.nodename if stamp else "",
        "system": " ".join((system.sysname, system.release, system.machine)),
        "arguments": list(sys.argv[1:]) if stamp else [],
    }
    write_manifest(out, document)


def stored_record(manifest: Mapping[str, Plain], command: str) -> RunRecord:
    """The record of the run that wrote a manifest, for a later step on its results."""
    settings, inputs = manifest.get("settings"), manifest.get("inputs")
    files = [
        FileRecord(str(e["name"]), int(str(e["size"])), str(e["sha256"]))
        for e in (inputs if isinstance(inputs, list) else [])
        if isinstance(e, dict)
    ]
    stored = manifest.get("seeds")
    seeds = {str(k): int(str(v)) for k, v in stored.items()} if isinstance(stored, Mapping) else {}
    found = settings if isinstance(settings, dict) else {}
    return RunRecord(command, str(manifest.get("study", "")), found, files, seeds)


def remove_outputs(out: Path, names: Sequence[str]) -> None:
    """Delete outputs of later steps that do not follow from the tables any more."""
    for name in names:
        (out / name).unlink(missing_ok=True)


def known_outputs(out: Path) -> tuple[str, ...]:
    """Outputs of the last finished run."""
    return listed_outputs(out)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute results."""
    return {"python": platform.python_version(), **installed_versions(_PACKAGES)}


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Elapsed."""
        return time.monotonic() - self._start


def _document(
    record: RunRecord, status: str, exit_code: int | None, outputs: Plain, summary: Plain
) -> dict[str, Plain]:
    settings = dict(record.settings)
    return {
        "program": "cytometry",
        "schema_version": SCHEMA_VERSION,
        "status": status,
        "exit_code": exit_code,
        "command": record.command,
        "study": record.study,
        "summary": summary,
        "settings": settings,
        "settings_sha256": value_digest(settings),
        "seeds": dict(record.seeds),
        "versions": versions(),
        "inputs": [r.to_dict() for r in record.inputs],
        "outputs": outputs,
        "environment": {},
        "self_sha256": "",
    }


def _previous(out: Path) -> dict[str, Plain]:
    return read_manifest(out) if (out / MANIFEST).is_file() else {}


def _shown(study: str) -> str:
    if study.startswith(PANEL_CHECK):
        return f"a panel check of '{study.removeprefix(PANEL_CHECK)}'"
    return f"study '{study}'" if study else "files without a study"
