"""``check``: everything that can be wrong before gating, found without gating."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cytometry.errors import CytometryError
from cytometry.model.findings import Finding
from cytometry.model.tables import Cell
from cytometry.pipeline.gate_step import GatingJob

if TYPE_CHECKING:
    from cytometry.model.study import Study


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Parameters
    ----------
    findings
        On tables and files, in the order of the inputs.
    n_files, n_unusable
        FCS files looked at, and those that gating would fail on.
    mapping
        Marker to channel, by sample.
    """

    findings: tuple[Finding, ...]
    n_files: int
    n_unusable: int
    mapping: dict[str, dict[str, str]]


def check_job(job: GatingJob, told: Callable[[int, int], None] | None = None) -> CheckResult:
    """Read every file of a planned study, match its channels with the panel's markers, compare detector settings.

    Parameters
    ----------
    told
        Called with files done and files in all.
    """
    from cytometry.io.fcs import read_fcs
    from cytometry.preprocessing.markers import match_channels
    from cytometry.quantification.settings_changes import settings_findings, settings_rows

    findings = list(job.plan.findings)
    mapping: dict[str, dict[str, str]] = {}
    unusable = 0
    settings: list[dict[str, Cell]] = []
    for number, planned in enumerate(job.plan.inputs, start=1):
        tube = planned.tube
        if planned.outcome is not None and planned.outcome.status == "failed":
            findings += planned.outcome.findings
            unusable += 1
        elif planned.outcome is None or planned.outcome.code == "REFERENCE":
            try:
                sample = read_fcs(tube.path)
                settings += settings_rows(tube.sample_id, sample)
                panel = job.panels.get(planned.panel)
                match = match_channels(sample, panel) if panel is not None else None
                found = (*sample.findings, *(match.findings if match else ()))
                findings += [replace(f, file=tube.fcs_file) for f in found]
                if match:
                    mapping[tube.sample_id] = {
                        marker: sample.channels[i].name for marker, i in match.channel_map.indices.items()
                    }
            except CytometryError as error:
                unusable += planned.outcome is None
                severity = "error" if planned.outcome is None else "warning"
                findings.append(
                    Finding(error.code, severity, error.message, file=tube.fcs_file, fix=error.hint)  # type: ignore[arg-type]
                )
        if told is not None:
            told(number, len(job.plan.inputs))
    inputs = {i.tube.sample_id: i for i in job.plan.inputs}
    changes = settings_findings(
        settings,
        {name: (i.panel, i.batch) for name, i in inputs.items()},
        {name: i.tube.fcs_file for name, i in inputs.items()},
    )
    findings += [f for own in changes.values() for f in own]
    if job.study is not None:
        findings += _layout(job.study)
    return CheckResult(tuple(dict.fromkeys(findings)), len(job.plan.inputs), unusable, mapping)


def _layout(study: Study) -> list[Finding]:
    """Visits that are missing, doubled or confounded with batches, as the statistics will see them."""
    from cytometry.pipeline.stats_step import clinical_frame, design_frame, trial_design
    from cytometry.statistics.design import check_design

    return list(check_design(design_frame(study), clinical_frame(study), trial_design(study)))
