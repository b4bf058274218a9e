"""One type for everything that a reader of the results should know about an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A nonconformance, repair, fallback or flag, with its evidence.

    Parameters
    ----------
    code
        Stable upper-case identifier, listed in ``docs/findings.md``.
    severity
        ``error``: the input was refused; ``warning``: a reader must know;
        ``info``: for the record.
    message
        One sentence for a person. Names the file's field and what was found.
    file
        Path or name as the user gave it.
    dataset
        Data set in an FCS file, counted from 0.
    segment
        ``HEADER``, ``TEXT``, ``SUPPLEMENTAL TEXT``, ``DATA``, ``ANALYSIS``; or a
        table, panel or sample's part outside FCS.
    keyword
        FCS keyword, column, population or marker.
    byte_range
        First and last byte, inclusive, from the start of the file.
    found, expected, fix
        The value, what would be right, and what to do.
    """

    code: str
    severity: Severity
    message: str
    file: str = ""
    dataset: int | None = None
    segment: str = ""
    keyword: str = ""
    byte_range: tuple[int, int] | None = None
    found: str = ""
    expected: str = ""
    fix: str = ""

    def in_file(self, file: str) -> Finding:
        """Return the same finding with its file named."""
        return replace(self, file=file)

    def to_dict(self) -> Mapping[str, object]:
        """Return the JSON form that ``cytometry inspect --json`` prints."""
        row = asdict(self)
        if self.byte_range is not None:
            row["byte_range"] = list(self.byte_range)
        return row
