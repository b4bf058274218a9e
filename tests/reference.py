"""Where the reference data lies that the project does not ship (``CYTOMETRY_REFERENCE_DATA``)."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "CYTOMETRY_REFERENCE_DATA"


def reference_root() -> Path | None:
    """The folder of the reference data; None where the variable is not set.

    Raises
    ------
    FileNotFoundError
        The variable is set and points to a folder without ``data``.
    """
    value = os.environ.get(VARIABLE)
    if not value:
        return None
    root = Path(value)
    if not (root / "data").is_dir():
        raise FileNotFoundError(f"{VARIABLE} is '{value}', which has no folder 'data'")
    return root


def reference_files(pattern: str) -> list[Path]:
    """Files under the reference root that match, sorted; empty where there is none to look in.

    Raises
    ------
    FileNotFoundError
        The root is there and nothing in it matches.
    """
    root = reference_root()
    if root is None:
        return []
    found = sorted(p for p in root.glob(pattern) if p.is_file())
    if not found:
        raise FileNotFoundError(f"no reference file matches '{pattern}' under '{root}'")
    return found
