"""The acquisition matrix in TEXT, under any of the names that instruments give it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from cytometry.io.fcs.keywords import Keywords
from cytometry.io.fcs.ledger import Ledger, shown
from cytometry.io.fcs.numbers import parse_integer, parse_number
from cytometry.model.channels import Channel
from cytometry.model.spillover import LARGEST_CONDITION, Spillover, condition_number

# In the order in which they are believed; the first is the standard's own (FCS 3.1, 3.2.26).
SPILLOVER_KEYWORDS = ("$SPILLOVER", "SPILLOVER", "$SPILL", "SPILL", "$COMP", "COMP")
_FIX = "the matrix is refused where it is used; give one as CSV under 'compensation' in study.yaml"


def read_spillover(keywords: Keywords, channels: Sequence[Channel], ledger: Ledger) -> Spillover | None:
    """The matrix that the file carries, None if there is none.

    A matrix that makes no sense does not stop the reading: it comes back as it
    is, with a finding, and its ``inverse`` raises.
    """
    by_name = {k.upper(): k for k in keywords.values}
    present = [by_name[k] for k in SPILLOVER_KEYWORDS if k in by_name and keywords.get(by_name[k])]
    if not present:
        return None
    matrices = [_parse(keyword, keywords.get(keyword), channels, ledger) for keyword in present]
    chosen = matrices[0]
    for keyword, other in zip(present[1:], matrices[1:], strict=True):
        if other != chosen:
            ledger.warn(
                "SPILLOVER_SEVERAL",
                f"{present[0]} and {keyword} hold different matrices; {present[0]} was taken",
                segment="TEXT",
                keyword=keyword,
                found=shown(keywords.get(keyword)),
                expected="one matrix",
                fix="give the right one as CSV under 'compensation' in study.yaml if it is the other",
            )
    return chosen


def _parse(keyword: str, text: str, channels: Sequence[Channel], ledger: Ledger) -> Spillover:
    source = f"{ledger.file}, {keyword}"
    tokens = [t.strip(" \t\r\n\0\"'") for t in re.split(r"[,;\t\r\n]", text.strip(" \t\r\n\0,;"))]
    n = parse_integer(tokens[0])
    if n is None or not 1 <= n <= len(tokens):
        return _malformed(keyword, text, f"begins with '{shown(tokens[0])}', which is no count", channels, ledger)
    names, values = _split_names(tokens[1:], n, channels)
    if len(values) != n * n or len(names) not in (0, n):
        problem = (
            f"says {n} channels, for which {n} names and {n * n} numbers are needed, and has {len(tokens) - 1} fields"
        )
        return _malformed(keyword, text, problem, channels, ledger)
    numbers = [parse_number(v) for v in values]
    bad = [v for v, x in zip(values, numbers, strict=True) if x is None]
    if bad:
        problem = f"holds '{shown(bad[0])}', which is no number"
        return _malformed(keyword, text, problem, channels, ledger)
    if not names:
        names = _unnamed(n, channels)
        if not names:
            return _malformed(keyword, text, f"names none of its {n} channels", channels, ledger)
    matched = _match(keyword, names, channels, ledger)
    matrix = np.array(numbers, dtype=np.float64).reshape(n, n)
    _note_diagonal(keyword, matched, matrix, ledger)
    return Spillover(matched, matrix, source)


def _split_names(tokens: Sequence[str], n: int, channels: Sequence[Channel]) -> tuple[list[str], list[str]]:
    if len(tokens) == n * n:
        return [], list(tokens)
    head, values = list(tokens[: -n * n]), list(tokens[-n * n :])
    if len(head) <= n:
        return head, values
    # Some names hold commas; put together what makes a channel of the file.
    known = {c.name.strip() for c in channels} | {c.marker for c in channels if c.marker}
    names: list[str] = []
    i = 0
    while i < len(head):
        ends = [j for j in range(len(head), i, -1) if ",".join(head[i:j]) in known]
        j = ends[0] if ends else i + 1
        names.append(",".join(head[i:j]))
        i = j
    return names, values


def _unnamed(n: int, channels: Sequence[Channel]) -> list[str]:
    """``$COMP`` of FCS 3.0 has no names: it counts all parameters, or all fluorescence ones."""
    fluorescence = [c.name for c in channels if c.kind == "fluorescence"]
    for names in ([c.name for c in channels], fluorescence):
        if len(names) == n:
            return names
    return []


def _match(keyword: str, names: Sequence[str], channels: Sequence[Channel], ledger: Ledger) -> tuple[str, ...]:
    exact = {c.name for c in channels}
    loose: dict[str, list[str]] = {}
    by_marker: dict[str, list[str]] = {}
    for c in channels:
        loose.setdefault(c.name.strip().upper(), []).append(c.name)
        if c.marker:
            by_marker.setdefault(c.marker.upper(), []).append(c.name)
    numbers = {str(c.index + 1): c.name for c in channels}
    all_numbers = all(name in numbers and name not in exact for name in names)
    matched = []
    unknown = []
    for name in names:
        candidates = (
            [name]
            if name in exact
            else [numbers[name]]
            if all_numbers
            else loose.get(name.upper()) or by_marker.get(name.upper()) or []
        )
        if len(candidates) == 1:
            matched.append(candidates[0])
            if candidates[0] != name:
                _note_matched(keyword, name, candidates[0], ledger)
        else:
            matched.append(name)
            unknown.append(name)
    if unknown:
        listed = ", ".join(shown(u) for u in unknown)
        ledger.warn(
            "SPILLOVER_UNKNOWN_CHANNEL",
            f"{keyword} names {listed}, which the file does not have",
            segment="TEXT",
            keyword=keyword,
            found=listed,
            expected=shown(", ".join(c.name for c in channels)),
            fix=_FIX,
        )
    repeated = sorted({m for m in matched if matched.count(m) > 1})
    if repeated:
        ledger.warn(
            "SPILLOVER_DUPLICATE_CHANNEL",
            f"{keyword} names {', '.join(shown(r) for r in repeated)} more than once",
            segment="TEXT",
            keyword=keyword,
            found=", ".join(shown(r) for r in repeated),
            expected="each channel once",
            fix=_FIX,
        )
    return tuple(matched)


def _note_matched(keyword: str, name: str, channel: str, ledger: Ledger) -> None:
    ledger.info(
        "SPILLOVER_MATCHED",
        f"{keyword} names '{shown(name)}'; channel '{shown(channel)}' is meant",
        segment="TEXT",
        keyword=keyword,
        found=shown(name),
        expected=shown(channel),
        fix="nothing to do if that is right",
    )


def _note_diagonal(keyword: str, names: Sequence[str], matrix: np.ndarray, ledger: Ledger) -> None:
    diagonal = np.diagonal(matrix)
    # A single-stain control spills fully into its own detector: 1, whatever is rounded (FCS 3.1, 3.2.26).
    off = np.abs(diagonal - 1.0) > 1e-3
    if off.any():
        at = int(np.argmax(off))
        ledger.warn(
            "SPILLOVER_DIAGONAL",
            f"{keyword} has {diagonal[at]:g} on its diagonal at '{shown(names[at])}'",
            segment="TEXT",
            keyword=keyword,
            found=f"{diagonal[at]:g}",
            expected="1",
            fix="the order of rows or columns may be wrong, or the matrix in per cent; give one as CSV",
        )
    elif not condition_number(matrix) < LARGEST_CONDITION:
        ledger.warn(
            "SPILLOVER_SINGULAR",
            f"{keyword} is singular: it cannot be inverted",
            segment="TEXT",
            keyword=keyword,
            found=f"condition number {condition_number(matrix):.3g}",
            expected="rows that differ",
            fix=_FIX,
        )


def _malformed(keyword: str, text: str, problem: str, channels: Sequence[Channel], ledger: Ledger) -> Spillover:
    ledger.warn(
        "SPILLOVER_MALFORMED",
        f"{keyword} {problem}",
        segment="TEXT",
        keyword=keyword,
        found=shown(text),
        expected="n, n channel names, n × n numbers with decimal points, by rows, separated by commas",
        fix=_FIX,
    )
    names = tuple(c.name for c in channels if c.kind == "fluorescence") or tuple(c.name for c in channels)
    return Spillover(names, np.empty((0, 0)), f"{ledger.file}, {keyword}, which {problem}")
