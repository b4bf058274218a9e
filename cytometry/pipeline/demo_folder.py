"""Make room for the demo study where an older one lies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from cytometry.errors import OutputError, StudyError
from cytometry.io.yaml_file import read_yaml

_WRITTEN: Final = ("fcs", "truth", "README.md", "samples.csv", "clinical.csv", "study.yaml")


def clear_demo(folder: Path) -> None:
    """Remove a demo study, and only that: the study must say that it is synthetic.

    Raises
    ------
    OutputError
        The folder holds something else.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    strange = sorted(p.name for p in folder.iterdir() if p.name not in _WRITTEN)
    try:
        document = read_yaml(folder / "study.yaml", error=StudyError)
    except StudyError:
        document = None
    facts = document.get("study") if isinstance(document, dict) else None
    if strange or not (isinstance(facts, dict) and facts.get("synthetic") is True):
        raise OutputError(
            "is not a demo study" + (f", it holds {strange[0]}" if strange else ""),
            where=str(folder),
            hint="--force replaces an older demo only; name another folder",
            code="OUTPUT_FOREIGN",
        )
    for name in _WRITTEN:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
