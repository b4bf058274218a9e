"""Counts as counts: binomial mixed model and beta-binomial, by Laplace's approximation. Supportive only.

Per row the logit is the visit's effect plus a patient's intercept plus (in the
binomial model) an effect of the tube. Without the tube's effect every extra
event would count as evidence; it is obligatory. No Wald p is given: with six
patients z is wrong by a factor. A reader who needs one takes t with n - 1
degrees of freedom, or the relabelling p.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cytometry.errors import StatisticsError
from cytometry.statistics.mixed_model import in_visit_order
from cytometry.statistics.p_values import PValue, untestable
from cytometry.statistics.ranks import FloatArray, IntArray, Values, as_values
from cytometry.statistics.rmcorr import codes
from cytometry.statistics.sign_flip import sign_patterns

CountFamily = Literal["binomial_olre", "betabinomial_subject", "betabinomial_fixed"]

REFITTED_UP_TO = 10
MODE_STEPS = 60
SAFE_STEP = 1e-3
"""Newton steps for the random effects, and the length below which they are taken whole."""

LOG_SD_FLOOR = -12.0
"""Standard deviations below e^-12 are 0 for any count; the logarithm has to stop somewhere."""


@dataclass(frozen=True)
class CountModel:
    """Maximum-likelihood fit.

    Parameters
    ----------
    visits
        Reference first: the order of ``beta``.
    beta, se
        Intercept, then visits against the reference; log odds.
    sd_subject, sd_observation
        Standard deviations of the random effects; NaN where the model has none.
    phi, rho
        Beta-binomial precision and correlation 1/(1 + phi); NaN for the binomial.
    log_likelihood
        Laplace.
    t, p_t, df
        Of each visit's effect: beta/se, by Student with subjects - 1 degrees of freedom.
    converged
        False where the search stopped early; then nothing of this is reported.
    """

    visits: tuple[str, ...]
    beta: FloatArray
    se: FloatArray
    sd_subject: float
    sd_observation: float
    phi: float
    rho: float
    log_likelihood: float
    df: int
    t: FloatArray
    p_t: FloatArray
    converged: bool


@dataclass(frozen=True)
class _Data:
    k: FloatArray
    n: FloatArray
    x: FloatArray
    groups: IntArray
    visits: tuple[str, ...]
    subjects: int

    def per_subject(self, v: FloatArray) -> FloatArray:
        return np.bincount(self.groups, v, minlength=self.subjects).astype(np.float64)


Derivatives = tuple[FloatArray, FloatArray]
"""First two derivatives of the log density by the logit, per row."""


@dataclass
class _Mode:
    """Random effects of the last evaluation of one fit; a place to start, nothing that a result depends on."""

    s: FloatArray
    e: FloatArray


@dataclass(frozen=True)
class _Density:
    """A family's log density per row as functions of the logit; ``by_phi`` gives the derivatives by log phi."""

    value: Callable[[FloatArray], FloatArray]
    derivatives: Callable[[FloatArray], Derivatives]
    third: Callable[[FloatArray], FloatArray]
    by_phi: Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]] | None = None


def count_model(
    subjects: Sequence[str],
    visits: Sequence[str],
    count: Values,
    parent_count: Values,
    *,
    family: CountFamily = "binomial_olre",
    reference: str,
) -> CountModel:
    """Fit counts out of parent counts by visit; rows with an empty or missing parent are left out.

    Raises
    ------
    StatisticsError
        Too few rows, visits or subjects.
    """
    from scipy.optimize import minimize
    from scipy.stats import t as student

    data = _data(subjects, visits, count, parent_count, reference)
    start = _start(data, family)
    objective = _objective(data, family)
    found = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 500})
    theta = np.asarray(found.x, dtype=np.float64)
    value, gradient = objective(theta)
    columns = data.x.shape[1]
    # A flat likelihood gives a negative variance: its standard error is undefined.
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diag(_covariance(objective, theta)))[:columns]
    subject_sd, observation_sd, phi = _variance_parameters(theta, columns, family)
    beta = theta[:columns]
    df = data.subjects - 1
    t = beta[1:] / se[1:]
    return CountModel(
        visits=data.visits,
        beta=beta,
        se=se,
        sd_subject=subject_sd,
        sd_observation=observation_sd,
        phi=phi,
        rho=1 / (1 + phi),
        log_likelihood=-value,
        df=df,
        t=t,
        p_t=np.asarray(2 * student.sf(np.abs(t), df), dtype=np.float64),
        converged=bool(np.isfinite(value) and np.abs(gradient).max() < 1e-2 and np.isfinite(se).all()),
    )


