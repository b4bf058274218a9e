"""Say what an FCS file holds and what is wrong with it, without raising for bad input."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cytometry.errors import FcsError
from cytometry.io.digests import file_digest
from cytometry.io.fcs.datasets import find_datasets, note_several
from cytometry.io.fcs.ledger import Ledger
from cytometry.io.fcs.second_opinion import Agreement, ask_others
from cytometry.io.fcs.source import Source, file_name, open_source
from cytometry.io.fcs.survey import Survey, survey_dataset
from cytometry.model.findings import Finding
from cytometry.model.sample import Sample

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, eq=False)
class FcsInspection:
    """What inspecting one file brought to light.

    Parameters
    ----------
    path
        As the user gave it.
    sha256
        Of the bytes; ``""`` where the file could not be opened.
    n_datasets
        How many data sets there are; 0 where the file is no FCS file.
    survey
        The first data set; None where it cannot be read.
    findings
        Of all data sets.
    agreement
        What other readers make of it, if they were asked.
    """

    path: str
    sha256: str
    n_datasets: int
    survey: Survey | None
    findings: tuple[Finding, ...]
    agreement: Agreement | None = None

    @property
    def status(self) -> Status:
        """``error`` where the first data set is refused; trouble in a further one is a warning."""
        if self.survey is None:
            return "error"
        return "ok" if all(f.severity == "info" for f in self.findings) else "warning"

    def to_dict(self) -> Mapping[str, object]:
        """The form that ``cytometry inspect --json`` prints for one file."""
        survey = self.survey
        keywords = survey.keywords if survey is not None else {}
        return {
            # A name that is no UTF-8 must not stop the document that holds it.
            "path": self.path.encode("utf-8", "backslashreplace").decode("utf-8"),
            "sha256": self.sha256,
            "status": self.status,
            "version": survey.version if survey is not None else None,
            "cytometer": keywords.get("$CYT"),
            "date": keywords.get("$DATE"),
            "n_events": survey.columns.n_events if survey is not None else None,
            "byte_order": survey.byte_order if survey is not None else None,
            "data_type": survey.data_type if survey is not None else None,
            "channels": _channels(survey) if survey is not None else [],
            "spillover": _spillover(survey),
            "datasets": self.n_datasets,
            "findings": [f.to_dict() for f in self.findings],
            "agreement": str(self.agreement) if self.agreement is not None else None,
        }


def inspect_fcs(path: str | os.PathLike[str], *, second_opinion: bool = False, strict: bool = True) -> FcsInspection:
    """Look at every data set of a file, and at every value of the first.

    Parameters
    ----------
    path
        The file.
    second_opinion
        Let FlowIO and fcsparser read it too.
    strict
        As for :func:`read_fcs`: whether what would rest on a guess is an error.

    Returns
    -------
    FcsInspection
        Bad input is a finding, not an exception.

    Raises
    ------
    RequestError
        ``path`` is no path.
    """
    file = file_name(path)
    ledger = Ledger(file, strict, 0)
    try:
        source = open_source(file, ledger)
    except FcsError as error:
        return FcsInspection(file, _sha256_of_other(file), 0, None, error.findings)
    extents = find_datasets(source, ledger)
    note_several(extents, 0, ledger)
    findings = list(ledger.findings)
    first: Survey | None = None
    if any(f.severity == "error" for f in findings):
        return FcsInspection(file, source.sha256(), len(extents), None, tuple(findings))
    for number, extent in enumerate(extents):
        inner = Ledger(file, strict, number)
        try:
            survey = survey_dataset(source, extent.base, extent.limit, inner)
        except FcsError as error:
            findings.extend(error.findings)
            continue
        findings.extend(inner.findings)
        if number == 0:
            first = survey
            findings.extend(survey.columns.value_findings())
    agreement = _ask(first, source, findings) if second_opinion and first is not None else None
    return FcsInspection(file, source.sha256(), len(extents), first, tuple(findings), agreement)


def _sha256_of_other(file: str) -> str:
    """Hash of something that is not FCS; ``""`` where it cannot be read."""
    try:
        return file_digest(Path(file)) if Path(file).is_file() else ""
    except (OSError, ValueError):
        return ""


def _ask(survey: Survey, source: Source, findings: list[Finding]) -> Agreement:
    sample = Sample(source.file, survey.channels, survey.columns.n_events, survey.columns)
    agreement = ask_others(sample)
    for opinion in agreement.opinions:
        if opinion.verdict == "differs":
            findings.append(
                Finding(
                    code="READERS_DIFFER",
                    severity="warning",
                    message=f"{opinion.reader} reads the file differently: {opinion.detail}",
                    file=source.file,
                    dataset=0,
                    segment="DATA",
                    found=opinion.detail,
                    expected="the same events, names and stored values",
                    fix="see docs/fcs_readers.md on where other readers go wrong",
                )
            )
    return agreement


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _channels(survey: Survey) -> list[Mapping[str, object]]:
    return [
        {
            "name": c.name,
            "marker": c.marker,
            "range": _number(c.range),
            "bits": c.bits,
            "gain": c.gain,
            "amplification": list(c.amplification),
            "voltage": c.voltage,
        }
        for c in survey.channels
    ]


def _spillover(survey: Survey | None) -> Mapping[str, object] | None:
    if survey is None or survey.spillover is None:
        return None
    return {
        "channels": list(survey.spillover.channels),
        "matrix": [[_number(float(v)) for v in row] for row in survey.spillover.matrix],
    }
