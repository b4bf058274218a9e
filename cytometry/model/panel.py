"""A panel: markers and the names they go by, and a template or a drawn strategy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from cytometry.model.findings import Finding
from cytometry.model.gates import FROM_FILE, BooleanGate, Dimension, RatioDimension
from cytometry.model.strategy import GatingStrategy
from cytometry.model.template import FrozenPart, GatingTemplate, Scope
from cytometry.model.transforms import Asinh, Hyperlog, Linear, Log, Logicle, Transform

PANEL_NAME: Final = r"^[A-Za-z][A-Za-z0-9_.-]*$"


class LinearScale(FrozenPart):
    """GatingML ``flin``; ``T: range`` takes the channel's own end, on the linear scale."""

    kind: Literal["linear"]
    T: float | Literal["range"] = 262144.0
    A: float = 0.0

    def transform(self, top: float) -> Transform:
        """The scale for a channel whose range ends at ``top``."""
        return Linear(top if self.T == "range" else self.T, self.A)


class LogScale(FrozenPart):
    """GatingML ``flog``."""

    kind: Literal["log"]
    T: float | Literal["range"] = 262144.0
    M: float = 4.5

    def transform(self, top: float) -> Transform:
        """The scale for a channel whose range ends at ``top``."""
        return Log(top if self.T == "range" else self.T, self.M)


class AsinhScale(FrozenPart):
    """GatingML ``fasinh``."""

    kind: Literal["asinh"]
    T: float | Literal["range"] = 262144.0
    M: float = 4.0
    A: float = 1.0

    def transform(self, top: float) -> Transform:
        """The scale for a channel whose range ends at ``top``."""
        return Asinh(top if self.T == "range" else self.T, self.M, self.A)


class LogicleScale(FrozenPart):
    """GatingML ``logicle``."""

    kind: Literal["logicle"]
    T: float | Literal["range"] = 262144.0
    W: float = 0.5
    M: float = 4.5
    A: float = 0.0

    def transform(self, top: float) -> Transform:
        """The scale for a channel whose range ends at ``top``."""
        return Logicle(top if self.T == "range" else self.T, self.W, self.M, self.A)


class HyperlogScale(FrozenPart):
    """GatingML ``hyperlog``."""

    kind: Literal["hyperlog"]
    T: float | Literal["range"] = 262144.0
    W: float = 0.5
    M: float = 4.5
    A: float = 0.0

    def transform(self, top: float) -> Transform:
        """The scale for a channel whose range ends at ``top``."""
        return Hyperlog(top if self.T == "range" else self.T, self.W, self.M, self.A)


Scale = Annotated[
    LinearScale | LogScale | AsinhScale | LogicleScale | HyperlogScale,
    Field(discriminator="kind"),
]

MarkerKind = Literal["fluorescence", "scatter", "time"]


class Marker(FrozenPart):
    """What a panel calls a measurement, and what files may call it.

    Parameters
    ----------
    channels
        Accepted names, compared with ``$PnS`` and ``$PnN`` as
        :func:`cytometry.preprocessing.markers.match_channels` describes.
    kind
        Scatter and time are matched by whole name only and never compensated.
    scale
        Key of the panel's ``scales``; None for the linear scale.
    """

    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    kind: MarkerKind = "fluorescence"
    scale: str | None = None
    label: str = ""


class MinimumEvents(FrozenPart):
    """Counting limits (domain knowledge in the panel's README); all are shown in the report."""

    parent_undefined_below: Annotated[int, Field(ge=0)] = 50
    parent_flagged_below: Annotated[int, Field(ge=0)] = 500
    detected_from: Annotated[int, Field(ge=0)] = 20
    quantified_from: Annotated[int, Field(ge=0)] = 50


