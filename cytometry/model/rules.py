"""How a cut or a shape is to be placed: one typed value per method.

Positions are on the display scale of the marker. A rule says what to look for,
never where it was found.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Side = Literal["below", "above"]


class FrozenRule(BaseModel):
    """Immutable; an unknown parameter is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Ranged(FrozenRule):
    """A rule that only answers inside ``between``."""

    between: tuple[float, float] = (0.0, 1.0)

    @model_validator(mode="after")
    def _ordered(self) -> _Ranged:
        if not self.between[0] < self.between[1]:
            raise ValueError(f"between is [{self.between[0]:g}, {self.between[1]:g}]; the first must be smaller")
        return self


class Valley(_Ranged):
    """The deepest minimum of the density between two peaks.

    ``rare`` names the side on which few events are expected: the valley beside
    the main peak of the other side is taken, however small the rare peak is.
    """

    method: Literal["valley"] = "valley"
    rare: Side | None = None


class Mixture(_Ranged):
    """Where two components of a Gaussian mixture are equally likely."""

    method: Literal["mixture"] = "mixture"


class Tail(_Ranged):
    """``spreads`` robust standard deviations from the main peak, measured on its far side."""

    method: Literal["tail"] = "tail"
    side: Side = "above"
    spreads: Annotated[float, Field(gt=0)] = 3.0


class Quantile(_Ranged):
    """A quantile of the events."""

    method: Literal["quantile"] = "quantile"
    fraction: Annotated[float, Field(gt=0, lt=1)]


class FmoPercentile(_Ranged):
    """A percentile of the batch's fluorescence-minus-one control of this marker."""

    method: Literal["fmo_percentile"] = "fmo_percentile"
    percentile: Annotated[float, Field(gt=0, lt=100)] = 99.5


class Anchor(_Ranged):
    """Where an internal reference population ends that is known to lie on one side.

    ``side: above``: it is negative and the cut lies above ``percentile`` of it;
    ``below``: it is positive and as large a share of it lies above the cut.
    """

    method: Literal["anchor"] = "anchor"
    population: str
    side: Side = "above"
    percentile: Annotated[float, Field(gt=50, lt=100)] = 99.0


class Fixed(FrozenRule):
    """A fixed position: the last resort, always flagged."""

    method: Literal["fixed"] = "fixed"
    at: float


class SameAs(FrozenRule):
    """Where another cut on the same marker lies: a wider population's, where the own one is too small."""

    method: Literal["same_as"] = "same_as"
    cut: str


CutRule = Annotated[
    Valley | Mixture | Tail | Quantile | FmoPercentile | Anchor | SameAs | Fixed,
    Field(discriminator="method"),
]


class Time(FrozenRule):
    """Runs of events acquired at a steady rate and with a steady signal; bursts, clogs and jumps are left out."""

    method: Literal["time"] = "time"
    on: tuple[str, ...] = ("Time",)
    spreads: Annotated[float, Field(gt=0)] = 5.0


class SingletBand(FrozenRule):
    """The diagonal band of area against height (or width), ``spreads`` robust deviations wide.

    Events at the end of either axis are left out.
    """

    method: Literal["singlet_band"] = "singlet_band"
    on: tuple[str, str]
    spreads: Annotated[float, Field(gt=0)] = 4.0


class ScatterCloud(FrozenRule):
    """Lymphocytes in forward and side scatter, drawn out towards blasts.

    ``near`` is where the cloud's centre is looked for; ``reach`` scales its
    outline in Mahalanobis distances; ``blasts`` stretches the large side.
    """

    method: Literal["scatter_cloud"] = "scatter_cloud"
    on: tuple[str, str]
    near: tuple[tuple[float, float], tuple[float, float]] = ((0.05, 0.6), (0.0, 0.5))
    reach: Annotated[float, Field(gt=0)] = 3.5
    blasts: Annotated[float, Field(ge=1)] = 2.0


class ClusterEllipse(FrozenRule):
    """The ellipse of a 2-D cluster around an expected position.

    ``offset`` is the position relative to the parent's main cluster, in display
    units; the cluster's own centre and spread are found in the data. ``at`` and
    ``spread`` stand in for the parent's centre and spread where it holds too few events.
    """

    method: Literal["cluster_ellipse"] = "cluster_ellipse"
    on: tuple[str, str]
    offset: tuple[float, float]
    at: tuple[float, float]
    spread: Annotated[float, Field(gt=0)] = 0.06
    within: Annotated[float, Field(gt=0)] = 0.25
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.95


class Boundary(FrozenRule):
    """Events at the ends of the named channels' ranges are left out."""

    method: Literal["boundary"] = "boundary"
    on: tuple[str, ...]


ShapeRule = Annotated[
    Time | SingletBand | ScatterCloud | ClusterEllipse | Boundary,
    Field(discriminator="method"),
]
