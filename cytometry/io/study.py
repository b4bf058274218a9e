"""Read a study: ``study.yaml`` and its tables, checked together, every problem reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ValidationError

from cytometry.errors import StudyError
from cytometry.io.sealed_plan import SEALED_PLAN, read_sealed_plan
from cytometry.io.study_checks import check_clinical, check_plan, check_samples, check_subjects, check_visits
from cytometry.io.study_settings import apply_changes, parse_changes
from cytometry.io.table_cells import TypedTable, suggestion, type_table
from cytometry.io.text_table import read_text_table
from cytometry.io.yaml_file import read_yaml
from cytometry.model.findings import Finding
from cytometry.model.input_tables import ASSAYS_CSV, CLINICAL_CSV, SAMPLES_CSV, SUBJECTS_CSV
from cytometry.model.plan import AnalysisPlan, ChangeRules, Readout, ResponsePlan
from cytometry.model.study import CountsSource, Quality, SampleRow, Study, StudyFacts, StudyFile, VisitSpec
from cytometry.model.tables import Row, TableSchema

_SECTIONS: Final[Mapping[str, type[BaseModel]]] = MappingProxyType(
    {
        "": StudyFile,
        "study": StudyFacts,
        "visits": VisitSpec,
        "quality": Quality,
        "plan": AnalysisPlan,
        "confirmatory": Readout,
        "rules": ChangeRules,
        "response": ResponsePlan,
        "counts": CountsSource,
    }
)


def load_study(path: str | Path, *, need_files: bool = True, changes: Sequence[str] = ()) -> Study:
    """Read and check a study.

    Parameters
    ----------
    path
        ``study.yaml``, or the folder that holds it.
    need_files
        False where counts come from elsewhere: then FCS files, and even ``samples.csv``, may be absent.
    changes
        ``KEY=VALUE`` in place of what ``study.yaml`` says.

    Raises
    ------
    StudyError
        With every error of every table as a finding.
    RequestError
        A change is no ``KEY=VALUE``.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "study.yaml"
    changed = parse_changes(changes)
    described = _study_file(file, changed)
    folder = file.parent
    inputs = [file]
    findings: list[Finding] = []

    def table(name: str, schema: TableSchema, extra: tuple[str, ...]) -> TypedTable:
        inputs.append(folder / name)
        try:
            text = read_text_table(folder / name, name)
        except StudyError as error:
            problem = Finding(error.code, "error", error.message, file=name, fix=error.hint)
            return TypedTable((), (), (problem,))
        return type_table(text, schema, extra_columns=extra, missing_values=described.missing_values)

    extra = (*described.covariates, *described.extra_columns)
    if need_files or (folder / described.samples).is_file():
        samples_table = table(described.samples, SAMPLES_CSV, extra)
    else:
        samples_table = TypedTable((), (), ())
    clinical_table = table(described.clinical, CLINICAL_CSV, extra) if described.clinical else None
    subjects_table = table(described.subjects, SUBJECTS_CSV, extra) if described.subjects else None

    assays_table = table(described.assays, ASSAYS_CSV, ()) if described.assays else None

    samples_folder = (folder / described.samples).parent
    findings += samples_table.findings
    findings += check_samples(samples_table, described, samples_folder, need_files=need_files)
    if clinical_table is not None:
        findings += clinical_table.findings
        findings += check_clinical(clinical_table, described, samples_table)
    if subjects_table is not None:
        findings += subjects_table.findings
        findings += check_subjects(subjects_table, described, samples_table)
    if assays_table is not None:
        findings += assays_table.findings
        findings += check_visits(assays_table, described, described.assays or "")
    findings += check_plan(described, file.name)
    sealed = read_sealed_plan(folder)
    inputs += [folder / SEALED_PLAN] if sealed else []
    ledger = folder / described.overrides if described.overrides else None
    inputs += [ledger] if ledger is not None and ledger.exists() else []
    samples = _samples(samples_table)
    _raise_if_wrong(findings, file)
    return Study(
        folder=folder,
        samples_folder=samples_folder,
        facts=described.study,
        visits=described.visits,
        samples=samples,
        clinical=_rows(clinical_table),
        subjects=_rows(subjects_table),
        assays=_rows(assays_table),
        panels=described.panels,
        compensation=described.compensation,
        plan=described.plan,
        sealed_plan=sealed.plan if sealed else None,
        quality=described.quality,
        overrides=ledger,
        covariates=described.covariates,
        counts=described.counts,
        miflowcyt=described.miflowcyt,
        inputs=tuple(inputs),
        findings=tuple(findings),
        changed=dict(changed),
    )


def _study_file(file: Path, changes: Mapping[str, str]) -> StudyFile:
    document = read_yaml(file, error=StudyError)
    if not isinstance(document, dict):
        raise StudyError(
            "is not a mapping", where=file.name, hint="it starts with 'schema_version: 1'", code="STUDY_INVALID"
        )
    try:
        return StudyFile.model_validate(apply_changes(document, changes))
    except ValidationError as problem:
        findings = tuple(_yaml_finding(dict(e), file.name) for e in problem.errors(include_url=False))
        raise _study_error(findings, file) from problem


def _yaml_finding(error: Mapping[str, object], name: str) -> Finding:
    location = error["loc"]
    steps = location if isinstance(location, tuple) else ()
    place = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")
    key = str(steps[-1]) if steps else ""
    owner = next((str(s) for s in reversed(steps[:-1]) if not isinstance(s, int)), "")
    allowed = tuple(_SECTIONS[owner].model_fields) if owner in _SECTIONS else ()
    if error["type"] == "extra_forbidden":
        fix = suggestion(key, allowed) if allowed else ""
        return Finding("KEY_UNKNOWN", "error", f"'{place}' is unknown", file=name, keyword=place, found=key, fix=fix)
    if error["type"] == "missing":
        return Finding("KEY_MISSING", "error", f"'{place}' is missing", file=name, keyword=place, fix="add it")
    message = str(error["msg"]).removeprefix("Value error, ")
    found = error.get("input")
    shown = str(found) if isinstance(found, str | int | float | bool) else ""
    text = f"'{place}': {message}" if place else message
    return Finding("VALUE_INVALID", "error", text, file=name, keyword=place, found=shown)


def _samples(table: TypedTable) -> tuple[SampleRow, ...]:
    rows = []
    for row in table.rows:
        given = {name: value for name, value in row.cells.items() if value is not None}
        try:
            rows.append(SampleRow.model_validate({**given, "extra": row.extra}))
        except ValidationError:
            # The cell that is wrong has its finding already; the study will not be returned.
            continue
    return tuple(rows)


def _rows(table: TypedTable | None) -> tuple[Row, ...]:
    if table is None:
        return ()
    return tuple(MappingProxyType({**row.cells, **row.extra}) for row in table.rows)


def _raise_if_wrong(findings: list[Finding], file: Path) -> None:
    if any(f.severity == "error" for f in findings):
        raise _study_error(tuple(findings), file)


def _study_error(findings: tuple[Finding, ...], file: Path) -> StudyError:
    errors = [f for f in findings if f.severity == "error"]
    files = dict.fromkeys(f.file for f in errors)
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return StudyError(
        f"{count} in {', '.join(files)}",
        where=file.name,
        hint="correct the tables and run `cytometry check` again; nothing was gated",
        findings=findings,
    )
