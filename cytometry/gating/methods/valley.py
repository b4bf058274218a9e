"""Density valley: the clearest minimum between two peaks."""

from __future__ import annotations

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.methods.density import Density, density_of, minima, smooth
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.gating.methods.normal import normal_cdf
from cytometry.model.rules import Valley

# A valley that two standard deviations of counting set apart from no valley is as likely real as not,
# after looking along the whole axis for one.
_EVEN_ODDS = 2.0
# What two events at one place add to the count in the kernel's window there. A peak that is no higher is none: beyond
# an empty gap any stray event would be one.
_TWO_EVENTS = 2.0 * float(np.sqrt(2.0))


def place_valley(rule: Valley, evidence: CutEvidence) -> CutPosition:
    """Put the cut at the clearest density minimum within the prior range.

    Clarity of a minimum: by how many standard deviations of counting its
    density lies below the lower of the highest peaks on its two sides,
    ``2 (√n_peak − √n_valley)`` with events counted in the kernel's window
    (Anscombe's root). The position's variance is that of a kernel mode,
    ``f R(K') / (n h³ f''²)`` (Parzen 1962), three standard deviations of which
    do not leave the gap that the flanks hold open; and the square of what
    smoothing leaves open. That is the bandwidth h, since the density is seen
    through the kernel, and what is finer than the kernel cannot tell the minimum
    from the place where as many events are lost as gained; or, if it is more,
    how far twice the bandwidth moves the minimum.

    Raises
    ------
    GatingError
        There is no minimum in the range.
    """
    density = density_of(evidence.pool)
    candidates = [
        i
        for i in minima(density.values)
        if rule.between[0] <= density.grid[i] <= rule.between[1] and _lower_peak(density, i) > _TWO_EVENTS
    ]
    if not candidates:
        raise GatingError("has no density valley in the range", code="GATE_NO_VALLEY")
    clarity = [_clarity(density, i) for i in candidates]
    best = int(np.argmax(clarity))
    index = int(candidates[best])
    sampling = min(_position_sd(density, index), _gap(density, index) / 3.0)
    smoothing = max(density.bandwidth, _move(density, index))
    return CutPosition(
        value=float(density.grid[index]),
        sd=float(np.hypot(sampling, smoothing)),
        confidence=normal_cdf(clarity[best] - _EVEN_ODDS),
        systematic=float(smoothing),
    )


def _clarity(density: Density, index: int) -> float:
    window = 2.0 * np.sqrt(np.pi) * density.bandwidth * density.n_effective
    return float(2.0 * (np.sqrt(_lower_peak(density, index)) - np.sqrt(window * density.values[index])))


def _lower_peak(density: Density, index: int) -> float:
    """Events in the kernel's window at the lower of the highest peaks on the two sides."""
    window = 2.0 * np.sqrt(np.pi) * density.bandwidth * density.n_effective
    return float(window * min(density.values[:index].max(), density.values[index:].max()))


def _move(density: Density, index: int) -> float:
    """How far the minimum lies from where twice the bandwidth puts it; 0 where that leaves no minimum."""
    # Variances of kernels add: what is missing to twice the bandwidth.
    wider = smooth(density.grid, density.values * density.step, np.sqrt(3.0) * density.bandwidth, density.n_effective)
    low = int(np.argmax(density.values[:index])) if index else 0
    high = index + int(np.argmax(density.values[index:]))
    between = [i for i in minima(wider.values) if low < i < high]
    if not between:
        return 0.0
    return min(abs(float(density.grid[i] - density.grid[index])) for i in between)


def _position_sd(density: Density, index: int) -> float:
    """Standard deviation of the minimum by the sampling of events."""
    h, n = density.bandwidth, density.n_effective
    roughness = 1.0 / (4.0 * np.sqrt(np.pi))
    curvature = density.curvature(index)
    level = max(float(density.values[index]), 1.0 / (n * 2.0 * np.sqrt(np.pi) * h))
    if curvature <= 0:
        return float("inf")
    return float(np.sqrt(level * roughness / (n * h**3)) / curvature)


def _gap(density: Density, index: int) -> float:
    """Half the distance between the places where the density is twice the valley's, or one event more."""
    level = max(
        2.0 * float(density.values[index]), 1.0 / (density.n_effective * 2.0 * np.sqrt(np.pi) * density.bandwidth)
    )
    above = density.values > level
    left, right = np.flatnonzero(above[:index]), np.flatnonzero(above[index:])
    start = left[-1] if left.size else 0
    stop = index + right[0] if right.size else density.grid.size - 1
    return float(0.5 * (density.grid[stop] - density.grid[start]))
