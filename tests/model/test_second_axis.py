"""Activated naive B cells need a second axis, or another name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cytometry.errors import StrategyError
from cytometry.io.panels import load_panel, shipped_panel_names
from cytometry.model.gates import BooleanGate, Dimension, Interval, Operand, RectangleGate
from cytometry.model.panel import Panel, PanelFile
from cytometry.model.second_axis import ACTIVATED_NAIVE, without_overclaim
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.model.template import GatingTemplate


def template(gate: Mapping[str, object], *, name: str = ACTIVATED_NAIVE) -> GatingTemplate:
    """Naive cells, activated ones within, and what rests of them."""

    def low(marker: str) -> dict[str, object]:
        return {"on": marker, "within": "naive", "rules": [{"method": "fixed", "at": 0.4}]}

    names = ("CD24", "CD38", "CD21", "CD11c", "CXCR5", "CD95", "MTG")
    cuts = {f"{m.lower()}_naive": low(m) for m in names}
    populations = [
        {"name": "naive", "keep": {"IgD": {"above": "igd"}}},
        {"name": name, "parent": "naive", "label": "Activated naive", **gate},
        {"name": "resting_naive", "parent": "naive", "none_of": [name]},
        {"name": "bright", "parent": "naive", "all_of": [f"not {name}"]},
    ]
    igd = {"on": "IgD", "within": "root", "rules": [{"method": "fixed", "at": 0.5}]}
    return GatingTemplate.model_validate({"cuts": {"igd": igd, **cuts}, "populations": populations})


def panel(strategy: GatingTemplate | GatingStrategy, **more: object) -> Panel:
    markers = {m: {"channels": [m]} for m in ("IgD", "CD24", "CD38", "CD21", "CD11c", "CXCR5", "CD95", "MTG")}
    described = PanelFile.model_validate({"schema_version": 1, "name": "own_v1", "markers": markers, **more})
    return Panel(described, strategy)


def below(*markers: str) -> dict[str, object]:
    return {"keep": {m: {"below": f"{m.lower()}_naive"} for m in markers}}


def test_double_low_cells_are_called_naive_like_wherever_the_name_stands() -> None:
    found = without_overclaim(
        panel(
            template(below("CD24", "CD38")),
            targets=[ACTIVATED_NAIVE],
            denominators={ACTIVATED_NAIVE: ["naive"], "resting_naive": [ACTIVATED_NAIVE]},
        )
    )
    name = "cd24_neg_cd38_neg_naive_like"
    assert found.population_paths == (
        "root/naive",
        f"root/naive/{name}",
        "root/naive/resting_naive",
        "root/naive/bright",
    )
    assert found.template is not None
    assert found.template[name].label == "CD24- CD38- naive-like"
    assert found.template["resting_naive"].operands == ((name, True),)
    assert found.template["bright"].operands == ((name, True),)
    assert found.targets == (name,)
    assert found.denominators(name) == ("naive",)
    assert found.denominators("resting_naive") == (name,)
    (finding,) = found.findings
    assert finding.code == "SECOND_AXIS_MISSING"
    assert "is reported as 'cd24_neg_cd38_neg_naive_like'" in finding.message
    assert finding.found == "CD24, CD38, IgD"


@pytest.mark.parametrize("markers", [("CD21", "CD11c"), ("CD24", "CXCR5"), ("CD24", "CD38", "CD95"), ("MTG", "CD24")])
def test_any_second_axis_keeps_the_name(markers: tuple[str, ...]) -> None:
    given = panel(template(below(*markers)))
    assert without_overclaim(given) is given


@pytest.mark.parametrize("markers", [("CD21",), ("CD11c",), ("CD38", "CD21")])
def test_half_an_axis_is_none(markers: tuple[str, ...]) -> None:
    found = without_overclaim(panel(template(below(*markers))))
    assert found.population_paths[1] == "root/naive/naive_like"


def test_an_axis_that_is_left_out_where_it_is_missing_is_none() -> None:
    found = without_overclaim(panel(template({**below("CD24", "CD38", "CD95"), "if_missing": "keep_parent"})))
    assert found.population_paths[1] == "root/naive/naive_like"


def test_a_marker_is_known_by_its_channel_names() -> None:
    described = panel(template(below("CD24", "CD38"))).described
    markers = {**described.markers, "CD38": described.markers["CD38"].model_copy(update={"channels": ("CD95 BV421",)})}
    given = Panel(described.model_copy(update={"markers": markers}), template(below("CD24", "CD38")))
    assert without_overclaim(given) is given


def test_a_panel_without_activated_naive_cells_is_left_alone() -> None:
    given = panel(template(below("CD24", "CD38"), name="double_low"))
    assert without_overclaim(given) is given


def test_drawn_gates_are_held_to_the_same_rule() -> None:
    def low(*names: str) -> RectangleGate:
        return RectangleGate(tuple(Interval(Dimension(n), maximum=1.0) for n in names))

    drawn = GatingStrategy(
        "drawn",
        (
            Population("naive", "root", low("IgD")),
            Population(ACTIVATED_NAIVE, "root/naive", low("CD24", "CD38")),
            Population("bright", f"root/naive/{ACTIVATED_NAIVE}", low("CD21")),
            Population("rest", "root/naive", BooleanGate("not", (Operand(f"root/naive/{ACTIVATED_NAIVE}"),))),
        ),
    )
    found = without_overclaim(panel(drawn)).strategy
    assert isinstance(found, GatingStrategy)
    name = "cd24_neg_cd38_neg_naive_like"
    assert [p.path for p in found.populations] == [
        "root/naive",
        f"root/naive/{name}",
        f"root/naive/{name}/bright",
        "root/naive/rest",
    ]
    assert found.populations[3].gate == BooleanGate("not", (Operand(f"root/naive/{name}"),))
    # A gate on the second axis below it does not help; one that it rests on does.
    helped = replace(drawn, populations=(drawn.populations[0], replace(drawn.populations[1], gate=low("CD95"))))
    assert without_overclaim(panel(helped)).findings == ()


def test_a_name_that_is_taken_is_refused() -> None:
    given = template(below("CD24", "CD38"))
    taken = given.model_copy(
        update={"populations": (*given.populations, given.populations[2].model_copy(update={"name": NAME}))}
    )
    with pytest.raises(StrategyError, match="would be reported as 'cd24_neg_cd38_neg_naive_like', which is taken"):
        without_overclaim(panel(taken))


NAME = "cd24_neg_cd38_neg_naive_like"


@pytest.mark.parametrize("name", shipped_panel_names())
def test_no_shipped_panel_overclaims(name: str) -> None:
    assert load_panel(name).findings == ()
