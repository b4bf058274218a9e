"""Counts that another program made (FlowJo, OpenFlo, a spreadsheet), long or wide, mapped in ``study.yaml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cytometry.errors import StudyError
from cytometry.io.table_cells import suggestion, type_table
from cytometry.io.text_table import TextTable, read_text_table
from cytometry.model.findings import Finding
from cytometry.model.study import CountsSource, Study
from cytometry.model.tables import Cell, Column, TableSchema

_TUBE: Final = ("subject_id", "visit", "panel", "batch", "role", "sample_id", "fcs_file")
_LONG: Final = ("population", "path", "count", "parent_count", "parent")


def read_external_counts(path: Path, study: Study) -> tuple[list[dict[str, Cell]], tuple[Finding, ...]]:
    """Rows with ``subject_id, visit, panel, population, path, count, parent_count, batch, role``.

    A tube is known by ``subject_id`` and ``visit``, or by ``sample_id`` or ``fcs_file``
    of ``samples.csv``. Where no parent count is given it is the count of the parent
    that ``counts.parents``, or a column ``parent``, names.

    Raises
    ------
    StudyError
        Every problem of the table: missing columns, tubes that nobody knows, cells that are no counts.
    """
    source = study.counts or CountsSource()
    text = read_text_table(path, path.name)
    renamed = _renamed(text, source)
    findings: list[Finding] = list(text.findings)
    rows = _long(renamed, findings) if source.layout == "long" else _wide(renamed, source, findings)
    _join_samples(rows, study, path.name, findings)
    _fill_parents(rows, source)
    errors = [f for f in findings if f.severity == "error"]
    if errors:
        raise StudyError(
            f"{len(errors)} problem{'s' if len(errors) > 1 else ''}",
            where=path.name,
            hint="columns are mapped under 'counts' in study.yaml",
            findings=tuple(findings),
        )
    return [row for _, row in rows], tuple(findings)


_NumberedRow = tuple[int, dict[str, Cell]]


def _renamed(text: TextTable, source: CountsSource) -> TextTable:
    """Their column names replaced by ours."""
    ours = {theirs: name for name, theirs in source.columns.items()}
    header = tuple(ours.get(name, name) for name in text.header)
    return TextTable(text.name, header, text.rows, text.decimal_comma, ())


def _long(text: TextTable, findings: list[Finding]) -> list[_NumberedRow]:
    for name in ("population", "count"):
        if name not in text.header:
            findings.append(
                Finding(
                    "COLUMN_MISSING",
                    "error",
                    f"column '{name}' is missing",
                    file=text.name,
                    segment="row 1",
                    keyword=name,
                    fix=f"map it under 'counts: columns:' in study.yaml; {suggestion(name, text.header)}",
                )
            )
    return _typed(text, (*_TUBE, *_LONG), findings)


def _wide(text: TextTable, source: CountsSource, findings: list[Finding]) -> list[_NumberedRow]:
    columns = source.populations or {n: n for n in text.header if n and n not in _TUBE}
    for population, column in columns.items():
        if column not in text.header:
            findings.append(
                Finding(
                    "COLUMN_MISSING",
                    "error",
                    f"column '{column}' (population '{population}') is missing",
                    file=text.name,
                    segment="row 1",
                    keyword=column,
                    fix=suggestion(column, text.header),
                )
            )
    rows = _typed(text, (*_TUBE, *columns.values()), findings)
    tube = [n for n in _TUBE if n in text.header]
    return [
        (number, {**{n: row.get(n) for n in tube}, "population": population, "count": row.get(column)})
        for number, row in rows
        for population, column in columns.items()
    ]


def _typed(text: TextTable, names: Iterable[str], findings: list[Finding]) -> list[_NumberedRow]:
    labels = (*_TUBE, "population", "path", "parent")
    columns = tuple(
        Column(n, "string" if n in labels else "integer", n, minimum=None if n in labels else 0)
        for n in dict.fromkeys(names)
        if n in text.header
    )
    others = [n for n in text.header if n not in {c.name for c in columns}]
    typed = type_table(text, TableSchema(text.name, "count", (), columns), extra_columns=others)
    findings += typed.findings
    return [(row.number, dict(row.cells)) for row in typed.rows]


def _join_samples(rows: Sequence[_NumberedRow], study: Study, name: str, findings: list[Finding]) -> None:
    by_sample = {s.sample_id: s for s in study.samples}
    by_file = {s.fcs_file.rpartition("/")[2]: s for s in study.samples}
    told: set[str] = set()
    for number, row in rows:
        if row.get("subject_id") and row.get("visit"):
            row.setdefault("role", "sample")
        else:
            key = str(row.get("sample_id") or row.get("fcs_file") or "")
            sample = by_sample.get(key) or by_file.get(key.rpartition("/")[2])
            if sample is None:
                if key not in told:
                    findings.append(
                        Finding(
                            "SAMPLE_UNKNOWN",
                            "error",
                            f"no subject and visit for '{key}'" if key else "the row names no tube",
                            file=name,
                            segment=f"row {number}",
                            keyword="sample_id",
                            found=key,
                            fix="give subject_id and visit, or sample_id or fcs_file as in samples.csv; "
                            + (suggestion(key, by_sample) if key and by_sample else ""),
                        )
                    )
                told.add(key)
                continue
            row |= {"subject_id": sample.subject_id, "visit": sample.visit, "batch": sample.batch, "role": sample.role}
            row["panel"] = row.get("panel") or sample.panel
        row["panel"] = row.get("panel") or "counts"
        row["role"] = row.get("role") or "sample"
        row["batch"] = row.get("batch") or ""
        row["path"] = row.get("path") or row.get("population")
        if row["role"] == "sample" and row["visit"] not in study.visit_ids and str(row["visit"]) not in told:
            told.add(str(row["visit"]))
            findings.append(
                Finding(
                    "VISIT_UNKNOWN",
                    "error",
                    f"'{row['visit']}' is not a visit of study.yaml",
                    file=name,
                    segment=f"row {number}",
                    keyword="visit",
                    found=str(row["visit"]),
                    fix=suggestion(str(row["visit"]), study.visit_ids),
                )
            )


def _fill_parents(rows: Sequence[_NumberedRow], source: CountsSource) -> None:
    def tube(row: Mapping[str, Cell]) -> tuple[Cell, ...]:
        return (row.get("subject_id"), row.get("visit"), row.get("panel"), row.get("sample_id"))

    counts = {(*tube(row), row.get("population")): row.get("count") for _, row in rows}
    for _, row in rows:
        if row.get("parent_count") is None:
            parent = row.get("parent") or source.parents.get(str(row.get("population")))
            row["parent_count"] = counts.get((*tube(row), parent)) if parent else None
