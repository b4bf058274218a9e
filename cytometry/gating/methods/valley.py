"""Density valley: the clearest minimum between two peaks."""

from __future__ import annotations

import numpy as np

from cytometry.errors import GatingError
from cytometry.gating.methods.density import Density, density_of, half_width, minima
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.gating.methods.normal import normal_cdf
from cytometry.model.rules import Valley

# A valley that two standard deviations of counting set apart from no valley is as likely real as not,
# after looking along the whole axis for one.
_EVEN_ODDS = 2.0
# Half width at half maximum of a standard normal density: sqrt(2 ln 2).
_HALF_WIDTH = 1.1774


def place_valley(rule: Valley, evidence: CutEvidence) -> CutPosition:
    """Put the cut at the clearest density minimum within the prior range.

    Clarity of a minimum: by how many standard deviations of counting its
    density lies below the lower of the highest peaks on its two sides,
    ``2 (√n_peak − √n_valley)`` with events counted in the kernel's window
    (Anscombe's root). The position's variance is that of a kernel mode,
    ``f R(K') / (n h³ f''²)`` (Parzen 1962), and the square of half its distance
    from the point of even exchange (:func:`even_exchange`); three standard
    deviations do not leave the gap that the flanks hold open.

    Raises
    ------
    GatingError
        There is no minimum in the range.
    """
    density = density_of(evidence.pool)
    candidates = [i for i in minima(density.values) if rule.between[0] <= density.grid[i] <= rule.between[1]]
    if not candidates:
        raise GatingError("has no density valley in the range", code="GATE_NO_VALLEY")
    clarity = [_clarity(density, i) for i in candidates]
    best = int(np.argmax(clarity))
    index = int(candidates[best])
    lean = abs(even_exchange(density, index) - float(density.grid[index]))
    return CutPosition(
        value=float(density.grid[index]),
        sd=float(min(np.hypot(_position_sd(density, index), 0.5 * lean), _gap(density, index) / 3.0)),
        confidence=normal_cdf(clarity[best] - _EVEN_ODDS),
    )


def even_exchange(density: Density, index: int) -> float:
    """Where as many events of the lower peak lie above as of the upper peak below.

    Each peak is taken as normal, with the spread of its outer flank. A minimum
    leans towards the smaller and narrower peak; how far it lies from here is
    what the choice of method is worth.
    """
    low = int(np.argmax(density.values[:index])) if index else 0
    high = index + int(np.argmax(density.values[index:]))
    spreads = [
        float(
            np.sqrt(max((half_width(density, peak, side) / _HALF_WIDTH) ** 2 - density.bandwidth**2, density.step**2))
        )
        for peak, side in ((low, -1), (high, 1))
    ]
    masses = [float(density.values[low]) * spreads[0], float(density.values[high]) * spreads[1]]
    left, right = float(density.grid[low]), float(density.grid[high])
    start, stop = left, right
    for _ in range(50):
        x = 0.5 * (left + right)
        lost_up = masses[0] * normal_cdf((start - x) / spreads[0])
        lost_down = masses[1] * normal_cdf((x - stop) / spreads[1])
        left, right = (x, right) if lost_up > lost_down else (left, x)
    return 0.5 * (left + right)


def _clarity(density: Density, index: int) -> float:
    window = 2.0 * np.sqrt(np.pi) * density.bandwidth * density.n_effective
    lower_peak = min(density.values[:index].max(), density.values[index:].max())
    return float(2.0 * (np.sqrt(window * lower_peak) - np.sqrt(window * density.values[index])))


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
