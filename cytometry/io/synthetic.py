"""Files of a synthetic study beside its FCS files: tables, texts, and the truth of every event.

Truth files are plain NumPy archives, not compressed: their bytes then depend on no compression library.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cytometry.errors import OutputError, RequestError
from cytometry.model.tables import Cell, Row

ByteArray = npt.NDArray[np.uint8]


def make_study_folder(folder: Path, subfolders: Iterable[str]) -> None:
    """Make an empty study folder.

    Raises
    ------
    OutputError
        Something is there already, or the folder cannot be made.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError("is not empty", where=str(folder), hint="name a folder that does not exist yet")
        for name in subfolders:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot be made: {error.strerror or error}", where=str(folder), hint="name another folder"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text with plain line ends, whole or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    _replace(path, text.encode("utf-8"))


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a table as CSV; a column that no row fills is left out.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    filled = tuple(rows)
    kept = [c for c in columns if any(r.get(c) is not None for r in filled)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kept)
    writer.writerows([_cell(row.get(c)) for c in kept] for row in filled)
    write_text(path, text.getvalue())


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_truth(path: Path, codes: ByteArray, flags: ByteArray, names: Sequence[str]) -> None:
    """Write what each event of a file is: codes, flags, and the names that codes stand for.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, codes=codes, flags=flags, names=np.array(names, dtype="S"))
    _replace(path, buffer.getvalue())


def read_truth(path: str | Path, names: Sequence[str]) -> tuple[ByteArray, ByteArray]:
    """Read the codes and flags of a truth file.

    Parameters
    ----------
    names
        What the codes have to stand for here.

    Raises
    ------
    RequestError
        There is no such file, it is no truth file, or its codes stand for other names.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            codes, flags, stored = archive["codes"], archive["flags"], archive["names"]
    except (OSError, ValueError, KeyError) as error:
        raise RequestError(f"is no truth file: {error}", where=str(path), hint="see sample_fcs/truth") from error
    if [n.decode() for n in stored] != list(names)[: stored.size]:
        raise RequestError(
            "uses other names for its codes", where=str(path), hint="write it again with this version of the simulator"
        )
    return codes, flags


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
