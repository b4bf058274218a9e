"""Which files of a folder are FCS: every path is listed as read or skipped, with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytometry.model.findings import Finding

FCS_SUFFIXES = (".fcs", ".lmd")
_MAGIC = b"FCS"


@dataclass(frozen=True, slots=True)
class Listed:
    """One path that was met.

    Parameters
    ----------
    path
        As given, or below a folder that was given.
    is_read
        Whether it is taken for an FCS file.
    reason
        Why, or why not.
    """

    path: Path
    is_read: bool
    reason: str


def list_fcs_files(arguments: Sequence[str | os.PathLike[str]]) -> tuple[Listed, ...]:
    """List files as given, and everything in folders, sorted by path.

    A file that is named is read whatever it is called; in a folder the suffix
    counts (``.fcs``, ``.lmd``, capital or not), so that a workspace or a picture
    beside the data is no failure. Links to files are read; links to folders are
    not followed, since they may lead in a circle.
    """
    listed: list[Listed] = []
    for argument in arguments:
        path = Path(argument)
        listed += _in_folder(path) if path.is_dir() else [Listed(path, True, "named")]
    first: dict[Path, Path] = {}
    out = []
    for item in listed:
        real = item.path.resolve()
        if item.is_read and real in first and real.exists():
            item = Listed(item.path, False, f"the same file as {first[real]}")
        elif item.is_read:
            first[real] = item.path
        out.append(item)
    return tuple(out)


def _in_folder(folder: Path) -> Iterator[Listed]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        for name in sorted(folders):
            if name.startswith("."):
                yield Listed(here / name, False, "hidden folder")
            elif (here / name).is_symlink():
                yield Listed(here / name, False, "link to a folder, not followed")
        folders[:] = sorted(n for n in folders if not n.startswith("."))
        for name in sorted(files):
            yield _in_folder_file(here / name)


def _in_folder_file(path: Path) -> Listed:
    if path.name.startswith("."):
        return Listed(path, False, "hidden file")
    if path.is_symlink() and not path.exists():
        return Listed(path, False, "link to nothing")
    if not path.is_file():
        return Listed(path, False, "device, pipe or socket")
    if path.suffix.lower() in FCS_SUFFIXES:
        return Listed(path, True, f"ends in {path.suffix}")
    if _begins_like_fcs(path):
        return Listed(path, False, f"begins like FCS, but ends in '{path.suffix}': name it to read it")
    return Listed(path, False, f"ends in '{path.suffix}'")


def _begins_like_fcs(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def duplicate_findings(sha256_by_file: Mapping[str, str]) -> tuple[Finding, ...]:
    """A finding for each file whose bytes another file before it has; ``$FIL`` and names do not count."""
    first: dict[str, str] = {}
    found = []
    for file, sha256 in sha256_by_file.items():
        if not sha256:
            continue
        if sha256 in first:
            found.append(
                Finding(
                    code="DUPLICATE_CONTENT",
                    severity="warning",
                    message=f"has the same bytes as {first[sha256]}",
                    file=file,
                    found=sha256,
                    expected="each file once",
                    fix="leave one of them out, unless the same tube was meant to be counted twice",
                )
            )
        first.setdefault(sha256, file)
    return tuple(found)
