"""Every kind of damage and oddity that was thought of, against what a good reader does about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import FcsError
from cytometry.io.fcs import inspect_fcs, read_fcs
from cytometry.model.findings import Finding
from cytometry.model.sample import Sample
from tests.io.fcs.damage import Case, cases

CASES = {c.name: c for c in cases()}


def test_names_of_cases_are_unique() -> None:
    assert len(CASES) == sum(1 for _ in cases()) >= 450


@pytest.mark.parametrize("case", CASES.values(), ids=[n.replace("\0", "0")[:60] for n in CASES])
def test_file_is_read_rightly_or_refused_with_reason(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "case.fcs"
    path.write_bytes(case.content)
    outcome = _read(path, strict=True)
    if isinstance(outcome, FcsError):
        _check_refusal(case, outcome, path)
        return
    sample = outcome
    assert case.expect != "refuse", f"was read, with {_told(sample.findings)}"
    warnings = [f for f in sample.findings if f.severity == "warning"]
    if case.truth is not None:
        np.testing.assert_array_equal(sample.raw(), np.asarray(case.truth, dtype=np.float64))
    if case.names is not None:
        assert sample.channel_names == case.names
    assert warnings or case.expect == "read"
    _check_words(case, _told(sample.findings))
    assert tuple(f for f in inspect_fcs(path).findings if f.dataset == 0) == sample.findings


@pytest.mark.parametrize("case", CASES.values(), ids=[n.replace("\0", "0")[:60] for n in CASES])
def test_lenient_reading_never_raises_anything_else(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "case.fcs"
    path.write_bytes(case.content)
    sample = _read(path, strict=False)
    if isinstance(sample, FcsError):
        assert case.expect in ("either", "refuse")
        return
    assert sample.raw().shape == (sample.n_events, len(sample.channels))
    assert sample.linear().shape == (sample.n_events, len(sample.channels))
    assert all(f.severity != "error" for f in sample.findings)
    if case.expect == "refuse":
        assert any(f.severity == "warning" for f in sample.findings)


def _read(path: Path, *, strict: bool) -> Sample | FcsError:
    try:
        return read_fcs(path, strict=strict)
    except FcsError as error:
        return error


def _check_refusal(case: Case, error: FcsError, path: Path) -> None:
    assert case.expect in ("either", "refuse"), str(error)
    _check_words(case, str(error))
    assert str(path) in str(error)
    assert error.hint
    assert all(f.severity != "error" or (f.code and f.fix and f.file) for f in error.findings)
    assert inspect_fcs(path).status == "error"


def _told(findings: tuple[Finding, ...]) -> str:
    return "; ".join(f.message for f in findings)


def _check_words(case: Case, text: str) -> None:
    missing = [word for word in case.says if word not in text]
    assert not missing, f"{missing} not in: {text}"
