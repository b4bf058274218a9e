"""Where the gates of each tube were placed, how surely, and why there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from cytometry.errors import CytometryError
from cytometry.model.findings import Finding
from cytometry.model.gates import Gate
from cytometry.model.panel import Panel
from cytometry.model.strategy import GatingStrategy
from cytometry.model.template import Scope

Source = Literal["data", "fmo", "control", "fallback", "override"]


#: An error that a reader would call a wrong number.
GROSS_ERROR = 0.25
#: A population is flagged where its gates' errors (coefficient of variation of the count) make a gross error likelier
#: than one in a hundred: where the 99 % interval of a normal error does not lie within it.
IMPRECISE_CV = GROSS_ERROR / 2.5758


@dataclass(frozen=True, slots=True)
class GateOverride:
    """A person's correction of one cut in one tube.

    Parameters
    ----------
    key
        Of the tube.
    cut
        Name of the cut.
    value
        New position on the display scale.
    """

    key: str
    cut: str
    value: float


@dataclass(frozen=True, slots=True)
class PlacedCut:
    """A threshold, or one axis of a shape, as it was placed in one tube.

    Parameters
    ----------
    sample_key
        Of the tube.
    name
        Of the cut, or of the population whose shape it is.
    kind
        ``cut``: ``value`` is the threshold; ``shape``: it is the centre.
    dimension
        Marker.
    method
        The rule that decided, after fallbacks.
    source
        What the position was read from.
    value, value_linear
        On the display scale, and on the linear compensated scale.
    uncertainty_sd
        Standard deviation of the position on the display scale; NaN where none is known.
    confidence
        0 to 1: how far the data show a boundary there. Below 0.5 is flagged.
    scope
        As it was used, which may be narrower than the template asks.
    group
        Tubes with one group share the position and its error.
    flags
        Codes of what a reader should know.
    populations
        Names of the populations whose gates use it.
    systematic_sd
        Part of ``uncertainty_sd`` that is the same in every tube, such as the choice of a percentile.
    size_sd
        Of a shape: standard deviation of the logarithm of its extent, by overlap with its neighbours; the same in
        every tube.
    """

    sample_key: str
    name: str
    kind: Literal["cut", "shape"]
    dimension: str
    method: str
    source: Source
    value: float
    value_linear: float
    uncertainty_sd: float
    confidence: float
    scope: Scope
    group: str
    flags: tuple[str, ...] = ()
    populations: tuple[str, ...] = ()
    systematic_sd: float = 0.0
    size_sd: float = 0.0


@dataclass(frozen=True, eq=False)
class Placement:
    """Gates of every tube of a group.

    Parameters
    ----------
    panel
        What was placed.
    strategies
        Plain gates by tube key; samples and controls only.
    cuts
        One row per tube and threshold, in tube and template order.
    shapes
        Placed shapes by tube key and population name.
    findings
        Fallbacks, missing markers, scopes that could not be used.
    failed
        Tubes that could not be gated, with the reason.
    gating_cv
        By tube key and population name: coefficient of variation of the count
        by the errors of all gates above it.
    """

    panel: Panel
    strategies: Mapping[str, GatingStrategy]
    cuts: tuple[PlacedCut, ...]
    shapes: Mapping[str, Mapping[str, Gate]] = field(default_factory=lambda: MappingProxyType({}))
    findings: tuple[Finding, ...] = ()
    failed: Mapping[str, CytometryError] = field(default_factory=lambda: MappingProxyType({}))
    gating_cv: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))

    def cuts_of(self, key: str) -> tuple[PlacedCut, ...]:
        """The placed cuts of one tube."""
        return tuple(c for c in self.cuts if c.sample_key == key)

    def findings_of(self, key: str) -> tuple[Finding, ...]:
        """The findings of one tube."""
        return tuple(f for f in self.findings if f.file == key)

    def population_flags(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """Codes for the counts of one tube, by population name.

        ``GATE_IMPRECISE``: the errors of the gates above it leave open whether
        the count is within 25 %. An unsure cut is flagged where it stands (:attr:`PlacedCut.flags`);
        a population is flagged where that matters for its count.
        ``GATE_NOT_APPLIED``: the file lacks the gate's marker, all of the parent was kept.
        """
        found: dict[str, tuple[str, ...]] = {}
        for finding in self.findings_of(key):
            if finding.code == "GATE_NOT_APPLIED":
                found[finding.keyword] = ("GATE_NOT_APPLIED",)
        for name, cv in self.gating_cv.get(key, {}).items():
            if cv > IMPRECISE_CV:
                found[name] = (*found.get(name, ()), "GATE_IMPRECISE")
        return found
