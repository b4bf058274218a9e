"""Labels that do not lie on each other."""

from __future__ import annotations

from collections.abc import Sequence


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions as little as needed so that neighbours are ``gap`` apart, within ``[low, high]`` if they fit.

    >>> spread([0.0, 0.1, 5.0], 1.0, 0.0, 6.0)
    [0.0, 1.0, 5.0]
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = [min(max(positions[i], low), high) for i in order]
    for k in range(1, len(placed)):
        placed[k] = max(placed[k], placed[k - 1] + gap)
    overshoot = placed[-1] - high if placed else 0.0
    if overshoot > 0:
        placed[-1] -= overshoot
        for k in range(len(placed) - 2, -1, -1):
            placed[k] = min(placed[k], placed[k + 1] - gap)
    out = [0.0] * len(positions)
    for k, i in enumerate(order):
        out[i] = placed[k]
    return out
