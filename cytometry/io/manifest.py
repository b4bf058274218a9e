"""``run.json``: every input and output with size and SHA-256, settings, versions; and its check."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cytometry.errors import OutputError
from cytometry.io.atomic import write_atomically
from cytometry.io.digests import Plain, bytes_digest, file_digest
from cytometry.io.lock import LOCK_FILE

MANIFEST: Final = "run.json"
LOGS: Final = "logs"
_SELF: Final = "self_sha256"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as the manifest lists it; ``name`` is relative to the folder, with ``/``."""

    name: str
    size: int
    sha256: str

    def to_dict(self) -> dict[str, Plain]:
        """The JSON form."""
        return {"name": self.name, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not as the manifest says."""

    name: str
    kind: str
    detail: str = ""


def output_files(folder: Path) -> tuple[str, ...]:
    """Every file that the manifest has to list: all but itself, ``logs/`` and ``.lock``."""
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() or p.is_symlink())
    return tuple(sorted(n for n in names if n not in {MANIFEST, LOCK_FILE} and not n.startswith(f"{LOGS}/")))


def record_files(folder: Path, names: Iterable[str]) -> tuple[FileRecord, ...]:
    """Size and hash of files in a folder."""
    return tuple(FileRecord(n, (folder / n).stat().st_size, file_digest(folder / n)) for n in names)


def write_manifest(folder: Path, document: Mapping[str, Plain]) -> None:
    """Write ``run.json`` with its own hash, computed with that field empty."""
    content = {**document, _SELF: ""}
    digest = bytes_digest(_serialised(content))
    write_atomically(folder / MANIFEST, _serialised({**content, _SELF: digest}))


def read_manifest(folder: Path) -> dict[str, Plain]:
    """Read ``run.json``.

    Raises
    ------
    OutputError
        There is none, or it is not ours.
    """
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise OutputError(
            f"has no {MANIFEST}", where=str(folder), hint="name the folder that a run wrote", code="MANIFEST_MISSING"
        ) from error
    except (OSError, ValueError) as error:
        raise OutputError(
            f"cannot be read: {error}", where=str(path), hint="run again", code="MANIFEST_DAMAGED"
        ) from error
    if not isinstance(document, dict) or document.get("program") != "cytometry":
        raise OutputError(
            "was written by another program", where=str(path), hint="name another folder", code="OUTPUT_FOREIGN"
        )
    return document


def compare_with_manifest(folder: Path) -> tuple[Difference, ...]:
    """Name every file that is changed, missing or extra; the manifest itself included.

    Raises
    ------
    OutputError
        There is no manifest to compare with.
    """
    document = read_manifest(folder)
    differences: list[Difference] = []
    stored = document.get(_SELF)
    if (
        bytes_digest(_serialised({**document, _SELF: ""})) != stored
        or _serialised(document) != (folder / MANIFEST).read_bytes()
    ):
        differences.append(Difference(MANIFEST, "changed", "its own hash does not fit"))
    if document.get("status") == "running":
        differences.append(Difference(MANIFEST, "incomplete", "the run has not ended; run the same command again"))
    listed = _listed(document)
    present = set(output_files(folder))
    for name, record in listed.items():
        path = folder / name
        if name not in present:
            differences.append(Difference(name, "missing"))
        elif path.stat().st_size != record.size:
            differences.append(Difference(name, "changed", f"{path.stat().st_size} bytes, not {record.size}"))
        elif file_digest(path) != record.sha256:
            differences.append(Difference(name, "changed", "other content of the same size"))
    differences += [Difference(name, "extra") for name in sorted(present - set(listed))]
    return tuple(differences)


def listed_outputs(folder: Path) -> tuple[str, ...]:
    """Names of the outputs that the manifest lists; none where there is no manifest."""
    if not (folder / MANIFEST).is_file():
        return ()
    return tuple(_listed(read_manifest(folder)))


def _listed(document: Mapping[str, Plain]) -> dict[str, FileRecord]:
    outputs = document.get("outputs")
    if not isinstance(outputs, list):
        return {}
    records: dict[str, FileRecord] = {}
    for entry in outputs:
        if isinstance(entry, dict):
            name = str(entry.get("name"))
            size = entry.get("size")
            records[name] = FileRecord(name, size if isinstance(size, int) else -1, str(entry.get("sha256")))
    return records


def _serialised(document: Mapping[str, Plain]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
