"""Agreement of two strategies over the tubes of a study, population by population."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cytometry.model.agreement_tables import LOG_ODDS, PERCENT
from cytometry.statistics.agreement import (
    Coefficient,
    Estimate,
    concordance,
    icc_agreement,
    limits_of_agreement,
    proportional_bias,
)
from cytometry.statistics.ranks import FloatArray
from cytometry.statistics.rows import table_of
from cytometry.statistics.scales import logit_half, percent

if TYPE_CHECKING:
    import pandas as pd

_SCALES: tuple[tuple[str, Callable[[FloatArray, FloatArray], FloatArray]], ...] = (
    (LOG_ODDS, logit_half),
    (PERCENT, percent),
)
_SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class PairedShares:
    """One population's share of the common denominator in every study tube, by either strategy.

    Parameters
    ----------
    samples, subjects
        Tube, and participant that it comes from.
    first, second
        On the scale; NaN where the denominator is too small in either.
    """

    population: str
    denominator: str
    scale: str
    samples: tuple[str, ...]
    subjects: tuple[str, ...]
    first: FloatArray
    second: FloatArray

    @property
    def is_defined(self) -> npt.NDArray[np.bool_]:
        """Tubes in which both are known."""
        return np.asarray(~(np.isnan(self.first) | np.isnan(self.second)), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class PopulationAgreement:
    """One row of ``agreement.csv``; the field names are the column names."""

    population: str
    scale: str
    denominator: str
    n_tubes: int
    n_subjects: int
    icc: float
    icc_low: float
    icc_high: float
    concordance: float
    concordance_low: float
    concordance_high: float
    bias: float
    bias_low: float
    bias_high: float
    difference_sd: float
    lower_limit: float
    lower_limit_low: float
    lower_limit_high: float
    upper_limit: float
    upper_limit_low: float
    upper_limit_high: float
    slope: float
    slope_low: float
    slope_high: float


@dataclass(frozen=True, slots=True)
class TubeOverlap:
    """How well the events of one population agree over the study tubes: the usual tube, and the worst.

    Parameters
    ----------
    n_tubes
        Tubes in which both strategies define the population.
    n_scored
        Those with enough events in either: one event more or less must not make the worst tube.
    """

    population: str
    n_tubes: int
    n_scored: int
    f1_median: float
    f1_worst: float
    f1_worst_sample: str
    jaccard_median: float
    jaccard_worst: float
    jaccard_worst_sample: str


def paired_shares(overlap: pd.DataFrame, min_denominator: int) -> tuple[PairedShares, ...]:
    """Rows of ``overlap.csv`` as shares on both scales; controls are left out.

    Parameters
    ----------
    min_denominator
        Events below which a share is undefined.
    """
    rows = overlap[overlap["role"] == _SAMPLE]
    found = []
    for population, own in rows.groupby("population", sort=False):
        columns = {
            name: own[name].to_numpy(dtype=np.float64, na_value=np.nan)
            for name in ("count_a", "count_b", "denominator_count_a", "denominator_count_b")
        }
        whole_a, whole_b = columns["denominator_count_a"], columns["denominator_count_b"]
        enough = (whole_a >= min_denominator) & (whole_b >= min_denominator)
        for scale, share in _SCALES:
            found.append(
                PairedShares(
                    population=str(population),
                    denominator=str(own["denominator"].iloc[0]),
                    scale=scale,
                    samples=tuple(own["sample_id"].astype(str)),
                    subjects=tuple(own["subject_id"].astype(str)),
                    first=np.where(enough, share(columns["count_a"], whole_a), np.nan),
                    second=np.where(enough, share(columns["count_b"], whole_b), np.nan),
                )
            )
    return tuple(found)


def agreement_table(shares: tuple[PairedShares, ...]) -> pd.DataFrame:
    """Every population and scale with its coefficients, bias, limits and slope."""
    return table_of([_agreement(s) for s in shares], PopulationAgreement)


def tube_overlaps(overlap: pd.DataFrame, min_events: int) -> tuple[TubeOverlap, ...]:
    """Median and worst tube of every population, over the study samples.

    Parameters
    ----------
    min_events
        Tubes where neither strategy finds as many are not scored.
    """
    rows = overlap[overlap["role"] == _SAMPLE]
    return tuple(_overlap(str(name), own, min_events) for name, own in rows.groupby("population", sort=False))


def _agreement(shares: PairedShares) -> PopulationAgreement:
    kept = shares.is_defined
    first, second = shares.first[kept], shares.second[kept]
    subjects = [s for s, k in zip(shares.subjects, kept, strict=True) if k]
    limits = limits_of_agreement(first, second, subjects)
    values = {
        **_interval("icc", icc_agreement([first, second])),
        **_interval("concordance", concordance(first, second)),
        **_interval("bias", limits.bias),
        **_interval("lower_limit", limits.lower),
        **_interval("upper_limit", limits.upper),
        **_interval("slope", proportional_bias(first, second, subjects)),
    }
    return PopulationAgreement(
        population=shares.population,
        scale=shares.scale,
        denominator=shares.denominator,
        n_tubes=limits.n,
        n_subjects=limits.n_subjects,
        difference_sd=limits.sd,
        **values,
    )


def _interval(name: str, found: Coefficient | Estimate) -> dict[str, float]:
    value = found.estimate if isinstance(found, Coefficient) else found.value
    return {name: value, f"{name}_low": found.low, f"{name}_high": found.high}


def _overlap(population: str, own: pd.DataFrame, min_events: int) -> TubeOverlap:
    is_defined = own["count_both"].notna()
    scored = own[is_defined & (own[["count_a", "count_b"]].max(axis=1) >= max(min_events, 1))]
    summary: dict[str, float | str] = {}
    for score in ("f1", "jaccard"):
        values = scored[score].to_numpy(dtype=np.float64, na_value=np.nan)
        summary[f"{score}_median"] = float(np.median(values)) if values.size else float("nan")
        summary[f"{score}_worst"] = float(values.min()) if values.size else float("nan")
        summary[f"{score}_worst_sample"] = str(scored["sample_id"].iloc[int(values.argmin())]) if values.size else ""
    return TubeOverlap(population, int(is_defined.sum()), len(scored), **summary)  # type: ignore[arg-type]
