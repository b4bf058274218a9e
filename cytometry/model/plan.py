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
    panel_adjust
        Adjustment over the panel: step-down maxT, or none.
    """

    confirmatory: Annotated[tuple[Readout, ...], Field(max_length=4)] = ()
    panel: tuple[str, ...] = ()
    panel_scale: str = "logit_parent"
    panel_adjust: Literal["maxt", "none"] = "maxt"
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    sided: Literal["two", "less", "greater"] = "two"
    outcome: str = "sledai"
    rules: ChangeRules = ChangeRules()
    response: ResponsePlan = ResponsePlan()

    @field_validator("panel_scale")
    @classmethod
    def _known_scale(cls, scale: str) -> str:
        return check_scale(scale)
