"""Scatter cloud: lymphocytes in forward and side scatter, blasts kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError
from cytometry.gating.methods.density import density_of, half_width, maxima, minima
from cytometry.gating.methods.evidence import Pool, ShapeEvidence, ShapePosition
from cytometry.model.gates import Dimension, PolygonGate
from cytometry.model.normal import NORMAL_HALF_WIDTH
from cytometry.model.rules import ScatterCloud

FloatArray = npt.NDArray[np.float64]

_FEWEST = 50


def place_scatter_cloud(
    rule: ScatterCloud, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]
) -> ShapePosition:
    """Bounds at the density valleys around the lymphocyte peak; open towards blasts.

    Scatter is looked at as logarithms, where its spread does not grow with
    size. Forward scatter: from the valley between debris and the peak, to
    ``blasts`` times the peak plus its spread. Side scatter: up to the valley
    between lymphocytes and monocytes. Where a valley is missing, ``reach``
    spreads from the peak.

    Raises
    ------
    GatingError
        Fewer than 50 events, or none near the expected place.
    """
    points = evidence.stacked()
    (x_low, x_high), (y_low, y_high) = rule.near
    points = points[(points > 0).all(axis=1)]
    near = (points[:, 0] >= x_low) & (points[:, 0] <= x_high) & (points[:, 1] >= y_low) & (points[:, 1] <= y_high)
    if np.count_nonzero(near) < _FEWEST:
        raise GatingError(
            f"has {np.count_nonzero(near)} events where lymphocytes are expected in scatter",
            hint="adjust 'near' of the scatter gate in the panel",
            code="GATE_NO_EVENTS",
        )
    logs = np.log(points)
    centre_x, spread_x, left, _, clear_x = _bounds(logs[near][:, 0], logs[:, 0], rule.reach)
    in_x = (logs[:, 0] >= left) & (logs[:, 0] <= centre_x + rule.reach * spread_x)
    centre_y, spread_y, _, top, clear_y = _bounds(logs[near & in_x][:, 1], logs[in_x][:, 1], rule.reach)
    right = centre_x + rule.reach * spread_x + np.log(rule.blasts)
    bottom = centre_y - rule.reach * spread_y
    x0, x1, x2 = np.exp([left, centre_x + rule.reach * spread_x, right])
    y0, y1 = np.exp([bottom, top])
    # Blasts scatter a little more to the side; the bound rises with them.
    vertices = np.array([[x0, y0], [x2, y0], [x2, y1], [x1, y1], [x0, y1]])
    n = len(points)
    return ShapePosition(
        gate=PolygonGate((dimensions[0], dimensions[1]), vertices),
        centre=(float(np.exp(centre_x)), float(np.exp(centre_y))),
        sd=(float(x0 * spread_x * np.sqrt(8.0 / n)), float(y1 * spread_y * np.sqrt(8.0 / n))),
        confidence=0.6 + 0.2 * clear_x + 0.2 * clear_y,
    )


def _bounds(near: FloatArray, values: FloatArray, reach: float) -> tuple[float, float, float, float, bool]:
    """Peak, spread, lower and upper bound; whether a valley decided one of them."""
    inner = density_of(Pool((near,)))
    peak_at = float(inner.grid[int(np.argmax(inner.values))])
    density = density_of(Pool((values,)))
    peaks = maxima(density.values)
    peak = (
        int(peaks[np.argmin(np.abs(density.grid[peaks] - peak_at))]) if peaks.size else int(np.argmax(density.values))
    )
    centre = float(density.grid[peak])
    spread = min(half_width(density, peak, -1), half_width(density, peak, 1)) / NORMAL_HALF_WIDTH
    lower, upper = centre - reach * spread, centre + reach * spread
    valleys = minima(density.values)
    # A dip in the flank of the peak is noise: a valley is at most half as high as the peak.
    valleys = valleys[density.values[valleys] < 0.5 * density.values[peak]]
    clear = False
    left = valleys[valleys < peak]
    if left.size:
        lower, clear = float(density.grid[left[-1]]), True
    right = valleys[valleys > peak]
    if right.size:
        upper, clear = float(density.grid[right[0]]), True
    return centre, spread, lower, upper, clear
