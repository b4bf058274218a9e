"""Mixture: where two Gaussian components are equally likely."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytometry.errors import GatingError
from cytometry.gating.methods.evidence import CutEvidence, CutPosition
from cytometry.gating.methods.normal import normal_cdf
from cytometry.model.rules import Mixture

FloatArray = npt.NDArray[np.float64]

# Quantiles stand in for the events: the fit then depends on neither their number nor their order.
_POINTS = 2_000
# Two equal Gaussians are bimodal beyond D = 2 (Ashman, Bird and Zepf 1994).
_ASHMAN = 2.0


def place_mixture(rule: Mixture, evidence: CutEvidence) -> CutPosition:
    """Put the cut where the posterior of the upper component passes one half.

    Two or three components, by the Bayesian information criterion; the
    components are split at the widest gap (Ashman's D) whose crossing lies in
    the prior range.

    Raises
    ------
    GatingError
        No crossing lies in the range.
    """
    evidence.pool.require(30)
    values, weights = evidence.pool.sorted_with_weights()
    n = values.size
    points = np.interp((np.arange(_POINTS) + 0.5) / _POINTS, np.cumsum(weights) - weights / 2, values)
    fits = [_fit(points, k) for k in (2, 3)]
    means, sds, shares = min(fits, key=lambda f: f[1])[0]
    best: tuple[float, float] | None = None
    for split in range(1, means.size):
        crossing = _crossing(means, sds, shares, split)
        if crossing is None or not rule.between[0] <= crossing <= rule.between[1]:
            continue
        spread = np.sqrt((sds[split - 1] ** 2 + sds[split] ** 2) / 2)
        separation = float((means[split] - means[split - 1]) / spread)
        if best is None or separation > best[0]:
            best = (separation, crossing)
    if best is None:
        raise GatingError("has no crossing of two components in the range", code="GATE_NO_VALLEY")
    smaller = max(min(shares) * n, 1.0)
    return CutPosition(best[1], float(sds.mean() / np.sqrt(smaller)), normal_cdf(best[0] - _ASHMAN))


def _fit(points: FloatArray, components: int) -> tuple[tuple[FloatArray, FloatArray, FloatArray], float]:
    from sklearn.mixture import GaussianMixture

    start = np.quantile(points, (np.arange(components) + 0.5) / components)[:, None]
    model = GaussianMixture(components, means_init=start, random_state=0, max_iter=200, reg_covar=1e-6)
    model.fit(points[:, None])
    order = np.argsort(model.means_.ravel())
    found = (model.means_.ravel()[order], np.sqrt(model.covariances_.ravel())[order], model.weights_[order])
    return found, float(model.bic(points[:, None]))


def _crossing(means: FloatArray, sds: FloatArray, shares: FloatArray, split: int) -> float | None:
    x = np.linspace(means[split - 1], means[split], 512)
    parts = shares * np.exp(-0.5 * ((x[:, None] - means) / sds) ** 2) / sds
    difference = parts[:, split:].sum(axis=1) - parts[:, :split].sum(axis=1)
    above = np.flatnonzero((difference[:-1] < 0) & (difference[1:] >= 0))
    return float(x[above[0]]) if above.size else None
