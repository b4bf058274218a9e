"""What must agree between rows and tables of a study. Each check returns findings; none stops the others."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from cytometry.io.table_cells import TypedRow, TypedTable, suggestion
from cytometry.model.clinical import BILAG_SYSTEMS, SLEDAI_SEROLOGY, SLEDAI_WEIGHTS
from cytometry.model.findings import Finding, Severity
from cytometry.model.study import FROM_FILE, NO_COMPENSATION, StudyFile
from cytometry.model.tables import Cell

_SLEDAI_VERSIONS = ("SLEDAI-2K", "SELENA-SLEDAI")


def check_samples(table: TypedTable, study: StudyFile, folder: Path, *, need_files: bool = True) -> list[Finding]:
    """Files, panels, visits, roles, uniqueness, and the design's layout."""
    report = _Reporter(study.samples)
    visits = tuple(v.id for v in study.visits)
    for row in table.rows:
        if need_files:
            _check_file(report, row, folder)
        panel = row.cells["panel"]
        if panel is not None and panel not in study.panels:
            report.error(
                row,
                "panel",
                "PANEL_UNKNOWN",
                f"'{panel}' is not one of {', '.join(study.panels)}",
                found=panel,
                fix=suggestion(str(panel), study.panels),
            )
        _check_role(report, row, visits)
        _check_numbers(report, row)
    _check_unique(report, table.rows)
    _check_layout(report, table.rows)
    return report.findings


def check_clinical(table: TypedTable, study: StudyFile, samples: TypedTable) -> list[Finding]:
    """Visits, windows, instrument totals, and subjects that the samples know."""
    report = _Reporter(study.clinical or "")
    specs = {v.id: v for v in study.visits}
    subjects = _study_subjects(samples)
    for row in table.rows:
        _check_visit(report, row, specs)
        spec = specs.get(str(row.cells["visit"]))
        if spec is not None:
            day = row.cells["study_day"]
            if isinstance(day, float) and spec.window and not spec.window[0] <= day <= spec.window[1]:
                report.warn(
                    row,
                    "study_day",
                    "VISIT_OUTSIDE_WINDOW",
                    f"day {day:g} of visit {spec.id} is outside its window",
                    found=f"{day:g}",
                    expected=f"{spec.window[0]:g} to {spec.window[1]:g}",
                )
            if isinstance(day, float) and spec.baseline and day > 0:
                report.error(
                    row,
                    "study_day",
                    "BASELINE_AFTER_INFUSION",
                    f"baseline lies on day {day:g}",
                    found=f"{day:g}",
                    expected="0 or before",
                    fix="day 0 is the infusion",
                )
        _check_sledai(report, row)
        subject = row.cells["subject_id"]
        if subject is not None and subjects and subject not in subjects:
            near = difflib.get_close_matches(str(subject), sorted(subjects), n=1, cutoff=0.8)
            report.warn(
                row,
                "subject_id",
                "SUBJECT_WITHOUT_SAMPLES",
                f"'{subject}' has no sample",
                found=str(subject),
                fix=f"did you mean '{near[0]}'?" if near else "nothing to do if none was taken",
            )
    _check_bilag_course(report, table.rows, tuple(specs))
    known = {r.cells["subject_id"] for r in table.rows}
    for subject in sorted(subjects - {str(k) for k in known}):
        report.warn(
            None,
            "subject_id",
            "SUBJECT_WITHOUT_CLINICAL",
            f"'{subject}' has samples and no row here",
            found=subject,
            fix=suggestion(subject, [str(k) for k in known if k is not None]),
        )
    if study.study.sledai_version not in _SLEDAI_VERSIONS:
        report.error(
            None,
            "study.sledai_version",
            "SLEDAI_VERSION",
            f"sledai_version '{study.study.sledai_version}' is not one of {', '.join(_SLEDAI_VERSIONS)}",
            found=study.study.sledai_version,
            fix="correct it in study.yaml",
        )
    return report.findings


