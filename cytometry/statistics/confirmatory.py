"""The confirmatory list: a fixed sequence, each at the full level, stopping at the first failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.attainable import paired_floor

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "plan_order",
    "population",
    "scale",
    "visit",
    "n",
    "n_fell",
    "n_rose",
    "estimate",
    "ci_low",
    "ci_high",
    "ci_attained",
    "effect",
    "effect_low",
    "effect_high",
    "effect_unit",
    "p",
    "p_count",
    "p_total",
    "p_floor",
    "p_at_floor",
    "status",
)


def fixed_sequence(comparison: pd.DataFrame, plan: AnalysisPlan) -> pd.DataFrame:
    """The plan's readouts in order with what became of each.

    ``status``: ``confirmed`` (p ≤ alpha and every one before it too), ``not
    confirmed`` (the sequence ends here), ``not reached`` (an earlier one
    failed: its p is printed and claims nothing), ``cannot be confirmed`` (no
    data of this n could give p ≤ alpha; the sequence ends here), ``not
    counted`` (the population, visit or scale is not in the data; ends it too).
    """
    import pandas as pd

    rows = []
    open_so_far = True
    for order, readout in enumerate(plan.confirmatory, start=1):
        found = comparison[comparison["plan_order"] == order]
        row: dict[str, object] = {
            "plan_order": order,
            "population": readout.population,
            "scale": readout.scale,
            "visit": readout.visit,
        }
        if found.empty:
            row |= {"n": 0, "status": "not counted"}
            open_so_far = False
        else:
            first = found.iloc[0]
            row |= {c: first[c] for c in COLUMNS if c in found and c not in row}
            row["status"] = _status(float(first["p"]), bool(first["can_be_significant"]), plan.alpha, open_so_far)
            open_so_far = row["status"] == "confirmed"
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _status(p: float, possible: bool, alpha: float, open_so_far: bool) -> str:
    if not open_so_far:
        return "not reached"
    if not possible:
        return "cannot be confirmed"
    return "confirmed" if p <= alpha else "not confirmed"


def settle_claims(comparison: pd.DataFrame, sequence: pd.DataFrame) -> pd.DataFrame:
    """The comparison with the confirmatory rows' claims taken from the sequence."""
    settled = comparison.copy()
    wording = {
        "confirmed": "significant",
        "not confirmed": "not significant",
        "not reached": "not tested in sequence",
        "cannot be confirmed": "cannot be significant",
    }
    for order, status in zip(sequence["plan_order"], sequence["status"], strict=True):
        if status in wording:
            settled.loc[settled["plan_order"] == order, "claim"] = wording[status]
    return settled


def feasible_at(n: int, alpha: float) -> bool:
    """Whether a two-sided exact paired test of n patients can reach alpha at all.

    Examples
    --------
    >>> feasible_at(5, 0.05), feasible_at(6, 0.05)
    (False, True)
    """
    return paired_floor(n) <= alpha
