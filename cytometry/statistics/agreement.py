"""How well two ways of measuring the same tubes agree.

Several tubes of one participant are not independent. The bias, its interval, the
limits of agreement and the slope are therefore over participants; the two
coefficients take every tube as its own target, as their sources do, so their
intervals are too narrow where participants have several tubes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from cytometry.statistics.ranks import FloatArray, Values, as_values

NAN: Final = float("nan")
# Limits of agreement hold this share of the differences.
AGREEMENT_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its interval; NaN where the data do not define them."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval."""

    value: float
    low: float
    high: float


_UNDEFINED: Final = Estimate(NAN, NAN, NAN)


@dataclass(frozen=True, slots=True)
class LimitsOfAgreement:
    """Bland and Altman's bias and limits, of differences second minus first.

    Parameters
    ----------
    bias
        Mean over participants of their mean difference; t interval over participants.
    lower, upper
        Limits that 95 % of the differences of single tubes lie between, each with
        its interval (Zou 2013).
    sd
        Standard deviation of a single tube's difference, between and within participants.
    n, n_subjects
        Pairs, and participants.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate
    sd: float
    n: int
    n_subjects: int


def icc_agreement(ratings: Sequence[Values], *, level: float = 0.95) -> Coefficient:
    """Intraclass correlation for absolute agreement of single measurements, two-way random: ICC(2,1), ICC(A,1).

    Shrout and Fleiss 1979 for the estimate, McGraw and Wong 1996 (table 7) for the
    interval. A target with a missing rating is left out.

    Parameters
    ----------
    ratings
        One row per rater, one value per target, NaN for missing.

    Examples
    --------
    >>> judges = [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]
    >>> round(icc_agreement(judges).estimate, 2)  # Shrout and Fleiss 1979, table 4
    0.29
    """
    from scipy.stats import f

    table = np.stack([as_values(r) for r in ratings]).T
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2 or _is_constant(table):
        return Coefficient(NAN, NAN, NAN, n)
    centred = table - table.mean()
    rows, columns = centred.mean(axis=1), centred.mean(axis=0)
    ms_rows = k * float((rows**2).sum()) / (n - 1)
    ms_columns = n * float((columns**2).sum()) / (k - 1)
    ms_error = float(((centred - rows[:, None] - columns) ** 2).sum()) / ((n - 1) * (k - 1))
    spread = ms_rows + (k - 1) * ms_error + k / n * (ms_columns - ms_error)
    if spread <= 0:
        return Coefficient(NAN, NAN, NAN, n)
    icc = (ms_rows - ms_error) / spread
    if ms_error <= 1e-24 * spread and ms_columns <= 1e-24 * spread:
        return Coefficient(1.0, 1.0, 1.0, n)
    # 1 - icc without the rounding of the difference, which leaves 0 where only the last digits differ.
    rest = k * (ms_error + (ms_columns - ms_error) / n) / spread
    a, b = k * icc / (n * rest), 1 + k * icc * (n - 1) / (n * rest)
    total = a * ms_columns + b * ms_error
    if abs(total) <= 1e-12 * spread:
        # No degrees of freedom: one rater is a constant off the other's constant, or the exact reverse of the other.
        return Coefficient(icc, NAN, NAN, n)
    df = total**2 / ((a * ms_columns) ** 2 / (k - 1) + (b * ms_error) ** 2 / ((n - 1) * (k - 1)))
    lower_f, upper_f = float(f.ppf((1 + level) / 2, n - 1, df)), float(f.ppf((1 + level) / 2, df, n - 1))
    noise = k * ms_columns + (k * n - k - n) * ms_error
    low = n * (ms_rows - lower_f * ms_error) / (lower_f * noise + n * ms_rows)
    high = n * (upper_f * ms_rows - ms_error) / (noise + n * upper_f * ms_rows)
    return Coefficient(icc, low, high, n)


def concordance(first: Values, second: Values, *, level: float = 0.95) -> Coefficient:
    """Lin's concordance correlation coefficient, with its interval by Fisher's z (Lin 1989, corrected 2000).

    Examples
    --------
    >>> round(concordance([1, 2, 3], [2, 3, 4]).estimate, 4)  # 2 · 2/3 / (2/3 + 2/3 + 1)
    0.5714
    """
    x, y = _paired(first, second)
    n = x.size
    if n < 2 or _is_constant(np.stack([x, y])):
        return Coefficient(NAN, NAN, NAN, n)
    sxx, syy = float(x.var()), float(y.var())
    shift = float(y.mean() - x.mean())
    sxy = float(((x - x.mean()) * (y - y.mean())).mean())
    ccc = 2 * sxy / (sxx + syy + shift**2)
    if n < 4 or sxx == 0 or syy == 0 or sxy == 0:
        return Coefficient(ccc, NAN, NAN, n)
    if abs(ccc) >= 1 - 1e-15:
        return Coefficient(ccc, ccc, ccc, n)
    r = sxy / math.sqrt(sxx * syy)
    u2 = shift**2 / math.sqrt(sxx * syy)
    variance = (
        (1 - r**2) * ccc**2 / ((1 - ccc**2) * r**2)
        + 2 * ccc**3 * (1 - ccc) * u2 / (r * (1 - ccc**2) ** 2)
        - ccc**4 * u2**2 / (2 * r**2 * (1 - ccc**2) ** 2)
    ) / (n - 2)
    reach = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(max(variance, 0.0))
    z = math.atanh(ccc)
    return Coefficient(ccc, math.tanh(z - reach), math.tanh(z + reach), n)


def limits_of_agreement(
    first: Values, second: Values, subjects: Sequence[str], *, level: float = 0.95
) -> LimitsOfAgreement:
    """Bias and limits of agreement where a participant has several tubes and the true value moves between them.

    Limits: Bland and Altman 1999, 2007; their intervals: Zou 2013, recovering the
    variance of the total from its two parts. With one tube per participant the bias
    and the limits are those of Bland and Altman 1986.

    Parameters
    ----------
    subjects
        Participant of each pair.

    Examples
    --------
    >>> agreed = limits_of_agreement([1, 2, 3, 4], [2, 2, 4, 4], ["a", "b", "c", "d"])
    >>> round(agreed.bias.value, 2), round(agreed.sd, 4)
    (0.5, 0.5774)
    """
    from scipy.stats import t

    groups = _differences(first, second, subjects)
    n, n_subjects = sum(g.size for g in groups), len(groups)
    if n_subjects < 2:
        value = float(np.concatenate(groups).mean()) if groups else NAN
        return LimitsOfAgreement(Estimate(value, NAN, NAN), _UNDEFINED, _UNDEFINED, NAN, n, n_subjects)
    means = np.array([g.mean() for g in groups])
    bias, between = float(means.mean()), float(means.var(ddof=1))
    within = sum(float(((g - g.mean()) ** 2).sum()) for g in groups) / (n - n_subjects) if n > n_subjects else 0.0
    # Of one tube: the mean of a participant's tubes carries 1/m of the variance within.
    share = 1 - float(np.mean([1 / g.size for g in groups]))
    total = between + share * within
    sd = math.sqrt(total)
    z_limit = NormalDist().inv_cdf((1 + AGREEMENT_LEVEL) / 2)
    z = NormalDist().inv_cdf((1 + level) / 2)
    down, up = _recovered(between, n_subjects - 1, share * within, n - n_subjects, level)
    error = z**2 * between / n_subjects
    outer = math.sqrt(error + z_limit**2 * (math.sqrt(total + up) - sd) ** 2)
    inner = math.sqrt(error + z_limit**2 * (sd - math.sqrt(max(total - down, 0.0))) ** 2)
    low, high = bias - z_limit * sd, bias + z_limit * sd
    reach = float(t.ppf((1 + level) / 2, n_subjects - 1)) * math.sqrt(between / n_subjects)
    return LimitsOfAgreement(
        bias=Estimate(bias, bias - reach, bias + reach),
        lower=Estimate(low, low - outer, low + inner),
        upper=Estimate(high, high - inner, high + outer),
        sd=sd,
        n=n,
        n_subjects=n_subjects,
    )


def proportional_bias(first: Values, second: Values, subjects: Sequence[str], *, level: float = 0.95) -> Estimate:
    """Slope of the differences second minus first on the means of both: a bias that grows with the value.

    Least squares (Bland and Altman 1999, §3.2); the interval is robust to tubes of
    one participant moving together (Liang and Zeger 1986, with the usual
    small-sample factor and t on participants - 1).

    Examples
    --------
    >>> round(proportional_bias([1, 2, 3, 4], [1.1, 2.2, 3.3, 4.4], ["a", "b", "c", "d"]).value, 4)  # 0.1 / 1.05
    0.0952
    """
    from scipy.stats import t

    x, y = _paired(first, second)
    kept = ~(np.isnan(as_values(first)) | np.isnan(as_values(second)))
    owners = np.asarray(subjects, dtype=object)[kept]
    n, names = x.size, list(dict.fromkeys(owners))
    mean = (x + y) / 2 - ((x + y) / 2).mean() if n else x
    spread = float((mean**2).sum())
    if n < 3 or len(names) < 3 or spread <= 0:
        return _UNDEFINED
    difference = y - x
    slope = float((mean * difference).sum()) / spread
    residual = difference - difference.mean() - slope * mean
    scores = np.array([float((mean[owners == s] * residual[owners == s]).sum()) for s in names])
    groups = len(names)
    variance = float((scores**2).sum()) / spread**2 * groups / (groups - 1) * (n - 1) / (n - 2)
    reach = float(t.ppf((1 + level) / 2, groups - 1)) * math.sqrt(variance)
    return Estimate(slope, slope - reach, slope + reach)


def f1_score(n_first: int, n_second: int, n_both: int) -> float:
    """Harmonic mean of the shares that each set has in the other; NaN where both are empty.

    Examples
    --------
    >>> f1_score(10, 30, 10)
    0.5
    """
    return 2 * n_both / (n_first + n_second) if n_first + n_second else NAN


def jaccard(n_first: int, n_second: int, n_both: int) -> float:
    """Events in both over events in either; NaN where both are empty.

    Examples
    --------
    >>> jaccard(10, 30, 10)
    0.3333333333333333
    """
    either = n_first + n_second - n_both
    return n_both / either if either else NAN


def _recovered(between: float, df_between: int, within: float, df_within: int, level: float) -> tuple[float, float]:
    """How far the total variance may lie below and above its estimate (Zou 2013)."""
    from scipy.stats import chi2

    parts = [(between, df_between)] + ([(within, df_within)] if df_within else [])
    down = [v * (1 - df / float(chi2.ppf((1 + level) / 2, df))) for v, df in parts]
    up = [v * (df / float(chi2.ppf((1 - level) / 2, df)) - 1) for v, df in parts]
    return math.hypot(*down), math.hypot(*up)


def _is_constant(values: FloatArray) -> bool:
    """Whether all are one value, rounding apart: nothing then tells targets from noise."""
    return bool(np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())))


def _paired(first: Values, second: Values) -> tuple[FloatArray, FloatArray]:
    x, y = as_values(first), as_values(second)
    kept: npt.NDArray[np.bool_] = ~(np.isnan(x) | np.isnan(y))
    return x[kept], y[kept]


def _differences(first: Values, second: Values, subjects: Sequence[str]) -> list[FloatArray]:
    """Differences of each participant, in order of appearance."""
    difference = as_values(second) - as_values(first)
    groups: dict[str, list[float]] = {}
    for subject, value in zip(subjects, difference.tolist(), strict=True):
        if not math.isnan(value):
            groups.setdefault(subject, []).append(value)
    return [as_values(values) for values in groups.values()]