def check_subjects(table: TypedTable, study: StudyFile, samples: TypedTable) -> list[Finding]:
    """Subjects that samples have and this table lacks; ages that identify."""
    report = _Reporter(study.subjects or "")
    known = {str(r.cells["subject_id"]) for r in table.rows}
    for subject in sorted(_study_subjects(samples) - known):
        report.error(
            None,
            "subject_id",
            "SUBJECT_UNKNOWN",
            f"'{subject}' has samples and no row here",
            found=subject,
            fix=suggestion(subject, known),
        )
    for row in table.rows:
        age = row.cells["age_years"]
        if isinstance(age, float) and age > 89:
            report.warn(
                row,
                "age_years",
                "AGE_IDENTIFYING",
                "an age above 89 can identify a person",
                found=f"{age:g}",
                expected="at most 89",
                fix="write 90 for all of them, or leave it empty",
            )
    return report.findings


def check_visits(table: TypedTable, study: StudyFile, name: str) -> list[Finding]:
    """Visits of a table that ``study.yaml`` does not declare."""
    report = _Reporter(name)
    visits = tuple(v.id for v in study.visits)
    for row in table.rows:
        _check_visit(report, row, visits)
    return report.findings


def check_plan(study: StudyFile, name: str) -> list[Finding]:
    """Visits that the plan names, and the compensation source's form."""
    report = _Reporter(name)
    visits = tuple(v.id for v in study.visits)
    baseline = next(v.id for v in study.visits if v.baseline)
    named = [(f"plan.confirmatory[{i}].visit", r.visit) for i, r in enumerate(study.plan.confirmatory)]
    if study.plan.response.visit:
        named.append(("plan.response.visit", study.plan.response.visit))
    for place, visit in named:
        if visit not in visits:
            report.error(
                None, place, "VISIT_UNKNOWN", f"'{visit}' is not a visit", found=visit, fix=suggestion(visit, visits)
            )
        elif visit == baseline:
            report.error(
                None,
                place,
                "PLAN_TESTS_BASELINE",
                f"'{visit}' is the baseline itself",
                found=visit,
                fix="name a later visit",
            )
    if study.compensation not in {FROM_FILE, NO_COMPENSATION} and not study.compensation.endswith(".csv"):
        report.error(
            None,
            "compensation",
            "VALUE_INVALID",
            f"'{study.compensation}' is not a source of compensation",
            found=study.compensation,
            expected=f"{FROM_FILE}, {NO_COMPENSATION} or the path of a .csv matrix",
        )
    return report.findings


class _Reporter:
    """Collects findings of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def error(self, row: TypedRow | None, column: str, code: str, message: str, **evidence: Cell) -> None:
        self._add("error", row, column, code, message, evidence)

    def warn(self, row: TypedRow | None, column: str, code: str, message: str, **evidence: Cell) -> None:
        self._add("warning", row, column, code, message, evidence)

    def _add(
        self, severity: Severity, row: TypedRow | None, column: str, code: str, message: str, evidence: dict[str, Cell]
    ) -> None:
        texts = {name: str(value) for name, value in evidence.items() if value is not None}
        shown = f"column {column}: {message}" if row is not None else message
        self.findings.append(
            Finding(
                code,
                severity,
                shown,
                file=self.file,
                segment=f"row {row.number}" if row else "",
                keyword=column,
                found=texts.get("found", ""),
                expected=texts.get("expected", ""),
                fix=texts.get("fix", ""),
            )
        )


def _check_visit(report: _Reporter, row: TypedRow, visits: Collection[str]) -> None:
    """A visit that ``study.yaml`` does not declare; an empty cell is another check's."""
    visit = row.cells["visit"]
    if visit is not None and visit not in visits:
        report.error(
            row,
            "visit",
            "VISIT_UNKNOWN",
            f"'{visit}' is not a visit of study.yaml",
            found=visit,
            fix=suggestion(str(visit), visits),
        )


