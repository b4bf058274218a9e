"""A few clusters with heavy flanks in two dimensions, fitted by expectation and maximisation from given starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Prior weight of a starting covariance, in events: a cluster of a handful keeps a sensible outline.
_PRIOR_EVENTS = 10.0
_ROUNDS = 200
# Degrees of freedom of the t distribution: cells spread wider than a normal distribution, and 4 is what flowClust
# takes (Lo, Brinkman and Gottardo 2008).
_FREEDOM = 4.0


@dataclass(frozen=True, eq=False)
class Clusters:
    """Fitted clusters.

    Parameters
    ----------
    shares
        Of the events, one per cluster.
    means, covariances
        Clusters × axes, clusters × axes × axes.
    responsibilities
        Events × clusters: probability that an event belongs to a cluster.
    """

    shares: FloatArray
    means: FloatArray
    covariances: FloatArray
    responsibilities: FloatArray


def fit_clusters(points: FloatArray, means: FloatArray, covariances: FloatArray) -> Clusters:
    """Expectation-maximisation of t distributions, with an inverse Wishart prior at the starting scale matrices.

    The start decides which cluster is which; nothing is drawn at random.
    """
    prior = covariances.copy()
    means, covariances = means.copy(), covariances.copy()
    shares = np.full(len(means), 1.0 / len(means))
    last = -np.inf
    weights = np.zeros((len(points), len(means)))
    for _ in range(_ROUNDS):
        square = np.column_stack([mahalanobis_square(points, m, c) for m, c in zip(means, covariances, strict=True)])
        logs = log_t(square, covariances) + np.log(np.maximum(shares, 1e-12))
        top = logs.max(axis=1, keepdims=True)
        weights = np.exp(logs - top)
        total = weights.sum(axis=1, keepdims=True)
        weights /= total
        likelihood = float((np.log(total) + top).mean())
        counts = weights.sum(axis=0)
        shares = counts / counts.sum()
        # Events far out pull less, so that a large cluster's flank does not stretch a small one.
        pull = weights * (_FREEDOM + 2.0) / (_FREEDOM + square)
        for k, n in enumerate(counts):
            if n < 1e-3:
                continue
            means[k] = pull[:, k] @ points / pull[:, k].sum()
            centred = points - means[k]
            scatter = (centred * pull[:, k, None]).T @ centred
            covariances[k] = (scatter + _PRIOR_EVENTS * prior[k]) / (n + _PRIOR_EVENTS)
        if likelihood - last < 1e-6:
            break
        last = likelihood
    return Clusters(shares, means, covariances, weights)


def log_t(square: FloatArray, scales: FloatArray) -> FloatArray:
    """Log density of bivariate t distributions at squared Mahalanobis distances, events × clusters."""
    return np.asarray(
        -0.5 * (_FREEDOM + 2.0) * np.log1p(square / _FREEDOM) - 0.5 * np.log(np.linalg.det(scales)) - np.log(2 * np.pi)
    )


def mahalanobis_square(points: FloatArray, mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Squared Mahalanobis distance of each point."""
    centred = points - mean
    return np.asarray(((centred @ np.linalg.inv(covariance)) * centred).sum(axis=1))
