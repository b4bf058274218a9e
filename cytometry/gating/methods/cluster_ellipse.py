"""Cluster ellipse: a small 2-D cluster beside its parent's main one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.gating.methods.clusters import Clusters, fit_clusters, mahalanobis_square
from cytometry.gating.methods.evidence import ShapeEvidence, ShapePosition
from cytometry.gating.methods.normal import normal_cdf
from cytometry.model.gates import Dimension, EllipsoidGate
from cytometry.model.normal import NORMAL_MAD
from cytometry.model.rules import ClusterEllipse

FloatArray = npt.NDArray[np.float64]

_FEWEST = 50
# Events of a tube that are looked at: enough for a cluster of one per cent.
_MOST = 6_000
_FEWEST_IN_CLUSTER = 5
# In spreads of the cluster, away from its neighbours.
_SHIFTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)


def place_cluster_ellipse(
    rule: ClusterEllipse, evidence: ShapeEvidence, dimensions: tuple[Dimension, ...]
) -> ShapePosition:
    """Separate the cluster near ``offset`` from its neighbours and outline it.

    Three clusters with heavy flanks are fitted to the events on the cluster's side of
    the parent's centre: the parent's own flank, what lies between, and the
    cluster. The starts are the parent's median, half the offset and the whole
    offset; if the cluster's centre leaves ``within`` of the expected position,
    the position itself is used. The ellipse has the cluster's covariance. Its
    size, and how far it is moved away from the neighbours, maximise the
    expected F1 under the fit: on the outer side there is nothing to exclude.

    Overlap: the fit expects L members outside and G others inside. Whether the flanks that overlap belong to one
    cluster or the other is more than the fit can know, so the count may be off by anything from −L to G; half of
    that range is taken as its standard deviation (``at_stake``), and as ``size_sd`` how far the outline would have
    to grow or shrink for it.

    With fewer than 50 events in the parent, or where no cluster is found, the ellipse stands at the expected
    position, with no confidence; it might then be anywhere within ``within``.
    """
    points = evidence.stacked(_MOST) if any(len(t) for t in evidence.tubes) else np.empty((0, 2))
    offset = np.asarray(rule.offset)
    if len(points) < _FEWEST:
        return _expected(rule, np.asarray(rule.at) + offset, np.eye(2) * rule.spread**2, points, dimensions)
    centre, spread = _parent_cluster(points, rule)
    start = np.array([centre, centre + 0.5 * offset, centre + offset])
    width = np.diag(spread**2)
    side = points[((points - centre) / spread) @ (offset / spread) >= 0]
    clusters = fit_clusters(side, start, np.array([width, 0.5 * width, 0.35 * width]))
    mean, covariance = clusters.means[2], clusters.covariances[2]
    n = float(clusters.responsibilities[:, 2].sum())
    if np.linalg.norm(mean - start[2]) > rule.within or n < _FEWEST_IN_CLUSTER:
        expected = 0.35 * np.minimum(width, np.eye(2) * rule.spread**2)
        return _expected(rule, start[2], expected, points, dimensions)
    shift, size = _best_outline(side, mean, covariance, clusters, rule)
    sd = np.sqrt(np.diag(covariance) / n)
    separation = float(
        np.sqrt(mahalanobis_square(clusters.means[1][None], mean, covariance + clusters.covariances[1])[0])
    )
    confidence = normal_cdf(np.sqrt(n) / 2.0 - 1.0) * normal_cdf(2.0 * separation - 2.0)
    distance = mahalanobis_square(side, mean + shift, covariance)
    member = clusters.responsibilities[:, 2]
    at_stake = 0.5 * float(np.where(distance <= size, 1.0 - member, member).sum())
    return ShapePosition(
        gate=EllipsoidGate(dimensions, mean + shift, covariance, size),
        centre=(float(mean[0]), float(mean[1])),
        sd=(float(sd[0]), float(sd[1])),
        confidence=confidence,
        at_stake=at_stake / len(points),
        size_sd=_size_sd(distance, size, at_stake),
    )


def _expected(
    rule: ClusterEllipse,
    mean: FloatArray,
    covariance: FloatArray,
    points: FloatArray,
    dimensions: tuple[Dimension, ...],
) -> ShapePosition:
    size = float(-2.0 * np.log(1.0 - rule.coverage))
    centre = (float(mean[0]), float(mean[1]))
    in_reach = int(np.count_nonzero(np.linalg.norm(points - mean, axis=1) <= rule.within))
    # Nothing in reach does not make a guess sure: at least one event is at stake.
    at_stake = max(0.5 * in_reach, 1.0) / max(len(points), 1)
    sd = 0.5 * rule.within
    gate = EllipsoidGate(dimensions, mean, covariance, size)
    return ShapePosition(gate, centre, (sd, sd), 0.0, "fallback", at_stake=at_stake)


def _size_sd(distance: FloatArray, size: float, at_stake: float) -> float:
    """Change of the logarithm of the ellipse's axes that takes so many events in or out."""
    order = np.sort(distance)
    inside = int(np.searchsorted(order, size, side="right"))
    fewer, more = max(inside - at_stake, 0.5), min(inside + at_stake, order.size - 1.0)
    ranks = np.arange(order.size) + 0.5
    low, high = np.interp((fewer, max(more, fewer)), ranks, order)
    return float(0.25 * np.log(high / low)) if low > 0 else 0.0


