"""Spillover of a study's single-stain controls, per panel and batch, beside the acquisition matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cytometry.errors import CytometryError, PanelError, SpilloverError
from cytometry.model.findings import Finding
from cytometry.model.panel import Panel
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.study import SampleRow, Study
from cytometry.preprocessing.single_stain import StainControl, compare_spillover, spillover_from_single_stains

_ROLE = "single_stain:"


@dataclass(frozen=True, slots=True)
class BatchSpillover:
    """What the controls of one panel and batch gave.

    Parameters
    ----------
    spillover
        None where they cannot be used; ``findings`` then say why.
    acquired
        The matrix in the first control's file.
    """

    panel: str
    batch: str
    spillover: Spillover | None
    controls: tuple[StainControl, ...]
    acquired: Spillover | None
    findings: tuple[Finding, ...]


def study_spillovers(study: Study, panels: Mapping[str, Panel], *, strict: bool = True) -> tuple[BatchSpillover, ...]:
    """Compute every matrix that the study has controls for.

    One batch's bad control does not stop the others.
    """
    groups: dict[tuple[str, str], list[SampleRow]] = {}
    for row in study.samples:
        if row.role.startswith(_ROLE) and not row.exclude:
            groups.setdefault((row.panel, row.batch), []).append(row)
    return tuple(_batch(study, panels, key, rows, strict=strict) for key, rows in groups.items())


def _batch(
    study: Study, panels: Mapping[str, Panel], key: tuple[str, str], rows: list[SampleRow], *, strict: bool
) -> BatchSpillover:
    from cytometry.io.fcs import read_fcs

    panel, batch = key
    acquired: Spillover | None = None
    try:
        controls: dict[str, Sample] = {}
        for row in rows:
            sample = read_fcs(study.fcs_path(row), strict=strict)
            detector = _detector(sample, panels[panel], row)
            if detector in controls:
                raise SpilloverError(
                    f"two controls are for {detector}",
                    where=row.fcs_file,
                    hint="give each detector one single-stain control per panel and batch",
                    code="SPILLOVER_DUPLICATE_CHANNEL",
                )
            controls[detector] = sample
            acquired = acquired or sample.spillover
        blank = next((r for r in study.samples if (r.panel, r.batch, r.role) == (panel, batch, "unstained")), None)
        unstained = None if blank is None or blank.exclude else read_fcs(study.fcs_path(blank), strict=strict)
        computed = spillover_from_single_stains(controls, unstained=unstained)
    except CytometryError as error:
        finding = Finding(error.code, "error", error.message, file=error.where, fix=error.hint)
        return BatchSpillover(panel, batch, None, (), acquired, (finding,))
    found = () if acquired is None else compare_spillover(computed.spillover, acquired, file=f"{panel}, batch {batch}")
    return BatchSpillover(panel, batch, computed.spillover, computed.controls, acquired, found)


def _detector(sample: Sample, panel: Panel, row: SampleRow) -> str:
    """``$PnN`` of the channel that measures the role's marker, which may also be the channel's own name."""
    from cytometry.preprocessing.markers import match_channels

    marker = row.role.removeprefix(_ROLE)
    if marker in sample.channel_names:
        return marker
    channels = match_channels(sample, panel).channel_map
    if marker not in channels:
        raise PanelError(
            f"role '{row.role}' names no marker of panel '{panel.name}' that the file measures",
            where=row.fcs_file,
            hint=f"markers: {', '.join(panel.markers)}; channels: {', '.join(sample.channel_names)}",
            code="MARKER_MISSING",
        )
    return sample.channel_names[channels.indices[marker]]
