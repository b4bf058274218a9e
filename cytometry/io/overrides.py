"""``overrides.jsonl``: a person's corrections of placed cuts. Append-only; each line holds the hash of the one before.

A line that was changed, removed or put in later breaks the chain, and the study is
refused. The last line on a cut of a sample counts; one without a value takes the
correction back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cytometry.errors import RequestError, StudyError
from cytometry.io.atomic import write_atomically
from cytometry.io.digests import bytes_digest

_FIELDS = ("sample_id", "cut", "value", "author", "reason", "at", "previous")


@dataclass(frozen=True, slots=True)
class Override:
    """One line of the ledger.

    Parameters
    ----------
    cut
        Name of the cut in the panel's template.
    value
        New position on the display scale; None takes an earlier correction back.
    at
        UTC, ISO 8601.
    previous
        SHA-256 of the line before; empty in the first.
    """

    sample_id: str
    cut: str
    value: float | None
    author: str
    reason: str
    at: str
    previous: str


def read_overrides(path: Path) -> tuple[Override, ...]:
    """Every line of a ledger, its chain checked; none where the file does not exist yet.

    Raises
    ------
    StudyError
        A line is not one of ours, or the chain is broken; with its number.
    """
    if not path.exists():
        return ()
    found: list[Override] = []
    previous = ""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        found.append(_parsed(line, f"{path.name} line {number}"))
        if found[-1].previous != previous:
            raise StudyError(
                "does not follow from the line before: a line was changed, removed or put in later",
                where=f"{path.name} line {number}",
                hint="restore the ledger; corrections are only ever appended",
                code="OVERRIDES_BROKEN",
            )
        previous = bytes_digest(line)
    return tuple(found)


def append_override(path: Path, *, sample_id: str, cut: str, value: float | None, author: str, reason: str) -> Override:
    """Append a correction to a ledger.

    Raises
    ------
    RequestError
        Author or reason is empty.
    StudyError
        The ledger's chain is broken.
    """
    if not author.strip() or not reason.strip():
        raise RequestError("a correction needs an author and a reason", hint="--author NAME --reason TEXT")
    read_overrides(path)
    data = path.read_bytes() if path.exists() else b""
    lines = data.splitlines()
    entry = Override(
        sample_id=sample_id,
        cut=cut,
        value=value,
        author=author.strip(),
        reason=reason.strip(),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        previous=bytes_digest(lines[-1]) if lines else "",
    )
    line = json.dumps({name: getattr(entry, name) for name in _FIELDS}, ensure_ascii=False, allow_nan=False)
    write_atomically(path, b"".join(x + b"\n" for x in [*lines, line.encode()]))
    return entry


def active_overrides(ledger: tuple[Override, ...]) -> tuple[Override, ...]:
    """The corrections in force: the last on each cut of each sample, unless it takes back."""
    last = {(entry.sample_id, entry.cut): entry for entry in ledger}
    return tuple(entry for entry in last.values() if entry.value is not None)


def _parsed(line: bytes, where: str) -> Override:
    try:
        stored = json.loads(line)
        if sorted(stored) != sorted(_FIELDS):
            raise ValueError(f"has the fields {', '.join(sorted(stored))}")
        value = stored["value"]
        if value is not None and not isinstance(value, int | float):
            raise ValueError(f"value {value!r} is not a number")
        texts = {name: str(stored[name]) for name in _FIELDS if name != "value"}
        return Override(**texts, value=None if value is None else float(value))
    except (ValueError, TypeError) as error:
        raise StudyError(
            f"is not a correction: {error}",
            where=where,
            hint=f"a line holds {', '.join(_FIELDS)}; `cytometry overrides add` writes one",
            code="OVERRIDES_BROKEN",
        ) from error
