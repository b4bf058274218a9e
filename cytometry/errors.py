"""The error tree. Nothing else is raised for bad input.

CytometryError
├── FcsError            a file that cannot be read as FCS, or not without guessing
├── SpilloverError      a spillover matrix that cannot be used
├── StudyError          study.yaml, samples.csv, clinical.csv: all problems of all tables at once
├── PanelError          a panel folder that is wrong
├── StrategyError       a template, GatingML file or FlowJo workspace that is wrong
├── GatingError         gates that do not fit the sample they are applied to, or cannot be placed
├── StatisticsError     an analysis that the data do not allow
├── OutputError         an output folder that is busy, foreign or damaged
└── RequestError        an argument of a public function or command that makes no sense
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytometry.model.findings import Finding


class CytometryError(Exception):
    """Base of every error that bad input can cause.

    Parameters
    ----------
    message
        What is wrong, in one sentence, with what was found.
    where
        File, and row, keyword, population or column in it.
    hint
        What is allowed and what to do.
    code
        Stable upper-case identifier, part of the interface.
    findings
        The findings behind the error, where there are several.
    """

    exit_code = 1
    default_code = "INPUT_WRONG"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        hint: str = "",
        code: str | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.code = code or self.default_code
        self.findings = tuple(findings)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        state = (self.message, self.where, self.hint, self.code, self.findings)
        return (_rebuild, (type(self), *state))


def _rebuild(
    kind: type[CytometryError],
    message: str,
    where: str,
    hint: str,
    code: str,
    findings: tuple[Finding, ...],
) -> CytometryError:
    """Carry keyword arguments through pickling: errors cross process borders."""
    return kind(message, where=where, hint=hint, code=code, findings=findings)


class FcsError(CytometryError):
    """A file that cannot be read as FCS, or not without guessing."""

    default_code = "FCS_UNREADABLE"


class SpilloverError(CytometryError):
    """A spillover matrix that cannot be used."""

    default_code = "SPILLOVER_UNUSABLE"


class StudyError(CytometryError):
    """Problems in study.yaml, samples.csv or clinical.csv."""

    default_code = "STUDY_INVALID"


class PanelError(CytometryError):
    """A panel folder that is wrong."""

    default_code = "PANEL_INVALID"


class StrategyError(CytometryError):
    """A template, GatingML file or FlowJo workspace that is wrong."""

    default_code = "STRATEGY_INVALID"


class GatingError(CytometryError):
    """Gates that do not fit the sample, or that a method cannot place."""

    default_code = "GATING_FAILED"


class StatisticsError(CytometryError):
    """An analysis that the data do not allow."""

    default_code = "STATISTICS_IMPOSSIBLE"


class OutputError(CytometryError):
    """An output folder that is busy, foreign or damaged."""

    exit_code = 5
    default_code = "OUTPUT_UNUSABLE"


class RequestError(CytometryError):
    """An argument that makes no sense."""

    exit_code = 2
    default_code = "REQUEST_INVALID"
