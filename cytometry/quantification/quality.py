"""Acquisition quality of a gated tube: one row per sample, and findings where a limit is passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cytometry.gating.membership import Membership
from cytometry.model.findings import Finding, Severity
from cytometry.model.tables import Cell
from cytometry.preprocessing.quality import DRIFT_LIMIT, AcquisitionQuality
from cytometry.quantification.table_numbers import table_number


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Limits of a study; the defaults are those of its ``quality`` section.

    Parameters
    ----------
    min_events
        In the file.
    max_margin_fraction
        Events off scale.
    min_viability, min_singlet_fraction
        Live of singlets, singlets of the steady part.
    max_time_excluded
        Events left out for an unsteady flow or signal.
    max_unsteady
        Events in stretches of unsteady rate, or of unsteady signal, masked or not.
    max_drift
        Largest shift of a twentieth of the run, in spreads of its channel.
    """

    min_events: int = 1000
    max_margin_fraction: float = 0.05
    min_viability: float = 0.7
    min_singlet_fraction: float = 0.7
    max_time_excluded: float = 0.3
    max_unsteady: float = 0.05
    max_drift: float = DRIFT_LIMIT


def quality_row(
    sample_id: str,
    panel: str,
    acquisition: AcquisitionQuality,
    membership: Membership,
    *,
    second_opinion: str = "not asked",
) -> dict[str, Cell]:
    """One row of ``qc.csv``; empty where a panel has no such gate or a file no such channel."""
    steady, singlet, live = (_fraction(membership, name) for name in ("time_ok", "singlets", "live"))
    return {
        "sample_id": sample_id,
        "panel": panel,
        "total_events": acquisition.n_events,
        "acquired_at": acquisition.acquired_at,
        "events_per_s": table_number(acquisition.events_per_s),
        "rate_spread": table_number(acquisition.rate_spread),
        "time_excluded_fraction": None if steady is None else table_number(1.0 - steady),
        "rate_unsteady_fraction": table_number(acquisition.rate_unsteady),
        "signal_unsteady_fraction": table_number(acquisition.signal_unsteady),
        "drift": table_number(acquisition.drift),
        "drift_channel": acquisition.drift_channel,
        "margin_fraction": table_number(acquisition.margin_fraction),
        "negative_scatter_fraction": table_number(acquisition.negative_scatter_fraction),
        "singlet_fraction": singlet,
        "viability": live,
        "second_opinion": second_opinion,
    }


@dataclass(frozen=True, slots=True)
class _Check:
    """A column of ``qc.csv``, the limit it is held against, and whether that is a floor."""

    column: str
    limit: str
    code: str
    severity: Severity
    fix: str
    is_floor: bool = False


_CHECKS: Final = (
    _Check(
        "total_events",
        "min_events",
        code="QC_FEW_EVENTS",
        severity="warning",
        fix="acquire more, or read rare populations with care",
        is_floor=True,
    ),
    _Check(
        "margin_fraction",
        "max_margin_fraction",
        code="QC_MARGIN",
        severity="warning",
        fix="lower the detector's voltage next time",
    ),
    _Check(
        "negative_scatter_fraction",
        "max_margin_fraction",
        code="QC_NEGATIVE_SCATTER",
        severity="warning",
        fix="look at the flow",
    ),
    _Check(
        "viability",
        "min_viability",
        code="QC_VIABILITY",
        severity="warning",
        fix="thawing or handling may have changed subsets",
        is_floor=True,
    ),
    _Check(
        "singlet_fraction",
        "min_singlet_fraction",
        code="QC_SINGLETS",
        severity="warning",
        fix="filter, or acquire more slowly",
        is_floor=True,
    ),
    _Check(
        "time_excluded_fraction",
        "max_time_excluded",
        code="QC_TIME",
        severity="warning",
        fix="look at rate and signal over time",
    ),
    _Check(
        "rate_unsteady_fraction",
        "max_unsteady",
        code="QC_RATE",
        severity="warning",
        fix="look for a clog or a surge; 'masks' under 'quality' says whether such events are left out",
    ),
    _Check(
        "signal_unsteady_fraction",
        "max_unsteady",
        code="QC_SIGNAL",
        severity="warning",
        fix="look at the channels over time; 'masks' under 'quality' says whether such events are left out",
    ),
    _Check("drift", "max_drift", code="QC_DRIFT", severity="warning", fix="look at this channel over time"),
)


def quality_findings(row: Mapping[str, Cell], limits: QualityLimits, file: str) -> tuple[Finding, ...]:
    """What in a row passes a limit, with the value and the limit."""
    found = []
    for check, value, limit in _passed(row, limits):
        where = f" in {row['drift_channel']}" if check.column == "drift" else ""
        sense = "at least" if check.is_floor else "at most"
        found.append(
            Finding(
                check.code,
                check.severity,
                f"{check.column.replace('_', ' ')} is {value:.4g}{where}; the limit is {sense} {limit:.4g}",
                file=file,
                segment="acquisition",
                keyword=check.column,
                found=f"{value:.4g}",
                expected=f"{sense} {limit:.4g}",
                fix=check.fix,
            )
        )
    return tuple(found)


def passed_limits(row: Mapping[str, Cell], limits: QualityLimits) -> tuple[str, ...]:
    """Columns of a row that pass their limit."""
    return tuple(check.column for check, _, _ in _passed(row, limits))


def _passed(row: Mapping[str, Cell], limits: QualityLimits) -> Iterator[tuple[_Check, float, float]]:
    for check in _CHECKS:
        value, limit = row[check.column], float(getattr(limits, check.limit))
        if isinstance(value, int | float) and (value < limit if check.is_floor else value > limit):
            yield check, float(value), limit


def _fraction(membership: Membership, name: str) -> float | None:
    """Share of its parent that a stem population holds; None where there is none."""
    for path in membership.paths:
        parent, _, own = path.rpartition("/")
        if own == name:
            count, total = membership.count(path), membership.count(parent)
            return table_number(count / total) if count is not None and total else None
    return None