def _check_file(report: _Reporter, row: TypedRow, folder: Path) -> None:
    name = row.cells["fcs_file"]
    if not isinstance(name, str):
        return
    if PurePosixPath(name).is_absolute() or (len(name) > 1 and name[1] == ":"):
        report.error(
            row,
            "fcs_file",
            "PATH_ABSOLUTE",
            f"'{name}' is an absolute path",
            found=name,
            fix="write it relative to this table, so that the study can be moved",
        )
        return
    path = folder / name
    if path.is_file():
        return
    parent = path.parent
    siblings = sorted(p.name for p in parent.iterdir() if p.is_file()) if parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, n=1, cutoff=0.7)
    if near:
        fix = f"did you mean '{PurePosixPath(name).parent / near[0]}'?"
    else:
        fix = (
            "paths are relative to this table"
            if parent.is_dir()
            else f"there is no folder '{PurePosixPath(name).parent}'"
        )
    report.error(row, "fcs_file", "FILE_MISSING", f"there is no file '{name}'", found=name, fix=fix)


def _check_role(report: _Reporter, row: TypedRow, visits: tuple[str, ...]) -> None:
    cells = row.cells
    _check_visit(report, row, visits)
    if (cells["role"] or "sample") == "sample" and not cells["exclude"]:
        for column in ("subject_id", "visit"):
            if cells[column] is None:
                report.error(
                    row,
                    column,
                    "CELL_EMPTY",
                    "is empty, and the role is sample",
                    fix="fill it in, or set the role to control, fmo:<marker>, …",
                )
    if cells["exclude"] and cells["exclude_reason"] is None:
        report.error(
            row,
            "exclude_reason",
            "CELL_EMPTY",
            "is empty, and the sample is excluded",
            fix="the report lists each exclusion with its reason",
        )


def _check_numbers(report: _Reporter, row: TypedRow) -> None:
    cells = row.cells
    collected, acquired = cells["collected_at"], cells["acquired_at"]
    if isinstance(collected, str) and isinstance(acquired, str) and collected[:10] > acquired[:10]:
        report.error(
            row,
            "acquired_at",
            "ACQUIRED_BEFORE_COLLECTED",
            "lies before collected_at",
            found=acquired,
            expected=f"{collected} or later",
        )
    if (cells["beads_total"] is None) != (cells["sample_volume_ul"] is None):
        empty = "beads_total" if cells["beads_total"] is None else "sample_volume_ul"
        report.error(
            row,
            empty,
            "BEADS_INCOMPLETE",
            "beads_total and sample_volume_ul need each other",
            fix="fill in both or neither",
        )


def _check_unique(report: _Reporter, rows: Iterable[TypedRow]) -> None:
    tubes: dict[tuple[Cell, ...], int] = {}
    files: dict[str, int] = {}
    folders: dict[str, TypedRow] = {}
    for row in rows:
        cells = row.cells
        if (cells["role"] or "sample") == "sample" and not cells["exclude"]:
            key = tuple(cells[c] for c in ("subject_id", "visit", "panel", "replicate"))
            if None not in key[:3]:
                if key in tubes:
                    report.error(
                        row,
                        "visit",
                        "TUBE_REPEATED",
                        f"{key[0]}, {key[1]}, {key[2]} stands in row {tubes[key]} already",
                        found=key[1],
                        fix="number the tubes in column replicate, or exclude one",
                    )
                tubes.setdefault(key, row.number)
        name = cells["fcs_file"]
        if isinstance(name, str):
            plain = str(PurePosixPath(name))
            if plain in files:
                report.error(
                    row,
                    "fcs_file",
                    "FILE_REPEATED",
                    f"'{name}' stands in row {files[plain]} already",
                    found=name,
                    fix="one row per file",
                )
            files.setdefault(plain, row.number)
        sample = cells["sample_id"]
        if isinstance(sample, str):
            other = folders.get(sample.lower())
            if other is not None and other.cells["sample_id"] != sample:
                report.error(
                    row,
                    "sample_id",
                    "SAMPLE_ID_CASE",
                    f"'{sample}' differs from row {other.number} in capitals only",
                    found=sample,
                    fix="sample ids become folder names, which some systems do not tell apart",
                )
            folders.setdefault(sample.lower(), row)


