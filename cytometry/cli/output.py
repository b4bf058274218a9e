"""What reaches the terminal: one JSON document on stdout, words on stderr, no escapes from file contents."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from cytometry.errors import CytometryError
from cytometry.model.findings import Finding

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def printable(text: str) -> str:
    r"""Replace control characters, so that a keyword or file name cannot steer the terminal.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def say(text: str) -> None:
    """Print a line for a person on stdout."""
    _write(sys.stdout, printable(text))


def note(text: str) -> None:
    """Print a line on stderr: progress, warnings, errors."""
    _write(sys.stderr, printable(text))


def print_json(document: Json) -> None:
    """Print the one JSON document of a command."""
    _write(sys.stdout, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def finding_line(finding: Finding) -> str:
    """One finding as a line: place, message, what to do."""
    place = " ".join(p for p in (finding.file, finding.segment) if p)
    if finding.keyword and finding.keyword not in finding.message:
        place += f", {finding.keyword}" if place else finding.keyword
    text = f"{place}: {finding.message}" if place else finding.message
    return f"{finding.severity}: {text}" + (f" [{finding.fix}]" if finding.fix else "")


def error_document(error: CytometryError) -> Json:
    """The JSON form of an error."""
    return {
        "status": "error",
        "code": error.code,
        "message": error.message,
        "where": _where(error),
        "hint": error.hint,
        "findings": [finding_document(f) for f in error.findings],
    }


def finding_document(finding: Finding) -> Json:
    """The JSON form of a finding."""
    row = {name: value for name, value in finding.to_dict().items() if value not in (None, "")}
    return {name: value if isinstance(value, str | int | list) else str(value) for name, value in row.items()}


def print_error(error: CytometryError, *, as_json: bool) -> None:
    """Show an error: where, what, and what to do; every finding behind it."""
    if as_json:
        print_json(error_document(error))
    for finding in error.findings:
        if len(error.findings) > 1 or not _is_said_by(error, finding):
            note(finding_line(finding))
    place = f"{error.where}: " if error.where else ""
    note(f"error: {place}{error.message}")
    if error.hint:
        note(f"  hint: {error.hint}")


def _is_said_by(error: CytometryError, finding: Finding) -> bool:
    """Whether the error's own line and hint tell all that the finding's line would."""
    return finding.message == error.message and finding.fix in error.hint and finding.keyword in finding.message


def _where(error: CytometryError) -> Json:
    if not error.findings:
        return {"file": error.where} if error.where else {}
    first = next((f for f in error.findings if f.severity == "error"), error.findings[0])
    place: dict[str, Json] = {"file": first.file or error.where}
    if first.segment.startswith("row "):
        place["row"] = int(first.segment.removeprefix("row "))
    if first.keyword:
        place["column"] = first.keyword
    return place


def _write(stream: object, text: str) -> None:
    print(text, file=stream, flush=True)  # type: ignore[call-overload]