class PanelFile(FrozenPart):
    """``panel.yaml`` as a lab writes it."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=PANEL_NAME)]
    version: Annotated[int, Field(ge=1)] = 1
    title: str = ""
    compensation: str = FROM_FILE
    scales: Mapping[str, Scale] = Field(default_factory=dict)
    markers: Annotated[Mapping[str, Marker], Field(min_length=1)]
    denominators: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    targets: tuple[str, ...] = ()
    minimum_events: MinimumEvents = MinimumEvents()


@dataclass(frozen=True, eq=False)
class Panel:
    """A panel folder, read and checked.

    Parameters
    ----------
    described
        ``panel.yaml``.
    strategy
        A template whose gates are still to be placed, or drawn gates.
    digest
        SHA-256 over the files that decide results; the same from a wheel and a checkout.
    findings
        What a reader of any result of the panel has to know.
    """

    described: PanelFile
    strategy: GatingTemplate | GatingStrategy
    digest: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """Name of the panel."""
        return self.described.name

    @property
    def version(self) -> int:
        """Version of the panel."""
        return self.described.version

    @property
    def title(self) -> str:
        """For people."""
        return self.described.title

    @property
    def compensation(self) -> str:
        """``FCS`` (the file's matrix, or what a study puts in its place) or ``uncompensated``."""
        return self.described.compensation

    @property
    def scales(self) -> Mapping[str, Scale]:
        """Scales by key."""
        return self.described.scales

    @property
    def markers(self) -> Mapping[str, Marker]:
        """Markers by the name that gates use."""
        return self.described.markers

    @property
    def targets(self) -> tuple[str, ...]:
        """Populations that are reported first."""
        return self.described.targets

    @property
    def minimum_events(self) -> MinimumEvents:
        """Counting limits."""
        return self.described.minimum_events

    def denominators(self, population: str) -> tuple[str, ...]:
        """Names of the populations that a population is reported as a fraction of, besides its parent."""
        given = self.described.denominators
        return tuple(d for d in given.get(population, given.get("default", ())) if d != population)

    @property
    def template(self) -> GatingTemplate | None:
        """The template; None where the gates are drawn."""
        return self.strategy if isinstance(self.strategy, GatingTemplate) else None

    @property
    def population_paths(self) -> tuple[str, ...]:
        """Every population in tree order, ``root`` excluded."""
        if isinstance(self.strategy, GatingTemplate):
            return tuple(self.strategy.path(p.name) for p in self.strategy.populations if not p.helper)
        return tuple(p.path for p in self.strategy.populations)

    @property
    def widest_scope(self) -> Scope:
        """Which tubes have to be placed together."""
        return self.strategy.widest_scope if isinstance(self.strategy, GatingTemplate) else "sample"

    def gates_on(self, marker: str) -> tuple[tuple[str, bool], ...]:
        """Paths of the populations that read a marker, each with whether a file may lack it."""
        if isinstance(self.strategy, GatingTemplate):
            template = self.strategy
            return tuple(
                (
                    template.path(p.name),
                    p.if_missing == "keep_parent" or any(template[a].optional for a in template.ancestors(p.name)),
                )
                for p in template.populations
                if marker in p.markers
            )
        optional: dict[str, bool] = {}
        hits = []
        for q in self.strategy.populations:
            optional[q.path] = q.optional or optional.get(q.parent_path, False)
            if not isinstance(q.gate, BooleanGate) and marker in _names(q.gate.dimensions):
                hits.append((q.path, optional[q.path]))
        return tuple(hits)

    def is_required(self, marker: str) -> bool:
        """Whether a file that lacks the marker cannot be gated."""
        return any(not optional for _, optional in self.gates_on(marker))

    def dimension(self, marker: str) -> Dimension:
        """The gate dimension of a marker."""
        m = self.markers[marker]
        compensation = self.compensation if m.kind == "fluorescence" else "uncompensated"
        return Dimension(marker, compensation, m.scale and self.scale_key(marker))

    def scale_key(self, marker: str) -> str | None:
        """Key of a marker's transform in a strategy: its own where the scale follows the channel's range."""
        key = self.markers[marker].scale
        return f"{key}_{marker}" if key is not None and self.scales[key].T == "range" else key


def _names(dimensions: tuple[Dimension | RatioDimension, ...]) -> tuple[str, ...]:
    return tuple(
        n for d in dimensions for n in ((d.numerator, d.denominator) if isinstance(d, RatioDimension) else (d.name,))
    )