def _check_layout(report: _Reporter, rows: tuple[TypedRow, ...]) -> None:
    """Specimens that change within a subject; visits that are batches."""
    studied = [r for r in rows if (r.cells["role"] or "sample") == "sample" and not r.cells["exclude"]]
    specimens: dict[Cell, set[Cell]] = defaultdict(set)
    for row in studied:
        if row.cells["specimen"] is not None:
            specimens[row.cells["subject_id"]].add(row.cells["specimen"])
    for subject, kinds in specimens.items():
        if len(kinds) > 1:
            report.warn(
                None,
                "specimen",
                "SPECIMEN_MIXED",
                f"subject {subject} has {', '.join(sorted(map(str, kinds)))}: a change may be the specimen's",
                found=", ".join(sorted(map(str, kinds))),
            )
    visits_of, batches_of = defaultdict(set), defaultdict(set)
    for row in studied:
        if row.cells["batch"] is not None:
            visits_of[row.cells["batch"]].add(row.cells["visit"])
            batches_of[row.cells["visit"]].add(row.cells["batch"])
    if len(visits_of) > 1 and len(batches_of) > 1 and all(len(v) == 1 for v in visits_of.values()):
        has_control = any(r.cells["role"] == "control" for r in rows)
        report.warn(
            None,
            "batch",
            "VISIT_IS_BATCH",
            "every batch holds one visit only: a change between visits can be a change between batches",
            fix="a bridging control in each batch separates them"
            if not has_control
            else "the bridging control shows how large the batch's share is",
        )


def _check_sledai(report: _Reporter, row: TypedRow) -> None:
    cells = row.cells
    items = {i: cells[f"sledai_{i}"] for i in SLEDAI_WEIGHTS}
    given = {i: v for i, v in items.items() if isinstance(v, int)}
    total = cells["sledai"]
    if given:
        absent = [i for i in items if i not in given]
        points = sum(given.values())
        if absent:
            report.error(
                row,
                f"sledai_{absent[0]}",
                "SLEDAI_ITEMS_INCOMPLETE",
                f"{len(given)} of 24 SLEDAI items are given; missing: {', '.join(absent)}",
                fix="give all items of a visit, 0 where absent, or none",
            )
        elif isinstance(total, int) and total != points:
            report.error(
                row,
                "sledai",
                "SLEDAI_SUM",
                f"{total} is not the sum of the items, {points}",
                found=total,
                expected=str(points),
                fix="correct the total or the items",
            )
        clinical = cells["sledai_clinical"]
        without = points - sum(given.get(i, 0) for i in SLEDAI_SEROLOGY)
        if not absent and isinstance(clinical, int) and clinical != without:
            report.error(
                row,
                "sledai_clinical",
                "SLEDAI_SUM",
                f"{clinical} is not the sum of the items without serology, {without}",
                found=clinical,
                expected=str(without),
            )
    clinical = cells["sledai_clinical"]
    if isinstance(clinical, int) and isinstance(total, int) and clinical > total:
        report.error(
            row,
            "sledai_clinical",
            "SLEDAI_SUM",
            f"{clinical} is more than the total, {total}",
            found=clinical,
            expected=f"at most {total}",
        )


def _check_bilag_course(report: _Reporter, rows: tuple[TypedRow, ...], visits: tuple[str, ...]) -> None:
    """E means never: after any other grade it cannot come back."""
    by_subject: dict[Cell, list[TypedRow]] = defaultdict(list)
    for row in rows:
        if row.cells["visit"] in visits:
            by_subject[row.cells["subject_id"]].append(row)
    for course in by_subject.values():
        course.sort(key=lambda r: visits.index(str(r.cells["visit"])))
        for system in BILAG_SYSTEMS:
            active = False
            for row in course:
                grade = row.cells[f"bilag_{system}"]
                if grade == "E" and active:
                    report.warn(
                        row,
                        f"bilag_{system}",
                        "BILAG_BACK_TO_E",
                        "is E (never involved) after a visit with another grade",
                        found=grade,
                        expected="D",
                    )
                active |= grade in {"A", "B", "C", "D"}


def _study_subjects(samples: TypedTable) -> set[str]:
    counts = Counter(
        str(r.cells["subject_id"])
        for r in samples.rows
        if (r.cells["role"] or "sample") == "sample" and r.cells["subject_id"] is not None
    )
    return set(counts)
