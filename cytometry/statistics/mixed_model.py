"""A random intercept per patient, visits as factor, by REML, with Kenward and Roger's small-sample tests.

Supportive: one pooled variance for all visits errs either way when depleted
samples are noisier. The covariance is compound symmetric, so all algebra is
closed per patient and the likelihood has one free parameter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytometry.errors import StatisticsError
from cytometry.statistics.p_adjust import p_adjust
from cytometry.statistics.ranks import FloatArray, IntArray, Values, as_values
from cytometry.statistics.rmcorr import codes

NOTHING_LEFT = 1e-20
"""Share of the sum of squares below which a residual is rounding."""

RATIO_TOLERANCE = 1e-8
"""Ratio of variances below which a fit is called singular: the patients do not differ."""


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Visits against the reference, one entry each.

    Parameters
    ----------
    se
        Adjusted for Kenward-Roger.
    p_holm
        Holm inside the model.
    """

    names: tuple[str, ...]
    estimate: FloatArray
    se: FloatArray
    df: FloatArray
    t: FloatArray
    p: FloatArray
    low: FloatArray
    high: FloatArray
    p_holm: FloatArray


@dataclass(frozen=True, slots=True)
class Omnibus:
    """Kenward and Roger's F test that no visit differs."""

    f: float
    numerator_df: int
    denominator_df: float
    p: float


@dataclass(frozen=True, slots=True)
class MixedModel:
    """The fit.

    Parameters
    ----------
    sigma2, tau2
        Variance within and between patients.
    log_likelihood
        Restricted.
    singular
        tau² is 0: reported as such, never hidden.
    """

    sigma2: float
    tau2: float
    log_likelihood: float
    singular: bool
    rows: int
    subjects: int
    kenward_roger: Contrasts
    satterthwaite: Contrasts
    omnibus: Omnibus


@dataclass(frozen=True)
class _Data:
    """Design by visits, and where the patients are."""

    x: FloatArray
    y: FloatArray
    groups: IntArray
    sizes: FloatArray
    visits: tuple[str, ...]

    def sums(self, v: FloatArray) -> FloatArray:
        """Sum within each patient, spread back over the rows: what ZZ' does."""
        totals = np.zeros((self.sizes.size, *v.shape[1:]))
        np.add.at(totals, self.groups, v)
        return np.asarray(totals[self.groups], dtype=np.float64)

    def solve(self, v: FloatArray, ratio: float, sigma2: float) -> FloatArray:
        """Inverse covariance times v."""
        shrink = (ratio / (1 + ratio * self.sizes))[self.groups]
        return np.asarray((v - shrink.reshape(-1, *[1] * (v.ndim - 1)) * self.sums(v)) / sigma2, dtype=np.float64)


def mixed_model(
    subjects: Sequence[str], visits: Sequence[str], y: Values, *, reference: str, level: float = 0.95
) -> MixedModel:
    """Fit y ~ visit + (1\\|subject) by REML.

    Rows with a NaN are left out: patients with missing visits take part, under
    the assumption that visits are missing at random.

    Raises
    ------
    StatisticsError
        Too few visits, patients or rows, no row of the reference, or no variance at all.
    """
    data = _data(subjects, visits, y, reference)
    ratio = _best_ratio(data)
    # Two patients may leave Kenward and Roger's formulas with 0/0: that test is then NaN, not an error.
    with np.errstate(divide="ignore", invalid="ignore"):
        return _inference(data, ratio, level)


def in_visit_order(visits: Sequence[str], reference: str) -> tuple[str, ...]:
    """Reference first, the others by the numbers in their names, then by appearance.

    Examples
    --------
    >>> in_visit_order(["W0", "W24", "W4"], "W0")
    ('W0', 'W4', 'W24')
    """
    others = [v for v in dict.fromkeys(visits) if v != reference]
    numbers = {v: re.findall(r"\d+", v) for v in others}
    if all(numbers.values()):
        others.sort(key=lambda v: [int(n) for n in numbers[v]])
    return (reference, *others)


