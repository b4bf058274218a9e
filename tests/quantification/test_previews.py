from __future__ import annotations

import numpy as np
import pytest

from cytometry.model.channels import Channel
from cytometry.model.gates import Dimension, EventMaskGate, Interval, RectangleGate
from cytometry.model.placement import PlacedCut
from cytometry.model.sample import Sample
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader
from cytometry.quantification.preview_arrays import previews_from_arrays, previews_to_arrays
from cytometry.quantification.previews import EVENT_NUMBER, GatePreview, gate_previews
from tests.quantification.tubes import CUT, LOGICLE, GatedTube, _membership, gated_tube


@pytest.fixture(scope="module")
def tube() -> GatedTube:
    return gated_tube()


@pytest.fixture(scope="module")
def previews(tube: GatedTube) -> tuple[GatePreview, ...]:
    return gate_previews(tube.strategy, tube.reader, tube.membership)


def picture_of(previews: tuple[GatePreview, ...], name: str) -> GatePreview:
    return next(p for p in previews if any(g.name == name for g in p.gates))


def test_every_event_of_the_parent_is_in_a_bin_or_counted_outside(
    tube: GatedTube, previews: tuple[GatePreview, ...]
) -> None:
    for preview in previews:
        assert int(preview.histogram.sum()) + preview.outside == tube.membership.count(preview.parent_path)
        assert preview.parent_count == tube.membership.count(preview.parent_path)


def test_every_defined_population_is_on_a_picture_with_its_count(
    tube: GatedTube, previews: tuple[GatePreview, ...]
) -> None:
    drawn = {gate.path: gate.count for preview in previews for gate in preview.gates}
    assert drawn == {path: count for path, count in tube.membership.counts.items() if count is not None}


def test_quadrants_share_one_picture_and_one_axis_gates_share_another(previews: tuple[GatePreview, ...]) -> None:
    quadrants = picture_of(previews, "naive")
    assert {g.name for g in quadrants.gates} == {"naive", "unswitched", "switched", "double_negative", "blob"}
    assert (quadrants.x.name, quadrants.y.name) == ("CD27", "IgD")
    memory = picture_of(previews, "memory")
    assert {g.name for g in memory.gates} == {"memory", "not_memory"}
    assert (memory.x.name, memory.y.name) == ("CD27", "SSC-A")


def test_bins_left_of_the_cut_hold_the_events_below_it(tube: GatedTube, previews: tuple[GatePreview, ...]) -> None:
    picture = picture_of(previews, "memory")
    edges = np.linspace(picture.x.minimum, picture.x.maximum, picture.histogram.shape[0] + 1)
    cells = tube.membership.indices("root/time_ok/cells")
    cd27 = LOGICLE.apply(tube.reader.sample.linear_column(2)[cells])
    column = int(np.searchsorted(edges, CUT))
    below = np.count_nonzero((cd27 >= picture.x.minimum) & (cd27 < edges[column]))
    # Side scatter leaves a few events outside the window; they are missing from the columns as well.
    assert picture.histogram[:column].sum() == pytest.approx(below, abs=picture.outside)
    assert picture.outside < 0.01 * picture.parent_count


def test_time_gate_is_shown_along_time_with_its_removed_interval(previews: tuple[GatePreview, ...]) -> None:
    picture = picture_of(previews, "time_ok")
    assert picture.x.name == "Time"
    first, second = picture.gates[0].outlines
    # Event i comes at 0.01 i s; runs are events 0-2999 and 3200-3999 of 4000.
    assert (first[:, 0].min(), first[:, 0].max()) == (-np.inf, pytest.approx(30.0))
    assert (second[:, 0].min(), second[:, 0].max()) == (pytest.approx(32.0), np.inf)
    assert np.isinf(first[:, 1]).all()


def test_where_time_does_not_rise_an_event_mask_is_drawn_along_the_event_number() -> None:
    events = np.column_stack([[5.0, 1.0, 9.0, 3.0], np.arange(4.0)])
    sample = Sample.from_array(events, (Channel(0, "Time"), Channel(1, "SSC-A")))
    strategy = GatingStrategy("mask", (Population("ok", "root", EventMaskGate(((1, 3),))),))
    reader = DimensionReader(sample, ChannelMap({"Time": 0, "SSC-A": 1}), {}, {})
    membership = _membership(4, {"root/ok": np.array([False, True, True, False])})
    (picture,) = gate_previews(strategy, reader, membership)
    assert picture.x.name == EVENT_NUMBER
    (outline,) = picture.gates[0].outlines
    assert (outline[:, 0].min(), outline[:, 0].max()) == (1.0, 3.0)


