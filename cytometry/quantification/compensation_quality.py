"""The compensation check of a run: what each tube says of its matrix, and what all tubes of a matrix say together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

from cytometry.gating.membership import Membership
from cytometry.model.findings import Finding
from cytometry.model.normal import MAD_TO_SD
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.tables import Cell, Row
from cytometry.preprocessing.compensation_check import group_rows, residual_spillover
from cytometry.quantification.table_numbers import table_number

# The last of these gates that a strategy has is where cells are alike enough: dead cells bind every dye.
_STEM: Final = ("time_ok", "singlets", "live", "lymphocytes")
# In parts of one. On simulated tubes (benchmarks/compensation.py) 1 right coefficient of 1,450 passed all three limits.
LEAST_ERROR: Final = 0.015
# One or two tubes have nothing to outvote a tube whose cells happen to be correlated.
LEAST_ERROR_FEW_TUBES: Final = 0.03
ENOUGH_TUBES: Final = 3
_DEVIATIONS: Final = 4.0
# A limit beyond this says nothing that a user of the matrix could act on.
_MOST_USEFUL_LIMIT: Final = 0.05
# Scales the standard error of a mean to that of a median of normal values.
_MEDIAN_SE: Final = 1.2533


def compensation_rows(
    sample_id: str, panel: str, sample: Sample, membership: Membership, matrix: Spillover | None
) -> list[dict[str, Cell]]:
    """One row per coefficient that the tube's gated cells say something about.

    Cells of one kind are those with the same memberships: gates have separated
    what biology correlates.

    Parameters
    ----------
    matrix
        What the tube was compensated with; None, or a spectrum matrix with its own dyes, is not checked.
    """
    if matrix is None or matrix.dyes or not set(matrix.channels) <= set(sample.channel_names):
        return []
    rows = group_rows(_kinds(membership))
    columns = [sample.linear_column(sample.index_of(name)) for name in matrix.channels]
    groups = [np.column_stack([np.asarray(c[r], dtype=np.float64) for c in columns]) for r in rows]
    finite = [g[np.isfinite(g).all(axis=1)] @ matrix.inverse for g in groups]
    name = matrix_name(matrix)
    markers = {c.name: c.marker for c in sample.channels}
    return [
        {
            "sample_id": sample_id,
            "panel": panel,
            "matrix": name,
            "source": matrix.channels[r.source],
            "target": matrix.channels[r.target],
            "source_marker": markers[matrix.channels[r.source]],
            "target_marker": markers[matrix.channels[r.target]],
            "coefficient": table_number(float(matrix.matrix[r.source, r.target])),
            "error": table_number(r.error),
            "standard_error": table_number(r.standard_error),
            "doubt": table_number(r.doubt),
        }
        for r in residual_spillover(finite, matrix.matrix)
    ]


def matrix_name(matrix: Spillover) -> str:
    """Twelve digits of SHA-256 over channels and coefficients: equal for equal matrices."""
    text = ",".join(matrix.channels) + ";" + ",".join(repr(float(v)) for v in matrix.matrix.ravel())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def pooled_compensation(rows: Sequence[Row]) -> list[dict[str, Cell]]:
    """Rows of ``qc_compensation.csv``: one per panel, matrix and pair, the median over its tubes.

    A pair is called ``under`` or ``over`` where the median lies beyond 1.5
    percentage points (3 for fewer than three tubes), beyond four standard
    errors, and beyond what dim cells could mimic. Where the latter two exceed 5
    points, or no tube knows all three, the verdict is ``cannot tell``.
    """
    pairs: dict[tuple[Cell, ...], list[Row]] = {}
    for row in rows:
        pairs.setdefault((row["panel"], row["matrix"], row["source"], row["target"]), []).append(row)
    tubes: dict[tuple[Cell, Cell], set[Cell]] = {}
    for row in rows:
        tubes.setdefault((row["panel"], row["matrix"]), set()).add(row["sample_id"])
    return [_pooled(own, len(tubes[panel, matrix])) for (panel, matrix, _, _), own in pairs.items()]


def compensation_findings(rows: Sequence[Row], files: Mapping[str, str]) -> tuple[Finding, ...]:
    """One finding per pair of dyes that is compensated too little or too much, largest error first.

    Parameters
    ----------
    files
        A file that carries the matrix, by its name in the rows.
    """
    wrong = [r for r in rows if r["verdict"] in ("under", "over")]
    wrong.sort(key=lambda r: -abs(_value(r["error"])))
    return tuple(
        Finding(
            "COMPENSATION_OFF",
            "warning",
            f"{_dye(r, 'source')} into {_dye(r, 'target')} is compensated too "
            f"{'little' if r['verdict'] == 'under' else 'much'}: the matrix says {_percent(r['coefficient'])}, "
            f"{r['tubes']} tube{'s' if r['tubes'] != 1 else ''} of panel {r['panel']} "
            f"say{'s' if r['tubes'] == 1 else ''} "
            f"{_percent(_value(r['coefficient']) + _value(r['error']))} "
            f"(± {100 * _DEVIATIONS / 2 * _value(r['standard_error']):.1f})",
            file=files.get(str(r["matrix"]), ""),
            segment="compensation",
            keyword="$SPILLOVER",
            found=f"{_value(r['coefficient']):.4g}",
            expected=f"{_value(r['coefficient']) + _value(r['error']):.3g}",
            fix="look at the single stains of both dyes; if they agree, give a corrected matrix under 'compensation'",
        )
        for r in wrong
    )


def _kinds(membership: Membership) -> npt.NDArray[np.int64]:
    """A number per event that is equal for equal memberships; −1 outside the gates that make cells alike."""
    paths = [p for p in membership.paths if p not in membership.undefined]
    key = np.zeros(membership.n_events, dtype=np.uint64)
    by_name = {p.rpartition("/")[2]: p for p in paths}
    stem = [by_name[n] for n in _STEM if n in by_name]
    for path in paths:
        # An odd factor: distinct memberships stay distinct up to chance in 2⁶⁴.
        key = key * np.uint64(0x9E3779B97F4A7C15) + membership.mask(path).astype(np.uint64) + np.uint64(1)
    labels = np.unique(key, return_inverse=True)[1].astype(np.int64)
    inside = membership.mask(stem[-1]) if stem else np.ones(membership.n_events, dtype=np.bool_)
    return np.where(inside, labels, -1)


def _pooled(own: Sequence[Row], n_matrix: int) -> dict[str, Cell]:
    known = [r for r in own if all(math.isfinite(_value(r[c])) for c in ("error", "standard_error", "doubt"))]
    told = known or own
    errors = [_value(r["error"]) for r in told]
    middle = median(errors)
    between = MAD_TO_SD * median(abs(e - middle) for e in errors)
    within = median(_value(r["standard_error"]) for r in told)
    se = math.hypot(between, within) * (_MEDIAN_SE if len(told) > 1 else 1.0) / math.sqrt(len(told))
    doubt = median(_value(r["doubt"]) for r in told)
    least = LEAST_ERROR if len(told) >= ENOUGH_TUBES else LEAST_ERROR_FEW_TUBES
    # Not max() of what may be NaN: it drops one that does not come first.
    unsure = max(_DEVIATIONS * se, doubt) if known else math.nan
    limit = max(least, unsure) if known else math.nan
    verdict = "ok"
    if not known or unsure > _MOST_USEFUL_LIMIT or 2 * len(known) < n_matrix:
        verdict = "cannot tell"
    elif abs(middle) > limit:
        verdict = "under" if middle > 0 else "over"
    kept = ("panel", "matrix", "source", "target", "source_marker", "target_marker", "coefficient")
    return {
        **{name: own[0][name] for name in kept},
        "error": table_number(middle),
        "standard_error": table_number(se),
        "doubt": table_number(doubt),
        "limit": table_number(limit),
        "tubes": len(told),
        "verdict": verdict,
    }


def _dye(row: Row, end: str) -> str:
    marker = row[f"{end}_marker"]
    return f"{row[end]} ({marker})" if marker else str(row[end])


def _value(cell: Cell) -> float:
    return float(cell) if isinstance(cell, float | int) else math.nan


def _percent(cell: Cell) -> str:
    # Plus zero: what rounds to nothing from below is written 0.0, not -0.0.
    return f"{round(100 * _value(cell), 1) + 0.0:.1f} %"