def _data(subjects: Sequence[str], visits: Sequence[str], y: Values, reference: str) -> _Data:
    values = as_values(y)
    there = ~np.isnan(values)
    own = [v for v, t in zip(visits, there, strict=True) if t]
    order = in_visit_order(own, reference)
    groups = codes([s for s, t in zip(subjects, there, strict=True) if t])
    x = np.stack([np.ones(len(own)), *[np.array([v == name for v in own], dtype=float) for name in order[1:]]], axis=1)
    sizes = np.bincount(groups).astype(np.float64) if groups.size else np.zeros(0)
    within = len(own) - sizes.size - (len(order) - 1)
    if reference not in own or len(order) < 2 or sizes.size < 2 or within < 1:
        raise StatisticsError(
            f"{len(own)} rows of {sizes.size} subjects at visits {', '.join(order)} are too few",
            where="mixed model",
            hint=f"two subjects, two visits one of which is {reference}, and a row more than subjects and visits take",
        )
    data = _Data(x, values[there], groups, sizes, order)
    left = data.y - x @ np.linalg.lstsq(x, data.y, rcond=None)[0]
    if float(left @ left) <= NOTHING_LEFT * float(data.y @ data.y):
        raise StatisticsError(
            "all subjects have the same value at each visit: there is no variance to model", where="mixed model"
        )
    return data


def _profile(data: _Data, ratio: float) -> tuple[float, float, FloatArray]:
    """Restricted log likelihood at a ratio of variances, with its sigma² and coefficients."""
    rows, columns = data.x.shape
    sx, sy = data.solve(data.x, ratio, 1.0), data.solve(data.y, ratio, 1.0)
    information = data.x.T @ sx
    beta = np.asarray(np.linalg.solve(information, data.x.T @ sy), dtype=np.float64)
    # Equal values leave nothing to explain; the logarithm still has to exist.
    residual = max(float(data.y @ sy - beta @ (data.x.T @ sy)), 1e-300)
    free = rows - columns
    log_likelihood = -0.5 * (
        free * (1 + math.log(2 * math.pi * residual / free))
        + float(np.log1p(ratio * data.sizes).sum())
        + float(np.linalg.slogdet(information)[1])
    )
    return log_likelihood, residual / free, beta


def _best_ratio(data: _Data) -> float:
    """Maximum over a grid, then Brent around it: a local search alone stops at 0."""
    from scipy.optimize import minimize_scalar

    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 97)])
    values = [_profile(data, float(r))[0] for r in grid]
    best = int(np.argmax(values))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    found = minimize_scalar(
        lambda r: -_profile(data, float(r))[0],
        bounds=(float(low), float(high)),
        method="bounded",
        options={"xatol": 1e-12 * max(1.0, float(high))},
    )
    ratio = float(found.x)
    at_zero = values[0] >= _profile(data, ratio)[0] - 1e-12
    return 0.0 if at_zero or ratio < RATIO_TOLERANCE else ratio


def _inference(data: _Data, ratio: float, level: float) -> MixedModel:
    """Kenward and Roger 1997 as pbkrtest has it; Satterthwaite from the observed information."""
    log_likelihood, sigma2, beta = _profile(data, ratio)
    x = data.x
    vx = data.solve(x, ratio, sigma2)
    phi = np.asarray(np.linalg.inv(x.T @ vx), dtype=np.float64)
    # G1 = ZZ' (between patients), G2 = I (within): V = tau² G1 + sigma² G2.
    gvx = [data.sums(vx), vx]
    p = [-(vx.T @ g) for g in gvx]
    q = [[gr.T @ data.solve(gs, ratio, sigma2) for gs in gvx] for gr in gvx]
    traces = _traces(data, ratio, sigma2)
    corrected = np.array(
        [
            [
                traces[r, s] - 2 * float((phi * q[r][s]).sum()) + float(np.trace(phi @ p[r] @ phi @ p[s]))
                for s in range(2)
            ]
            for r in range(2)
        ]
    )
    w = 2 * np.linalg.pinv(corrected)
    inflation = sum(w[r, s] * (q[r][s] - p[r] @ phi @ p[s]) for r in range(2) for s in range(2))
    adjusted = phi + 2 * phi @ inflation @ phi
    k = len(data.visits) - 1
    selector = np.eye(k + 1)[1:]
    kr_df = np.array([_kr_test(row[None, :], phi, p, w)[1] for row in selector])
    observed = _observed_information(data, ratio, sigma2, beta, corrected, gvx, phi)
    contrasts = _contrasts(data, beta, np.sqrt(np.diag(adjusted))[1:], kr_df, level)
    plain_se = np.sqrt(np.diag(phi))[1:]
    satterthwaite = _contrasts(data, beta, plain_se, _satterthwaite_df(phi, gvx, vx, observed, k), level)
    return MixedModel(
        sigma2=sigma2,
        tau2=ratio * sigma2,
        log_likelihood=log_likelihood,
        singular=ratio == 0.0,
        rows=int(data.y.size),
        subjects=int(data.sizes.size),
        kenward_roger=contrasts,
        satterthwaite=satterthwaite,
        omnibus=_omnibus(selector, beta, phi, adjusted, p, w),
    )


