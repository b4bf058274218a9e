"""Names come from files: none may run in a browser or in a spreadsheet."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.report import build_report
from cytometry.statistics.sentences import Sentence
from tests.reporting.invented import invented_inputs
from tests.reporting.page import Page

SCRIPT = "<script>alert(1)</script>"
ATTRIBUTE = '"><img src=x onerror=alert(1)>'
FORMULA = '=HYPERLINK("http://example.com","click")'


def _renamed(inputs: ReportInputs, old: str, new: str) -> ReportInputs:
    """The same trial with one participant, and its samples, called something else."""
    study = inputs.study
    assert study is not None
    samples = tuple(
        s.model_copy(update={"subject_id": new, "sample_id": new + s.sample_id}) if s.subject_id == old else s
        for s in study.samples
    )
    own = {s.sample_id: new + s.sample_id for s in study.samples if s.subject_id == old}
    clinical = tuple({**r, "subject_id": new} if r["subject_id"] == old else r for r in study.clinical)
    return dataclasses.replace(
        inputs,
        study=study.model_copy(update={"samples": samples, "clinical": clinical}),
        tables={name: _replaced(frame, {old: new, **own}) for name, frame in inputs.tables.items()},
        previews={own.get(k, k): v for k, v in inputs.previews.items()},
    )


def _replaced(frame: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    return frame.assign(**{c: frame[c].replace(names) for c in ("subject_id", "sample_id") if c in frame})


NAMES = {"P01": SCRIPT, "P02": ATTRIBUTE, "P03": FORMULA, "P04": "a&b'c", "P05": "P\u202e05"}


@pytest.fixture(scope="module")
def page() -> Page:
    words = (Sentence("confirmatory", SCRIPT), Sentence("caution", ATTRIBUTE))
    inputs = dataclasses.replace(invented_inputs(), title=SCRIPT, sentences=words)
    for old, new in NAMES.items():
        inputs = _renamed(inputs, old, new)
    return Page(build_report(inputs))


def test_the_only_script_is_the_page_s_own(page: Page) -> None:
    assert page.tags.count("script") == 1
    assert "img" not in page.tags


def test_names_are_shown_as_they_are(page: Page) -> None:
    assert set(NAMES.values()) <= set(page.tables["t-individuals"].column("Participant"))


def test_names_in_downloads_are_text_and_a_formula_is_disarmed(page: Page) -> None:
    cells = {r["subject_id"] for r in page.csv("changes")}
    assert {SCRIPT, ATTRIBUTE, "'" + FORMULA} <= cells
    assert FORMULA not in cells