def relabelled_p(
    subjects: Sequence[str],
    visits: Sequence[str],
    count: Values,
    parent_count: Values,
    *,
    visit: str,
    reference: str,
    family: CountFamily = "binomial_olre",
) -> PValue:
    """Permutation p of one visit's effect: the two visits exchanged within patients, all 2^n, each refitted.

    Only the two visits take part; the statistic is \\|beta/se\\|. Patients without
    both are left out. More than ten patients: untestable here, take t.
    """
    rows = [
        (s, v, float(k), float(n))
        for s, v, k, n in zip(subjects, visits, as_values(count), as_values(parent_count), strict=True)
        if v in (visit, reference) and n > 0 and not math.isnan(k)
    ]
    paired = [s for s in dict.fromkeys(r[0] for r in rows) if len({r[1] for r in rows if r[0] == s}) == 2]
    rows = [r for r in rows if r[0] in paired]
    n = len(paired)
    if not 2 <= n <= REFITTED_UP_TO:
        return untestable(n, "relabelling within patients: for two to ten patients")
    other = {visit: reference, reference: visit}
    statistics = []
    # Exchanging everybody turns the sign of the effect: half of the relabellings tell all.
    for signs in sign_patterns(n)[: 2 ** (n - 1)]:
        flipped = {s for s, sign in zip(paired, signs, strict=True) if sign < 0}
        labels = [other[v] if s in flipped else v for s, v, _, _ in rows]
        fit = count_model(
            [r[0] for r in rows], labels, [r[2] for r in rows], [r[3] for r in rows], family=family, reference=reference
        )
        statistics.append(abs(float(fit.t[0])))
    observed = statistics[0]
    # Refits agree to about six digits: ties are looked for at that accuracy, on the safe side.
    exceeding = 2 * sum(s >= observed * (1 - 1e-5) for s in statistics)
    total = 2**n
    return PValue(
        exceeding / total,
        n,
        exceeding,
        total,
        min(1.0, 2 / total),
        f"{family}, the two visits exchanged within patients in all {total} ways, refitted",
        definition="P(|beta*/se*| >= |beta/se|)",
    )


def _data(subjects: Sequence[str], visits: Sequence[str], count: Values, parent_count: Values, reference: str) -> _Data:
    k, n = as_values(count), as_values(parent_count)
    with np.errstate(invalid="ignore"):
        there = (n > 0) & ~np.isnan(k)
    own = [v for v, t in zip(visits, there, strict=True) if t]
    order = in_visit_order(own, reference)
    groups = codes([s for s, t in zip(subjects, there, strict=True) if t])
    if reference not in own or len(order) < 2 or groups.size <= len(order) or int(groups.max()) < 1:
        raise StatisticsError(
            f"{groups.size} rows at visits {', '.join(order)} are too few",
            where="count model",
            hint=f"two subjects, two visits one of which is {reference}, and more rows than visits",
        )
    x = np.stack([np.ones(len(own)), *[np.array([v == name for v in own], dtype=float) for name in order[1:]]], axis=1)
    return _Data(k[there], n[there], x, groups, order, int(groups.max()) + 1)


def _start(data: _Data, family: CountFamily) -> FloatArray:
    """Weighted means of the empirical logits, middling spreads."""
    logit = np.log((data.k + 0.5) / (data.n - data.k + 0.5))
    beta, *_ = np.linalg.lstsq(data.x, logit, rcond=None)
    residual = logit - data.x @ beta
    means = data.per_subject(residual) / data.per_subject(np.ones_like(residual))
    between = max(float(means.std()), 0.1)
    within = max(float((residual - means[data.groups]).std()), 0.05)
    extra = {
        "binomial_olre": [math.log(between), math.log(within)],
        "betabinomial_subject": [math.log(between), _start_phi(data, within)],
        "betabinomial_fixed": [_start_phi(data, max(between, within))],
    }[family]
    return np.concatenate([beta, extra])


def _start_phi(data: _Data, sd: float) -> float:
    mean = float(data.k.sum() / data.n.sum())
    spread = max(mean * (1 - mean), 1e-6)
    return math.log(max(1 / (sd**2 * spread), 2.0))


def _variance_parameters(theta: FloatArray, columns: int, family: CountFamily) -> tuple[float, float, float]:
    nan = float("nan")
    extra = np.exp(theta[columns:])
    if family == "binomial_olre":
        return float(extra[0]), float(extra[1]), nan
    if family == "betabinomial_subject":
        return float(extra[0]), nan, float(extra[1])
    return nan, nan, float(extra[0])


Objective = Callable[[FloatArray], tuple[float, FloatArray]]