def _traces(data: _Data, ratio: float, sigma2: float) -> FloatArray:
    """tr(V⁻¹ G_r V⁻¹ G_s), closed for compound symmetry."""
    n = data.sizes
    shrunk = 1 + ratio * n
    between = float(((n / shrunk) ** 2).sum())
    mixed = float((n / shrunk**2).sum())
    within = float((n - 1 + 1 / shrunk**2).sum())
    return np.array([[between, mixed], [mixed, within]]) / sigma2**2


def _observed_information(
    data: _Data,
    ratio: float,
    sigma2: float,
    beta: FloatArray,
    corrected: FloatArray,
    gvx: Sequence[FloatArray],
    phi: FloatArray,
) -> FloatArray:
    """Negative second derivatives of the restricted likelihood by (tau², sigma²)."""
    e = data.solve(data.y - data.x @ beta, ratio, sigma2)
    u = [data.sums(e), e]
    vu = [data.solve(x, ratio, sigma2) for x in u]
    ux = [data.x.T @ x for x in vu]
    return np.array(
        [[-0.5 * corrected[r, s] + float(u[r] @ vu[s] - ux[r] @ phi @ ux[s]) for s in range(2)] for r in range(2)]
    )


def _satterthwaite_df(
    phi: FloatArray, gvx: Sequence[FloatArray], vx: FloatArray, observed: FloatArray, k: int
) -> FloatArray:
    covariance = np.linalg.pinv(observed)
    gradients = np.stack([np.diag(phi @ (vx.T @ g) @ phi)[1 : k + 1] for g in gvx], axis=1)
    variances = np.diag(phi)[1 : k + 1]
    return np.asarray(2 * variances**2 / np.einsum("ir,rs,is->i", gradients, covariance, gradients), dtype=np.float64)


def _kr_test(selector: FloatArray, phi: FloatArray, p: Sequence[FloatArray], w: FloatArray) -> tuple[float, float]:
    """Scale and denominator degrees of freedom of Kenward and Roger's F."""
    size = selector.shape[0]
    theta = selector.T @ np.linalg.solve(selector @ phi @ selector.T, selector)
    products = [theta @ phi @ m @ phi for m in p]
    a1 = sum(w[r, s] * np.trace(products[r]) * np.trace(products[s]) for r in range(2) for s in range(2))
    a2 = sum(w[r, s] * np.trace(products[r] @ products[s]) for r in range(2) for s in range(2))
    b = (a1 + 6 * a2) / (2 * size)
    g = ((size + 1) * a1 - (size + 4) * a2) / ((size + 2) * a2)
    denominator = 3 * size + 2 * (1 - g)
    c1, c2, c3 = g / denominator, (size - g) / denominator, (size + 2 - g) / denominator
    v0, v1, v2 = 1 + c1 * b, 1 - c2 * b, 1 - c3 * b
    rho = (1 / size) * ((1 - a2 / size) / v1) ** 2 * (0.0 if abs(v0) < 1e-10 else v0) / v2
    df = float(4 + (size + 2) / (size * rho - 1))
    scale = 1.0 if abs(df - 2) < 1e-2 else float(df * (1 - a2 / size) / (df - 2))
    return scale, df


def _omnibus(
    selector: FloatArray,
    beta: FloatArray,
    phi: FloatArray,
    adjusted: FloatArray,
    p: Sequence[FloatArray],
    w: FloatArray,
) -> Omnibus:
    from scipy.stats import f as f_distribution

    scale, df = _kr_test(selector, phi, p, w)
    effect = selector @ beta
    wald = float(effect @ np.linalg.solve(selector @ adjusted @ selector.T, effect)) / selector.shape[0]
    statistic = scale * wald
    return Omnibus(statistic, selector.shape[0], df, float(f_distribution.sf(statistic, selector.shape[0], df)))


def _contrasts(data: _Data, beta: FloatArray, se: FloatArray, df: FloatArray, level: float) -> Contrasts:
    from scipy.stats import t as student

    estimate = beta[1:]
    t = estimate / se
    p = 2 * student.sf(np.abs(t), df)
    reach = student.ppf((1 + level) / 2, df) * se
    reference = data.visits[0]
    return Contrasts(
        tuple(f"{v}-{reference}" for v in data.visits[1:]),
        estimate,
        se,
        df,
        t,
        np.asarray(p, dtype=np.float64),
        estimate - reach,
        estimate + reach,
        p_adjust(p, "holm"),
    )
