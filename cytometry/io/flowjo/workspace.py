"""A workspace as a value: one strategy per sample, with the counts that FlowJo stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType

from cytometry.errors import GatingError
from cytometry.model.findings import Finding
from cytometry.model.sample import Sample
from cytometry.model.strategy import GatingStrategy


@dataclass(frozen=True, eq=False)
class WorkspaceSample:
    """One sample of a workspace.

    Parameters
    ----------
    sample_id
        FlowJo's number of the sample.
    name
        As FlowJo lists it, usually the file's name.
    uri
        Where FlowJo found the file.
    keywords
        As stored, FlowJo's own ones included.
    n_events
        FlowJo's count of all events; None if it was not stored.
    strategy
        The sample's own gates, group gates and custom ones together.
    counts
        FlowJo's count by path; None where FlowJo had not counted.
    groups
        Names of the groups that hold the sample.
    plot_channels
        Number of channels that FlowJo counted a polygon with, by path, where stored.
    """

    sample_id: str
    name: str
    uri: str
    keywords: Mapping[str, str]
    n_events: int | None
    strategy: GatingStrategy
    counts: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))
    groups: tuple[str, ...] = ()
    plot_channels: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def file_names(self) -> tuple[str, ...]:
        """Base names under which the file may be found, the likeliest first."""
        names = (self.name, _base_name(self.uri), self.keywords.get("$FIL", "").strip())
        return tuple(dict.fromkeys(n for n in names if n))


@dataclass(frozen=True, eq=False)
class Workspace:
    """All samples of a workspace file.

    Parameters
    ----------
    path
        As given by the user.
    version
        FlowJo's version.
    samples
        In the order of the file.
    findings
        What could not be read, and for which sample.
    program
        That stored gates and counts.
    """

    path: str
    version: str
    samples: tuple[WorkspaceSample, ...]
    findings: tuple[Finding, ...] = ()
    program: str = "FlowJo"

    def sample_for(self, sample: Sample) -> WorkspaceSample:
        """The workspace's entry for an FCS file: same name and same number of events.

        Raises
        ------
        GatingError
            No entry fits, or several do.
        """
        base = _base_name(sample.name)
        named = [s for s in self.samples if base in s.file_names]
        fil = sample.keywords.get("$FIL", "").strip()
        if not named and fil:
            named = [s for s in self.samples if fil in s.file_names]
        fitting = [s for s in named if s.n_events in (None, sample.n_events)]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting and named:
            found = ", ".join(f"'{s.name}' with {s.n_events}" for s in named)
            raise GatingError(
                f"has {sample.n_events} events, but the workspace knows {found}",
                where=sample.name,
                hint=f"give the file that {self.path} was made with",
                code="WORKSPACE_SAMPLE_MISSING",
            )
        listed = ", ".join(f"'{s.name}'" for s in (fitting or self.samples)[:30])
        raise GatingError(
            f"is {len(fitting)} times in the workspace {self.path}"
            if fitting
            else f"is not in the workspace {self.path}",
            where=sample.name,
            hint=f"its samples: {listed}",
            code="WORKSPACE_SAMPLE_AMBIGUOUS" if fitting else "WORKSPACE_SAMPLE_MISSING",
        )


def _base_name(uri: str) -> str:
    from urllib.parse import unquote

    text = unquote(uri) if ":" in uri.split("/")[0] else uri
    return PureWindowsPath(PurePosixPath(text).name).name
