"""Score the package's own functions against a folder of reference cases: ``score_statistics.py DIR [--json F]``.

``DIR`` holds ``<family>.<anything>.json`` and ``trial_*.<anything>.{json,csv}`` in
the form that its README describes. A case agrees when every scored key does:
|got - expected| <= abs + rel * |expected|, null for null. The last line is
``agreed A of T cases, trial a of t``; exit 0 when all agree, 1 otherwise.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytometry.statistics.attainable import attainable
from cytometry.statistics.changes import PLAIN_RULE, composition_changes
from cytometry.statistics.correlation import RankCorrelation, kendall, spearman, spearman_estimate
from cytometry.statistics.correlation_intervals import correlation_interval
from cytometry.statistics.correlation_max_t import correlation_max_t
from cytometry.statistics.count_model import count_model
from cytometry.statistics.friedman import friedman
from cytometry.statistics.hodges_lehmann import hodges_lehmann
from cytometry.statistics.leave_one_out import leave_one_out_estimates, leave_one_out_pairs
from cytometry.statistics.max_t import max_t
from cytometry.statistics.mcnemar import mcnemar
from cytometry.statistics.mixed_model import Contrasts, mixed_model
from cytometry.statistics.p_adjust import p_adjust
from cytometry.statistics.p_values import PValue
from cytometry.statistics.paired_log_odds import paired_log_odds
from cytometry.statistics.power import exact_power, minimal_effect, minimal_effect_t, paired_t_power
from cytometry.statistics.proportions import proportion_interval
from cytometry.statistics.rank_biserial import rank_biserial
from cytometry.statistics.rmcorr import rmcorr
from cytometry.statistics.rmcorr_permutation import course_permutation
from cytometry.statistics.scales import arcsine_root, centred_log_ratio, isometric_log_ratio, logit_half, percent
from cytometry.statistics.sign_flip import sign_flip
from cytometry.statistics.signed_rank import signed_rank
from cytometry.statistics.two_groups import rank_sum

Json = object
Node = Mapping[str, object]
SEED = 20260101


@dataclass
class Score:
    """Cases that agreed, and the keys of those that did not."""

    agreed: int = 0
    total: int = 0
    disagreements: list[dict[str, object]] = field(default_factory=list)


def numbers(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A list of numbers and nulls as floats and NaN; a lone number as a list of one."""
    listed = values if isinstance(values, list) else [values]
    return np.array([math.nan if v is None else float(v) for v in listed], dtype=np.float64)


