from __future__ import annotations

import dataclasses

from cytometry.reporting.documents import methods_markdown, miflowcyt_markdown
from tests.reporting.invented import invented_inputs


def test_methods_say_the_settings_that_were_used() -> None:
    text = methods_markdown(invented_inputs())
    assert "Switched memory B (the log odds of the share of B cells, week 8)" in text
    assert "23 tubes of 6 participants at 4 visits" in text
    assert "two-sided sign-flip test" in text


def test_another_setting_gives_another_sentence() -> None:
    inputs = invented_inputs()
    assert inputs.study is not None
    plan = inputs.study.plan.model_copy(update={"sided": "less", "panel_adjust": "none", "alpha": 0.025})
    changed = dataclasses.replace(inputs, study=inputs.study.model_copy(update={"plan": plan, "compensation": "none"}))
    text = methods_markdown(changed)
    assert "one-sided (fall) sign-flip test" in text
    assert "not adjusted for multiplicity" in text
    assert "each at 0.025" in text
    assert "not compensated" in text


def test_every_item_of_the_checklist_is_one_row_whatever_is_in_it() -> None:
    inputs = invented_inputs()
    assert inputs.study is not None
    study = inputs.study.model_copy(update={"miflowcyt": {"keywords": "a | b\nc"}})
    lines = miflowcyt_markdown(dataclasses.replace(inputs, study=study)).splitlines()
    rows = [line for line in lines if line.startswith("| ") and line[2].isdigit()]
    assert len(rows) == 19
    assert "| 1.2 | Keywords | a \\| b c | study.yaml |" in rows
    assert sum("*outstanding*" in row for row in rows) > 5