def _parent_cluster(points: FloatArray, rule: ClusterEllipse) -> tuple[FloatArray, FloatArray]:
    """The main cluster, unless that is the one to be outlined, or lies as far on the other side.

    Where the main cluster lies nearer to the expected place of the wanted one than to the parent's (``at``), the
    parent's is the main cluster of the events before the middle between them if it lies about one offset before, or
    else what lies there. Where the place one offset after the main cluster is nearer to ``at`` than the main cluster
    itself, the parent's is what lies there. In either case it must be enough.
    """
    offset, at = np.asarray(rule.offset), np.asarray(rule.at)
    centre, spread = _main_cluster(points, offset)
    steps = (0.0, -1.0, 1.0)
    step = min(steps, key=lambda s: float(np.linalg.norm(centre + s * offset - at)))
    there = points[np.linalg.norm(points - (centre + step * offset), axis=1) <= rule.within]
    if step == 0.0 or len(there) < _FEWEST:
        return centre, spread
    before = points[(points - centre + 0.5 * offset) @ offset < 0]
    if step < 0 and len(before) >= _FEWEST:
        other, its_spread = _main_cluster(before, offset)
        if np.linalg.norm(other + offset - centre) <= rule.within:
            return other, its_spread
    return _main_cluster(there, offset)


def _main_cluster(points: FloatArray, offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre and spread of the main cluster.

    The centre is that of the densest tenth of the events; the spread is that of the far side.
    """
    centre = np.median(points[_densest(points)], axis=0)
    spread = np.empty(2)
    for i in (0, 1):
        away = (centre[i] - points[:, i]) * np.sign(offset[i])
        spread[i] = np.median(away[away >= 0]) / NORMAL_MAD if (away >= 0).any() else 0.05
    return centre, np.maximum(spread, 1e-3)


def _densest(points: FloatArray) -> npt.NDArray[np.int64]:
    """Which events lie at the mode: by half samples (Robertson and Cryer 1974) of the axes in turn, to a tenth.

    In turn and not each axis by itself: two modes may belong to two clusters.
    """
    rows = np.arange(len(points))
    least, axis = max(10, rows.size // 10), 0
    while rows.size > least:
        rows = rows[np.argsort(points[rows, axis], kind="stable")]
        x = points[rows, axis]
        half = (x.size + 1) // 2
        first = int(np.argmin(x[half - 1 :] - x[: x.size - half + 1]))
        rows, axis = rows[first : first + half], 1 - axis
    return rows


def _best_outline(
    points: FloatArray, mean: FloatArray, covariance: FloatArray, fit: Clusters, rule: ClusterEllipse
) -> tuple[FloatArray, float]:
    """Shift outward and squared radius with the largest expected F1.

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
    return best[1], best[2]