def matrix(rows: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Rows of numbers and nulls."""
    assert isinstance(rows, list)
    return np.stack([numbers(row) for row in rows])


def options(case: Node) -> Node:
    """The case's options, empty where it has none."""
    found = case.get("options") or {}
    assert isinstance(found, Mapping)
    return found


def level(case: Node) -> float:
    """Confidence level of a case."""
    return float(str(options(case).get("conf_level", 0.95)))


def run_signed_rank(data: Node, case: Node) -> Node:
    method = str(options(case).get("zero_method", "wilcox"))
    alternative = str(options(case).get("alternative", "two.sided"))
    result = signed_rank(numbers(data["d"]), zero_method=method, alternative=alternative)  # type: ignore[arg-type]
    p = result.p_value
    return {
        "w_plus": result.w_plus,
        "w_minus": result.w_minus,
        "n_nonzero": result.n_nonzero,
        "p_value": p.p,
        "p_count": p.count,
        "p_total": p.total,
        "min_attainable_p": p.floor,
    }


def run_hodges_lehmann(data: Node, case: Node) -> Node:
    result = hodges_lehmann(numbers(data["d"]), level=level(case))
    return {
        "estimate": result.estimate,
        "ci_low": result.low,
        "ci_high": result.high,
        "order_k": result.order,
        "achieved_conf": result.attained,
        "requested_attainable": result.requested_attainable,
    }


def run_rank_biserial(data: Node, case: Node) -> Node:
    return {"rank_biserial": rank_biserial(numbers(data["d"])).estimate}


def run_sign_flip(data: Node, case: Node) -> Node:
    d = numbers(data["d"])
    result = sign_flip(d, level=level(case))
    present = int((~np.isnan(d)).sum())
    return {
        "mean": result.mean,
        "p_two_sided": result.p_value.p,
        "p_greater": sign_flip(d, alternative="greater").p_value.p,
        "p_less": sign_flip(d, alternative="less").p_value.p,
        "count_two_sided": result.p_value.count,
        "total": result.p_value.total,
        # The reference's floor is that of n changes; ours also counts zeros, which raise it.
        "min_attainable_p_two_sided": attainable(present).two_sided,
        "shift_ci_low": result.low,
        "shift_ci_high": result.high,
        "shift_ci_k": result.order,
        "shift_ci_achieved_conf": result.attained,
    }


def run_maxt(data: Node, case: Node) -> Node:
    result = max_t(matrix(data["differences"]))
    return {
        "t": result.t,
        "p_raw": result.p_raw,
        "p_maxt_stepdown": result.p_step_down,
        "p_maxt_singlestep": result.p_single_step,
        "p_holm": result.p_holm,
        "p_bh": result.p_bh,
        "total": result.total,
    }


def run_p_adjust(data: Node, case: Node) -> Node:
    p = numbers(data["p"])
    return {m: p_adjust(p, m) for m in ("holm", "bh", "by", "hochberg", "hommel", "bonferroni")}


def _rank_correlation(result: RankCorrelation) -> Node:
    return {
        "estimate": result.estimate,
        "p_two_sided": result.p_value.p,
        "p_greater": result.p_greater,
        "p_less": result.p_less,
        "p_two_sided_doubled": result.p_doubled,
        "count_two_sided": result.p_value.count,
        "total": result.p_value.total,
        "min_attainable_p_two_sided": result.p_value.floor,
    }


def run_spearman(data: Node, case: Node) -> Node:
    return _rank_correlation(spearman(numbers(data["x"]), numbers(data["y"]), rng=np.random.default_rng(SEED)))


def run_kendall(data: Node, case: Node) -> Node:
    return _rank_correlation(kendall(numbers(data["x"]), numbers(data["y"]), rng=np.random.default_rng(SEED)))


def run_correlation_maxt(data: Node, case: Node) -> Node:
    result = correlation_max_t(matrix(data["x_rows"]), numbers(data["y"]), rng=np.random.default_rng(SEED))
    return {
        "rho": result.rho,
        "p_raw": result.p_raw,
        "p_maxt_stepdown": result.p_step_down,
        "total": result.total,
    }


def run_correlation_ci(data: Node, case: Node) -> Node:
    method = str(options(case)["method"])
    if "estimate" in data:
        estimate, n = float(str(data["estimate"])), int(str(data["n"]))
    else:
        x, y = numbers(data["x"]), numbers(data["y"])
        n = int((~(np.isnan(x) | np.isnan(y))).sum())
        rng = np.random.default_rng(SEED)
        estimate = kendall(x, y, rng=rng).estimate if method.startswith("kendall") else spearman_estimate(x, y)
    interval = correlation_interval(estimate, n, method, level=level(case))  # type: ignore[arg-type]
    return {"estimate": estimate, "ci_low": interval.low, "ci_high": interval.high, "se_z": interval.se_z}


def run_rmcorr(data: Node, case: Node) -> Node:
    subjects, x, y = list(data["subject"]), numbers(data["x"]), numbers(data["y"])  # type: ignore[call-overload]
    plain = rmcorr(subjects, x, y, level=level(case))
    adjusted = rmcorr(subjects, x, y, visits=list(data["week"]), level=level(case))  # type: ignore[call-overload]
    return {
        "r": plain.r,
        "df": plain.df,
        "p_value": plain.p,
        "ci_low": plain.low,
        "ci_high": plain.high,
        "slope": plain.slope,
        "time_adjusted": {"r": adjusted.r, "df": adjusted.df, "p_value": adjusted.p, "slope": adjusted.slope},
    }


def _fraction(p: PValue) -> dict[str, object]:
    return {"p_two_sided": p.p, "count": p.count, "total": p.total}


def run_rmcorr_permutation(data: Node, case: Node) -> Node:
    subjects, weeks = list(data["subject"]), list(data["week"])  # type: ignore[call-overload]
    result = course_permutation(
        subjects, weeks, numbers(data["x"]), numbers(data["y"]), rng=np.random.default_rng(SEED)
    )
    swap = _fraction(result.trajectory_swap) | {"p_one_sided_observed_direction": result.swap_one_sided}
    return {"r": result.r, "within_subject": _fraction(result.within_subjects), "trajectory_swap": swap}


def _contrasts(c: Contrasts) -> dict[str, object]:
    return {
        "contrast": list(c.names),
        "estimate": c.estimate,
        "se": c.se,
        "df": c.df,
        "t": c.t,
        "p": c.p,
        "ci_low": c.low,
        "ci_high": c.high,
        "p_holm": c.p_holm,
    }


def run_lmm(data: Node, case: Node) -> Node:
    subjects, visits = list(map(str, data["subject"])), list(map(str, data["visit"]))  # type: ignore[call-overload]
    reference = str(options(case).get("reference", visits[0]))
    fit = mixed_model(subjects, visits, numbers(data["y"]), reference=reference, level=level(case))
    f = fit.omnibus
    omnibus = {"F": f.f, "ndf": f.numerator_df, "ddf": f.denominator_df, "p": f.p}
    return {
        "sigma2": fit.sigma2,
        "tau2": fit.tau2,
        "reml_loglik": fit.log_likelihood,
        "singular": fit.singular,
        "satterthwaite": _contrasts(fit.satterthwaite),
        "kenward_roger": _contrasts(fit.kenward_roger) | {"omnibus": omnibus},
    }


def run_count_model(data: Node, case: Node) -> Node:
    subjects, visits = list(map(str, data["subject"])), list(map(str, data["visit"]))  # type: ignore[call-overload]
    fit = count_model(
        subjects,
        visits,
        numbers(data["count"]),
        numbers(data["parent_count"]),
        family=str(options(case)["model"]),  # type: ignore[arg-type]
        reference=str(options(case).get("reference", visits[0])),
    )
    return {
        "beta": fit.beta,
        "se": fit.se,
        "sd_subject": fit.sd_subject,
        "sd_observation": fit.sd_observation,
        "phi": fit.phi,
        "rho": fit.rho,
        "loglik": fit.log_likelihood,
    }


def run_paired_logodds(data: Node, case: Node) -> Node:
    fit = paired_log_odds(
        numbers(data["pre"]),
        numbers(data["pre_parent"]),
        numbers(data["post"]),
        numbers(data["post_parent"]),
        level=level(case),
    )
    return {
        "log_or": fit.log_odds,
        "variance": fit.variances,
        "tau2_reml": fit.tau2,
        "estimate": fit.estimate,
        "se_hk": fit.se,
        "df": fit.df,
        "t": fit.t,
        "p_hk": fit.p,
        "ci_low": fit.low,
        "ci_high": fit.high,
        "se_wald": fit.se_wald,
        "Q": fit.q,
        "I2": fit.i2,
        "sign_flip": _fraction(fit.p_value),
    }


def run_binomial_ci(data: Node, case: Node) -> Node:
    k, n = int(str(data["count"])), int(str(data["n"]))
    result: dict[str, object] = {}
    for method in ("clopper_pearson", "mid_p", "wilson", "jeffreys"):
        interval = proportion_interval(k, n, method, level=level(case))  # type: ignore[arg-type]
        result[method] = [interval.low, interval.high]
    return result


def run_mcnemar(data: Node, case: Node) -> Node:
    result = mcnemar(int(str(data["pre_yes_post_no"])), int(str(data["pre_no_post_yes"])))
    return {"p_exact": result.p_exact, "p_mid": result.p_mid, "min_attainable_p": result.floor}


def run_friedman(data: Node, case: Node) -> Node:
    result = friedman(matrix(data["rows_subjects_cols_visits"]), rng=np.random.default_rng(SEED))
    return {"statistic": result.statistic, "kendall_w": result.kendall_w, "p_exact": result.p_value.p}


def run_two_group_exact(data: Node, case: Node) -> Node:
    result = rank_sum(numbers(data["responders"]), numbers(data["others"]), rng=np.random.default_rng(SEED))
    p = result.p_value
    return {
        "w_responders": result.w,
        "p_two_sided": p.p,
        "count": p.count,
        "total": p.total,
        "min_attainable_p_two_sided": p.floor,
    }


def run_attainable(data: Node, case: Node) -> Node:
    result = attainable(int(str(data["n"])), int(str(data["n_hypotheses"])))
    return {
        "min_p_two_sided": result.two_sided,
        "min_p_one_sided": result.one_sided,
        "min_p_holm": result.holm,
        "min_p_maxt_stepdown": result.max_t,
        "min_p_bh_if_all_at_floor": result.bh_if_all_at_floor,
        "n_needed_two_sided_0_05": result.n_needed_two_sided,
        "n_needed_holm_0_05": result.n_needed_holm,
        "min_p_spearman_no_ties": result.spearman_no_ties,
        "largest_attainable_hl_conf": result.hodges_lehmann_level,
    }


def run_power_n6(data: Node, case: Node) -> Node:
    n, alpha = int(str(data["n"])), float(str(data.get("alpha", 0.05)))
    if "power" in data:
        wanted = float(str(data["power"]))
        return {
            "mde_sd_units": minimal_effect(n, wanted, alpha),
            "mde_sd_units_paired_t": minimal_effect_t(n, wanted, alpha),
        }
    effect = float(str(data["delta_sd_units"]))
    return {
        "power_exact_signed_rank_signflip_sign": exact_power(n, effect, alpha),
        "power_paired_t": paired_t_power(n, effect, alpha),
    }


def run_scales(data: Node, case: Node) -> Node:
    k, n = numbers(data["count"]), numbers(data["parent_count"])
    return {
        "percent": percent(k, n),
        "logit_half": logit_half(k, n),
        "arcsine_sqrt": arcsine_root(k, n),
        "clr_half": centred_log_ratio(k),
        "ilr_half_egozcue": isometric_log_ratio(k),
    }


FAMILIES: Mapping[str, Callable[[Node, Node], Node]] = {
    "signed_rank": run_signed_rank,
    "hodges_lehmann": run_hodges_lehmann,
    "rank_biserial": run_rank_biserial,
    "sign_flip": run_sign_flip,
    "maxt": run_maxt,
    "p_adjust": run_p_adjust,
    "spearman_exact": run_spearman,
    "kendall_exact": run_kendall,
    "correlation_maxt": run_correlation_maxt,
    "correlation_ci": run_correlation_ci,
    "rmcorr": run_rmcorr,
    "rmcorr_permutation": run_rmcorr_permutation,
    "lmm": run_lmm,
    "count_model": run_count_model,
    "paired_logodds": run_paired_logodds,
    "binomial_ci": run_binomial_ci,
    "mcnemar": run_mcnemar,
    "friedman": run_friedman,
    "two_group_exact": run_two_group_exact,
    "attainable": run_attainable,
    "power_n6": run_power_n6,
    "scales": run_scales,
}


@dataclass(frozen=True)
class Tolerance:
    """Absolute and relative tolerance of a key; some families name one per quantity."""

    values: Mapping[str, float]

    def limit(self, key: str, expected: float) -> float:
        """Largest allowed difference."""
        absolute, relative = self.values.get("abs", 0.0), self.values.get("rel", 0.0)
        leaf = key.split(".")[-1].split("[")[0]
        # rho = 1/(1 + phi) carries phi's relative tolerance.
        own = "sd" if leaf.startswith("sd_") else "phi" if leaf == "rho" else leaf
        absolute += self.values.get(f"{own}_abs", 0.0)
        relative += self.values.get(f"{own}_rel", 0.0)
        return absolute + relative * abs(expected)


def missing(value: object) -> bool:
    """None and NaN are the same: undefined."""
    return value is None or (isinstance(value, float | np.floating) and math.isnan(float(value)))


def compare(key: str, got: object, expected: object, tolerance: Tolerance) -> list[tuple[str, object, object]]:
    """Keys under ``key`` that disagree, with what was expected and what came."""
    if isinstance(expected, Mapping):
        inner = got if isinstance(got, Mapping) else {}
        return [d for k, v in expected.items() for d in compare(f"{key}.{k}" if key else k, inner.get(k), v, tolerance)]
    if isinstance(expected, list):
        listed = list(got) if isinstance(got, list | tuple | np.ndarray) else []
        if len(listed) != len(expected):
            return [(key, expected, got)]
        pairs = enumerate(zip(listed, expected, strict=True))
        return [d for i, (g, e) in pairs for d in compare(f"{key}[{i}]", g, e, tolerance)]
    if missing(expected) or missing(got):
        return [] if missing(expected) and missing(got) else [(key, expected, got)]
    if isinstance(expected, bool | str):
        return [] if got == expected else [(key, expected, got)]
    if not isinstance(got, int | float | np.integer | np.floating):
        return [(key, expected, got)]
    difference = abs(float(got) - float(str(expected)))
    return [] if difference <= tolerance.limit(key, float(str(expected))) else [(key, expected, got)]


def without(expected: Node, keys: Sequence[str]) -> Node:
    """Expected values that are scored: none given for information, at any depth."""

    def kept(node: Node, prefix: str) -> Node:
        return {
            k: kept(v, f"{prefix}{k}.") if isinstance(v, Mapping) else v
            for k, v in node.items()
            if k not in keys and f"{prefix}{k}" not in keys and not k.endswith("_for_comparison_only")
        }

    return kept(expected, "")


def score_case(case: Node, family: str) -> list[dict[str, object]]:
    """Disagreements of one case; a crash is one, too."""
    data, expected = case["input"], case["expected"]
    assert isinstance(data, Mapping)
    assert isinstance(expected, Mapping)
    not_required = case.get("not_required") or []
    tolerance = case.get("tolerance") or {}
    assert isinstance(not_required, list | str)
    assert isinstance(tolerance, Mapping)
    keys = [not_required] if isinstance(not_required, str) else list(not_required)
    try:
        got = FAMILIES[family](data, case)
    except Exception as error:  # noqa: BLE001 - a crash is a disagreement to be listed, not the end of the scoring
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
        return [{"id": case["id"], "key": "", "expected": "a result", "got": text}]
    found = compare("", got, without(expected, keys), Tolerance({str(k): float(v) for k, v in tolerance.items()}))
    return [{"id": case["id"], "key": k, "expected": e, "got": plain(g)} for k, e, g in found]


def plain(value: object) -> object:
    """A value that JSON can hold."""
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def score_families(folder: Path) -> dict[str, Score]:
    """Score every family file of a folder."""
    scores: dict[str, Score] = {}
    for path in sorted(folder.glob("*.json")):
        family = path.name.split(".")[0]
        if family not in FAMILIES:
            continue
        score = scores.setdefault(family, Score())
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            wrong = score_case(case, family)
            score.total += 1
            score.agreed += not wrong
            score.disagreements.extend(wrong)
    return scores


@dataclass(frozen=True)
class Trial:
    """The invented trial as arrays of subjects by visits."""

    subjects: tuple[str, ...]
    visits: tuple[str, ...]
    populations: tuple[str, ...]
    counts: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]
    parents: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]
    sledai: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    responder: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    def deltas(self, population: str, visit: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Changes of the logit by the plain rule."""
        at = self.visits.index(visit)
        k, n = self.counts[population], self.parents[population]
        return composition_changes(k[:, 0], n[:, 0], k[:, at], n[:, at], PLAIN_RULE).values


def read_trial(folder: Path, suffix: str, subjects: Sequence[str]) -> Trial:
    """Read the trial's two tables that go with an expected file."""

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / f"{name}.{suffix}.csv").open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    counts, clinical = rows("trial_counts"), rows("trial_clinical")
    visits = tuple(dict.fromkeys(r["visit"] for r in clinical))
    visits = tuple(sorted(visits, key=lambda v: int("".join(c for c in v if c.isdigit()) or 0)))
    shape = (len(subjects), len(visits))
    populations = tuple(dict.fromkeys(r["population"] for r in counts))
    count = {p: np.full(shape, np.nan) for p in populations}
    parent = {p: np.full(shape, np.nan) for p in populations}

    def number(text: str) -> float:
        return math.nan if text in {"", "NA", "null"} else float(text)

    for r in counts:
        where = subjects.index(r["subject"]), visits.index(r["visit"])
        count[r["population"]][where] = number(r["count"])
        parent[r["population"]][where] = number(r["parent_count"])
    sledai, responder = np.full(shape, np.nan), np.zeros(len(subjects), dtype=bool)
    for r in clinical:
        sledai[subjects.index(r["subject"]), visits.index(r["visit"])] = number(r["sledai"])
        responder[subjects.index(r["subject"])] |= r["responder"].strip().upper() in {"TRUE", "T", "1", "YES"}
    return Trial(tuple(subjects), visits, populations, count, parent, sledai, responder)


