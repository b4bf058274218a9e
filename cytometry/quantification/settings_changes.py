"""Detector voltages and spillover coefficients that are not those of the rest of the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from cytometry.model.findings import Finding
from cytometry.model.sample import Sample
from cytometry.model.tables import Cell, Row

# Two matrices agree if no coefficient differs by more than this, in parts of one: writers round differently.
SPILLOVER_TOLERANCE: Final = 1e-4
_VOLTAGE: Final = "voltage"
_SPILLOVER: Final = "spillover"
# So many coefficients are named; the files have all.
_NAMED: Final = 3

_Settings = Mapping[tuple[str, str], float]
# Coefficients by pair, sorted.
_Matrix = tuple[tuple[str, float], ...]
_Value = TypeVar("_Value", float, _Matrix)


def settings_rows(sample_id: str, sample: Sample) -> list[dict[str, Cell]]:
    """One row per voltage and per coefficient that is not 0, as the file has them."""
    found: dict[tuple[str, str], float] = {
        (_VOLTAGE, c.name): c.voltage for c in sample.channels if c.voltage is not None
    }
    matrix = sample.spillover
    if matrix is not None and matrix.matrix.shape == (len(matrix.channels),) * 2:
        for i, source in enumerate(matrix.channels):
            for j, target in enumerate(matrix.channels):
                if i == j or matrix.matrix[i, j] != 0:
                    found[_SPILLOVER, f"{source} into {target}"] = float(matrix.matrix[i, j])
    return [{"sample_id": sample_id, "kind": k, "item": i, "value": float(f"{v:.8g}")} for (k, i), v in found.items()]


def settings_findings(
    rows: Sequence[Row], batch_of: Mapping[str, tuple[str, str]], files: Mapping[str, str]
) -> dict[str, tuple[Finding, ...]]:
    """Findings by sample: what differs from what most tubes of its batch and panel have.

    Of values that are as frequent none is the usual one: all tubes that have one of them are told of the other.

    Parameters
    ----------
    batch_of
        Panel and batch by sample; samples without a batch are left out.
    files
        As the input gives them, by sample.
    """
    settings: dict[str, dict[tuple[str, str], float]] = {}
    for row in rows:
        value = row["value"]
        if isinstance(value, float | int):
            settings.setdefault(str(row["sample_id"]), {})[str(row["kind"]), str(row["item"])] = float(value)
    batches: dict[tuple[str, str], list[str]] = {}
    for sample_id in settings:
        if batch_of.get(sample_id, ("", ""))[1]:
            batches.setdefault(batch_of[sample_id], []).append(sample_id)
    found: dict[str, tuple[Finding, ...]] = {}
    for members in batches.values():
        voltages = {s: _only(settings[s], _VOLTAGE) for s in members}
        matrices = {s: tuple(sorted(_only(settings[s], _SPILLOVER).items())) for s in members}
        items = dict.fromkeys(item for own in voltages.values() for item in own)
        usual = {i: _most_frequent([v[i] for v in voltages.values() if i in v], float.__eq__) for i in items}
        usual_matrix = _most_frequent(list(matrices.values()), _agree)
        for sample_id in members:
            own = (
                *_voltages(voltages[sample_id], usual, len(members), files[sample_id]),
                *_matrix(matrices[sample_id], usual_matrix, len(members), files[sample_id]),
            )
            if own:
                found[sample_id] = own
    return found


def _only(settings: _Settings, kind: str) -> dict[str, float]:
    return {item: value for (k, item), value in settings.items() if k == kind}


def _most_frequent(values: Sequence[_Value], agree: Callable[[_Value, _Value], bool]) -> dict[_Value, int]:
    """What the most tubes agree with, and how many do; several where as many agree with others."""
    counted = Counter(values)
    support = {v: sum(n for other, n in counted.items() if agree(v, other)) for v in counted}
    most = max(support.values())
    return {v: n for v, n in sorted(support.items()) if n == most}


def _other(
    own: _Value, usual: Mapping[_Value, int], agree: Callable[[_Value, _Value], bool]
) -> tuple[_Value, int] | None:
    """What the tube has not although no value is more frequent, the smallest of several; None where there is none."""
    if own not in usual and any(agree(own, v) for v in usual):
        return None
    return next(((v, n) for v, n in usual.items() if not agree(own, v)), None)


def _agree(first: _Matrix, second: _Matrix) -> bool:
    """Whether two matrices are one, up to rounding."""
    return first == second or not _differences(dict(first), dict(second))


def _differences(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    pairs = dict.fromkeys((*second, *first))
    off = {p: first.get(p, 0.0) - second.get(p, 0.0) for p in pairs}
    return {p: d for p, d in off.items() if abs(d) > SPILLOVER_TOLERANCE}


def _share(n: int, n_all: int) -> str:
    if 2 * n > n_all:
        return "most tubes"
    return "half of the tubes" if 2 * n == n_all else f"{n} of {n_all} tubes"


def _voltages(own: Mapping[str, float], usual: Mapping[str, Mapping[float, int]], n: int, file: str) -> list[Finding]:
    others = {name: _other(value, usual[name], float.__eq__) for name, value in own.items()}
    return [
        Finding(
            "VOLTAGE_CHANGED",
            "warning",
            f"detector {name} ran at {own[name]:g} V, in {_share(other[1], n)} of the same batch at {other[0]:g} V",
            file=file,
            keyword=f"$PnV of {name}",
            found=f"{own[name]:g}",
            expected=f"{other[0]:g}",
            fix="compare this tube's intensities and fixed gates with the batch's only with care",
        )
        for name, other in others.items()
        if other is not None
    ]


def _matrix(values: _Matrix, frequent: Mapping[_Matrix, int], n: int, file: str) -> list[Finding]:
    other = _other(values, frequent, _agree)
    if other is None:
        return []
    own, usual = dict(values), dict(other[0])
    off = _differences(own, usual)
    if not own or not usual:
        detail = "it has none" if not own else "they have none"
    else:
        worst = sorted(off, key=lambda p: -abs(off[p]))
        named = (f"{p}: {own.get(p, 0.0):.4g} against {usual.get(p, 0.0):.4g}" for p in worst[:_NAMED])
        detail = ", ".join(named) + (f" and {len(off) - _NAMED} more" if len(off) > _NAMED else "")
    return [
        Finding(
            "SPILLOVER_CHANGED",
            "warning",
            f"the spillover matrix is not that of {_share(other[1], n)} of the same batch ({detail})",
            file=file,
            keyword="$SPILLOVER",
            found=detail,
            fix="give one matrix for the batch under 'compensation' in study.yaml",
        )
    ]
