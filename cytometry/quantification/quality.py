"""Acquisition quality of a gated tube: one row per sample, and findings where a limit is passed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cytometry.gating.membership import Membership
from cytometry.model.findings import Finding
from cytometry.model.tables import Cell
from cytometry.preprocessing.quality import DRIFT_LIMIT, AcquisitionQuality


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
    """

    min_events: int = 1000
    max_margin_fraction: float = 0.05
    min_viability: float = 0.7
    min_singlet_fraction: float = 0.7
    max_time_excluded: float = 0.3
    max_unsteady: float = 0.05


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
        "events_per_s": _number(acquisition.events_per_s),
        "rate_spread": _number(acquisition.rate_spread),
        "time_excluded_fraction": None if steady is None else _number(1.0 - steady),
        "rate_unsteady_fraction": _number(acquisition.rate_unsteady),
        "signal_unsteady_fraction": _number(acquisition.signal_unsteady),
        "drift": _number(acquisition.drift),
        "drift_channel": acquisition.drift_channel,
        "margin_fraction": _number(acquisition.margin_fraction),
        "negative_scatter_fraction": _number(acquisition.negative_scatter_fraction),
        "singlet_fraction": singlet,
        "viability": live,
        "second_opinion": second_opinion,
    }


def quality_findings(row: Mapping[str, Cell], limits: QualityLimits, file: str) -> tuple[Finding, ...]:
    """What in a row passes a limit, with the value and the limit."""
    checks = (
        (
            "QC_FEW_EVENTS",
            "total_events",
            limits.min_events,
            "at least",
            "acquire more, or read rare populations with care",
        ),
        (
            "QC_MARGIN",
            "margin_fraction",
            limits.max_margin_fraction,
            "at most",
            "lower the detector's voltage next time",
        ),
        ("QC_NEGATIVE_SCATTER", "negative_scatter_fraction", limits.max_margin_fraction, "at most", "look at the flow"),
        ("QC_VIABILITY", "viability", limits.min_viability, "at least", "thawing or handling may have changed subsets"),
        ("QC_SINGLETS", "singlet_fraction", limits.min_singlet_fraction, "at least", "filter, or acquire more slowly"),
        ("QC_TIME", "time_excluded_fraction", limits.max_time_excluded, "at most", "look at rate and signal over time"),
        ("QC_RATE", "rate_unsteady_fraction", limits.max_unsteady, "at most", "look at the rate over time"),
        ("QC_SIGNAL", "signal_unsteady_fraction", limits.max_unsteady, "at most", "look at the channels over time"),
        ("QC_DRIFT", "drift", DRIFT_LIMIT, "at most", "look at this channel over time"),
    )
    found = []
    for code, name, limit, sense, fix in checks:
        value = row[name]
        if not isinstance(value, int | float):
            continue
        if (value < limit) if sense == "at least" else (value > limit):
            where = f" in {row['drift_channel']}" if name == "drift" else ""
            found.append(
                Finding(
                    code=code,
                    severity="warning",
                    message=f"{name.replace('_', ' ')} is {value:.4g}{where}; the limit is {sense} {limit:.4g}",
                    file=file,
                    segment="acquisition",
                    keyword=name,
                    found=f"{value:.4g}",
                    expected=f"{sense} {limit:.4g}",
                    fix=fix,
                )
            )
    return tuple(found)


def _fraction(membership: Membership, name: str) -> float | None:
    """Share of its parent that a stem population holds; None where there is none."""
    for path in membership.paths:
        parent, _, own = path.rpartition("/")
        if own == name:
            count, total = membership.count(path), membership.count(parent)
            return _number(count / total) if count is not None and total else None
    return None


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
