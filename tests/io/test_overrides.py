"""A ledger that only grows: a changed, removed or inserted line is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytometry.errors import RequestError, StudyError
from cytometry.io.overrides import active_overrides, append_override, read_overrides


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "overrides.jsonl"
    for sample, value in (("S1", 0.4), ("S2", 0.5), ("S1", 0.45)):
        append_override(path, sample_id=sample, cut="cd27", value=value, author="A. Reader", reason="valley missed")
    return path


def test_the_last_correction_counts_and_can_be_taken_back(ledger: Path) -> None:
    active = {e.sample_id: e.value for e in active_overrides(read_overrides(ledger))}
    assert active == {"S1": 0.45, "S2": 0.5}
    append_override(ledger, sample_id="S2", cut="cd27", value=None, author="A. Reader", reason="was right")
    assert [e.sample_id for e in active_overrides(read_overrides(ledger))] == ["S1"]
    assert len(read_overrides(ledger)) == 4


@pytest.mark.parametrize("damage", ["change", "remove", "insert", "reorder"])
def test_damage_in_the_middle_is_named_by_line(ledger: Path, damage: str) -> None:
    lines = ledger.read_text().splitlines(keepends=True)
    if damage == "change":
        lines[1] = lines[1].replace("0.5", "0.6")
    elif damage == "remove":
        del lines[1]
    elif damage == "insert":
        lines.insert(1, lines[0])
    else:
        lines[0], lines[1] = lines[1], lines[0]
    ledger.write_text("".join(lines))
    with pytest.raises(StudyError, match="does not follow from the line before") as caught:
        read_overrides(ledger)
    assert caught.value.code == "OVERRIDES_BROKEN"


def test_a_line_that_is_no_correction_is_refused(ledger: Path) -> None:
    ledger.write_text(ledger.read_text() + '{"cut": "x"}\n')
    with pytest.raises(StudyError, match="is not a correction") as caught:
        read_overrides(ledger)
    assert caught.value.where == "overrides.jsonl line 4"


def test_nobody_corrects_without_a_name_and_a_reason(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="needs an author and a reason"):
        append_override(tmp_path / "o.jsonl", sample_id="S", cut="c", value=1.0, author="A", reason=" ")
