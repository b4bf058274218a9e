"""``parts/<panel>/<sample_id>/``: the unit of resuming. ``done.json`` is written last and vouches for the rest."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cytometry.io.atomic import write_atomically
from cytometry.io.digests import bytes_digest, file_digest

DONE: Final = "done.json"
COUNTS_PART: Final = "counts.csv"
INTENSITIES_PART: Final = "intensities.csv"
THRESHOLDS_PART: Final = "thresholds.csv"
GATE_DRAWS_PART: Final = "gate_draws.csv"
FINDINGS_PART: Final = "findings.csv"
QUALITY_PART: Final = "qc.csv"
COMPENSATION_PART: Final = "qc_compensation.csv"
SETTINGS_PART: Final = "settings.csv"
PREVIEWS_PART: Final = "previews.npz"


@dataclass(frozen=True, slots=True)
class PartRecord:
    """``done.json``: the key under which the part was made, and what it consists of.

    Parameters
    ----------
    outputs
        SHA-256 by name, relative to the output folder.
    """

    sample_id: str
    key: str
    ingredients: Mapping[str, str]
    total_events: int
    outputs: Mapping[str, str]


def part_folder(out: Path, panel: str, sample_id: str) -> Path:
    """Folder of one sample's part."""
    return out / "parts" / panel / sample_id


def gates_file(sample_id: str) -> str:
    """The sample's plain gates, relative to the output folder."""
    return f"gates/{sample_id}.gml.xml"


def write_part(out: Path, panel: str, record: PartRecord, files: Mapping[str, bytes]) -> None:
    """Write the files, then ``done.json`` with their hashes.

    An older ``done.json`` is removed first: from then until the new one is there,
    the part counts as not made.

    Parameters
    ----------
    record
        Its ``outputs`` are replaced by those of ``files``.
    files
        Bytes by name relative to the output folder.
    """
    done = part_folder(out, panel, record.sample_id) / DONE
    done.unlink(missing_ok=True)
    for name, data in files.items():
        write_atomically(out / name, data)
    document = {
        "sample_id": record.sample_id,
        "key": record.key,
        "ingredients": dict(record.ingredients),
        "total_events": record.total_events,
        "outputs": {name: bytes_digest(data) for name, data in files.items()},
    }
    write_atomically(done, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def read_part_record(out: Path, panel: str, sample_id: str) -> PartRecord | None:
    """The record of a part; None if the part was never finished or its record is damaged."""
    try:
        stored = json.loads((part_folder(out, panel, sample_id) / DONE).read_bytes())
        return PartRecord(
            sample_id=str(stored["sample_id"]),
            key=str(stored["key"]),
            ingredients={str(k): str(v) for k, v in stored["ingredients"].items()},
            total_events=int(stored["total_events"]),
            outputs={str(k): str(v) for k, v in stored["outputs"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def damaged_outputs(out: Path, record: PartRecord) -> tuple[str, ...]:
    """Files of a part that are missing or not as its record says."""
    return tuple(
        name
        for name, digest in record.outputs.items()
        if not (out / name).is_file() or file_digest(out / name) != digest
    )


def arrays_bytes(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """An ``.npz`` archive. NumPy stamps every member with the same date, so equal arrays give equal bytes."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return stream.getvalue()


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Arrays of an ``.npz`` archive, without pickle."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
