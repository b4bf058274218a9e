"""The package's statistics against numbers from R, and the scorer against wrong numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance import score_statistics
from tests.reference import reference_files, reference_root

FAMILY_FILES = [
    p for p in reference_files("stats_reference/*.json") if p.name.split(".")[0] in score_statistics.FAMILIES
]


@pytest.mark.parametrize("path", FAMILY_FILES, ids=lambda p: p.name)
def test_every_case_of_the_reference_agrees(path: Path) -> None:
    family = path.name.split(".")[0]
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
    assert cases
    assert [wrong for case in cases for wrong in score_statistics.score_case(case, family)] == []


@pytest.mark.parametrize("path", reference_files("stats_reference/trial_expected.*.json"), ids=lambda p: p.name)
def test_the_whole_trial_of_the_reference_agrees(path: Path) -> None:
    score = score_statistics.score_trial(path.parent)
    assert score.disagreements == []
    assert score.agreed == score.total > 0


def case(expected: object, **extra: object) -> dict[str, object]:
    """A signed-rank case of our own: all of six fell."""
    given = {"d": [-1.42, -0.87, -2.31, -0.15, -1.03, -0.66]}
    return {"id": "x", "input": given, "expected": expected, "tolerance": {"abs": 1e-12}, **extra}


def write(folder: Path, *cases: dict[str, object]) -> None:
    (folder / "signed_rank.second.json").write_text(json.dumps({"cases": list(cases)}), encoding="utf-8")


def test_right_numbers_exit_0_with_the_agreed_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, case({"p_value": 0.03125, "w_plus": 0}))
    assert score_statistics.main([str(tmp_path), "--json", str(tmp_path / "score.out")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "agreed 1 of 1 cases, trial 0 of 0"
    result = json.loads((tmp_path / "score.out").read_text(encoding="utf-8"))
    assert (result["agreed"], result["total"], result["trial"]["total"]) == (1, 1, 0)
    assert result["families"]["signed_rank"] == {"agreed": 1, "total": 1, "disagreements": []}


def test_a_wrong_number_is_found_and_named(tmp_path: Path) -> None:
    write(tmp_path, case({"p_value": 0.0312, "w_plus": 0}))
    assert score_statistics.main([str(tmp_path), "--json", str(tmp_path / "score.out")]) == 1
    result = json.loads((tmp_path / "score.out").read_text(encoding="utf-8"))
    assert result["families"]["signed_rank"]["disagreements"] == [
        {"id": "x", "key": "p_value", "expected": 0.0312, "got": 0.03125}
    ]


def test_a_key_that_nobody_computes_disagrees() -> None:
    wrong = score_statistics.score_case(case({"p_value": 0.03125, "unheard_of": 1.0}), "signed_rank")
    assert [w["key"] for w in wrong] == ["unheard_of"]


def test_keys_given_for_information_are_not_scored() -> None:
    told = case({"p_value": 0.03125, "p_z_for_comparison_only": 0.5, "extra": 9}, not_required=["extra"])
    assert score_statistics.score_case(told, "signed_rank") == []


def test_undefined_agrees_only_with_null() -> None:
    empty = {"id": "x", "input": {"d": [None]}, "expected": {"p_value": None}, "tolerance": {}}
    assert score_statistics.score_case(empty, "signed_rank") == []
    assert score_statistics.score_case(case({"p_value": None}), "signed_rank") != []


def test_a_crash_is_a_disagreement() -> None:
    broken = {"id": "x", "input": {}, "expected": {"p_value": 1}, "tolerance": {}}
    assert "KeyError" in str(score_statistics.score_case(broken, "signed_rank")[0]["got"])


def test_an_empty_folder_is_not_success(tmp_path: Path) -> None:
    assert score_statistics.main([str(tmp_path)]) == 1


def test_the_reference_has_all_families_where_it_is_set() -> None:
    if reference_root() is not None:
        assert {p.name.split(".")[0] for p in FAMILY_FILES} == set(score_statistics.FAMILIES)
    assert len(score_statistics.FAMILIES) == 22
