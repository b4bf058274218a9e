"""One participant's change: called only when counting, gating and the controls' own variation cannot make it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cytometry.model.plan import AnalysisPlan
from cytometry.statistics.blocks import ABUNDANCE, ChangeBlock
from cytometry.statistics.design import TrialDesign
from cytometry.statistics.ranks import as_values
from cytometry.statistics.rows import table_of
from cytometry.statistics.scales import logit_half

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class IndividualChange:
    """One subject, population and visit; on the log-odds scale.

    ``call`` is ``gained``, ``lost``, ``within variation`` or ``not callable``;
    ``limit`` is what the change had to exceed.
    """

    subject_id: str
    panel: str
    population: str
    path: str
    visit: str
    scale: str
    change: float
    counting_sd: float
    gating_sd: float
    control_sd: float
    control_tubes: int
    limit: float
    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class ControlVariation:
    """Spread of a population's log odds between tubes of one bridging control."""

    sd: float
    tubes: int


def rule_text(plan: AnalysisPlan) -> str:
    """The rule in one sentence, as the report prints it."""
    return (
        "A participant's gain or loss is called when the change of the log odds exceeds t × √(counting variance of "
        "both tubes + gating variance of both tubes + 2 × variance between tubes of the bridging control), t the "
        f"two-sided Student quantile at {plan.individual_alpha:g} divided by the number of participants, with "
        "Welch-Satterthwaite degrees of freedom; without at least two control tubes nothing is called. Where the "
        "gate's own uncertainty was not given, it counts as 0 and the row says so. If nobody's population changed, "
        f"anybody is called with a chance of at most {100 * plan.individual_alpha:g} % per population and visit."
    )


def control_variation(counts: pd.DataFrame) -> dict[tuple[str, str, str], ControlVariation]:
    """Variation of the bridging controls by panel, path and denominator.

    Parameters
    ----------
    counts
        Rows of ``counts.csv`` with their ``role``; controls are those with role
        ``control``, told apart by ``subject_id`` where it is given.
    """
    if "role" not in counts:
        return {}
    controls = counts[counts["role"] == "control"].copy()
    if controls.empty:
        return {}
    donor = controls["subject_id"].fillna("").astype(str) if "subject_id" in controls else ""
    controls = controls.assign(donor=donor)
    variation: dict[tuple[str, str, str], ControlVariation] = {}
    for panel, tubes in controls.groupby("panel", sort=False):
        wide = tubes.pivot_table(index=["donor", "sample_id"], columns="path", values="count", aggfunc="first")
        parent = tubes.pivot_table(index=["donor", "sample_id"], columns="path", values="parent_count", aggfunc="first")
        names = dict(zip(tubes["path"], tubes["population"], strict=True))
        wholes = {str(names[path]): wide[path] for path in wide.columns}
        donors = wide.index.get_level_values("donor").to_numpy()
        for path in wide.columns:
            if path in parent:
                variation[(str(panel), str(path), "parent")] = _spread(wide[path], parent[path], donors)
            for name, whole in wholes.items():
                if name != names[path] and bool((whole >= wide[path]).all()):
                    variation[(str(panel), str(path), name)] = _spread(wide[path], whole, donors)
    return variation


def _spread(
    count: pd.Series[float], whole: pd.Series[float], donors: np.ndarray[tuple[int, ...], np.dtype[np.str_]]
) -> ControlVariation:
    """Pooled standard deviation within donors."""
    values = logit_half(as_values(count.tolist()), as_values(whole.tolist()))
    squares, freedom = 0.0, 0
    for donor in dict.fromkeys(donors.tolist()):
        own = values[(donors == donor) & ~np.isnan(values)]
        if own.size > 1:
            squares += float(((own - own.mean()) ** 2).sum())
            freedom += own.size - 1
    return ControlVariation(math.sqrt(squares / freedom), freedom + 1) if freedom else ControlVariation(math.nan, 0)


def individual_changes(
    blocks: tuple[ChangeBlock, ...],
    subjects: tuple[str, ...],
    controls: dict[tuple[str, str, str], ControlVariation],
    design: TrialDesign,
    plan: AnalysisPlan,
) -> pd.DataFrame:
    """Call or not call every subject's change of composition."""

    rows: list[IndividualChange] = []
    for block in blocks:
        if block.scale == ABUNDANCE:
            continue
        base = design.visits.index(design.baseline)
        at = design.visits.index(block.visit)
        gating = block.readout.gating_sd[:, [base, at]]
        control = controls.get(
            (block.readout.panel, block.readout.path, block.denominator), ControlVariation(math.nan, 0)
        )
        assessed = int((~np.isnan(block.changes.values)).sum())
        alpha = plan.individual_alpha / max(assessed, 1)
        rows.extend(_call(block, i, subject, gating[i], control, alpha) for i, subject in enumerate(subjects))
    return table_of(rows, IndividualChange)


def _call(
    block: ChangeBlock,
    i: int,
    subject: str,
    gating: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    control: ControlVariation,
    alpha: float,
) -> IndividualChange:
    from scipy.special import stdtrit

    change, counting = float(block.changes.values[i]), float(block.changes.variances[i])
    gating_variance = float(np.nansum(gating**2))
    limit, call = math.nan, "not callable"
    reasons = [] if not np.isnan(gating).any() else ["gating variation not given"]
    if math.isnan(change):
        reasons = ["change undefined"]
    elif math.isnan(control.sd):
        reasons.append("fewer than two tubes of a bridging control")
    else:
        between = 2 * control.sd**2
        variance = counting + gating_variance + between
        freedom = variance**2 / (between**2 / (control.tubes - 1)) if between > 0 else math.inf
        limit = float(stdtrit(min(freedom, 1e6), 1 - alpha / 2)) * math.sqrt(variance)
        call = "within variation" if abs(change) <= limit else "gained" if change > 0 else "lost"
    return IndividualChange(
        subject_id=subject,
        panel=block.readout.panel,
        population=block.readout.population,
        path=block.readout.path,
        visit=block.visit,
        scale=block.scale,
        change=change,
        counting_sd=math.sqrt(counting) if not math.isnan(counting) else math.nan,
        gating_sd=math.sqrt(gating_variance) if not np.isnan(gating).all() else math.nan,
        control_sd=control.sd,
        control_tubes=control.tubes,
        limit=limit,
        call=call,
        reason="; ".join(reasons),
    )
