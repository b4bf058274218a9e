"""How accurate are placed gates on difficult tubes, and do they know when they are not?

    python -m benchmarks.placing [--panel bcell] [--batches 26] [--events 40000] [--alone] [--no-oracle] [--draws 30]
                                [--seed 20260]

26 batches of 8 simulated tubes per panel (208 tubes) with controls: see varied.py for what varies. Per population with
at least 100 true events: F1 as a share of the oracle's (oracle.py), and error of the frequency (of CD19+ or CD4+
cells) against the truth of the same events, beyond the oracle's error. Flags: of (tube, population) pairs with at least
50 true events that are off by more than 25 %, the share that carries the population's flag (as in counts.csv); and of
those within 10 %. A bad gate that is not flagged is the worst outcome:
they are counted by population. Intervals: each gate is moved by its own uncertainty (--draws times, together in a
scope group), and 95 % intervals of the log odds from counting and gating variance are held against the fraction that
the simulator drew from. Beside the coverage stand the mean and the standard deviation of the gates' own error (log
odds against the truth of the same events) and what the draws say of it. Last come the same by the method and the
scope that placed the population's own gates, and the worst: largest error in units of what was claimed.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.chain import PANELS, BoolArray, MeasuredTube, measure
from benchmarks.oracle import f1, oracle_masks
from benchmarks.varied import varied_batches
from cytometry.gating.draws import draw_strategies
from cytometry.gating.engine import gate_sample
from cytometry.io.panels import load_panel
from cytometry.model.placement import Placement
from cytometry.simulation.cell_types import CELL_TYPES
from cytometry.simulation.truth import STEM, TRUE_POPULATIONS, truth_mask

MIN_ORACLE, MIN_FLAGS = 100, 50
WORST = 12
BAD, GOOD = 0.25, 0.10
COVERAGE = (0.90, 0.99)
WHOLE = {"bcell": "b_cells", "treg": "cd4"}
SEED = 20_260


@dataclass(frozen=True)
class Score:
    """One population in one tube."""

    tube: str
    kind: str
    has_fmo: bool
    population: str
    method: str
    scope: str
    n_true: int
    error: float
    oracle_error: float
    f1: float
    oracle_f1: float
    flags: str
    covered: float
    covered_by_counting: float
    deviation: float
    gating_error: float
    gating_sd: float

    @property
    def share(self) -> float:
        """F1 as a share of the oracle's."""
        return self.f1 / self.oracle_f1 if self.oracle_f1 > 0 else 1.0

    @property
    def beyond(self) -> float:
        """Error of the frequency beyond the oracle's."""
        return max(abs(self.error) - abs(self.oracle_error), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panel", choices=tuple(PANELS))
    parser.add_argument("--batches", type=int, default=26)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--alone", action="store_true", help="every scope is sample")
    parser.add_argument("--no-oracle", action="store_true", help="quicker; no shares")
    parser.add_argument("--draws", type=int, default=0, help="gate draws per tube, for the coverage of intervals")
    parser.add_argument("--seed", type=int, default=SEED, help="of the simulated tubes and of the draws")
    parser.add_argument("--csv", help="write one row per tube and population")
    arguments = parser.parse_args()
    every: list[Score] = []
    for key in (arguments.panel,) if arguments.panel else PANELS:
        start = time.perf_counter()
        panel = load_panel(PANELS[key])
        scores: list[Score] = []
        failed = n_tubes = 0
        for batch in varied_batches(key, arguments.seed, arguments.batches, arguments.events):
            measured, placement = measure(panel, batch.simulate(arguments.seed), alone=arguments.alone)
            failed += len(placement.failed)
            gating_sd = gating_spread(measured, placement, WHOLE[key], arguments.draws, arguments.seed)
            for tube in measured:
                if tube.tube.role == "sample":
                    n_tubes += 1
                    scores += score_tube(
                        tube,
                        key,
                        batch.kind,
                        gating_sd.get(tube.tube.sample_id, {}),
                        has_fmo=batch.has_fmo,
                        with_oracle=not arguments.no_oracle,
                    )
        print(
            f"\n{PANELS[key]}{', scope sample' * arguments.alone}: {n_tubes} tubes of "
            f"{arguments.events:,} events, {failed} failed, {time.perf_counter() - start:.0f} s"
        )
        report(scores)
        every += scores
    if arguments.csv:
        import pandas as pd

        pd.DataFrame([{**vars(s), "share": s.share, "beyond": s.beyond} for s in every]).to_csv(
            arguments.csv, index=False
        )


def gating_spread(
    measured: list[MeasuredTube], placement: Placement, whole: str, draws: int, seed: int
) -> dict[str, dict[str, float]]:
    """Standard deviation over gate draws of each population's log odds of the whole, by tube and path."""
    odds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for drawn in draw_strategies(placement, draws, np.random.default_rng(seed)):
        for tube in measured:
            if tube.tube.role == "sample":
                key = tube.tube.sample_id
                membership = gate_sample(drawn[key], tube.simulated.sample, tube.reader.channel_map)
                total = next(n for p, n in membership.counts.items() if p.rpartition("/")[2] == whole)
                for path, count in membership.counts.items():
                    if count is not None and total is not None:
                        odds[key][path].append(_log_odds(count, total))
    return {key: {p: float(np.std(v, ddof=1)) for p, v in paths.items()} for key, paths in odds.items()}


def _log_odds(count: int, total: int) -> float:
    return float(np.log((count + 0.5) / (max(total - count, 0) + 0.5)))


def _deviation(count: int, total: int, gating_sd: float, fraction: float) -> float:
    """Error of the log odds in standard deviations of counting and gating; NaN as for :func:`_covers`."""
    if not 0.0 < fraction < 1.0 or not np.isfinite(gating_sd):
        return float("nan")
    sd = np.sqrt(1.0 / (count + 0.5) + 1.0 / (max(total - count, 0) + 0.5) + gating_sd**2)
    return float((_log_odds(count, total) - np.log(fraction / (1.0 - fraction))) / sd)


def _covers(count: int, total: int, gating_sd: float, fraction: float) -> float:
    """Whether the interval holds the true fraction: 1 or 0, NaN where the fraction is 0 or 1 or nothing was drawn."""
    deviation = _deviation(count, total, gating_sd, fraction)
    return float(abs(deviation) <= 1.96) if np.isfinite(deviation) else deviation


def _true_fraction(tube: MeasuredTube, population: str, whole: str) -> float:
    """What the simulator drew from."""
    shares = tube.tube.spec.cells
    part, total = (sum(shares.get(c.name, 0.0) for c in CELL_TYPES if p in c.populations) for p in (population, whole))
    return part / total


def score_tube(
    tube: MeasuredTube, key: str, kind: str, gating_sd: dict[str, float], *, has_fmo: bool, with_oracle: bool
) -> list[Score]:
    """Score every population of one tube whose truth is known."""
    strategy = tube.placement.strategies[tube.tube.sample_id]
    oracle = oracle_masks(strategy, tube.reader, tube.truth, tube.masks) if with_oracle else dict(tube.masks)
    whole = next(p for p in tube.masks if p.rpartition("/")[2] == WHOLE[key])
    n_whole = int(truth_mask(tube.truth, WHOLE[key]).sum())
    cuts = {
        name: [c for c in tube.placement.cuts_of(tube.tube.sample_id) if name in c.populations]
        for name in {p.rpartition("/")[2] for p in tube.masks}
    }
    scores = []
    for path, kept in tube.masks.items():
        name = path.rpartition("/")[2]
        if name not in TRUE_POPULATIONS or name in STEM:
            continue
        true = truth_mask(tube.truth, name)
        n_true = int(true.sum())
        if n_true < MIN_FLAGS:
            continue
        own = cuts.get(name, [])
        below = path.startswith(whole + "/")
        seen = (int(kept.sum()), int(tube.masks[whole].sum()))
        fraction = _true_fraction(tube, name, WHOLE[key]) if below else float("nan")
        scores.append(
            Score(
                tube=tube.tube.sample_id,
                kind=kind,
                has_fmo=has_fmo,
                population=name,
                method="+".join(dict.fromkeys(c.method for c in own)) or "boolean",
                scope="+".join(dict.fromkeys(c.scope for c in own)) or "of its operands",
                n_true=n_true,
                error=_error(kept, tube.masks[whole] if below else None, n_true, n_whole),
                oracle_error=_error(oracle[path], oracle[whole] if below else None, n_true, n_whole),
                f1=f1(kept, true),
                oracle_f1=f1(oracle[path], true),
                flags=";".join(tube.placement.population_flags(tube.tube.sample_id).get(name, ())),
                covered=_covers(*seen, gating_sd.get(path, np.nan), fraction),
                covered_by_counting=_covers(*seen, 0.0, fraction),
                deviation=_deviation(*seen, gating_sd.get(path, np.nan), fraction),
                gating_error=_log_odds(*seen) - _log_odds(n_true, n_whole),
                gating_sd=gating_sd.get(path, float("nan")),
            )
        )
    return scores


def _error(kept: BoolArray, whole: BoolArray | None, n_true: int, n_whole: int) -> float:
    """Measured over true frequency, minus 1; of counts where the population is not below the whole."""
    if whole is None:
        return int(kept.sum()) / n_true - 1.0
    return (int(kept.sum()) / max(int(whole.sum()), 1)) / (n_true / n_whole) - 1.0


def report(scores: list[Score]) -> None:
    """Print one table per question."""
    print(
        f"{'population':<19}{'n':>5}{'share 50%':>10}{'5%':>7}{'beyond 50%':>11}{'95%':>7}{'error 50%':>10}{'95%':>7}"
    )
    by_population: dict[str, list[Score]] = defaultdict(list)
    for s in scores:
        if s.n_true >= MIN_ORACLE:
            by_population[s.population].append(s)
    for name in TRUE_POPULATIONS:
        if name in by_population:
            _line(name, by_population[name])
    _line("all", [s for group in by_population.values() for s in group])
    for kind in dict.fromkeys(s.kind for s in scores):
        _line(f"  {kind}", [s for s in scores if s.kind == kind and s.n_true >= MIN_ORACLE])
    for has_fmo in (True, False):
        _line(
            f"  {'with' if has_fmo else 'without'} FMO",
            [s for s in scores if s.has_fmo == has_fmo and s.n_true >= MIN_ORACLE],
        )
    bad = [s for s in scores if abs(s.error) > BAD]
    good = [s for s in scores if abs(s.error) <= GOOD]
    print(f"off by more than 25 %: {len(bad)} of {len(scores)}, flagged {_share_flagged(bad):.3f}")
    print(f"within 10 %: {len(good)}, flagged {_share_flagged(good):.3f}")
    if any(np.isfinite(s.covered) for s in scores):
        _report_intervals(scores)
    missed: dict[str, int] = defaultdict(int)
    for s in bad:
        missed[s.population] += not s.flags
    print("bad and not flagged, by population:", {k: v for k, v in missed.items() if v} or "none")
    _report_by("method", scores, [s.method for s in scores])
    _report_by("scope", scores, [s.scope for s in scores])
    _report_worst(scores)


def _report_intervals(scores: list[Score]) -> None:
    print(f"{'95 % intervals cover':<21}{'n':>5}{'both':>8}{'counting':>10}{'gates: mean':>13}{'sd':>7}{'claimed':>9}")
    for name in TRUE_POPULATIONS:
        own = [s for s in scores if s.population == name and np.isfinite(s.covered)]
        if own:
            both, alone = (np.mean([f(s) for s in own]) for f in (_covered, _covered_by_counting))
            errors, claimed = (np.array([f(s) for s in own]) for f in (_gating_error, _gating_sd))
            mark = " <" * bool(both < COVERAGE[0]) + " >" * bool(both > COVERAGE[1])
            print(
                f"{name:<21}{len(own):>5}{both:>8.3f}{alone:>10.3f}{errors.mean():>13.3f}{errors.std():>7.3f}"
                f"{np.sqrt(np.mean(claimed**2)):>9.3f}{mark}"
            )


def _report_by(title: str, scores: list[Score], keys: list[str]) -> None:
    """Accuracy, coverage and flags by what placed the population's own gates."""
    print(
        f"{'by ' + title:<32}{'n':>5}{'share 50%':>10}{'5%':>7}{'error 50%':>10}{'95%':>7}{'cover':>7}{'bad':>5}"
        f"{'flagged':>8}{'good':>6}{'flagged':>8}"
    )
    groups: dict[str, list[Score]] = defaultdict(list)
    for key, score in zip(keys, scores, strict=True):
        groups[key].append(score)
    for key, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        share, error = (np.array([f(s) for s in group]) for f in (_share, _size))
        covered = [s.covered for s in group if np.isfinite(s.covered)]
        bad, good = [s for s in group if abs(s.error) > BAD], [s for s in group if abs(s.error) <= GOOD]
        print(
            f"{key:<32}{len(group):>5}{np.median(share):>10.3f}{np.quantile(share, 0.05):>7.3f}"
            f"{np.median(error):>10.3f}{np.quantile(error, 0.95):>7.3f}"
            f"{np.mean(covered) if covered else np.nan:>7.3f}{len(bad):>5}{_share_flagged(bad):>8.2f}"
            f"{len(good):>6}{_share_flagged(good):>8.3f}"
        )


def _report_worst(scores: list[Score]) -> None:
    """The tubes to look at: largest error in units of what was claimed, else largest error of the frequency."""
    known = [s for s in scores if np.isfinite(s.deviation)]
    ranked = sorted(known, key=_size_of_deviation, reverse=True) if known else sorted(scores, key=_size, reverse=True)
    print(f"{'worst':<14}{'population':<19}{'n':>6}{'error':>8}{'F1':>7}{'claimed':>9}{'off by':>8}  flags, method")
    for s in ranked[:WORST]:
        print(
            f"{s.tube:<14}{s.population:<19}{s.n_true:>6}{s.error:>8.3f}{s.f1:>7.3f}{s.gating_sd:>9.3f}"
            f"{s.deviation:>6.1f}sd  {s.flags or 'none'}, {s.method}"
        )


def _line(name: str, group: list[Score]) -> None:
    if group:
        share, beyond, error = (np.array([f(s) for s in group]) for f in (_share, _beyond, _size))
        print(
            f"{name:<19}{len(group):>5}{np.median(share):>10.3f}{np.quantile(share, 0.05):>7.3f}"
            f"{np.median(beyond):>11.3f}{np.quantile(beyond, 0.95):>7.3f}"
            f"{np.median(error):>10.3f}{np.quantile(error, 0.95):>7.3f}"
        )


def _share(s: Score) -> float:
    return s.share


def _beyond(s: Score) -> float:
    return s.beyond


def _size(s: Score) -> float:
    return abs(s.error)


def _covered(s: Score) -> float:
    return s.covered


def _gating_error(s: Score) -> float:
    return s.gating_error


def _gating_sd(s: Score) -> float:
    return s.gating_sd


def _size_of_deviation(s: Score) -> float:
    return abs(s.deviation)


def _covered_by_counting(s: Score) -> float:
    return s.covered_by_counting


def _share_flagged(scores: Iterable[Score]) -> float:
    flagged = [bool(s.flags) for s in scores]
    return float(np.mean(flagged)) if flagged else float("nan")


if __name__ == "__main__":
    main()
