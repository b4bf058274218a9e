"""Collect what reading one file brings to light, and refuse where a number would rest on a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn, TypedDict, Unpack

from cytometry.errors import FcsError
from cytometry.model.findings import Finding, Severity

SHOWN_CHARACTERS = 80


class Details(TypedDict, total=False):
    """Where a finding lies and what to do about it."""

    segment: str
    keyword: str
    byte_range: tuple[int, int] | None
    found: str
    expected: str
    fix: str


def shown(value: object) -> str:
    """Text from a file, cut short and without control characters: it goes to terminals.

    >>> shown("a" + chr(27) + "[2J")
    'a\\\\x1b[2J'
    """
    text = str(value)
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def quoted(value: str) -> str:
    """A keyword's value in quotes, or that there is none.

    >>> quoted("x"), quoted("")
    ("'x'", 'missing')
    """
    return f"'{shown(value)}'" if value else "missing"


def refusal(findings: Sequence[Finding], file: str) -> FcsError:
    """The error that stands for every ``error`` among the findings."""
    errors = [f for f in findings if f.severity == "error"]
    first = errors[0]
    others = f"; also: {'; '.join(f.message for f in errors[1:4])}" if errors[1:] else ""
    more = f"; and {len(errors) - 4} more" if len(errors) > 4 else ""
    hint = f"expected: {first.expected}; {first.fix}" if first.expected else first.fix
    return FcsError(first.message + others + more, where=file, hint=hint, code=first.code, findings=findings)


@dataclass
class Ledger:
    """Findings of one data set, in the order in which they came up.

    Parameters
    ----------
    file
        As the user named it.
    strict
        Whether what would rest on a guess is refused.
    dataset
        Counted from 0; None for the file as a whole.
    """

    file: str
    strict: bool = True
    dataset: int | None = None
    findings: list[Finding] = field(default_factory=list)

    def info(self, code: str, message: str, **details: Unpack[Details]) -> None:
        """For the record."""
        self._add(code, "info", message, details)

    def warn(self, code: str, message: str, **details: Unpack[Details]) -> None:
        """The values are right; a reader must know all the same."""
        self._add(code, "warning", message, details)

    def guess(self, code: str, message: str, **details: Unpack[Details]) -> None:
        """A number rests on a guess: an error when strict, a warning when lenient."""
        self._add(code, "error" if self.strict else "warning", message, details)

    def error(self, code: str, message: str, **details: Unpack[Details]) -> None:
        """The data set cannot be read; look for further problems first."""
        self._add(code, "error", message, details)

    def refuse(self, code: str, message: str, **details: Unpack[Details]) -> NoReturn:
        """The data set cannot be read, and nothing more can be said."""
        self._add(code, "error", message, details)
        raise refusal(self.findings, self.file)

    def check(self) -> None:
        """Raise if there is any error so far.

        Raises
        ------
        FcsError
            With all findings.
        """
        if any(f.severity == "error" for f in self.findings):
            raise refusal(self.findings, self.file)

    def _add(self, code: str, severity: Severity, message: str, details: Details) -> None:
        self.findings.append(
            Finding(code=code, severity=severity, message=message, file=self.file, dataset=self.dataset, **details)
        )
