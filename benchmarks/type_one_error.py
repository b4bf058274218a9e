"""How often do tests of six patients reject when nothing changed?

``python benchmarks/type_one_error.py [trials] [refits]``

Four scenarios of statistics that a trial meets (six patients, weeks 0, 4, 8, 24;
no change at week 24): A many events, depleted at weeks 4 and 8; B few events;
C as A without depletion; D as A with beta-binomial tubes. Every number comes
from the package's own functions; the naive methods are here to be seen failing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr
from scipy.stats import fisher_exact

from cytometry.model.plan import ChangeRules
from cytometry.statistics.changes import composition_changes
from cytometry.statistics.count_model import CountFamily, count_model
from cytometry.statistics.mixed_model import mixed_model
from cytometry.statistics.paired_log_odds import paired_log_odds
from cytometry.statistics.scales import logit_half
from cytometry.statistics.sign_flip import sign_flip
from cytometry.statistics.signed_rank import signed_rank

Counts = npt.NDArray[np.float64]
VISITS = ("W0", "W4", "W8", "W24")
PATIENTS = 6
BETWEEN_PATIENTS_SD = 0.6
DEPLETION = (0.0, -2.3, -1.6, 0.0)
"""Log odds: a tenth and a fifth of the share at baseline."""


@dataclass(frozen=True)
class Scenario:
    """How a trial without a change at week 24 is drawn."""

    name: str
    parents: tuple[int, int]
    mean: float
    biology_sd: float
    depleted: bool
    phi: float | None = None


SCENARIOS = (
    Scenario("A", (8_000, 60_000), 0.10, 0.35, True),
    Scenario("B", (300, 4_000), 0.03, 0.60, True),
    Scenario("C", (8_000, 60_000), 0.10, 0.35, False),
    Scenario("D", (8_000, 60_000), 0.10, 0.0, True, phi=60.0),
)


@dataclass(frozen=True)
class Trial:
    """Counts and parents, patients by visits."""

    count: Counts
    parent: Counts


def draw_trial(scenario: Scenario, rng: np.random.Generator) -> Trial:
    """One trial under the null at week 24."""
    shape = (PATIENTS, len(VISITS))
    low, high = scenario.parents
    parent = np.exp(rng.uniform(math.log(low), math.log(high), shape)).round()
    logit = math.log(scenario.mean / (1 - scenario.mean)) + rng.normal(0, BETWEEN_PATIENTS_SD, (PATIENTS, 1))
    logit = logit + (np.array(DEPLETION) if scenario.depleted else 0.0)
    share = expit(logit + rng.normal(0, scenario.biology_sd, shape) if scenario.biology_sd else logit)
    if scenario.phi is not None:
        share = rng.beta(share * scenario.phi, (1 - share) * scenario.phi)
    return Trial(rng.binomial(parent.astype(int), np.broadcast_to(share, shape)).astype(float), parent)


def changes(trial: Trial) -> Counts:
    """Changes at week 24 by the package's rules."""
    k, n = trial.count, trial.parent
    return composition_changes(k[:, 0], n[:, 0], k[:, -1], n[:, -1], ChangeRules()).values


def paired_t(trial: Trial) -> float:
    """The textbook test of the changes; by the mixed model of two visits it is the same."""
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(changes(trial), 0.0).pvalue)


def pooled_fisher(trial: Trial) -> float:
    """All cells of all patients in one table: every event taken for a patient."""
    k, n = trial.count.sum(axis=0), trial.parent.sum(axis=0)
    return float(fisher_exact([[k[0], n[0] - k[0]], [k[-1], n[-1] - k[-1]]]).pvalue)


def flat(trial: Trial) -> tuple[list[str], list[str]]:
    """Subjects and visits of the rows."""
    return [f"P{i}" for i in range(PATIENTS) for _ in VISITS], list(VISITS) * PATIENTS


def mixed(trial: Trial, *, normal: bool) -> float:
    """Mixed model of the logits at week 24: Kenward-Roger, or the naive z."""
    subjects, visits = flat(trial)
    fit = mixed_model(subjects, visits, logit_half(trial.count.ravel(), trial.parent.ravel()), reference="W0")
    if normal:
        return float(2 * ndtr(-abs(fit.satterthwaite.t[-1])))
    return float(fit.kenward_roger.p[-1])


