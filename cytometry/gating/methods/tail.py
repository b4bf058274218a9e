"""Tail: so many robust standard deviations from the main peak."""

from __future__ import annotations

import numpy as np

from cytometry.gating.methods.convention import normal_freedom
from cytometry.gating.methods.density import Density, density_of, half_width
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.model.normal import NORMAL_HALF_WIDTH
from cytometry.model.rules import Tail

# The middle of a peak is read between its shoulders at four fifths of its height: a kernel density's highest point
# wanders several times as much, and lower shoulders lean towards neighbours.
_SHOULDER = 0.8
# Distance of a standard normal density's shoulder from its middle: sqrt(2 ln 1.25).
_TO_SHOULDER = 0.6680
# Shoulders this many times as far apart as a single peak's belong to two peaks.
_MERGED = 2.0
# Roughness of the Gaussian kernel, 1 / (2 sqrt(pi)): the variance of a density f is f R / (n h).
_ROUGHNESS = 0.2821


def place_tail(rule: Tail, evidence: CutEvidence) -> CutPosition:
    """Put the cut ``spreads`` spreads from the main peak, the spread being measured on the peak's other side.

    The other side is free of the population that is cut off. Only peaks on the
    near side of the end of ``between`` count as the main one; the cut is kept
    within ``between``.

    With m the peak's middle, h the point of half height on the other side and
    ``k = spreads / 1.177``, the cut is ``m + k (m − h)``: its variance is
    ``(1 + k)² var(m) + k² var(h)``, each that of a density's level divided by
    the square of its slope there. That is sampling; to it comes what the number
    of spreads as a convention leaves open (:mod:`~cytometry.gating.methods.convention`).
    """
    density = density_of(evidence.pool)
    sign = 1.0 if rule.side == "above" else -1.0
    inside = density.grid <= rule.between[1] if sign > 0 else density.grid >= rule.between[0]
    peak = int(np.argmax(np.where(inside, density.values, 0.0)))
    middle = _middle(density, peak, -int(sign))
    half = float(density.grid[peak]) - sign * half_width(density, peak, side=-int(sign))
    # A peak whose middle lies beyond its half height is none; its spread is that of the kernel at least.
    raw = max(sign * (middle - half), density.bandwidth) / NORMAL_HALF_WIDTH
    spread = float(np.sqrt(max(raw**2 - density.bandwidth**2, 0.25 * raw**2)))
    value = float(np.clip(middle + sign * rule.spreads * spread, *rule.between))
    k = rule.spreads / NORMAL_HALF_WIDTH * raw / spread
    sampling = raw * np.sqrt(((1.0 + k) ** 2 * _MIDDLE_VARIANCE + k**2 * _HALF_VARIANCE) * _noise(density, peak))
    freedom = spread * normal_freedom(rule.spreads)
    return CutPosition(
        value,
        float(np.hypot(sampling, freedom)),
        density.n_effective / (density.n_effective + 30.0),
        systematic=float(freedom),
    )


# Variances in squared spreads, per squared relative error of the peak's height: of the mean of two shoulders, whose
# slope is 0.8 × 0.668; and of the point of half height, slope 0.5 × 1.177, where the height itself errs, too.
_MIDDLE_VARIANCE = 0.5 * _SHOULDER / (_SHOULDER * _TO_SHOULDER) ** 2
_HALF_VARIANCE = (0.5 + 0.25) / (0.5 * NORMAL_HALF_WIDTH) ** 2


def _noise(density: Density, peak: int) -> float:
    """Squared relative error of the height of a peak; 1 where it is no higher than one event."""
    one_event = _ROUGHNESS / (density.n_effective * density.bandwidth)
    return one_event / max(float(density.values[peak]), one_event)


def _middle(density: Density, peak: int, far: int) -> float:
    """Halfway between the shoulders; the highest point where the near shoulder is another peak's."""
    shoulders = [_crossing(density, peak, side) for side in (-1, 1)]
    single = 2.0 * _TO_SHOULDER / NORMAL_HALF_WIDTH * half_width(density, peak, side=far)
    if shoulders[1] - shoulders[0] > _MERGED * single:
        return float(density.grid[peak])
    return 0.5 * (shoulders[0] + shoulders[1])


def _crossing(density: Density, peak: int, side: int) -> float:
    """Where the density falls to the height of the shoulder; the end of the grid if it never does."""
    level = _SHOULDER * density.values[peak]
    along = density.values[peak:] if side > 0 else density.values[peak::-1]
    below = np.flatnonzero(along < level)
    if not below.size:
        return float(density.grid[-1 if side > 0 else 0])
    i = int(below[0])
    part = (along[i - 1] - level) / (along[i - 1] - along[i])
    return float(density.grid[peak] + side * density.step * (i - 1 + part))
