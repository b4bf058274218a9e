"""A kernel density on a grid: histogram, then convolution by FFT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.gating.methods.evidence import Pool

FloatArray = npt.NDArray[np.float64]

BINS = 1024


@dataclass(frozen=True, eq=False)
class Density:
    """A smoothed density and what is needed to judge it.

    Parameters
    ----------
    grid
        Bin centres.
    values
        Density at the centres; integrates to 1.
    bandwidth
        Standard deviation of the Gaussian kernel.
    n_effective
        Events that a single tube would need for the same sampling error:
        ``1 / sum(weight²)`` over events.
    """

    grid: FloatArray
    values: FloatArray
    bandwidth: float
    n_effective: float

    @property
    def step(self) -> float:
        """Width of a bin."""
        return float(self.grid[1] - self.grid[0])

    def at(self, x: float) -> float:
        """Density at a point, linear between bins."""
        return float(np.interp(x, self.grid, self.values))

    def curvature(self, index: int) -> float:
        """Second derivative at a grid point."""
        i = int(np.clip(index, 1, self.grid.size - 2))
        return float((self.values[i - 1] - 2 * self.values[i] + self.values[i + 1]) / self.step**2)


def histogram(pool: Pool) -> tuple[FloatArray, FloatArray, float]:
    """Bin centres, weights that sum to 1 with tubes weighted as the pool says, and the effective number of events.

    The grid spans all but the outermost thousandth of the events and a margin;
    what lies outside is counted in the end bins.
    """
    pool.require()
    filled, shares = pool.filled, pool.weights
    ends = np.array([np.quantile(t, (0.001, 0.999)) for t in filled])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    # Events that are all alike still need a grid around them.
    margin = 0.15 * (high - low) or 1e-3 * max(abs(low), 1.0)
    low, high = low - margin, high + margin
    weights = np.zeros(BINS)
    for values, share in zip(filled, shares, strict=True):
        bins = np.clip(((values - low) * (BINS / (high - low))).astype(np.int64), 0, BINS - 1)
        weights += np.bincount(bins, minlength=BINS) * (share / values.size)
    centres = low + (np.arange(BINS) + 0.5) * (high - low) / BINS
    n_effective = 1.0 / sum(share**2 / t.size for t, share in zip(filled, shares, strict=True))
    return centres, weights, n_effective


def smooth(centres: FloatArray, weights: FloatArray, bandwidth: float, n_effective: float) -> Density:
    """Convolve a histogram with a Gaussian; the ends are padded, nothing wraps around."""
    step = float(centres[1] - centres[0])
    bandwidth = max(bandwidth, step)
    size = 2 * centres.size
    frequencies = np.fft.rfftfreq(size, d=step)
    kernel = np.exp(-2.0 * (np.pi * frequencies * bandwidth) ** 2)
    values = np.fft.irfft(np.fft.rfft(weights / step, size) * kernel, size)[: centres.size]
    # Below rounding the transform leaves noise of either sign, which is no shape.
    values[values < 1e-12 * values.max()] = 0.0
    return Density(centres, values, bandwidth, n_effective)


def rule_of_thumb(centres: FloatArray, weights: FloatArray, n_effective: float) -> float:
    """Silverman's bandwidth ``0.9 min(sd, IQR / 1.34) n^(-1/5)`` (Silverman 1986, eq. 3.31)."""
    mean = float(weights @ centres)
    sd = float(np.sqrt(weights @ (centres - mean) ** 2))
    cumulative = np.cumsum(weights)
    lower, upper = np.interp((0.25, 0.75), cumulative, centres)
    spread = min(sd, (upper - lower) / 1.34) or sd or float(centres[1] - centres[0])
    return float(0.9 * spread * n_effective**-0.2)


def density_of(pool: Pool) -> Density:
    """Density with a bandwidth that suits the main peak and not the distance between peaks.

    The pilot's main peak gives the spread of one population (half width at half
    maximum / 1.177, less the pilot's own smoothing); the bandwidth for finding
    extremes of a Gaussian of that spread is ``0.969 σ n^(-1/7)`` (Wand and
    Jones 1995, section 2.12, first derivative).
    """
    centres, weights, n_effective = histogram(pool)
    pilot = smooth(centres, weights, rule_of_thumb(centres, weights, n_effective), n_effective)
    peak = int(np.argmax(pilot.values))
    half = half_width(pilot, peak)
    spread = np.sqrt(max((half / 1.177) ** 2 - pilot.bandwidth**2, (0.5 * half / 1.177) ** 2))
    return smooth(centres, weights, float(0.969 * spread * n_effective ** (-1 / 7)), n_effective)


def half_width(density: Density, peak: int, side: int = 0) -> float:
    """Half width at half maximum: on the left (-1), on the right (1), or the smaller of the two (0)."""
    below = density.values < 0.5 * density.values[peak]
    left = np.flatnonzero(below[: peak + 1])
    right = np.flatnonzero(below[peak:])
    lengths = {
        -1: (peak - left[-1]) * density.step if left.size else np.inf,
        1: right[0] * density.step if right.size else np.inf,
    }
    finite = [length for length in lengths.values() if np.isfinite(length)]
    if not finite:
        # The density never falls to half: it has no peak, only the width of the grid.
        return float(0.25 * (density.grid[-1] - density.grid[0]))
    chosen = lengths[side] if side else min(finite)
    return float(chosen if np.isfinite(chosen) else min(finite))


def minima(values: FloatArray) -> npt.NDArray[np.int64]:
    """Indices of local minima; the middle of a flat one."""
    return _flat_extremes(values)


def maxima(values: FloatArray) -> npt.NDArray[np.int64]:
    """Indices of local maxima; the middle of a flat one."""
    return _flat_extremes(-values)


def _flat_extremes(values: FloatArray) -> npt.NDArray[np.int64]:
    change = np.sign(np.diff(values))
    moving = np.flatnonzero(change)
    if moving.size < 2:
        return np.empty(0, dtype=np.int64)
    falls_then_rises = (change[moving[:-1]] < 0) & (change[moving[1:]] > 0)
    starts, stops = moving[:-1][falls_then_rises] + 1, moving[1:][falls_then_rises]
    return np.asarray((starts + stops) // 2, dtype=np.int64)
