"""From two counts to one change: the step where most small trials go wrong.

The rules are those of ``ChangeRules``: an empty parent is undefined, not 0 %;
two zero counts are no change; a change whose sign comes from the ½ that is
added, not from the cells, is no change. Each can be switched off, and each use
is a flag on its row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.model.plan import ChangeRules
from cytometry.statistics.ranks import FloatArray, Values, as_values

PLAIN_RULE = ChangeRules(both_zero_is_no_change=False, sign_artefact_is_no_change=False, min_parent=0)
"""The logit difference as it comes, undefined only for an empty parent: the reference trial's rule."""

BoolArray = npt.NDArray[np.bool_]

BOTH_ZERO = "BOTH_ZERO"
SIGN_ARTEFACT = "SIGN_ARTEFACT"
PARENT_EMPTY = "PARENT_EMPTY"
PARENT_TOO_SMALL = "PARENT_TOO_SMALL"
PARENT_SMALL = "PARENT_SMALL"
BELOW_LOD = "BELOW_LOD"
BELOW_LLOQ = "BELOW_LLOQ"
ZERO_COUNT = "ZERO_COUNT"
OVERRIDES = (BOTH_ZERO, SIGN_ARTEFACT)


@dataclass(frozen=True)
class Changes:
    """One change per pair of counts.

    Parameters
    ----------
    values
        NaN where undefined.
    variances
        Of the log odds ratio, from counting alone: the sum of 1/(cell + ½) over four cells.
    flags
        Codes joined by ``;``.
    """

    values: FloatArray
    variances: FloatArray
    flags: tuple[str, ...]


def composition_changes(
    count_before: Values, parent_before: Values, count: Values, parent: Values, rules: ChangeRules
) -> Changes:
    """Log odds ratios of a population's share of its parent, with ½ added to every cell.

    Examples
    --------
    >>> plain = composition_changes([3], [9000], [0], [500], PLAIN_RULE)
    >>> round(float(plain.values[0]), 2)  # fell to zero, and the plain rule says it rose
    0.94
    >>> composition_changes([3], [9000], [0], [500], ChangeRules()).flags
    ('SIGN_ARTEFACT;BELOW_LOD;ZERO_COUNT',)
    """
    k0, n0, k1, n1 = (as_values(v) for v in (count_before, parent_before, count, parent))
    known = ~(np.isnan(k0) | np.isnan(n0) | np.isnan(k1) | np.isnan(n1))
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log((k1 + 0.5) / (n1 - k1 + 0.5)) - np.log((k0 + 0.5) / (n0 - k0 + 0.5))
        raw_direction = np.sign(k1 / n1 - k0 / n0)
        variance = 1 / (k0 + 0.5) + 1 / (n0 - k0 + 0.5) + 1 / (k1 + 0.5) + 1 / (n1 - k1 + 0.5)
    least = np.minimum(n0, n1)
    empty = known & (least <= 0)
    too_small = known & ~empty & (least < rules.min_parent)
    defined = known & ~empty & ~too_small
    change, artefact, both_zero = _overridden(change, raw_direction, (k0 == 0) & (k1 == 0), defined, rules)
    marks = {
        BOTH_ZERO: both_zero,
        SIGN_ARTEFACT: artefact,
        PARENT_EMPTY: empty,
        PARENT_TOO_SMALL: too_small,
        PARENT_SMALL: defined & (least < rules.flag_parent),
        **_count_marks(k0, k1, defined, rules),
    }
    return Changes(
        np.where(defined, change, np.nan), np.where(defined, variance, np.nan), _joined(marks, int(change.size))
    )


def abundance_changes(
    count_before: Values, factor_before: Values, count: Values, factor: Values, rules: ChangeRules
) -> Changes:
    """log2 fold changes of cells per µL; ``factor`` is the cells/µL that one counted event stands for.

    Examples
    --------
    >>> abundance_changes([100], [1.0], [50], [4.0], ChangeRules()).values.round(3).tolist()
    [1.007]
    """
    k0, f0, k1, f1 = (as_values(v) for v in (count_before, factor_before, count, factor))
    defined = (f0 > 0) & (f1 > 0) & ~np.isnan(k0) & ~np.isnan(k1)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log2((k1 + 0.5) * f1) - np.log2((k0 + 0.5) * f0)
        raw_direction = np.sign(k1 * f1 - k0 * f0)
        # Counting only: the haematology count has its own error, which no cytometry file knows.
        variance = (1 / (k0 + 0.5) + 1 / (k1 + 0.5)) / np.log(2) ** 2
    change, artefact, both_zero = _overridden(change, raw_direction, (k0 == 0) & (k1 == 0), defined, rules)
    marks = {BOTH_ZERO: both_zero, SIGN_ARTEFACT: artefact, **_count_marks(k0, k1, defined, rules)}
    return Changes(
        np.where(defined, change, np.nan), np.where(defined, variance, np.nan), _joined(marks, int(change.size))
    )


def percentage_point_changes(
    count_before: Values, parent_before: Values, count: Values, parent: Values, rules: ChangeRules
) -> FloatArray:
    """100 (k1/N1 - k0/N0), undefined where the composition is.

    Examples
    --------
    >>> percentage_point_changes([10], [100], [50], [200], ChangeRules()).round(6).tolist()
    [15.0]
    """
    k0, n0, k1, n1 = (as_values(v) for v in (count_before, parent_before, count, parent))
    with np.errstate(divide="ignore", invalid="ignore"):
        points = 100 * (k1 / n1 - k0 / n0)
    return np.where(np.minimum(n0, n1) >= max(rules.min_parent, 1), points, np.nan)


def _overridden(
    change: FloatArray, raw_direction: FloatArray, both_zero: BoolArray, defined: BoolArray, rules: ChangeRules
) -> tuple[FloatArray, BoolArray, BoolArray]:
    zeros = defined & both_zero & rules.both_zero_is_no_change
    # Rounding alone must not make an artefact: equal shares leave a difference in the last bits.
    disagree = (np.sign(change) != raw_direction) & (np.abs(change) > 1e-12)
    artefact = defined & ~both_zero & disagree & rules.sign_artefact_is_no_change
    return np.where(zeros | artefact, 0.0, change), artefact, zeros


def _count_marks(k0: FloatArray, k1: FloatArray, defined: BoolArray, rules: ChangeRules) -> dict[str, BoolArray]:
    least = np.minimum(k0, k1)
    return {
        BELOW_LOD: defined & (least < rules.lod),
        BELOW_LLOQ: defined & (least >= rules.lod) & (least < rules.lloq),
        ZERO_COUNT: defined & (least == 0),
    }


def _joined(marks: dict[str, BoolArray], size: int) -> tuple[str, ...]:
    flags: list[list[str]] = [[] for _ in range(size)]
    for code, where in marks.items():
        for i in np.flatnonzero(where):
            flags[i].append(code)
    return tuple(";".join(codes) for codes in flags)
