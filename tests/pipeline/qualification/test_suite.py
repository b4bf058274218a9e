"""An installation's own qualification: every claim holds here, and a broken part is a claim that does not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cytometry.cli.main import cytometry, run_command_line
from cytometry.model.claims import Claim
from cytometry.model.gates import Dimension, Interval
from cytometry.pipeline.qualification.figures import statistics_claims
from cytometry.pipeline.qualification.gating import gating_claims
from cytometry.pipeline.qualification.suite import AREAS, Qualification, qualify, write_qualification


@pytest.fixture(scope="module")
def here() -> Qualification:
    return qualify()


def test_every_claim_holds_here(here: Qualification) -> None:
    assert here.failed == ()
    assert {c.area for c in here.claims} == set(AREAS)
    assert len(here.claims) >= 40


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[str] = []
    monkeypatch.setattr("cytometry.pipeline.qualification.suite.qualify", lambda *_: tried.append("all"))
    (tmp_path / "file").touch()
    assert run_command_line(["validate", "-o", str(tmp_path / "file" / "report")]) == 5
    assert "cannot be written: Not a directory" in capsys.readouterr().err
    assert tried == []


def test_the_report_is_a_page_a_text_and_json_of_the_same_claims(here: Qualification, tmp_path: Path) -> None:
    page = write_qualification(here, tmp_path).read_text()
    document = json.loads((tmp_path / "validation.json").read_text())
    text = (tmp_path / "validation.md").read_text()
    assert document["status"] == "holds"
    assert [c["claim"] for c in document["claims"]] == [c.says for c in here.claims]
    assert page.count("<td>holds</td>") == text.count("| holds |") == len(here.claims)
    assert f"{len(here.claims)} of {len(here.claims)} claims hold." in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_wrong_engine_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An interval that takes its upper end in: the half-open rule is broken."""

    def closed(dimension: Dimension, minimum: float = -math.inf, maximum: float = math.inf) -> Interval:
        return Interval(dimension, minimum, maximum + 1e-9)

    monkeypatch.setattr("cytometry.pipeline.qualification.gating.Interval", closed)
    failed = [c.says for c in gating_claims(tmp_path) if not c.holds]
    assert failed[0].startswith("half-open interval [2, 5)")


def test_a_wrong_statistic_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cytometry.statistics.signed_rank import signed_rank

    monkeypatch.setattr(
        "cytometry.pipeline.qualification.figures.signed_rank", lambda d: signed_rank(d, alternative="greater")
    )
    assert [c.says for c in statistics_claims(tmp_path) if not c.holds] == ["its exact two-sided p"]


def test_an_area_that_stops_is_a_claim_that_fails_and_the_others_go_on() -> None:
    def stops(_: Path) -> Iterator[Claim]:
        raise ZeroDivisionError("no luck")
        yield

    kept = Claim("b", "one", "by hand", "=", 1.0, 1.0)
    found = qualify(areas={"a": stops, "b": lambda _: iter([kept])})
    assert [c.holds for c in found.claims] == [False, True]
    assert found.failed[0].found == "ZeroDivisionError: no luck"


def test_the_command_leaves_with_1_where_a_claim_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = Claim("a", "<b> & one", "by hand", "within", 1.0, float("nan"), 0.1)
    monkeypatch.setattr(
        "cytometry.pipeline.qualification.suite.qualify",
        lambda tell: Qualification((wrong, replace(wrong, found=1.05)), {"python": "3"}, 1.0),
    )
    result = CliRunner().invoke(cytometry, ["validate", "-o", str(tmp_path), "--json"], standalone_mode=False)
    assert result.return_value == 1
    document = json.loads(result.stdout)
    assert document["status"] == "fails"
    assert [c["found"] for c in document["claims"]] == [None, 1.05]
    page = (tmp_path / "validation.html").read_text()
    assert "&lt;b&gt; &amp; one" in page
    assert page.count('class="fails"') == 1
    assert "1 of 2 claims hold, 1 do not." in page