def _objective(data: _Data, family: CountFamily) -> Objective:
    """Negative Laplace log likelihood and its gradient by (beta, log sd..., log phi)."""
    columns = data.x.shape[1]
    # Where the last evaluation found the random effects: the next one starts there.
    mode = _Mode(np.zeros(data.subjects), np.zeros(data.k.size))
    binomial_density = _Density(
        lambda eta: _binomial_value(data, eta), lambda eta: _binomial(data, eta), lambda eta: _binomial_third(data, eta)
    )

    def binomial(theta: FloatArray) -> tuple[float, FloatArray]:
        log_sd = np.maximum(theta[columns:], LOG_SD_FLOOR)
        return _laplace(data, theta[:columns], binomial_density, log_sd[0], log_sd[1], mode)

    def beta_binomial(theta: FloatArray) -> tuple[float, FloatArray]:
        phi = math.exp(min(float(theta[-1]), 30.0))
        log_sd = max(float(theta[columns]), LOG_SD_FLOOR) if family == "betabinomial_subject" else None
        density = _Density(
            lambda eta: _beta_binomial_value(data, eta, phi),
            lambda eta: _beta_binomial(data, eta, phi),
            lambda eta: _beta_binomial_third(data, eta, phi),
            lambda eta: _by_log_phi(data, eta, phi),
        )
        return _laplace(data, theta[:columns], density, log_sd, None, mode)

    return binomial if family == "binomial_olre" else beta_binomial


def _laplace(
    data: _Data,
    beta: FloatArray,
    density: _Density,
    log_sd_subject: float | None,
    log_sd_row: float | None,
    mode: _Mode,
) -> tuple[float, FloatArray]:
    """Value and gradient, all patients at once.

    Per patient the random effects are one intercept s and a tube effect e per
    row, standard normal times their sd. The Hessian is an arrowhead: its
    inverse and determinant are closed.
    """
    fixed = data.x @ beta
    ss = math.exp(2 * log_sd_subject) if log_sd_subject is not None else 0.0
    se = math.exp(2 * log_sd_row) if log_sd_row is not None else 0.0
    s, e = _find_mode(data, fixed, density, ss, se, mode)
    mode.s, mode.e = s, e
    eta = fixed + s[data.groups] + e
    slope, curvature = density.derivatives(eta)
    third = density.third(eta)
    w = -curvature
    # One row's weight once its own effect is integrated out.
    shrunk = w / (1 + se * w)
    total = data.per_subject(shrunk)
    penalty = 0.0
    if ss > 0:
        penalty += float((s**2).sum()) / (2 * ss)
    if se > 0:
        penalty += float((e**2).sum()) / (2 * se)
    log_det = float(np.log1p(se * w).sum() + np.log1p(ss * total).sum())
    value = float(density.value(eta).sum()) - penalty - 0.5 * log_det
    gradient = _laplace_gradient(data, density, eta, s, e, ss, se, slope, w, third)
    return -value, -gradient


def _find_mode(
    data: _Data, fixed: FloatArray, density: _Density, ss: float, se: float, start: _Mode
) -> tuple[FloatArray, FloatArray]:
    """The most likely random effects by Newton's method, halving steps that overshoot."""
    s = start.s if ss > 0 else np.zeros(data.subjects)
    e = start.e if se > 0 else np.zeros(data.k.size)
    if ss == 0 and se == 0:
        return s, e

    def penalised(s: FloatArray, e: FloatArray) -> FloatArray:
        """Per patient, so that one patient's overshoot does not stop the others."""
        rows = density.value(fixed + s[data.groups] + e)
        if se > 0:
            rows = rows - e**2 / (2 * se)
        return data.per_subject(rows) - (s**2 / (2 * ss) if ss > 0 else 0.0)

    current = penalised(s, e)
    for _ in range(MODE_STEPS):
        slope, curvature = density.derivatives(fixed + s[data.groups] + e)
        # Far from the mode a beta-binomial may curve the wrong way; a small positive weight still climbs.
        w = np.maximum(-curvature, 1e-8)
        step_s, step_e = _arrowhead_solve(
            data, w, ss, se, data.per_subject(slope) - (s / ss if ss > 0 else 0.0), slope - (e / se if se > 0 else 0.0)
        )
        longest = max(float(np.abs(step_s).max()), float(np.abs(step_e).max()))
        if longest < SAFE_STEP:
            # Newton's last steps double the digits; the density's own rounding would only stop them.
            s, e = s + step_s, e + step_e
            if longest < 1e-9:
                break
            continue
        size = np.ones(data.subjects)
        for _ in range(30):
            trial = penalised(s + size * step_s, e + size[data.groups] * step_e)
            worse = ~(trial >= current - 1e-9 * np.abs(current))
            if not worse.any():
                break
            size = np.where(worse, size / 2, size)
        s, e, current = s + size * step_s, e + size[data.groups] * step_e, trial
    return s, e


