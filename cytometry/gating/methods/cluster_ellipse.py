"""Cluster ellipse: a small 2-D cluster beside its parent's main one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.gating.methods.gaussians import Clusters, fit_clusters, mahalanobis_square
from cytometry.gating.methods.normal import normal_cdf
from cytometry.model.gates import Dimension, EllipsoidGate
from cytometry.model.rules import ClusterEllipse

FloatArray = npt.NDArray[np.float64]

_MAD = 0.6745
_FEWEST = 50
# Events of a tube that are looked at: enough for a cluster of one per cent.
_MOST = 6_000
_FEWEST_IN_CLUSTER = 5
# Of the events that the fit itself puts on the wrong side, how many may tip the count: the two kinds of error
# cancel in part.
_DOUBT_PER_MISS = 0.5
# In spreads of the cluster, away from its neighbours.
_SHIFTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)


def place_cluster_ellipse(
    rule: ClusterEllipse, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]
) -> ShapePosition:
    """Separate the cluster near ``offset`` from its neighbours and outline it.

    Three Gaussian clusters are fitted to the events on the cluster's side of
    the parent's centre: the parent's own flank, what lies between, and the
    cluster. The starts are the parent's median, half the offset and the whole
    offset; if the cluster's centre leaves ``within`` of the expected position,
    the position itself is used. The ellipse has the cluster's covariance. Its
    size, and how far it is moved away from the neighbours, maximise the
    expected F1 under the fit: on the outer side there is nothing to exclude.

    With fewer than 50 events in the parent the ellipse stands at the template's
    own position and spread, with no confidence.
    """
    points = evidence.stacked(_MOST) if any(len(t) for t in evidence.tubes) else np.empty((0, 2))
    offset = np.asarray(rule.offset)
    if len(points) < _FEWEST:
        return _expected(rule, np.asarray(rule.at) + offset, np.eye(2) * rule.spread**2, dimensions)
    centre, spread = _main_cluster(points, offset)
    start = np.array([centre, centre + 0.5 * offset, centre + offset])
    width = np.diag(spread**2)
    side = points[((points - centre) / spread) @ (offset / spread) >= 0]
    clusters = fit_clusters(side, start, np.array([width, 0.5 * width, 0.35 * width]))
    mean, covariance = clusters.means[2], clusters.covariances[2]
    n = float(clusters.responsibilities[:, 2].sum())
    if np.linalg.norm(mean - start[2]) > rule.within or n < _FEWEST_IN_CLUSTER:
        return _expected(rule, start[2], 0.35 * np.minimum(width, np.eye(2) * rule.spread**2), dimensions)
    shift, size, f1 = _best_outline(side, mean, covariance, clusters, rule)
    sd = np.sqrt(np.diag(covariance) / n)
    separation = float(
        np.sqrt(mahalanobis_square(clusters.means[1][None], mean, covariance + clusters.covariances[1])[0])
    )
    confidence = normal_cdf(np.sqrt(n) / 2.0 - 1.0) * normal_cdf(2.0 * separation - 2.0)
    return ShapePosition(
        gate=EllipsoidGate(dimensions, mean + shift, covariance, size),
        centre=(float(mean[0]), float(mean[1])),
        sd=(float(sd[0]), float(sd[1])),
        confidence=confidence,
        doubt=_DOUBT_PER_MISS * (1.0 - f1),
    )


def _expected(
    rule: ClusterEllipse, mean: FloatArray, covariance: FloatArray, dimensions: tuple[Dimension, ...]
) -> ShapePosition:
    size = float(-2.0 * np.log(1.0 - rule.coverage))
    nan = float("nan")
    centre = (float(mean[0]), float(mean[1]))
    return ShapePosition(
        EllipsoidGate(dimensions, mean, covariance, size), centre, (nan, nan), 0.0, "fallback", doubt=1.0
    )


def _main_cluster(points: FloatArray, offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre and spread of the parent's main cluster: mode by half-sample medians, spread on the far side."""
    centre = np.array([_mode(points[:, i]) for i in (0, 1)])
    spread = np.empty(2)
    for i in (0, 1):
        away = (centre[i] - points[:, i]) * np.sign(offset[i])
        spread[i] = np.median(away[away >= 0]) / _MAD if (away >= 0).any() else 0.05
    return centre, np.maximum(spread, 1e-3)


def _mode(values: FloatArray) -> float:
    """Half-sample mode (Robertson and Cryer 1974), stopped at a tenth of the events."""
    x = np.sort(values)
    least = max(10, x.size // 10)
    while x.size > least:
        half = (x.size + 1) // 2
        widths = x[half - 1 :] - x[: x.size - half + 1]
        first = int(np.argmin(widths))
        x = x[first : first + half]
    return float(x.mean())


def _best_outline(
    points: FloatArray, mean: FloatArray, covariance: FloatArray, fit: Clusters, rule: ClusterEllipse
) -> tuple[FloatArray, float, float]:
    """Shift outward, squared radius and F1 with the largest expected F1.

    Expected F1: twice the expected members inside, over events inside plus all
    expected members. At the least, half of the cluster is inside.
    """
    member = fit.responsibilities[:, 2]
    direction = np.asarray(rule.offset) / np.linalg.norm(rule.offset)
    along = float(np.sqrt(direction @ covariance @ direction))
    best = (-1.0, np.zeros(2), float(-2.0 * np.log(1.0 - rule.coverage)))
    for spreads in _SHIFTS:
        shift = spreads * along * direction
        distance = mahalanobis_square(points, mean + shift, covariance)
        order = np.argsort(distance)
        inside = np.cumsum(member[order])
        f1 = 2.0 * inside / (np.arange(1, order.size + 1) + inside[-1])
        enough = inside >= 0.5 * inside[-1]
        last = int(np.argmax(np.where(enough, f1, 0.0)))
        if f1[last] > best[0]:
            # Halfway to the next event: the outline passes through none.
            radius = float(distance[order[last : last + 2]].mean())
            best = (float(f1[last]), shift, radius)
    return best[1], best[2], best[0]
