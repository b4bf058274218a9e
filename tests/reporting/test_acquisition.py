from __future__ import annotations

import dataclasses

import pandas as pd

from cytometry.model.study import Quality
from cytometry.model.tables import QUALITY
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.sections.quality import SECTION
from tests.reporting.invented import invented_study
from tests.reporting.page import Page


def inputs(**quality: object) -> ReportInputs:
    """Three tubes: one good, one with much unsteady signal, one with that and few live cells."""
    usual = {"total_events": 8_000, "viability": 0.95, "singlet_fraction": 0.95, "margin_fraction": 0.003}
    rows = [
        {"sample_id": "good", "panel": "bcell", **usual, "signal_unsteady_fraction": 0.0},
        {"sample_id": "jump", "panel": "bcell", **usual, "signal_unsteady_fraction": 0.12},
        {"sample_id": "dying", "panel": "bcell", **usual, "signal_unsteady_fraction": 0.08, "viability": 0.4},
    ]
    frame = pd.DataFrame(rows, columns=list(QUALITY.names))
    study = invented_study().model_copy(update={"quality": Quality.model_validate(quality)})
    return ReportInputs("t", {"qc": frame}, study=study)


def test_samples_beyond_most_limits_stand_first_and_say_which() -> None:
    shown = Page(str(SECTION.render(inputs()))).tables["t-qc"]
    assert [t.split()[0] for t in shown.column("Sample")] == ["dying", "jump", "good"]
    assert [t.split() for t in shown.column("Beyond a limit")] == [["viabilitysignal"], ["signal"], []]


def test_the_study_s_own_limits_decide() -> None:
    shown = Page(str(SECTION.render(inputs(max_unsteady=0.5, min_viability=0.1)))).tables["t-qc"]
    assert shown.column("Beyond a limit") == ["", "", ""]


def test_the_caption_says_whether_events_were_left_out() -> None:
    assert "left out of every population" in str(SECTION.render(inputs()))
    assert "reported only, as the study asks" in str(SECTION.render(inputs(masks="reported")))
    bare = dataclasses.replace(inputs(), study=None)
    assert "left out of every population" in str(SECTION.render(bare))
