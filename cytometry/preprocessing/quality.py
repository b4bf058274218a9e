"""How an acquisition went: rate, drift, margins, settings. Looks at events as they came, before any gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.model.channels import Channel
from cytometry.model.normal import NORMAL_MAD
from cytometry.model.sample import Sample
from cytometry.preprocessing.acquired import acquired_at
from cytometry.preprocessing.steady_rate import steady_rate
from cytometry.preprocessing.steady_signal import COFACTOR, Lobe, lobes_of, signal_stretches

FloatArray = npt.NDArray[np.float64]

# Parts of a run, equal in events, that are compared with each other.
_PARTS = 20
_FEWEST = 50 * _PARTS
# Of a longer run every k-th event is read for its drift: 2,000 a part place a mean to a fortieth of its spread.
_ENOUGH = 2_000 * _PARTS
# A loss of a quarter of the light over a run reaches 0.12 to 0.24 in simulated tubes; steady ones stay below 0.11.
DRIFT_LIMIT = 0.125
# Powers of ten differ in their last bits between ways of computing them.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class AcquisitionQuality:
    """Facts about one run; NaN where the file lacks what is needed.

    Parameters
    ----------
    n_events
        Events in the file.
    events_per_s
        Median rate.
    rate_spread
        Robust coefficient of variation of the rate over parts of the run,
        beyond what counting explains.
    drift
        Largest shift of a part's mean, in standard deviations of its channel.
    drift_channel
        Where that is.
    margin_fraction
        Events at the top of the range of any scatter or fluorescence channel.
    negative_scatter_fraction
        Events with a scatter area of zero or less: electronics, not cells.
    rate_unsteady, signal_unsteady
        Events in stretches whose rate, or whose signal, is unlike the run around them.
    acquired_at
        When, as the file says; see :func:`~cytometry.preprocessing.acquired.acquired_at`.
    """

    n_events: int
    events_per_s: float
    rate_spread: float
    drift: float
    drift_channel: str
    margin_fraction: float
    negative_scatter_fraction: float
    rate_unsteady: float = float("nan")
    signal_unsteady: float = float("nan")
    acquired_at: str = ""


def acquisition_quality(sample: Sample) -> AcquisitionQuality:
    """Measure one run.

    Drift and rate need 1,000 events; time must not run backwards.
    """
    measured = [c for c in sample.channels if c.kind in ("scatter", "fluorescence")]
    at_top = np.zeros(sample.n_events, dtype=np.bool_)
    below = np.zeros(sample.n_events, dtype=np.bool_)
    worst, where = float("nan"), ""
    for channel in measured:
        values = np.asarray(sample.linear_column(channel.index), dtype=np.float64)
        at_top |= _at_top(values, channel)
        if channel.kind == "scatter" and not channel.name.upper().endswith(("-H", "-W")):
            below |= values <= 0
        drift = _drift(values)
        if np.isfinite(drift) and not drift <= worst:
            worst, where = drift, channel.name
    rate, spread = _rate(sample)
    n = max(sample.n_events, 1)
    nothing = float("nan")
    return AcquisitionQuality(
        n_events=sample.n_events,
        events_per_s=rate,
        rate_spread=spread,
        drift=worst,
        drift_channel=where,
        margin_fraction=float(at_top.sum()) / n if sample.n_events else nothing,
        negative_scatter_fraction=float(below.sum()) / n if sample.n_events else nothing,
        rate_unsteady=_rate_unsteady(sample),
        signal_unsteady=signal_stretches(sample).fraction,
        acquired_at=acquired_at(sample.keywords),
    )


def _at_top(values: FloatArray, channel: Channel) -> npt.NDArray[np.bool_]:
    """Events of the last channel: at the range's end, or one below it, as analysers write it."""
    last = channel.linear_last
    if not np.isfinite(last) or channel.range <= 1:
        return np.zeros(values.size, dtype=np.bool_)
    return np.asarray(values >= last * (1.0 - _ROUNDING))


def _drift(values: FloatArray) -> float:
    """Largest distance of a part's mean from the mean of all parts, in standard deviations, beyond sampling error.

    Of the whole channel, and of its dim and bright events each: a marker that
    divides the cells in half is wide as a whole, and hides a drift of both.
    Means of values cut at the 1st and 99th percentile: a median would jump
    between the peaks.
    """
    values = values[np.isfinite(values)]
    values = values[:: max(values.size // _ENOUGH, 1)]
    if values.size < _FEWEST:
        return float("nan")
    size = values.size // _PARTS
    values = values[: size * _PARTS]
    lobes = lobes_of(values, _PARTS)
    if not lobes:
        return float("nan")
    scaled = np.arcsinh(values / COFACTOR)
    scaled = np.clip(scaled, *np.quantile(scaled, (0.01, 0.99)))
    whole = Lobe(scaled.reshape(_PARTS, size).mean(axis=1), np.full(_PARTS, size), float(scaled.std()))
    return max(_farthest(lobe) for lobe in (whole, *lobes))


def _farthest(lobe: Lobe) -> float:
    # The largest of 20 means lies 3 standard errors off.
    off = np.abs(lobe.means - lobe.means.mean()) / lobe.spread - 3.0 / np.sqrt(np.maximum(lobe.counts, 1))
    return float(max(off.max(), 0.0))


def _rate_unsteady(sample: Sample) -> float:
    """Share of the events in stretches of unsteady rate; NaN without usable times."""
    times = [c for c in sample.channels if c.kind == "time"]
    if not times:
        return float("nan")
    runs = steady_rate(np.asarray(sample.linear_column(times[0].index), dtype=np.float64))
    return float("nan") if runs is None else 1.0 - sum(stop - start for start, stop in runs) / sample.n_events


def _rate(sample: Sample) -> tuple[float, float]:
    """Median events per second over parts of the run, and the spread of the rate beyond counting."""
    times = [c for c in sample.channels if c.kind == "time"]
    if not times or sample.n_events < _FEWEST:
        return float("nan"), float("nan")
    ticks = np.asarray(sample.linear_column(times[0].index), dtype=np.float64)
    if not np.isfinite(ticks).all() or (np.diff(ticks) < 0).any() or ticks[-1] <= ticks[0]:
        return float("nan"), float("nan")
    size = sample.n_events // _PARTS
    edges = ticks[np.minimum(np.arange(_PARTS + 1) * size, sample.n_events - 1)]
    durations = np.maximum(np.diff(edges), np.diff(np.unique(ticks)).min() / 2)
    rates = size / durations
    middle = float(np.median(rates))
    spread = float(np.median(np.abs(rates - middle))) / NORMAL_MAD / middle
    return middle, float(np.sqrt(max(spread**2 - 1.0 / size, 0.0)))
