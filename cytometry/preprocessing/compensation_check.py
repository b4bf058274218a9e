"""Is the spillover matrix right? What is left of one dye in another's detector after compensation, by pair.

Cells that do not carry marker j should read the same in j however bright they are in i. Where they rise with i, the
coefficient i → j is too small (under-compensated), where they fall too large. Biology correlates markers, so cells of
different kinds are never compared with each other: each group of cells (a gated population) is its own reference, and
only those of its cells count that look negative in j, a symmetric peak of the width of the noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cytometry.model.normal import NORMAL_MAD

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
# Place and width.
_Peak = tuple[float, float]

# Smaller groups have no peak to speak of; of larger ones so many, evenly spaced, are looked at.
FEWEST_IN_GROUP: Final = 150
_MOST_IN_GROUP: Final = 600
# A dye is a cause only where its signal varies by this many times its own noise: below, noise correlates with noise.
_LEAST_RANGE: Final = 6.0
# Cells within this many deviations of the negative peak are looked at, on both sides alike.
_WINDOW: Final = 3.0
# Of the density in the peak's middle: more at the window's upper edge, and dim positives would be cut in two.
_EDGE: Final = 0.2
# Upper half over lower half of the peak: noise is symmetric, expression is not.
_SKEW: Final = 1.4
# A group whose peak lies this many deviations above the lowest is taken for dim, not negative.
_DIM: Final = 2.0
# Larger errors are not looked for: two markers of one cell would look like them.
_MOST_WRONG: Final = 0.15
# Of two markers over cells of one kind; size alone gives 0.1 to 0.2.
_CORRELATION: Final = 0.4
_PASSES: Final = 3
_SETTLED: Final = 2e-3
# Binomial weights: close to a normal of 1.7 bins.
_SMOOTHING: Final = tuple(math.comb(12, k) / 2**12 for k in range(13))


@dataclass(frozen=True, slots=True)
class ResidualSpillover:
    """What one tube says about one coefficient.

    Parameters
    ----------
    source, target
        Positions in the matrix: the dye, and the detector into which it spills.
    error
        True minus stored coefficient, in parts of one: positive is under-compensated.
    standard_error
        From the scatter of the cells.
    doubt
        How large an error could be mimicked by cells that are dim rather than
        negative in the target and dim in proportion to the source, as larger
        cells are: their height above the lowest peak over their signal in the
        source; and, since a dimness within the width of a peak is not seen,
        what one of that width would give at a correlation of 0.4.
    """

    source: int
    target: int
    error: float
    standard_error: float
    doubt: float


def group_rows(labels: IntArray) -> tuple[IntArray, ...]:
    """Rows of each group that is large enough, evenly thinned where it is larger than needed.

    Parameters
    ----------
    labels
        Which events are of one kind; negative for those that are not to be used.
    """
    if not labels.size:
        return ()
    order = np.argsort(labels, kind="stable")
    names, starts = np.unique(labels[order], return_index=True)
    found = np.split(order, starts[1:])
    return tuple(_thinned(rows) for name, rows in zip(names, found, strict=True) if name >= 0 and _is_enough(rows))


def residual_spillover(groups: Sequence[FloatArray], matrix: FloatArray) -> tuple[ResidualSpillover, ...]:
    """Estimate the error of every coefficient that the tube's cells can say something about.

    For each detector j: in each group the negative peak, its width from the
    lower flank; then one weighted regression of the j signal on all bright dyes
    at once, within groups, over the cells of the peaks; repeated with what was
    found taken away, since a wrong coefficient bends the peaks. Slopes B are
    residual spillover after compensation; ``B @ matrix`` is the error of the
    stored coefficients to first order.

    Parameters
    ----------
    groups
        Cells × dyes of each kind of cells, compensated, linear scale.
    matrix
        As stored, dyes in rows.

    Returns
    -------
    tuple
        Pairs that no cell speaks of are absent.
    """
    n_dyes = matrix.shape[0]
    values = [g for g in groups if _is_enough(g)]
    if not values:
        return ()
    peaks = [[_negative_peak(np.sort(v[:, j])) for v in values] for j in range(n_dyes)]
    widths = np.array([[width for _, width in own] for own in peaks])
    noise = np.where(np.isfinite(widths), widths, np.inf).min(axis=1)
    slopes, errors, doubts = (np.full((n_dyes, n_dyes), np.nan) for _ in range(3))
    for target in range(n_dyes):
        fit = _fit(values, target, noise, peaks[target])
        if fit is not None:
            slopes[fit.sources, target], errors[fit.sources, target] = fit.slopes, fit.standard_errors
            doubts[fit.sources, target] = fit.doubts
    wrong = np.nan_to_num(slopes) @ matrix
    spread = np.sqrt(np.nan_to_num(errors) ** 2 @ matrix**2)
    return tuple(
        ResidualSpillover(int(i), int(j), float(wrong[i, j]), float(spread[i, j]), float(doubts[i, j]))
        for i, j in np.argwhere(np.isfinite(slopes))
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    sources: IntArray
    slopes: FloatArray
    standard_errors: FloatArray
    doubts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Design:
    """Weighted least squares over the cells of all negative peaks, within groups."""

    sources: IntArray
    group: IntArray
    x: FloatArray
    weighted: FloatArray
    inverse: FloatArray
    slopes: FloatArray
    y: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Negatives:
    """Cells of one group in its negative peak: all dyes, the peak's width, and its height above the lowest peak."""

    values: FloatArray
    width: float
    above: float


