"""One line of R for each result, with the data in it: anybody can check a number without this package."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytometry.statistics.ranks import FloatArray, Values, present
from cytometry.statistics.sign_flip import ENUMERATED_UP_TO

INLINED_UP_TO = 30
"""A line with more numbers than this is not read by anybody."""


def r_vector(values: Sequence[float] | FloatArray) -> str:
    """Numbers as R writes them, to the last digit.

    Examples
    --------
    >>> r_vector([1.5, float("nan")])
    'c(1.5,NA)'
    """
    return f"c({','.join('NA' if np.isnan(v) else repr(float(v)) for v in values)})"


def paired_check(differences: Values, alternative: str = "two.sided") -> str:
    """All sign flips in base R, and the signed-rank test with zeros ranked (coin), of a vector of changes."""
    d = present(differences)
    if not 1 < d.size <= ENUMERATED_UP_TO:
        return ""
    extreme = {
        "two.sided": "abs(f) >= abs(sum(d)) * (1 - 1e-9)",
        "greater": "f >= sum(d) - 1e-9 * abs(sum(d))",
        "less": "f <= sum(d) + 1e-9 * abs(sum(d))",
    }[alternative]
    return (
        f"d <- {r_vector(d)}; f <- as.matrix(expand.grid(rep(list(c(-1, 1)), length(d)))) %*% d; mean({extreme}); "
        f"coin::wilcoxsign_test(d ~ I(0 * d), distribution = 'exact', zero.method = 'Pratt', "
        f"alternative = '{alternative}')"
    )


def max_t_check(differences: FloatArray, names: Sequence[str]) -> str:
    """Step-down maxT of complete changes (multtest, all flips)."""
    d = np.atleast_2d(differences)
    if np.isnan(d).any() or d.shape[1] > INLINED_UP_TO:
        return ""
    rows = ",".join(r_vector(row) for row in d)
    labels = ",".join(f"'{name}'" for name in names)
    return (
        f"library(multtest); d <- rbind({rows}); rownames(d) <- c({labels}); n <- ncol(d); "
        "x <- matrix(0, nrow(d), 2*n); x[, seq(2,2*n,2)] <- d; "
        "mt.maxT(x, rep(0:1, n), test='pairt', side='abs', B=0)"
    )


def spearman_check(x: Values, y: Values) -> str:
    """Exact Spearman correlation over all orders, ties included (coin)."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    there = ~(np.isnan(a) | np.isnan(b))
    a, b = a[there], b[there]
    if not 2 < a.size <= 9:
        return ""
    return (
        f"x <- {r_vector(a)}; y <- {r_vector(b)}; p <- gtools::permutations(length(y), length(y)); "
        "r <- cor(x, y, method='spearman'); "
        "mean(abs(apply(p, 1, function(o) cor(rank(x), rank(y)[o]))) >= abs(r) - 1e-9)"
    )


def rmcorr_check(subjects: Sequence[str], x: Values, y: Values) -> str:
    """Repeated-measures correlation (rmcorr)."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.size > 4 * INLINED_UP_TO:
        return ""
    ids = ",".join(f"'{s}'" for s in subjects)
    return f"rmcorr::rmcorr(s, x, y, data.frame(s=factor(c({ids})), x={r_vector(a)}, y={r_vector(b)}))"


def mixed_model_check(subjects: Sequence[str], visits: Sequence[str], y: Values) -> str:
    """Random-intercept model with Kenward-Roger contrasts (lme4, emmeans)."""
    values = np.asarray(y, dtype=np.float64)
    if values.size > 4 * INLINED_UP_TO:
        return ""
    ids = ",".join(f"'{s}'" for s in subjects)
    times = ",".join(f"'{v}'" for v in visits)
    levels = ",".join(f"'{v}'" for v in dict.fromkeys(visits))
    return (
        f"m <- lme4::lmer(y ~ v + (1|s), data.frame(s=c({ids}), v=factor(c({times}), levels=c({levels})), "
        f"y={r_vector(values)})); emmeans::contrast(emmeans::emmeans(m, 'v', lmer.df='kenward-roger'), 'trt.vs.ctrl', "
        "adjust='none')"
    )


def paired_odds_check(before: Values, whole_before: Values, now: Values, whole_now: Values) -> str:
    """Random-effects mean of paired log odds ratios with Hartung-Knapp (metafor)."""
    k0, n0, k1, n1 = (np.asarray(v, dtype=np.float64) for v in (before, whole_before, now, whole_now))
    if not 1 < k0.size <= INLINED_UP_TO:
        return ""
    return (
        f"library(metafor); a <- {r_vector(k1)}; n1 <- {r_vector(n1)}; c0 <- {r_vector(k0)}; n0 <- {r_vector(n0)}; "
        "rma(measure='OR', ai=a, n1i=n1, ci=c0, n2i=n0, add=.5, to='all', method='REML', test='knha')"
    )