def _arrowhead_solve(
    data: _Data, w: FloatArray, ss: float, se: float, right_s: FloatArray, right_e: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Solve the Hessian's system per patient; an effect with sd 0 stays 0."""
    if se > 0:
        diagonal = w + 1 / se
        reduced = right_s - data.per_subject(w * right_e / diagonal) if ss > 0 else right_s
        schur = data.per_subject(w - w**2 / diagonal) + (1 / ss if ss > 0 else 1.0)
        step_s = reduced / schur if ss > 0 else np.zeros(data.subjects)
        return step_s, (right_e - w * step_s[data.groups]) / diagonal
    return right_s / (data.per_subject(w) + 1 / ss), np.zeros(data.k.size)


def _laplace_gradient(
    data: _Data,
    density: _Density,
    eta: FloatArray,
    s: FloatArray,
    e: FloatArray,
    ss: float,
    se: float,
    slope: FloatArray,
    w: FloatArray,
    third: FloatArray,
) -> FloatArray:
    """Derivatives of the Laplace likelihood, the modes' own movement included."""
    variance = _row_variance(data, w, ss, se)
    # d(-½ log det)/d eta_i with everything else held: the determinant sees eta only through w.
    by_eta = 0.5 * variance * third

    def through_modes(cross_s: FloatArray, cross_e: FloatArray) -> float:
        """Movement of the determinant when a parameter pulls the modes with these forces."""
        if ss == 0 and se == 0:
            return 0.0
        move_s, move_e = _arrowhead_solve(data, w, ss, se, cross_s, cross_e)
        return float((by_eta * (move_s[data.groups] + move_e)).sum())

    gradient = []
    for column in data.x.T:
        pull = -w * column
        gradient.append(
            float((slope * column).sum()) + float((by_eta * column).sum()) + through_modes(data.per_subject(pull), pull)
        )
    zero_rows, zero_subjects = np.zeros(data.k.size), np.zeros(data.subjects)
    shrunk = w / (1 + se * w)
    total = data.per_subject(shrunk)
    if ss > 0:
        direct = float((s**2).sum()) / ss - float((ss * total / (1 + ss * total)).sum())
        gradient.append(direct + through_modes(2 * s / ss, zero_rows))
    if se > 0:
        # d log det / d se: each row's own factor, and the total it leaves for the patient.
        own = w / (1 + se * w)
        left = data.per_subject(-(w**2) / (1 + se * w) ** 2)
        by_variance = float(own.sum()) + float((ss * left / (1 + ss * total)).sum())
        direct = float((e**2).sum()) / se - se * by_variance
        gradient.append(direct + through_modes(zero_subjects, 2 * e / se))
    if density.by_phi is not None:
        density_phi, slope_phi, curvature_phi = density.by_phi(eta)
        direct = float(density_phi.sum()) + 0.5 * float((variance * curvature_phi).sum())
        gradient.append(direct + through_modes(data.per_subject(slope_phi), slope_phi))
    return np.array(gradient)


def _row_variance(data: _Data, w: FloatArray, ss: float, se: float) -> FloatArray:
    """Diagonal of the predictor's posterior variance: d log det / d w."""
    total = data.per_subject(w / (1 + se * w))
    return np.asarray(se / (1 + se * w) + (ss / (1 + ss * total))[data.groups] / (1 + se * w) ** 2, dtype=np.float64)


def _covariance(objective: Objective, theta: FloatArray) -> FloatArray:
    """Inverse Hessian from central differences of the analytic gradient.

    Parameters at the edge (a standard deviation of 0) have a flat likelihood:
    they are left out of the inverse, as their uncertainty has no normal form.
    """
    size = theta.size
    step = 1e-4
    hessian = np.empty((size, size))
    for i in range(size):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        hessian[i] = (objective(up)[1] - objective(down)[1]) / (2 * step)
    hessian = (hessian + hessian.T) / 2
    free = np.abs(np.diag(hessian)) > 1e-6
    covariance = np.full((size, size), np.nan)
    covariance[np.ix_(free, free)] = np.linalg.pinv(hessian[np.ix_(free, free)])
    return covariance


def _binomial_value(data: _Data, eta: FloatArray) -> FloatArray:
    from scipy.special import gammaln, log_expit

    constant = gammaln(data.n + 1) - gammaln(data.k + 1) - gammaln(data.n - data.k + 1)
    value = constant + data.k * log_expit(eta) + (data.n - data.k) * log_expit(-eta)
    return np.asarray(value, dtype=np.float64)


def _binomial(data: _Data, eta: FloatArray) -> Derivatives:
    from scipy.special import expit

    p = expit(eta)
    variance = data.n * p * (1 - p)
    return data.k - data.n * p, -variance


def _binomial_third(data: _Data, eta: FloatArray) -> FloatArray:
    from scipy.special import expit

    p = expit(eta)
    return np.asarray(-data.n * p * (1 - p) * (1 - 2 * p), dtype=np.float64)


def _shape_terms(eta: FloatArray, phi: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    from scipy.special import expit

    # A mean of exactly 0 or 1 has no beta distribution; the search never needs to go there.
    p = np.clip(expit(eta), 1e-12, 1 - 1e-12)
    return p, p * phi, (1 - p) * phi, p * (1 - p)


def _trigamma(x: FloatArray) -> FloatArray:
    from scipy.special import zeta

    return np.asarray(zeta(2, x), dtype=np.float64)


def _tetragamma(x: FloatArray) -> FloatArray:
    from scipy.special import zeta

    return np.asarray(-2 * zeta(3, x), dtype=np.float64)


def _beta_binomial_value(data: _Data, eta: FloatArray, phi: float) -> FloatArray:
    """Variance n mu (1 - mu) (1 + (n - 1) rho), rho = 1/(1 + phi)."""
    from scipy.special import gammaln

    k, m, n = data.k, data.n - data.k, data.n
    _, a, b, _ = _shape_terms(eta, phi)
    constant = gammaln(n + 1) - gammaln(k + 1) - gammaln(m + 1)
    value = constant + gammaln(k + a) - gammaln(a) + gammaln(m + b) - gammaln(b) + gammaln(phi) - gammaln(n + phi)
    return np.asarray(value, dtype=np.float64)


def _beta_binomial(data: _Data, eta: FloatArray, phi: float) -> Derivatives:
    p, _, _, v = _shape_terms(eta, phi)
    d1, d2 = _by_mean(data, eta, phi)
    return d1 * v, d2 * v**2 + d1 * v * (1 - 2 * p)


def _by_mean(data: _Data, eta: FloatArray, phi: float) -> tuple[FloatArray, FloatArray]:
    """First two derivatives of the log density by the mean."""
    from scipy.special import digamma

    k, m = data.k, data.n - data.k
    _, a, b, _ = _shape_terms(eta, phi)
    d1 = phi * (digamma(k + a) - digamma(a) - digamma(m + b) + digamma(b))
    d2 = phi**2 * (_trigamma(k + a) - _trigamma(a) + _trigamma(m + b) - _trigamma(b))
    return np.asarray(d1, dtype=np.float64), d2


def _beta_binomial_third(data: _Data, eta: FloatArray, phi: float) -> FloatArray:
    k, m = data.k, data.n - data.k
    p, a, b, v = _shape_terms(eta, phi)
    d1, d2 = _by_mean(data, eta, phi)
    d3 = phi**3 * (_tetragamma(k + a) - _tetragamma(a) - _tetragamma(m + b) + _tetragamma(b))
    v1 = v * (1 - 2 * p)
    v2 = v * ((1 - 2 * p) ** 2 - 2 * v)
    return d3 * v**3 + 3 * d2 * v * v1 + d1 * v2


def _by_log_phi(data: _Data, eta: FloatArray, phi: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Derivatives by log phi of the log density, its slope and its curvature."""
    from scipy.special import digamma

    k, m, n = data.k, data.n - data.k, data.n
    p, a, b, v = _shape_terms(eta, phi)
    q = 1 - p
    density = phi * (
        p * (digamma(k + a) - digamma(a)) + q * (digamma(m + b) - digamma(b)) + digamma(phi) - digamma(n + phi)
    )
    one_k, one_a, one_m, one_b = _trigamma(k + a), _trigamma(a), _trigamma(m + b), _trigamma(b)
    two_k, two_a, two_m, two_b = _tetragamma(k + a), _tetragamma(a), _tetragamma(m + b), _tetragamma(b)
    d1 = phi * (digamma(k + a) - digamma(a) - digamma(m + b) + digamma(b))
    d1_phi = d1 + phi**2 * (p * (one_k - one_a) - q * (one_m - one_b))
    d2 = phi**2 * (one_k - one_a + one_m - one_b)
    d2_phi = 2 * d2 + phi**3 * (p * (two_k - two_a) + q * (two_m - two_b))
    return density, d1_phi * v, d2_phi * v**2 + d1_phi * v * (1 - 2 * p)
