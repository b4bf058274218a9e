"""A few Gaussian clusters in two dimensions, fitted by expectation and maximisation from given starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Prior weight of a starting covariance, in events: a cluster of a handful keeps a sensible outline.
_PRIOR_EVENTS = 10.0
_ROUNDS = 200


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
    """Expectation-maximisation with an inverse Wishart prior at the starting covariances.

    The start decides which cluster is which; nothing is drawn at random.
    """
    prior = covariances.copy()
    means, covariances = means.copy(), covariances.copy()
    shares = np.full(len(means), 1.0 / len(means))
    last = -np.inf
    weights = np.zeros((len(points), len(means)))
    for _ in range(_ROUNDS):
        logs = np.column_stack(
            [
                np.log(s) + log_normal(points, m, c)
                for s, m, c in zip(np.maximum(shares, 1e-12), means, covariances, strict=True)
            ]
        )
        top = logs.max(axis=1, keepdims=True)
        weights = np.exp(logs - top)
        total = weights.sum(axis=1, keepdims=True)
        weights /= total
        likelihood = float((np.log(total) + top).mean())
        counts = weights.sum(axis=0)
        shares = counts / counts.sum()
        for k, n in enumerate(counts):
            if n < 1e-3:
                continue
            means[k] = weights[:, k] @ points / n
            centred = points - means[k]
            scatter = (centred * weights[:, k, None]).T @ centred
            covariances[k] = (scatter + _PRIOR_EVENTS * prior[k]) / (n + _PRIOR_EVENTS)
        if likelihood - last < 1e-6:
            break
        last = likelihood
    return Clusters(shares, means, covariances, weights)


def log_normal(points: FloatArray, mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Log density of a bivariate normal distribution."""
    determinant = float(np.linalg.det(covariance))
    return np.asarray(
        -0.5 * mahalanobis_square(points, mean, covariance) - 0.5 * np.log(determinant) - np.log(2 * np.pi)
    )


def mahalanobis_square(points: FloatArray, mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Squared Mahalanobis distance of each point."""
    centred = points - mean
    return np.asarray(((centred @ np.linalg.inv(covariance)) * centred).sum(axis=1))
