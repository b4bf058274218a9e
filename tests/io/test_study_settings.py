"""``--set``: values in place of those of study.yaml, checked as if they stood there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cytometry.errors import CytometryError, RequestError, StudyError
from cytometry.io.study import load_study
from cytometry.io.study_settings import apply_changes, parse_changes

DOCUMENT: dict[str, Any] = {
    "plan": {"alpha": 0.05, "panel": ["a", "b"]},
    "visits": [{"id": "w0"}, {"id": "w4"}],
    "title": "x",
}


def changed(*given: str) -> dict[str, object]:
    return apply_changes(DOCUMENT, parse_changes(given))


def test_a_value_is_yaml_and_takes_the_place_of_the_files() -> None:
    assert changed("plan.alpha=0.01")["plan"] == {"alpha": 0.01, "panel": ["a", "b"]}
    assert changed("plan.panel=[c]")["plan"] == {"alpha": 0.05, "panel": ["c"]}
    assert changed("visits[1].id=w8")["visits"] == [{"id": "w0"}, {"id": "w8"}]
    assert changed("plan.panel[0]=z", "title=a = b") | {} == {
        "plan": {"alpha": 0.05, "panel": ["z", "b"]},
        "visits": [{"id": "w0"}, {"id": "w4"}],
        "title": "a = b",
    }


def test_what_the_file_leaves_out_may_be_added() -> None:
    assert changed("quality.min_events=10")["quality"] == {"min_events": 10}


@pytest.mark.parametrize("name", ["b-cells", "CD4+", "root/live/B cells", "naïve", "CD25hi (act)"])
def test_a_key_may_be_whatever_a_population_is_called(name: str) -> None:
    assert changed(f"plan.scales.{name}=log")["plan"] == DOCUMENT["plan"] | {"scales": {name: "log"}}


@pytest.mark.parametrize("name", ["a.b", "IgD=", "x[1]", "."])
def test_a_name_with_a_sign_of_the_key_itself_is_put_in_quotes(name: str) -> None:
    assert changed(f'plan.scales."{name}"=log')["plan"] == DOCUMENT["plan"] | {"scales": {name: "log"}}
    assert changed('"visits"[1]."id"=w8')["visits"] == [{"id": "w0"}, {"id": "w8"}]


def test_the_document_itself_stays_as_it_was() -> None:
    changed("plan.alpha=0.01", "visits[0].id=z")
    assert DOCUMENT["plan"] == {"alpha": 0.05, "panel": ["a", "b"]}
    assert DOCUMENT["visits"] == [{"id": "w0"}, {"id": "w4"}]


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (("plan.alpha",), RequestError, "--set plan.alpha: is no KEY=VALUE"),
        (("=1",), RequestError, "is no KEY=VALUE (write KEY=VALUE, for example plan.alpha=0.01"),
        (("plan..alpha=1",), RequestError, "is no KEY=VALUE"),
        (("plan.[0]=1",), RequestError, "a name with one of . = [ ] in double quotes"),
        (("visits[x]=1",), RequestError, "is no KEY=VALUE"),
        (('plan."a=1',), RequestError, "is no KEY=VALUE"),
        (("a=1", "a=2"), RequestError, "--set a is given twice"),
        (("visits[2].id=w8",), StudyError, "leads nowhere in study.yaml (a list of 2 stands there"),
        (("visits.id=w8",), StudyError, "--set visits.id: leads nowhere in study.yaml"),
        (("title.x=1",), StudyError, "('x' stands there and has no parts)"),
        (("plan.alpha=[1",), StudyError, "--set plan.alpha line 1 column 3: is not valid YAML"),
    ],
)
def test_what_leads_nowhere_is_named(given: tuple[str, ...], kind: type[CytometryError], message: str) -> None:
    with pytest.raises(kind) as caught:
        changed(*given)
    assert message in str(caught.value)


def test_a_study_is_checked_with_its_changes_and_remembers_them(sample_fcs: Path) -> None:
    study = load_study(sample_fcs / "study.yaml", changes=["plan.alpha=0.01", "quality.min_events=500"])
    assert (study.plan.alpha, study.quality.min_events) == (0.01, 500)
    assert study.changed == {"plan.alpha": "0.01", "quality.min_events": "500"}
    assert load_study(sample_fcs / "study.yaml").changed == {}


def test_a_misspelt_key_is_refused_with_a_suggestion(sample_fcs: Path) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(sample_fcs / "study.yaml", changes=["quality.min_event=500"])
    assert "'quality.min_event' is unknown" in caught.value.findings[0].message
    assert "min_events" in caught.value.findings[0].fix
