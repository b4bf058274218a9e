"""How much of a count the errors of cuts decide about, against closed forms and against draws."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.doubt import count_cv
from cytometry.gating.draws import draw_strategies
from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube, place
from cytometry.model.channels import Channel
from cytometry.model.panel import Marker, Panel, PanelFile
from cytometry.model.sample import Sample
from cytometry.model.template import GatingTemplate
from cytometry.preprocessing.dimensions import ChannelMap

FIXED_SD = 0.25 / 4.5  # of a position that nothing supports


def uniform_panel() -> Panel:
    """A fixed cut at 0.6 of a uniform marker, a child on another marker, and the remainder of the child."""
    template = GatingTemplate.model_validate(
        {
            "cuts": {
                "x": {"on": "X", "within": "root", "rules": [{"method": "fixed", "at": 0.6}]},
                "y": {"on": "Y", "within": "upper", "rules": [{"method": "fixed", "at": -9.0}]},
            },
            "populations": [
                {"name": "upper", "keep": {"X": {"above": "x"}}},
                {"name": "child", "parent": "upper", "keep": {"Y": {"above": "y"}}},
                {"name": "rest", "parent": "upper", "none_of": ["child"]},
            ],
        }
    )
    markers = {"X": Marker(channels=("X",)), "Y": Marker(channels=("Y",))}
    return Panel(PanelFile(schema_version=1, name="uniform", markers=markers), template)


def uniform_tube() -> Tube:
    rng = np.random.default_rng(5)
    events = rng.random((40_000, 2))
    sample = Sample.from_array(events, (Channel(0, "X"), Channel(1, "Y")))
    return Tube("t", sample, ChannelMap({"X": 0, "Y": 1}))


def test_the_cv_of_a_count_is_density_times_error() -> None:
    placement = place(uniform_panel(), [uniform_tube()], alone=True)
    # Uniform on 0..1 and cut at 0.6: the count moves by n s, and is 0.4 n. Some 2,000 events tell it.
    assert placement.gating_cv["t"]["upper"] == pytest.approx(FIXED_SD / 0.4, rel=0.06)


def test_a_child_inherits_the_doubt_of_its_parents_cut() -> None:
    placement = place(uniform_panel(), [uniform_tube()], alone=True)
    # The child keeps every event of its parent, so it shares its parent's doubt; the parent also knows what is outside.
    assert placement.gating_cv["t"]["child"] == pytest.approx(placement.gating_cv["t"]["upper"], rel=0.06)
    assert "GATE_IMPRECISE" in placement.population_flags("t")["child"]


def test_the_cv_agrees_with_counting_again_under_drawn_gates() -> None:
    tube = uniform_tube()
    placement = place(uniform_panel(), [tube], alone=True)
    counts = [
        gate_sample(drawn["t"], tube.sample, tube.channel_map).count("root/upper")
        for drawn in draw_strategies(placement, 400, np.random.default_rng(6))
    ]
    assert np.std(counts) / np.mean(counts) == pytest.approx(placement.gating_cv["t"]["upper"], rel=0.1)


def test_no_events_have_no_cv() -> None:
    assert np.isnan(count_cv({}, {}, 0))
    assert count_cv({}, {}, 10) == 0.0


def test_errors_of_several_cuts_add_as_squares() -> None:
    one, other = np.full(10, 0.03), 0.04
    assert count_cv({"x": one, "y": other}, {}, 10) == pytest.approx(np.sqrt(2 * np.pi) * 0.05)


def test_no_events_where_a_shape_might_have_missed_some_are_doubted_without_limit() -> None:
    assert count_cv({"shape": np.inf}, {}, 0) == np.inf


def test_what_a_cut_might_bring_in_counts_as_what_it_might_take_out() -> None:
    inside, outside = 0.02, 0.10
    expected = np.sqrt(2 * np.pi) * np.sqrt((inside**2 + outside**2) / 2)
    assert count_cv({"x": inside}, {"x": outside * 50}, 50) == pytest.approx(expected)