def paired_row(d: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> dict[str, object]:
    """What the trial gives for one vector of changes."""
    hl, ranks, flip = hodges_lehmann(d), signed_rank(d, zero_method="pratt"), sign_flip(d)
    return {
        "n": hl.n,
        "hodges_lehmann": hl.estimate,
        "hl_ci_low": hl.low,
        "hl_ci_high": hl.high,
        "hl_achieved_conf": hl.attained,
        "w_plus": ranks.w_plus,
        "p_signed_rank_pratt": ranks.p_value.p,
        "mean": flip.mean,
        "p_sign_flip": flip.p_value.p,
        "rank_biserial": rank_biserial(d).estimate,
        "min_attainable_p": attainable(hl.n).two_sided,
    }


def contrast_rows(trial: Trial, visit: str) -> list[Node]:
    """Every population at one visit."""
    deltas = np.stack([trial.deltas(p, visit) for p in trial.populations])
    joint = max_t(deltas)
    rows = []
    for i, population in enumerate(trial.populations):
        d = deltas[i]
        there = d[~np.isnan(d)]
        loo = leave_one_out_estimates(d)
        left = [sign_flip(np.delete(there, j)).p_value.p for j in range(there.size)] if there.size > 1 else [math.nan]
        rows.append(
            {
                "population": population,
                "delta_logit": d,
                **paired_row(d),
                "loo_hl_min": loo.low,
                "loo_hl_max": loo.high,
                "loo_p_sign_flip_max": max(left),
                "t": joint.t[i],
                "p_maxt_stepdown": joint.p_step_down[i],
                "p_holm": joint.p_holm[i],
                "p_bh": joint.p_bh[i],
            }
        )
    return rows


def correlation_rows(trial: Trial, visit: str) -> list[Node]:
    """Changes against the change of SLEDAI."""
    y = trial.sledai[:, trial.visits.index(visit)] - trial.sledai[:, 0]
    joint = correlation_max_t(np.stack([trial.deltas(p, visit) for p in trial.populations]), y)
    rows = []
    for i, population in enumerate(trial.populations):
        x = trial.deltas(population, visit)
        rho, tau = spearman(x, y), kendall(x, y)
        interval = correlation_interval(rho.estimate, rho.n)
        loo = leave_one_out_pairs(x, y, spearman_estimate)
        rows.append(
            {
                "population": population,
                "n": rho.n,
                "delta_sledai": y[~np.isnan(x)] if np.isnan(x).any() else y,
                "rho": rho.estimate,
                "p_rho": rho.p_value.p,
                "tau_b": tau.estimate,
                "p_tau": tau.p_value.p,
                "bw_ci_low": interval.low,
                "bw_ci_high": interval.high,
                "loo_rho_min": loo.low,
                "loo_rho_max": loo.high,
                "p_rho_maxt_stepdown": joint.p_step_down[i],
                "min_attainable_p": rho.p_value.floor,
            }
        )
    return rows


def rmcorr_rows(trial: Trial) -> list[Node]:
    """All visits together."""
    subjects = [s for s in trial.subjects for _ in trial.visits]
    visits = list(trial.visits) * len(trial.subjects)
    rows = []
    for population in trial.populations:
        x = logit_half(trial.counts[population].ravel(), trial.parents[population].ravel())
        y = trial.sledai.ravel()
        plain_fit, adjusted = rmcorr(subjects, x, y), rmcorr(subjects, x, y, visits=visits)
        rows.append(
            {
                "population": population,
                "n_rows": plain_fit.rows,
                "r": plain_fit.r,
                "df": plain_fit.df,
                "p": plain_fit.p,
                "ci_low": plain_fit.low,
                "ci_high": plain_fit.high,
                "time_adjusted_r": adjusted.r,
                "time_adjusted_df": adjusted.df,
                "time_adjusted_p": adjusted.p,
            }
        )
    return rows


def trial_results(trial: Trial, expected: Node) -> Node:
    """Everything that the trial's expected file asks for, in its form."""
    results: dict[str, object] = {}
    for key in expected:
        if key == "contrasts":
            results[key] = {f"{v}-{trial.visits[0]}": contrast_rows(trial, v) for v in trial.visits[1:]}
        elif key.startswith("correlation_"):
            results[key] = correlation_rows(trial, key.removeprefix("correlation_"))
        elif key.startswith("rmcorr"):
            results[key] = rmcorr_rows(trial)
        elif key.startswith("responders_only_"):
            visit = key.removeprefix("responders_only_")
            results[key] = [
                {"population": p, **paired_row(np.where(trial.responder, trial.deltas(p, visit), np.nan))}
                for p in trial.populations
            ]
    return results


def rows_of(node: object, prefix: str) -> list[tuple[str, Node]]:
    """Every row (one per population) below a node, with its place."""
    if isinstance(node, Mapping) and "population" in node:
        return [(f"{prefix}.{node['population']}", node)]
    if isinstance(node, Mapping):
        return [r for k, v in node.items() for r in rows_of(v, f"{prefix}.{k}" if prefix else str(k))]
    if isinstance(node, list):
        return [r for v in node for r in rows_of(v, prefix)]
    return []


def score_trial(folder: Path) -> Score:
    """One point for each row of the expected file: a population in a contrast or a correlation."""
    score = Score()
    for path in sorted(folder.glob("trial_expected.*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        suffix = path.name.removeprefix("trial_expected.").removesuffix(".json")
        expected = document["expected"]
        tolerance = Tolerance({str(k): float(v) for k, v in document.get("tolerance", {}).items()})
        try:
            got = dict(rows_of(trial_results(read_trial(folder, suffix, document["subjects"]), expected), ""))
        except Exception as error:  # noqa: BLE001 - as for a case
            got = {}
            score.disagreements.append({"id": path.name, "key": "", "expected": "a result", "got": repr(error)})
        for place, row in rows_of(expected, ""):
            scored = without(row, document.get("not_required", []))
            wrong = compare("", got.get(place, {}), scored, tolerance)
            score.total += 1
            score.agreed += not wrong
            score.disagreements.extend({"id": place, "key": k, "expected": e, "got": plain(g)} for k, e, g in wrong)
    return score


def report(families: Mapping[str, Score], trial: Score) -> dict[str, object]:
    """The JSON form."""

    def node(score: Score) -> dict[str, object]:
        return {"agreed": score.agreed, "total": score.total, "disagreements": score.disagreements}

    return {
        "agreed": sum(s.agreed for s in families.values()),
        "total": sum(s.total for s in families.values()),
        "families": {name: node(score) for name, score in families.items()},
        "trial": node(trial),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a folder; see the module's head."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="F")
    chosen = parser.parse_args(arguments)
    families, trial = score_families(chosen.folder), score_trial(chosen.folder)
    result = report(families, trial)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name, score in [*families.items(), ("trial", trial)]:
        print(f"{name:20s} {score.agreed:3d} of {score.total}")
        for wrong in score.disagreements[:20]:
            print(f"    {wrong['id']} {wrong['key']}: expected {wrong['expected']}, got {wrong['got']}")
    print(f"agreed {result['agreed']} of {result['total']} cases, trial {trial.agreed} of {trial.total}")
    complete = result["agreed"] == result["total"] and trial.agreed == trial.total
    return 0 if complete and (result["total"] or trial.total) else 1


if __name__ == "__main__":
    sys.exit(main())