def _is_enough(rows: npt.NDArray[np.generic]) -> bool:
    return len(rows) >= FEWEST_IN_GROUP


def _thinned(rows: IntArray) -> IntArray:
    if rows.size <= _MOST_IN_GROUP:
        return rows
    return rows[np.linspace(0, rows.size - 1, _MOST_IN_GROUP).astype(np.int64)]


def _fit(values: Sequence[FloatArray], target: int, noise: FloatArray, first: Sequence[_Peak]) -> _Fit | None:
    """Regression of one detector on the bright dyes, repeated until the slopes settle."""
    slopes = np.zeros(noise.size)
    parts: list[_Negatives] = []
    design: _Design | None = None
    for number in range(_PASSES):
        signal = [v[:, target] - v @ slopes for v in values]
        peaks = [_negative_peak(np.sort(s)) for s in signal] if number else first
        parts = _negatives(values, signal, peaks, target, None if number else noise)
        design = _design(parts, target, noise) if parts else None
        if design is None:
            return None
        before, slopes = slopes, np.zeros(noise.size)
        slopes[design.sources] = design.slopes
        if np.abs(slopes - before).max() < _SETTLED:
            break
    return None if design is None else _judged(parts, design)


def _negatives(
    values: Sequence[FloatArray],
    signal: Sequence[FloatArray],
    peaks: Sequence[_Peak],
    target: int,
    noise: FloatArray | None,
) -> list[_Negatives]:
    """The groups that have a negative peak in the target, and the cells of it.

    Parameters
    ----------
    noise
        Given where nothing is known of the slopes yet: a group without a negative peak then gets a second chance,
        straightened by its own slopes.
    """
    known = [p for p in peaks if p[1] > 0]
    if not known:
        return []
    floor, width = min(known)
    highest = floor + _DIM * width
    found = []
    for v, s, first in zip(values, signal, peaks, strict=True):
        peak, inside = first, _inside(s, first, highest)
        if inside is None and noise is not None and first[0] - floor < _MOST_WRONG * _brightest(v, target):
            again = _straightened(v, s, target, noise)
            peak = _negative_peak(np.sort(again))
            inside = _inside(again, peak, highest)
        if inside is not None:
            found.append(_Negatives(v[inside], peak[1], peak[0] - floor))
    return found


def _inside(signal: FloatArray, peak: _Peak, highest: float) -> npt.NDArray[np.bool_] | None:
    """Cells of a peak; None where it is too high, not symmetric, not apart from what is above, or of too few cells."""
    place, width = peak
    if not (width > 0 and place <= highest):
        return None
    z = (signal - place) / width
    middle, edge = np.count_nonzero(np.abs(z) < 0.5), np.count_nonzero((z > 2.5) & (z < 3.5))
    above, below = np.count_nonzero((z > 0) & (z < 2)), np.count_nonzero((z < 0) & (z > -2))
    inside = np.abs(z) < _WINDOW
    is_peak = edge <= _EDGE * middle and above <= _SKEW * below
    return inside if is_peak and np.count_nonzero(inside) >= FEWEST_IN_GROUP else None


def _brightest(values: FloatArray, target: int) -> float:
    """Signal of the brightest other dye of a group."""
    means = values.mean(axis=0)
    means[target] = 0.0
    return float(means.max())


