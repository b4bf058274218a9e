"""Cluster ellipse: a small 2-D cluster beside its parent's main one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError
from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.model.gates import Dimension, EllipsoidGate
from cytometry.model.rules import ClusterEllipse

FloatArray = npt.NDArray[np.float64]

_MAD = 0.6745
_FEWEST = 10


def place_cluster_ellipse(
    rule: ClusterEllipse, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]
) -> ShapePosition:
    """Find the cluster near ``offset`` from the parent's main cluster and outline it.

    The main cluster's centre is the median of each axis. From the expected
    position the centre climbs the density (mean shift) but not beyond
    ``within``. The covariance is that of the outer half: of the events farther
    from the main cluster than the cluster's own centre, mirrored, because the
    inner half mixes with what lies between.

    Raises
    ------
    GatingError
        Fewer than 10 events lie near the expected position.
    """
    points = evidence.stacked()
    main = np.median(points, axis=0)
    expected = main + np.asarray(rule.offset)
    near = points[((points - expected) ** 2).sum(axis=1) <= rule.within**2]
    if len(near) < _FEWEST:
        raise GatingError(
            f"has {len(near)} events near the expected cluster; {_FEWEST} are needed", code="GATE_NO_EVENTS"
        )
    centre = _climb(near, expected, bandwidth=rule.within / 3.0)
    direction = np.asarray(rule.offset) / np.linalg.norm(rule.offset)
    outer = near[(near - centre) @ direction >= 0] - centre
    if len(outer) < _FEWEST // 2:
        raise GatingError("has no events beyond the cluster's centre", code="GATE_NO_EVENTS")
    covariance = outer.T @ outer / len(outer)
    covariance += np.eye(2) * 1e-6
    distance_square = -2.0 * np.log(1.0 - rule.coverage)
    n = 2 * len(outer)
    sd = np.sqrt(np.diag(covariance) / n)
    expected_count = n * rule.coverage
    return ShapePosition(
        gate=EllipsoidGate(dimensions, centre, covariance, float(distance_square)),
        centre=(float(centre[0]), float(centre[1])),
        sd=(float(sd[0]), float(sd[1])),
        confidence=float(expected_count / (expected_count + 20.0)),
    )


def _climb(points: FloatArray, start: FloatArray, bandwidth: float) -> FloatArray:
    """Mean shift with a Gaussian kernel to the nearest density peak."""
    centre = start
    for _ in range(200):
        weights = np.exp(-0.5 * ((points - centre) ** 2).sum(axis=1) / bandwidth**2)
        moved = weights @ points / weights.sum()
        if float(np.abs(moved - centre).max()) < 1e-6:
            break
        centre = moved
    return np.asarray(centre)
