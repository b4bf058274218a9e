"""Detector voltages and spillover coefficients that are not those of the rest of the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

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

    Of two values that are as frequent, the one that stands first counts as usual.

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
        voltages = _usual([_only(settings[s], _VOLTAGE) for s in members])
        matrix = _usual_matrix([_only(settings[s], _SPILLOVER) for s in members])
        for sample_id in members:
            own = (
                *_voltages(_only(settings[sample_id], _VOLTAGE), voltages, files[sample_id]),
                *_matrix(_only(settings[sample_id], _SPILLOVER), matrix, files[sample_id]),
            )
            if own:
                found[sample_id] = own
    return found


def _only(settings: _Settings, kind: str) -> dict[str, float]:
    return {item: value for (k, item), value in settings.items() if k == kind}


def _usual(tubes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each item the value that most tubes have."""
    items = dict.fromkeys(item for tube in tubes for item in tube)
    return {item: Counter(t[item] for t in tubes if item in t).most_common(1)[0][0] for item in items}


def _usual_matrix(tubes: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    """The matrix that most tubes have, up to rounding."""
    rounded = Counter(tuple((k, round(v / SPILLOVER_TOLERANCE)) for k, v in sorted(t.items())) for t in tubes)
    usual = rounded.most_common(1)[0][0]
    return next(t for t in tubes if tuple((k, round(v / SPILLOVER_TOLERANCE)) for k, v in sorted(t.items())) == usual)


def _voltages(own: Mapping[str, float], usual: Mapping[str, float], file: str) -> list[Finding]:
    return [
        Finding(
            "VOLTAGE_CHANGED",
            "warning",
            f"detector {name} ran at {value:g} V, in most tubes of the same batch at {usual[name]:g} V",
            file=file,
            keyword=f"$PnV of {name}",
            found=f"{value:g}",
            expected=f"{usual[name]:g}",
            fix="compare this tube's intensities and fixed gates with the batch's only with care",
        )
        for name, value in own.items()
        if value != usual[name]
    ]


def _matrix(own: Mapping[str, float], usual: Mapping[str, float], file: str) -> list[Finding]:
    pairs = dict.fromkeys((*usual, *own))
    off = {p: own.get(p, 0.0) - usual.get(p, 0.0) for p in pairs}
    off = {p: d for p, d in off.items() if abs(d) > SPILLOVER_TOLERANCE}
    if not off:
        return []
    if not own or not usual:
        detail = "it has none" if not own else "most have none"
    else:
        worst = sorted(off, key=lambda p: -abs(off[p]))
        named = (f"{p}: {own.get(p, 0.0):.4g} against {usual.get(p, 0.0):.4g}" for p in worst[:_NAMED])
        detail = ", ".join(named) + (f" and {len(off) - _NAMED} more" if len(off) > _NAMED else "")
    return [
        Finding(
            "SPILLOVER_CHANGED",
            "warning",
            f"the spillover matrix is not that of most tubes of the same batch ({detail})",
            file=file,
            keyword="$SPILLOVER",
            found=detail,
            fix="give one matrix for the batch under 'compensation' in study.yaml",
        )
    ]
