"""The analysis plan: what is tested, on which scale, in which order. Written before anybody looks.

The contract's ``plan:`` of ``study.yaml``. The scales are those of the estimands:
``logit_parent`` and ``logit_of:<denominator>`` (composition), ``log2_per_ul``
(abundance), ``percent`` (for the eye).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SCALE = re.compile(r"^(logit_parent|log2_per_ul|percent|logit_of:[A-Za-z0-9_.+-]+)$")
SCALES = ("logit_parent", "logit_of:<denominator>", "log2_per_ul", "percent")


class FrozenModel(BaseModel):
    """What a person writes in a file: immutable, and no unknown key passes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def check_scale(scale: str) -> str:
    """Return ``scale`` if it is one of the plan's scales.

    Raises
    ------
    ValueError
        It is none; pydantic turns this into a finding with its place.
    """
    if not _SCALE.match(scale):
        raise ValueError(f"'{scale}' is not a scale; allowed: {', '.join(SCALES)}")
    return scale


class Readout(FrozenModel):
    """One confirmatory hypothesis: a population on a scale at a visit against baseline."""

    population: str
    scale: str = "logit_parent"
    visit: str

    @field_validator("scale")
    @classmethod
    def _known_scale(cls, scale: str) -> str:
        return check_scale(scale)


class ChangeRules(FrozenModel):
    """The two overrides of the change score, and the counting limits (statistics.md §2.2, domain.md §2.7).

    Both overrides are on by default; the reference trial uses the plain rule.
    """

    both_zero_is_no_change: bool = True
    sign_artefact_is_no_change: bool = True
    min_parent: Annotated[int, Field(ge=0)] = 50
    flag_parent: Annotated[int, Field(ge=0)] = 500
    lod: Annotated[int, Field(ge=0)] = 20
    lloq: Annotated[int, Field(ge=0)] = 50


class ResponsePlan(FrozenModel):
    """How responders are found: a rule set of ``clinical/`` applied at a visit."""

    rule: str = "sri4"
    visit: str | None = None


class AnalysisPlan(FrozenModel):
    """``plan:`` of ``study.yaml``.

    Parameters
    ----------
    confirmatory
        At most four readouts, each tested at ``alpha`` in this order; the first failure stops.
    panel
        Populations that the panel-wide tests adjust over; empty: every population
        of the panels that the scale is defined for.
    panel_scale
        Scale of the panel-wide tests.
    scales
        Populations whose scale in the panel differs, e.g. ``b_cells: log2_per_ul``:
        a share of lymphocytes moves when T cells move.
    panel_adjust
        Adjustment over the panel: step-down maxT, or none.
    alpha, sided
        Level of every confirmatory test and of the panel; a one-sided test only if written here beforehand.
    on_confounded
        Where a visit is confounded with a batch: ``brand`` every result of it, or ``refuse`` to test it.
    individual_alpha
        Error that one participant's call of a change may have.
    draws, seed
        Monte Carlo arrangements and their seed, where enumeration ends.
    """

    confirmatory: Annotated[tuple[Readout, ...], Field(max_length=4)] = ()
    panel: tuple[str, ...] = ()
    panel_scale: str = "logit_parent"
    scales: dict[str, str] = Field(default_factory=dict)
    panel_adjust: Literal["maxt", "none"] = "maxt"
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    sided: Literal["two", "less", "greater"] = "two"
    outcome: str = "sledai"
    rules: ChangeRules = ChangeRules()
    response: ResponsePlan = ResponsePlan()
    on_confounded: Literal["brand", "refuse"] = "brand"
    individual_alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    draws: Annotated[int, Field(ge=999)] = 1999
    seed: Annotated[int, Field(ge=0)] = 1

    @field_validator("panel_scale")
    @classmethod
    def _known_scale(cls, scale: str) -> str:
        return check_scale(scale)

    @field_validator("scales")
    @classmethod
    def _known_scales(cls, scales: dict[str, str]) -> dict[str, str]:
        return {population: check_scale(scale) for population, scale in scales.items()}

    def scale_of(self, population: str, path: str = "") -> str:
        """Scale of a population in the panel; ``scales`` may name it by its path."""
        return self.scales.get(path, self.scales.get(population, self.panel_scale))
