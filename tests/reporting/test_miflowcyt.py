from __future__ import annotations

import dataclasses

from cytometry.reporting.miflowcyt import ITEMS, checklist
from tests.reporting.invented import invented_inputs


def test_all_items_of_the_standard_are_listed() -> None:
    # Lee et al. 2008: 1.1-1.8, 2.1-2.4, 3.1-3.3, 4.1-4.4.
    assert list(ITEMS) == [f"{k}.{i}" for k, n in ((1, 8), (2, 4), (3, 3), (4, 4)) for i in range(1, n + 1)]


def test_what_nobody_said_is_outstanding_and_what_the_data_say_is_filled() -> None:
    items = {i.key: i for i in checklist(invented_inputs())}
    assert (items["organisation"].origin, items["organisation"].text) == ("outstanding", "")
    assert items["variables"].origin == "data"
    assert "6" in items["variables"].text
    assert "1 files" in items["data_files"].text


def test_the_study_s_own_words_win() -> None:
    inputs = invented_inputs()
    assert inputs.study is not None
    study = inputs.study.model_copy(update={"miflowcyt": {"organisation": "An institute", "gating": "by hand"}})
    items = {i.key: i for i in checklist(dataclasses.replace(inputs, study=study))}
    assert (items["organisation"].text, items["organisation"].origin) == ("An institute", "study.yaml")
    assert items["gating"].text == "by hand"
