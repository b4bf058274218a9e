"""Everything that a report is made of. Nothing in it is read or computed by the report itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from cytometry.model.panel import Panel
    from cytometry.model.study import Study
    from cytometry.quantification.previews import GatePreview
    from cytometry.statistics.sentences import Sentence


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that went in: as the input names it, its size and its content."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, eq=False, slots=True)
class RunFacts:
    """What ran.

    Parameters
    ----------
    versions
        Name of a package to its version; ``cytometry`` and ``python`` among them.
    settings
        Every setting that was used, as text, by name.
    settings_digest
        SHA-256 over the settings.
    seeds
        Purpose to seed, of whatever drew random numbers.
    inputs
        Files in the order in which they were read.
    command
        As it was typed; may be empty.
    stamp
        When it ran. Empty under ``SOURCE_DATE_EPOCH``: the report is then the same bytes each time.
    """

    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    settings_digest: str = ""
    seeds: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    inputs: tuple[InputFile, ...] = ()
    command: str = ""
    stamp: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class ReportInputs:
    """A run as the report sees it.

    Parameters
    ----------
    title
        Of the page.
    tables
        By the names of :mod:`cytometry.model.tables`; a table that a run has not is absent.
    study
        None after ``cytometry gate`` on bare files.
    sentences
        The results in words, as the analysis wrote them.
    plan_digest
        SHA-256 of the analysis plan that was used.
    departures
        What differs from the sealed plan.
    panels
        By the key that samples use.
    previews
        By sample id, in input order. May be loaded lazily.
    run
        Versions, settings, input hashes.
    """

    title: str
    tables: Mapping[str, pd.DataFrame]
    study: Study | None = None
    sentences: tuple[Sentence, ...] = ()
    plan_digest: str = ""
    departures: tuple[str, ...] = ()
    panels: Mapping[str, Panel] = field(default_factory=lambda: MappingProxyType({}))
    previews: Mapping[str, Sequence[GatePreview]] = field(default_factory=lambda: MappingProxyType({}))
    run: RunFacts = field(default_factory=RunFacts)

    @property
    def is_synthetic(self) -> bool:
        """Whether the study says that its data are simulated."""
        return self.study is not None and self.study.facts.synthetic
