"""How a specimen's composition varies: between participants, between visits, and with treatment.

All sizes are assumptions. Directions of the responders' effects are those that Kamen et al. 2022 report for five
responders to mesenchymal stromal cells (doi 10.1136/lupus-2022-000704); sizes were not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import exp, log
from types import MappingProxyType

import numpy as np

from cytometry.simulation.blood import Blood

#: Fractions that vary; B-cell subsets and helper subsets are independent on the logit scale, the remainder gives way.
_VARIED: tuple[str, ...] = (
    "b_cells",
    "transitional",
    "unswitched_memory",
    "switched_memory",
    "double_negative",
    "asc",
    "activated_naive",
    "treg",
    "helios",
    "garp",
    "lap",
)
# B cells share their parent with T cells, which leaves little room; regulatory T cells are steady within a person and
# Helios is a narrow trait.
_BETWEEN_FACTOR: Mapping[str, float] = MappingProxyType({"b_cells": 0.3, "helios": 0.5, "treg": 0.5})
_WITHIN_FACTOR: Mapping[str, float] = MappingProxyType({"b_cells": 0.5, "helios": 0.4, "treg": 0.4, "asc": 1.5})


@dataclass(frozen=True)
class Effects:
    """What the treatment does at its full size, in log2 of the fraction, in a participant of average response.

    Parameters
    ----------
    double_negative, switched_memory, activated_naive, transitional
        In responders.
    helios_treg, helios_share
        In the participants named by the design: of regulatory among CD4+ T cells (log2), and of Helios among
        regulatory T cells (logit).
    """

    double_negative: float = -1.0
    switched_memory: float = -0.8
    activated_naive: float = -1.2
    transitional: float = 1.0
    helios_treg: float = 0.9
    helios_share: float = 1.2


NO_EFFECTS = Effects(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Variation:
    """Standard deviations on the logit scale.

    Parameters
    ----------
    between
        Of participants. Lupus cohorts vary more (about 0.7); less keeps rare subsets countable in small tubes.
    within
        Of one participant's visits.
    response
        Half-width of the uniform distribution of responders' effect around 1.
    """

    between: float = 0.40
    within: float = 0.18
    response: float = 0.35


@dataclass(frozen=True)
class Course:
    """One participant: a baseline, and how strongly the treatment acts.

    Parameters
    ----------
    blood
        At baseline, before visit noise.
    response
        0 for a non-responder, about 1 for a responder.
    gains_helios
        Whether Helios+ regulatory cells rise.
    """

    blood: Blood
    response: float
    gains_helios: bool
    effects: Effects = field(default_factory=Effects)

    def at(self, onset: float, within: float, rng: np.random.Generator) -> Blood:
        """Composition at a visit where ``onset`` of the effect has come, 0 to 1."""
        size = self.response * onset
        effects = self.effects
        changed = {
            name: getattr(self.blood, name) * 2.0 ** (getattr(effects, name) * size)
            for name in ("double_negative", "switched_memory", "activated_naive", "transitional")
        }
        if self.gains_helios:
            changed["treg"] = self.blood.treg * 2.0 ** (effects.helios_treg * onset)
            changed["helios"] = shift_logit(self.blood.helios, effects.helios_share * onset)
        return vary(replace(self.blood, **changed), within, _WITHIN_FACTOR, rng)


def draw_blood(baseline: Blood, variation: Variation, rng: np.random.Generator) -> Blood:
    """Draw one participant's usual composition around a cohort's."""
    return vary(baseline, variation.between, _BETWEEN_FACTOR, rng)


def vary(blood: Blood, sd: float, factors: Mapping[str, float], rng: np.random.Generator) -> Blood:
    """Move every varied fraction by normal noise on the logit scale."""
    noise = rng.normal(0.0, sd, size=len(_VARIED))
    moved = {
        name: shift_logit(getattr(blood, name), factors.get(name, 1.0) * z)
        for name, z in zip(_VARIED, noise, strict=True)
    }
    return _with_room(replace(blood, **moved))


def _with_room(blood: Blood) -> Blood:
    """Shrink what crowds out its siblings: resting naive cells keep a tenth of B cells, NK cells a hundredth of all."""
    # Transitional cells stay below half of the naive cells that are not activated.
    blood = replace(blood, transitional=min(blood.transitional, 0.45 * (1.0 - blood.activated_naive)))
    memory = blood.unswitched_memory + blood.switched_memory + blood.double_negative + blood.asc
    needed = blood.transitional / (1.0 - blood.activated_naive) + 0.1
    if memory + needed > 1.0:
        scale = (1.0 - needed) / memory
        blood = replace(
            blood,
            unswitched_memory=blood.unswitched_memory * scale,
            switched_memory=blood.switched_memory * scale,
            double_negative=blood.double_negative * scale,
            asc=blood.asc * scale,
        )
    others = blood.cd8 + blood.t_double_negative + blood.lineage_negative + 0.01
    scale = (1.0 - others) / (blood.b_cells + blood.cd4)
    return replace(blood, b_cells=blood.b_cells * scale, cd4=blood.cd4 * scale) if scale < 1.0 else blood


def shift_logit(fraction: float, shift: float) -> float:
    """Move a fraction by ``shift`` on the logit scale.

    Examples
    --------
    >>> shift_logit(0.5, log(3.0))
    0.75
    """
    if fraction in (0.0, 1.0):
        return fraction
    return 1.0 / (1.0 + exp(-(log(fraction / (1.0 - fraction)) + shift)))
