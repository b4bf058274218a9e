"""Which program's gates a file holds, seen from its first bytes: the readers themselves are loaded for it later."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# The first element of an XML file stands within these.
_HEAD_BYTES: Final = 4096
# Root elements: FlowJo's workspace, FACSDiva's experiment.
_WORKSPACE_ROOTS: Final = (b"<Workspace", b"<bdfacs")


def is_xml(path: Path) -> bool:
    """Whether a file begins like XML, in whatever encoding, or is called so: one that was damaged is still meant so."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    text = head.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").lstrip(b"\xff\xfe \t\r\n")
    return path.suffix.lower() in {".xml", ".wsp"} or text.startswith(b"<")


def is_workspace(path: Path) -> bool:
    """Whether a file begins like a FlowJo workspace or a FACSDiva experiment; GatingML does not."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return path.suffix.lower() == ".wsp" or any(root in head for root in _WORKSPACE_ROOTS)
