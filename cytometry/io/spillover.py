"""Spillover matrices in files: CSV of any program, and FlowJo's ``.mtx``."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cytometry.errors import SpilloverError, StrategyError, StudyError
from cytometry.io.fcs.ledger import shown
from cytometry.io.fcs.numbers import parse_number
from cytometry.io.text_table import TextTable, read_text_table
from cytometry.model.spillover import Spillover

# A matrix of 60 colours is 40 kB; FlowJo's XML needs ten times that.
_LARGEST_BYTES = 20_000_000
_LAYOUT = "a header of n channel names, then n rows of n numbers, with or without the row's name in front"


def read_spillover_csv(path: str | os.PathLike[str]) -> Spillover:
    """Read a matrix from CSV, tab-separated text or a FlowJo ``.mtx`` file.

    The first row names the detectors. Rows may carry names: those of the
    detectors, in any order, or those of the dyes, which then belong to the
    detector where their row has its largest number. ``Comp-`` before and
    `` :: marker`` behind a name, as FlowJo writes them, are taken off.

    Raises
    ------
    SpilloverError
        The file cannot be read, is no square matrix, has unknown or repeated
        names, or cannot be inverted; the message names the row or channel.
    """
    file = Path(path)
    spillover = _read_flowjo(file) if _is_xml(file) else _read_table(file)
    _ = spillover.inverse  # a matrix that cannot be used is refused here, by name, and not at the first gate
    return spillover


def _is_xml(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    except OSError as error:
        raise SpilloverError(
            f"cannot be read: {error.strerror or error}",
            where=str(path),
            hint="check the path and its permissions",
            code="SPILLOVER_UNREADABLE",
        ) from error


def _read_flowjo(path: Path) -> Spillover:
    from cytometry.io.flowjo.scales import read_compensation
    from cytometry.io.xml import read_xml

    try:
        compensation = read_compensation(read_xml(path, max_bytes=_LARGEST_BYTES), str(path))
    except StrategyError as error:
        raise SpilloverError(
            error.message, where=error.where, hint="export the matrix again", code="SPILLOVER_UNREADABLE"
        ) from error
    if compensation.spillover is None:
        raise SpilloverError(
            "holds no spillover matrix",
            where=str(path),
            hint="export the matrix from FlowJo as .mtx or CSV",
            code="SPILLOVER_UNREADABLE",
        )
    return compensation.spillover


def _read_table(path: Path) -> Spillover:
    try:
        table = read_text_table(path, str(path))
    except StudyError as error:
        raise SpilloverError(
            error.message, where=error.where, hint=error.hint or _LAYOUT, code="SPILLOVER_UNREADABLE"
        ) from error
    named = any(_number(row.cells[0], table) is None for row in table.rows if row.cells)
    columns = [_plain_name(c) for c in (table.header[1:] if named and _has_corner(table) else table.header)]
    names = [_plain_name(row.cells[0]) for row in table.rows] if named else []
    matrix = _numbers(table, len(columns), skip=1 if named else 0)
    if matrix.shape[0] != len(columns) or not columns:
        raise SpilloverError(
            f"has {matrix.shape[0]} rows of numbers for {len(columns)} channels",
            where=str(path),
            hint=_LAYOUT,
            code="SPILLOVER_NOT_SQUARE",
        )
    if names:
        matrix = matrix[_row_order(names, columns, matrix, str(path))]
    return Spillover(tuple(columns), matrix, str(path))


def _has_corner(table: TextTable) -> bool:
    """Whether the header has a cell over the row names; R's ``write.table`` leaves it out."""
    widths = {len(row.cells) for row in table.rows}
    return len(table.header) in widths


def _plain_name(text: str) -> str:
    name = text.split(" :: ")[0].strip()
    return name.removeprefix("Comp-")


def _number(text: str, table: TextTable) -> float | None:
    return parse_number(text.replace(",", ".") if table.decimal_comma else text)


def _numbers(table: TextTable, n: int, *, skip: int) -> npt.NDArray[np.float64]:
    rows = []
    for row in table.rows:
        cells = list(row.cells[skip:])
        while len(cells) > n and not cells[-1]:
            cells.pop()
        values = [_number(c, table) for c in cells]
        if len(values) != n or None in values:
            bad = next((c for c, v in zip(cells, values, strict=True) if v is None), None)
            problem = f"'{shown(bad)}' is no number" if bad is not None else f"{len(values)} numbers for {n} channels"
            raise SpilloverError(
                problem, where=f"{table.name} row {row.number}", hint=_LAYOUT, code="SPILLOVER_NOT_SQUARE"
            )
        rows.append([v for v in values if v is not None])
    return np.array(rows, dtype=np.float64).reshape(len(rows), n)


def _row_order(names: Sequence[str], columns: Sequence[str], matrix: npt.NDArray[np.float64], where: str) -> list[int]:
    """Which row belongs to each column."""
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise SpilloverError(
            f"names row {', '.join(shown(r) for r in repeated)} more than once",
            where=where,
            hint="give each dye one row",
            code="SPILLOVER_DUPLICATE_CHANNEL",
        )
    if set(names) == set(columns):
        return [names.index(c) for c in columns]
    common = set(names) & set(columns)
    largest = [int(i) for i in np.argmax(matrix, axis=1)]
    if common or sorted(largest) != list(range(len(columns))):
        lost = sorted(set(columns) - set(names))
        raise SpilloverError(
            f"has no row for {', '.join(shown(c) for c in lost)}",
            where=where,
            hint=f"rows: {', '.join(shown(n) for n in names)}; columns: {', '.join(shown(c) for c in columns)}",
            code="SPILLOVER_UNKNOWN_CHANNEL",
        )
    return [largest.index(i) for i in range(len(columns))]


def spillover_csv(spillover: Spillover) -> bytes:
    """The matrix as CSV, names in front of rows and columns, numbers that read back equal."""
    rows = [["", *spillover.channels]]
    for name, values in zip(spillover.dyes or spillover.channels, spillover.matrix, strict=True):
        rows.append([name, *(repr(float(v)) for v in values)])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8")