def counted(trial: Trial, family: CountFamily, *, normal: bool) -> float:
    """Model of the counts at week 24: t with patients - 1 degrees of freedom, or the naive z."""
    subjects, visits = flat(trial)
    fit = count_model(subjects, visits, trial.count.ravel(), trial.parent.ravel(), family=family, reference="W0")
    if not fit.converged:
        return float("nan")
    return float(2 * ndtr(-abs(fit.t[-1]))) if normal else float(fit.p_t[-1])


def weighted(trial: Trial, which: str) -> float:
    """Precision-weighted mean: exact sign flips, Hartung-Knapp, or the naive z."""
    k, n = trial.count, trial.parent
    fit = paired_log_odds(k[:, 0], n[:, 0], k[:, -1], n[:, -1])
    if which == "flip":
        return fit.p_value.p
    return fit.p if which == "hk" else float(2 * ndtr(-abs(fit.estimate / fit.se_wald)))


Method = Callable[[Trial], float]

PRIMARY: Mapping[str, Method] = {
    "exact sign-flip (primary)": lambda t: sign_flip(changes(t)).p_value.p,
    "exact signed-rank, Pratt (primary)": lambda t: signed_rank(changes(t)).p_value.p,
    "weighted log odds, exact sign-flip": lambda t: weighted(t, "flip"),
}
OTHERS: Mapping[str, Method] = {
    "paired t on logit change": paired_t,
    "weighted log odds, Hartung-Knapp": lambda t: weighted(t, "hk"),
    "mixed model, Kenward-Roger": lambda t: mixed(t, normal=False),
    "naive: pooled Fisher": pooled_fisher,
    "naive: weighted log odds, z": lambda t: weighted(t, "z"),
    "naive: mixed model, z": lambda t: mixed(t, normal=True),
}
REFITTED: Mapping[str, Method] = {
    "binomial GLMM with tube effect, t": lambda t: counted(t, "binomial_olre", normal=False),
    "naive: binomial GLMM with tube effect, z": lambda t: counted(t, "binomial_olre", normal=True),
    "naive: beta-binomial, z": lambda t: counted(t, "betabinomial_subject", normal=True),
}


@dataclass(frozen=True)
class Rate:
    """How often a method rejected at 0.05 and at 0.01."""

    scenario: str
    method: str
    trials: int
    at_5: float
    at_1: float


def rates(methods: Mapping[str, Method], trials: int, seed: int = 2026) -> Iterator[Rate]:
    """Rejection rates of each method in each scenario, the same trials for all."""
    for scenario in SCENARIOS:
        rng = np.random.default_rng([seed, ord(scenario.name)])
        drawn = [draw_trial(scenario, rng) for _ in range(trials)]
        for name, method in methods.items():
            p = np.array([method(t) for t in drawn])
            p = p[~np.isnan(p)]
            yield Rate(scenario.name, name, p.size, float((p <= 0.05).mean()), float((p <= 0.01).mean()))


def main(trials: int = 1000, refits: int = 300) -> None:
    """Print the table: rate at 0.05 / at 0.01."""
    table: dict[str, dict[str, Rate]] = {}
    for methods, number in ((PRIMARY, trials), (OTHERS, trials), (REFITTED, refits)):
        for rate in rates(methods, number):
            table.setdefault(rate.method, {})[rate.scenario] = rate
    width = max(map(len, table))
    print(
        f"{'rejections under the null, at 0.05 / 0.01':{width}}  trials   "
        + "".join(f"{s.name:>14}" for s in SCENARIOS)
    )
    for method, row in table.items():
        cells = "".join(f"{row[s.name].at_5:>8.3f}/{row[s.name].at_1:.3f}" for s in SCENARIOS)
        print(f"{method:{width}}  {row['A'].trials:6d}   {cells}")
    error = math.sqrt(0.05 * 0.95 / trials)
    refitted = error * math.sqrt(trials / refits)
    print(f"Monte Carlo error of a rate of 0.05: {error:.4f} ({trials} trials), {refitted:.4f} ({refits} trials)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
