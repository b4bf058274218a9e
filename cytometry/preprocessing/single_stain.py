"""Spillover from controls that carry one dye each, and how it compares with the acquisition matrix.

A dye's share in a detector is the rise of that detector from dull to bright
events, over the rise of the dye's own detector: medians of the two groups, so
that outliers and skewed tails count little (Bagwell and Adams 1993).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytometry.errors import SpilloverError
from cytometry.model.findings import Finding
from cytometry.model.normal import MAD_TO_SD
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover

FloatArray = npt.NDArray[np.float64]

# The median of fewer events moves by a tenth of the spread and more.
FEWEST_EVENTS = 100
# Bright must stand clear of dull: closer groups give ratios of two small numbers.
LEAST_SEPARATION = 5.0
# Events at the top of the scale are cut off, and their ratios too small.
_SATURATED = 0.98
_ASINH_COFACTOR = 150.0
_HISTOGRAM_BINS = 256
# An instrument's matrix that differs by more than two per cent of the dye moves a dim population visibly.
NOTABLE_DIFFERENCE = 0.02


@dataclass(frozen=True, slots=True)
class StainControl:
    """What one control gave.

    Parameters
    ----------
    detector
        ``$PnN`` of the dye's own detector.
    n_bright, n_dull
        Events in the two groups.
    separation
        Distance of their medians over the spread of the dull ones (1.4826 · MAD).
    """

    detector: str
    n_bright: int
    n_dull: int
    separation: float


@dataclass(frozen=True, slots=True)
class ComputedSpillover:
    """A matrix computed from controls."""

    spillover: Spillover
    controls: tuple[StainControl, ...]


def spillover_from_single_stains(
    controls: Mapping[str, Sample], *, unstained: Sample | None = None
) -> ComputedSpillover:
    """Compute the matrix over the detectors that have a control.

    Parameters
    ----------
    controls
        Single-stained samples by the ``$PnN`` of the dye's own detector.
    unstained
        Dull events are taken from it; without it, from the control's own lower mode.

    Raises
    ------
    SpilloverError
        A control lacks a detector, has too few bright or dull events, or is
        brighter in another detector than in its own; the message names it.
    """
    detectors = tuple(controls)
    rows, facts = [], []
    for detector, sample in controls.items():
        values = _values(sample, detectors, detector)
        own = detectors.index(detector)
        bright, dull = _groups(values, own, None if unstained is None else _values(unstained, detectors, detector))
        facts.append(_check(detector, sample, bright, dull, own))
        rise = np.median(bright, axis=0) - np.median(dull, axis=0)
        strongest = int(np.argmax(rise))
        if strongest != own:
            raise SpilloverError(
                f"the control of {detector} is brighter in {detectors[strongest]}",
                where=sample.name,
                hint="check which stain is in this tube and which marker its role names",
                code="SPILLOVER_WRONG_CONTROL",
            )
        rows.append(rise / rise[own])
    matrix = np.array(rows, dtype=np.float64).reshape(len(detectors), len(detectors))
    return ComputedSpillover(Spillover(detectors, matrix, "single-stain controls"), tuple(facts))


def compare_spillover(computed: Spillover, acquired: Spillover, *, file: str = "") -> tuple[Finding, ...]:
    """A finding for each coefficient that differs notably from the acquisition matrix, largest first."""
    common = [c for c in computed.channels if c in acquired.channels]
    differences = []
    for dye in common:
        for detector in common:
            a = float(computed.matrix[computed.channels.index(dye), computed.channels.index(detector)])
            b = float(acquired.matrix[acquired.channels.index(dye), acquired.channels.index(detector)])
            if abs(a - b) > NOTABLE_DIFFERENCE:
                differences.append((abs(a - b), dye, detector, a, b))
    return tuple(
        Finding(
            code="SPILLOVER_DIFFERS",
            severity="warning",
            message=f"single stains give {a:.4f} of {dye} in {detector}, the acquisition matrix {b:.4f}",
            file=file,
            keyword="$SPILLOVER",
            found=f"{b:.4f}",
            expected=f"{a:.4f}",
            fix="name the computed matrix under 'compensation' in study.yaml if the controls are to be believed",
        )
        for _, dye, detector, a, b in sorted(differences, reverse=True)
    )


def _values(sample: Sample, detectors: Sequence[str], control: str) -> FloatArray:
    lost = [d for d in detectors if d not in sample.channel_names]
    if lost:
        raise SpilloverError(
            f"has no detector {', '.join(lost)}, which the control of {control} needs",
            where=sample.name,
            hint=f"channels: {', '.join(sample.channel_names)}",
            code="SPILLOVER_UNKNOWN_CHANNEL",
        )
    columns = [np.asarray(sample.linear_column(sample.index_of(d)), dtype=np.float64) for d in detectors]
    values = np.column_stack(columns) if columns else np.empty((sample.n_events, 0))
    tops = np.array([sample.channels[sample.index_of(d)].linear_top for d in detectors])
    usable = np.isfinite(values).all(axis=1) & (values < np.where(tops > 0, tops * _SATURATED, np.inf)).all(axis=1)
    return np.asarray(values[usable])


def _groups(values: FloatArray, own: int, unstained: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    if values.shape[0] == 0:
        return values, values if unstained is None else unstained
    scaled = np.arcsinh(values[:, own] / _ASINH_COFACTOR)
    cut = _otsu(scaled)
    bright = values[scaled >= cut]
    return bright, values[scaled < cut] if unstained is None else unstained


def _otsu(values: FloatArray) -> float:
    """Cut that leaves the least variance within two groups (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=_HISTOGRAM_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = sums / below - (sums[-1] - sums) / above
        between = below * above * difference**2
    return float(edges[int(np.nanargmax(between[:-1])) + 1]) if np.isfinite(between[:-1]).any() else float(edges[-1])


def _check(detector: str, sample: Sample, bright: FloatArray, dull: FloatArray, own: int) -> StainControl:
    if min(len(bright), len(dull)) < FEWEST_EVENTS:
        raise SpilloverError(
            f"the control of {detector} has {len(bright)} bright and {len(dull)} dull events",
            where=sample.name,
            hint=f"at least {FEWEST_EVENTS} of each; give an unstained tube, or more events",
            code="SPILLOVER_WEAK_CONTROL",
        )
    middle = float(np.median(dull[:, own]))
    spread = MAD_TO_SD * float(np.median(np.abs(dull[:, own] - middle)))
    separation = (float(np.median(bright[:, own])) - middle) / spread if spread > 0 else np.inf
    if separation < LEAST_SEPARATION:
        raise SpilloverError(
            f"bright and dull events of the control of {detector} lie {separation:.1f} spreads apart",
            where=sample.name,
            hint=f"at least {LEAST_SEPARATION:g}: the stain is too dim, or the tube is not single-stained with it",
            code="SPILLOVER_WEAK_CONTROL",
        )
    return StainControl(detector, len(bright), len(dull), separation)