def _straightened(values: FloatArray, signal: FloatArray, target: int, noise: FloatArray) -> FloatArray:
    """The signal without what bright dyes add to it within the group, by trimmed least squares.

    Where a coefficient is wrong, all cells of a bright group are shifted, and drawn out, as if they carried the marker.
    """
    is_bright = values.std(axis=0) > _LEAST_RANGE * noise
    is_bright[target] = False
    if not is_bright.any():
        return signal
    x = np.column_stack([values[:, is_bright], np.ones(len(values))])
    kept = np.ones(len(values), dtype=np.bool_)
    slopes = np.zeros(x.shape[1])
    for _ in range(_PASSES):
        slopes = np.linalg.lstsq(x[kept], signal[kept], rcond=None)[0]
        rest = signal - x @ slopes
        middle = np.median(rest[kept])
        kept = np.abs(rest - middle) < _WINDOW * np.median(np.abs(rest[kept] - middle)) / NORMAL_MAD
        if np.count_nonzero(kept) < FEWEST_IN_GROUP:
            break
    slopes[-1] = 0.0
    return np.asarray(signal - x @ np.clip(slopes, -_MOST_WRONG, _MOST_WRONG))


def _design(parts: Sequence[_Negatives], target: int, noise: FloatArray) -> _Design | None:
    group = np.repeat(np.arange(len(parts)), [len(p.values) for p in parts])
    centred = np.concatenate([p.values - p.values.mean(axis=0) for p in parts])
    weight = 1.0 / np.array([p.width for p in parts])[group] ** 2
    is_bright = centred.std(axis=0) > _LEAST_RANGE * noise
    is_bright[target] = False
    sources = np.flatnonzero(is_bright)
    if sources.size == 0:
        return None
    x, y = centred[:, sources], centred[:, target]
    weighted = x * weight[:, None]
    inverse = np.linalg.pinv(x.T @ weighted)
    return _Design(sources, group, x, weighted, inverse, inverse @ (weighted.T @ y), y)


def _judged(parts: Sequence[_Negatives], design: _Design) -> _Fit:
    """The slopes with how sure they are."""
    x, sources = design.x, design.sources
    # White (1980): the noise grows with the signal, so that residuals and not one variance say how sure a slope is.
    scores = design.weighted * (design.y - x @ design.slopes)[:, None]
    covariance = design.inverse @ (scores.T @ scores) @ design.inverse
    leverage = np.array([(x[design.group == k] ** 2).sum(axis=0) / p.width**2 for k, p in enumerate(parts)])
    height = np.array([max(p.above, 0.0) / np.maximum(np.median(p.values[:, sources], axis=0), 1.0) for p in parts])
    dim = (leverage * height).sum(axis=0) / leverage.sum(axis=0)
    unseen = _CORRELATION * np.array([p.width / np.maximum(p.values[:, sources].std(axis=0), 1.0) for p in parts])
    doubts = np.maximum(dim, (leverage * unseen).sum(axis=0) / leverage.sum(axis=0))
    return _Fit(sources, design.slopes, np.sqrt(np.diagonal(covariance)), doubts)


def _negative_peak(ordered: FloatArray) -> _Peak:
    """Place of the lowest substantial peak and the standard deviation of its lower flank; NaN where there is none.

    Peaks of a smoothed histogram that reach a quarter of the highest one count.
    """
    n = ordered.size
    step = (ordered[int(0.30 * n)] - ordered[int(0.02 * n)]) / 6
    start, end = ordered[int(0.005 * n)], ordered[int(0.9 * n)]
    if not step > 0:
        return float("nan"), float("nan")
    start -= 3 * step
    bins = int(min((end - start) / step, 400.0)) + 4
    counts = np.bincount(np.clip((ordered - start) / step, 0, bins).astype(np.int64), minlength=bins + 1)[:bins]
    smooth = np.convolve(counts, _SMOOTHING, "same")
    peaks = np.flatnonzero(
        (smooth[1:-1] >= smooth[:-2]) & (smooth[1:-1] > smooth[2:]) & (smooth[1:-1] >= 0.25 * smooth.max())
    )
    place = float(start + (peaks[0] + 1.5) * step) if peaks.size else float(ordered[n // 2])
    width = float("nan")
    for _ in range(3):
        lower = ordered[: np.searchsorted(ordered, place)]
        if lower.size < 20:
            return place, float("nan")
        width = float((place - lower[lower.size // 2]) / NORMAL_MAD)
        near = ordered[np.searchsorted(ordered, place - width) : np.searchsorted(ordered, place + width)]
        if near.size >= 20:
            place = float(near[near.size // 2])
    return place, width
