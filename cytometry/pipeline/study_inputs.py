"""A study's samples as inputs: panels loaded, references known, contents hashed and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cytometry.errors import CytometryError, StudyError
from cytometry.io.digests import file_digest
from cytometry.io.overrides import active_overrides, read_overrides
from cytometry.model.findings import Finding
from cytometry.model.study import FROM_FILE, NO_COMPENSATION, SampleRow, Study
from cytometry.pipeline.file_inputs import find_strategy
from cytometry.pipeline.planning import (
    GatingPlan,
    GroupingRequest,
    PanelPlan,
    PlannedInput,
    all_hashed,
    failed_input,
    plan_groups,
    skipped_input,
)
from cytometry.pipeline.tasks import CompensationSource, CutOverride, GatingSettings, TubeInput

if TYPE_CHECKING:
    from cytometry.model.panel import Panel


def load_panels(study: Study) -> Mapping[str, Panel]:
    """Every panel of the study by its key, and what the plan asks of them checked.

    Raises
    ------
    PanelError, StrategyError
        A panel cannot be loaded.
    StudyError
        The plan names a population or denominator that no panel has.
    """
    from cytometry.io.panels import load_panel

    panels = {key: load_panel(located_panel(study, name)) for key, name in study.panels.items()}
    _check_plan_names(study, panels)
    return panels


def plan_study(
    study: Study,
    panels: Mapping[str, Panel],
    out: Path,
    settings: GatingSettings,
    *,
    jobs: int = 1,
) -> GatingPlan:
    """Plan the gating of a study; ``jobs`` files are hashed at once.

    Raises
    ------
    StudyError
        Two rows have the same content, or a file is not the one that ``fcs_sha256`` names.
    """
    plans = {}
    for key, panel in panels.items():
        source = find_strategy(str(located_panel(study, study.panels[key])))
        plans[key] = PanelPlan(key, source, panel.widest_scope)
    return plan_samples(study, plans, out, settings, _overrides(study, panels), jobs=jobs)


def plan_samples(
    study: Study,
    plans: Mapping[str, PanelPlan],
    out: Path,
    settings: GatingSettings,
    overrides: tuple[CutOverride, ...] = (),
    *,
    jobs: int = 1,
) -> GatingPlan:
    """Plan the gating of a study's samples, with the panels given by the key that samples use.

    Raises
    ------
    StudyError
        Two rows have the same content, or a file is not the one that ``fcs_sha256`` names.
    """
    lymphocytes = _lymphocytes(study)
    inputs = all_hashed((_planned(study, row, lymphocytes) for row in study.samples), jobs, settings.gate_draws)
    inputs = [_checked_reference(i) for i in inputs]
    _check_contents(study, inputs)
    request = GroupingRequest(out, plans, _compensation(study), settings, overrides)
    return plan_groups(inputs, request, study.findings)


def located_panel(study: Study, name: str) -> str | Path:
    """A folder relative to ``study.yaml`` if there is one, else the name as it is."""
    folder = study.folder / name
    return folder if (folder / "panel.yaml").is_file() else name


def _planned(study: Study, row: SampleRow, lymphocytes: Mapping[tuple[str, str], float]) -> PlannedInput:
    tube = TubeInput(
        sample_id=row.sample_id,
        path=study.fcs_path(row),
        fcs_file=row.fcs_file,
        role=row.role,
        subject_group=(row.subject_id or row.sample_id) if row.role == "sample" else row.sample_id,
        batch_group=row.batch or None,
    )
    planned = PlannedInput(
        tube=tube,
        panel=row.panel,
        subject_id=row.subject_id,
        visit=row.visit,
        batch=row.batch,
        lymphocytes_10e9_per_l=row.lymphocytes_10e9_per_l or lymphocytes.get((row.subject_id, row.visit)),
        acquired_at=row.acquired_at,
    )
    if row.exclude:
        return skipped_input(planned, "EXCLUDED", row.exclude_reason)
    if not row.is_gated:
        return skipped_input(planned, "REFERENCE", f"used as reference: {row.role}")
    return planned


def _checked_reference(planned: PlannedInput) -> PlannedInput:
    """An FMO that cannot be read is a failure, not a skip, and goes into no group."""
    if planned.outcome is None or planned.outcome.code != "REFERENCE":
        return planned
    from cytometry.io.fcs import read_fcs

    try:
        read_fcs(planned.tube.path)
    except CytometryError as error:
        return failed_input(planned, error.code, error.message, error.hint)
    return planned


def _lymphocytes(study: Study) -> dict[tuple[str, str], float]:
    found = {}
    for row in study.clinical:
        value = row.get("lymphocytes_10e9_per_l")
        if isinstance(value, float | int) and value:
            found[str(row["subject_id"]), str(row["visit"])] = float(value)
    return found


def _compensation(study: Study) -> CompensationSource:
    if study.compensation == FROM_FILE:
        return CompensationSource()
    if study.compensation == NO_COMPENSATION:
        return CompensationSource("none")
    path = study.folder / study.compensation
    if not path.is_file():
        finding = Finding(
            "FILE_MISSING",
            "error",
            f"'compensation': there is no file '{study.compensation}'",
            file="study.yaml",
            keyword="compensation",
            fix="paths are relative to study.yaml",
        )
        raise StudyError(finding.message, where="study.yaml", hint=finding.fix, findings=(finding,))
    return CompensationSource("csv", path.absolute(), file_digest(path))


def _overrides(study: Study, panels: Mapping[str, Panel]) -> tuple[CutOverride, ...]:
    """The corrections in force; one of a sample or cut that does not exist is an error, not ignored."""
    if study.overrides is None:
        return ()
    panel_of = {s.sample_id: s.panel for s in study.samples if s.is_gated}
    active = active_overrides(read_overrides(study.overrides))
    findings = []
    for entry in active:
        panel = panels.get(panel_of.get(entry.sample_id, ""))
        cuts = tuple(panel.template.cuts) if panel is not None and panel.template is not None else ()
        if entry.cut not in cuts:
            what = f"no cut '{entry.cut}' to move" if panel is not None else "no such gated sample"
            findings.append(
                Finding(
                    "OVERRIDE_UNKNOWN",
                    "error",
                    f"correction of '{entry.cut}' in sample {entry.sample_id}: {what}",
                    file=study.overrides.name,
                    keyword=entry.cut,
                    found=entry.sample_id,
                    fix=f"cuts: {', '.join(cuts)}" if cuts else "take it back with `cytometry overrides add --revert`",
                )
            )
    if findings:
        raise StudyError(
            f"{len(findings)} correction{'s' if len(findings) > 1 else ''} fit nothing",
            where=study.overrides.name,
            hint="nothing was gated",
            findings=tuple(findings),
        )
    return tuple(CutOverride(e.sample_id, e.cut, e.value) for e in active if e.value is not None)


def _check_contents(study: Study, inputs: Sequence[PlannedInput]) -> None:
    findings = []
    first: dict[str, PlannedInput] = {}
    expected = {r.sample_id: r.fcs_sha256.lower() for r in study.samples if r.fcs_sha256}
    for planned in inputs:
        tube = planned.tube
        if not tube.sha256:
            continue
        if tube.sha256 in first:
            findings.append(
                Finding(
                    "CONTENT_REPEATED",
                    "error",
                    f"sample {tube.sample_id}: '{tube.fcs_file}' has the same bytes as "
                    f"'{first[tube.sha256].tube.fcs_file}' of sample {first[tube.sha256].tube.sample_id}",
                    file="samples.csv",
                    keyword="fcs_file",
                    found=tube.sha256,
                    fix="one of the two is a copy under a wrong name; exclude it or give the right file",
                )
            )
        first.setdefault(tube.sha256, planned)
        if tube.sample_id in expected and expected[tube.sample_id] != tube.sha256:
            findings.append(
                Finding(
                    "SHA256_MISMATCH",
                    "error",
                    f"sample {tube.sample_id}: '{tube.fcs_file}' is not the file that fcs_sha256 names",
                    file="samples.csv",
                    keyword="fcs_sha256",
                    found=tube.sha256,
                    expected=expected[tube.sample_id],
                    fix="restore the file or correct the hash",
                )
            )
    if findings:
        raise StudyError(
            f"{len(findings)} file{'s are' if len(findings) > 1 else ' is'} not what samples.csv says",
            where="samples.csv",
            hint="nothing was gated",
            findings=tuple(findings),
        )


def _check_plan_names(study: Study, panels: Mapping[str, Panel]) -> None:
    from cytometry.io.table_cells import suggestion

    known = {path.rpartition("/")[2] for panel in panels.values() for path in panel.population_paths}
    plan = study.plan
    named = [(f"plan.confirmatory[{i}].population", r.population) for i, r in enumerate(plan.confirmatory)]
    named += [(f"plan.panel[{i}]", p) for i, p in enumerate(plan.panel)]
    scales = [(f"plan.confirmatory[{i}].scale", r.scale) for i, r in enumerate(plan.confirmatory)]
    scales += [("plan.panel_scale", plan.panel_scale)]
    named += [(place, s.partition(":")[2]) for place, s in scales if s.startswith("logit_of:")]
    renamed = {f.keyword: f.message for panel in panels.values() for f in panel.findings if f.keyword}
    findings = tuple(
        Finding(
            "POPULATION_UNKNOWN",
            "error",
            f"'{place}': no panel of the study has a population '{name}'",
            file="study.yaml",
            keyword=place,
            found=name,
            fix=renamed.get(name) or suggestion(name, sorted(known)),
        )
        for place, name in named
        if name not in known
    )
    if findings:
        raise StudyError(
            f"{len(findings)} problem{'s' if len(findings) > 1 else ''} in the plan",
            where="study.yaml",
            hint="correct the names; nothing was gated",
            findings=findings,
        )