def test_a_drawn_boundary_is_called_drawn_and_read_on_the_linear_scale(previews: tuple[GatePreview, ...]) -> None:
    (threshold,) = picture_of(previews, "memory").gates[0].thresholds
    assert (threshold.source, threshold.value) == ("drawn", CUT)
    assert LOGICLE.apply(np.array([threshold.linear_value]))[0] == pytest.approx(CUT, abs=1e-9)


def test_a_placed_cut_explains_every_gate_that_shares_it(tube: GatedTube) -> None:
    cut = PlacedCut(
        sample_key="tube",
        name="cd27",
        kind="cut",
        dimension="CD27",
        method="fmo_percentile",
        source="fmo",
        value=CUT,
        value_linear=1234.0,
        uncertainty_sd=0.01,
        confidence=0.9,
        scope="subject",
        group="S01",
        flags=("FMO_USED",),
        populations=("memory", "naive", "switched"),
    )
    previews = gate_previews(tube.strategy, tube.reader, tube.membership, [cut])
    for name in ("memory", "naive", "switched"):
        gate = next(g for p in previews for g in p.gates if g.name == name)
        (found,) = [t for t in gate.thresholds if t.dimension == "CD27"]
        assert (found.name, found.source, found.linear_value, found.scope) == ("cd27", "fmo", 1234.0, "subject")
    igd = [t for t in picture_of(previews, "naive").gates[0].thresholds if t.dimension == "IgD"]
    assert [t.source for t in igd] == ["drawn"]


def test_a_gate_without_any_second_channel_is_drawn_against_the_event_number() -> None:
    sample = Sample.from_array(np.arange(10.0).reshape(10, 1), (Channel(0, "B1-A"),))
    gate = RectangleGate((Interval(Dimension("CD4"), minimum=5.0),))
    strategy = GatingStrategy("one", (Population("cd4", "root", gate),))
    reader = DimensionReader(sample, ChannelMap({"CD4": 0}), {}, {})
    membership = _membership(10, {"root/cd4": np.arange(10) >= 5})
    (picture,) = gate_previews(strategy, reader, membership)
    assert picture.y.name == EVENT_NUMBER
    assert picture.histogram.sum() + picture.outside == 10


def test_three_dimensions_are_shown_as_two_projections() -> None:
    rng = np.random.default_rng(1)
    sample = Sample.from_array(rng.normal(size=(50, 3)), tuple(Channel(i, f"B{i}-A") for i in range(3)))
    dimensions = [Dimension(m) for m in ("A", "B", "C")]
    strategy = GatingStrategy(
        "box", (Population("box", "root", RectangleGate(tuple(Interval(d, 0.0) for d in dimensions))),)
    )
    reader = DimensionReader(sample, ChannelMap({"A": 0, "B": 1, "C": 2}), {}, {})
    membership = _membership(50, {"root/box": np.ones(50, dtype=bool)})
    pictures = gate_previews(strategy, reader, membership)
    assert [(p.x.name, p.y.name) for p in pictures] == [("A", "B"), ("C", "A")]


def test_an_empty_parent_gives_an_empty_picture(tube: GatedTube) -> None:
    masks = {p: np.zeros(4000, dtype=bool) for p in tube.membership.paths if not p.endswith("cxcr5")}
    pictures = gate_previews(tube.strategy, tube.reader, _membership(4000, masks))
    assert picture_of(pictures, "naive").histogram.sum() == 0


def test_pictures_survive_being_stored(previews: tuple[GatePreview, ...]) -> None:
    back = previews_from_arrays(previews_to_arrays(previews))
    assert [p.key for p in back] == [p.key for p in previews]
    for one, other in zip(previews, back, strict=True):
        np.testing.assert_array_equal(one.histogram, other.histogram)
        assert (one.x, one.y, one.outside, one.parent_count) == (other.x, other.y, other.outside, other.parent_count)
        for gate, again in zip(one.gates, other.gates, strict=True):
            assert (gate.path, gate.label, gate.count) == (again.path, again.label, again.count)
            assert repr(gate.thresholds) == repr(again.thresholds)
            assert len(gate.outlines) == len(again.outlines)
            for a, b in zip(gate.outlines, again.outlines, strict=True):
                np.testing.assert_array_equal(a, b)


def test_stored_pictures_are_the_same_bytes_each_time_and_need_no_pickle(previews: tuple[GatePreview, ...]) -> None:
    one, two = previews_to_arrays(previews), previews_to_arrays(previews)
    assert all(one[k].tobytes() == two[k].tobytes() for k in one)
    assert not any(a.dtype.hasobject for a in one.values())
