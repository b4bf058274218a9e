"""The engine against its reference, event for event, and what it does when a sample lacks something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pickle import UnpicklingError

import numpy as np
import numpy.typing as npt
import pytest

from cytometry.errors import GatingError, SpilloverError, StrategyError
from cytometry.gating.engine import BLOCK_EVENTS, gate_sample
from cytometry.gating.membership import Membership
from cytometry.gating.order import evaluation_order
from cytometry.gating.reference import gate_rows
from cytometry.model.channels import Channel
from cytometry.model.gates import BooleanGate, Dimension, Interval, Operand, PolygonGate, RectangleGate
from cytometry.model.sample import ArrayColumns, LinearScale, Rows, Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.transforms import Bounded, Linear, Logicle
from cytometry.preprocessing.dimensions import ChannelMap, DimensionReader, channel_map_by_name
from tests.gating.everything import sample_of, strategy_of

LOOPS = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "vectorised"])


def reference_membership(strategy: GatingStrategy, sample: Sample) -> dict[str, list[int]]:
    reader = DimensionReader(sample, channel_map_by_name(sample), strategy.transforms, strategy.compensations)
    return gate_rows(evaluation_order(strategy), reader, np.arange(sample.n_events))


def gated(strategy: GatingStrategy, sample: Sample, *, compiled: bool = False) -> Membership:
    return gate_sample(strategy, sample, channel_map_by_name(sample), compiled=compiled)


def sample_with(values: list[float], spillover: Spillover | None = None) -> Sample:
    events = np.array(values, dtype=np.float32)[:, None].repeat(2, axis=1)
    return Sample.from_array(events, (Channel(0, "A"), Channel(1, "B")), spillover=spillover)


def range_on(name: str, low: float, high: float = np.inf, **facts: str) -> RectangleGate:
    return RectangleGate((Interval(Dimension(name, **facts), low, high),))


@LOOPS
@pytest.mark.parametrize(
    ("dtype", "spare"), [*((d, n) for d in ("<f4", ">f4", "<f8") for n in (0, 1, 2, 14)), ("<i4", 0)]
)
def test_every_kind_of_gate_agrees_with_the_reference_on_every_event(compiled: bool, dtype: str, spare: int) -> None:
    strategy, sample = strategy_of(), sample_of(dtype=dtype, spare=spare)
    expected = reference_membership(strategy, sample)
    membership = gated(strategy, sample, compiled=compiled)
    sizes = {path: membership.count(path) for path in membership.paths}
    assert sizes == {path: len(expected[path]) for path in membership.paths}
    for path in membership.paths:
        assert np.array_equal(membership.indices(path), expected[path]), path
    # A gate that holds nothing or everything would test nothing.
    assert sum(0 < (n or 0) < sample.n_events for n in sizes.values()) > 0.8 * len(sizes)


@dataclass(frozen=True, eq=False)
class ScaledColumns(ArrayColumns):
    """As in a file whose channels have a gain or a time step."""

    scales: tuple[LinearScale, ...] = ()

    def linear(self, index: int, rows: Rows | None = None) -> npt.NDArray[np.float64]:
        return self.raw(index, rows).astype(np.float64) * self.scales[index].factor / self.scales[index].divisor

    def linear_scale(self, index: int) -> LinearScale:
        return self.scales[index]


@LOOPS
@pytest.mark.parametrize("spare", [0, 5])
def test_gains_and_time_steps_are_applied_to_columns_and_within_sums(compiled: bool, spare: int) -> None:
    sample = sample_of(n_events=5_003, spare=spare)
    scales = [LinearScale(1.0, 1.0)] * len(sample.channels)
    scales[0], scales[3] = LinearScale(0.01, 1.0), LinearScale(1.0, 3.0)
    stored = sample.raw().astype("<f4")
    stored[:, 3] *= 3.0
    scaled = replace(sample, columns=ScaledColumns(stored, tuple(scales)))
    expected = reference_membership(strategy_of(), scaled)
    membership = gated(strategy_of(), scaled, compiled=compiled)
    for path in membership.paths:
        assert np.array_equal(membership.indices(path), expected[path]), path


@LOOPS
@pytest.mark.parametrize("order", ["<", ">"])
def test_events_may_begin_at_any_byte_of_a_file(compiled: bool, order: str) -> None:
    sample = sample_of(n_events=3_001, dtype=f"{order}f4", spare=4)
    events = sample.columns.stored()
    assert events is not None
    odd = np.ndarray(events.shape, f"{order}f4", b"?" + events.tobytes(), offset=1)
    moved = Sample.from_array(odd, sample.channels, spillover=sample.spillover)
    expected, membership = gated(strategy_of(), sample), gated(strategy_of(), moved, compiled=compiled)
    assert membership.counts == expected.counts


def test_a_strategy_gives_each_layout_its_own_plan() -> None:
    """Two instruments, one strategy: the same channels at other places, another matrix."""
    strategy = strategy_of()
    for spare in (0, 3, 0):
        sample = sample_of(n_events=2_000, spare=spare)
        expected = reference_membership(strategy, sample)
        membership = gated(strategy, sample, compiled=True)
        assert {p: membership.count(p) for p in membership.paths} == {p: len(expected[p]) for p in membership.paths}


@LOOPS
@pytest.mark.parametrize("n_events", [16_384, 16_385, 40_003])
def test_where_a_long_file_is_cut_makes_no_difference(
    compiled: bool, n_events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments end where blocks do, somewhere within them, and at the very end."""
    forgotten: list[tuple[int, int]] = []
    monkeypatch.setattr("cytometry.gating.engine.SEGMENT_EVENTS", BLOCK_EVENTS)
    monkeypatch.setattr(ArrayColumns, "forget", lambda self, first, n: forgotten.append((first, n)))
    sample = sample_of(n_events=n_events)
    expected = reference_membership(strategy_of(), sample)
    membership = gated(strategy_of(), sample, compiled=compiled)
    for path in membership.paths:
        assert np.array_equal(membership.indices(path), expected[path]), path
    ends = [first + n for first, n in forgotten]
    assert [first for first, _ in forgotten] == [0, *ends[:-1]], "each event is let go of once"
    assert ends[-1] <= n_events


@LOOPS
def test_infinite_values_are_in_no_gate_beyond_the_end_of_a_scale(compiled: bool) -> None:
    sample = sample_with([-np.inf, 0.0, np.inf])
    scales = {"t": Bounded(Linear(1.0), 0.2, 0.8)}
    gates = {
        "above": range_on("A", 0.9, transform="t"),
        "below": range_on("A", -np.inf, 0.1, transform="t"),
        "all": range_on("A", 0.1, 0.9, transform="t"),
        "nothing": range_on("A", -np.inf, -np.inf),
    }
    strategy = GatingStrategy("s", tuple(Population(n, ROOT, g) for n, g in gates.items()), scales)
    membership = gated(strategy, sample, compiled=compiled)
    expected = reference_membership(strategy, sample)
    for path in membership.paths:
        assert membership.indices(path).tolist() == list(expected[path]), path
    assert [membership.count(p) for p in membership.paths] == [0, 0, 3, 0]


@LOOPS
def test_intervals_are_half_open(compiled: bool) -> None:
    sample = sample_with([1.0, 2.0, 3.0])
    strategy = GatingStrategy("s", (Population("p", ROOT, range_on("A", 1.0, 3.0)),))
    assert gated(strategy, sample, compiled=compiled).indices("root/p").tolist() == [0, 1]


@LOOPS
def test_a_value_on_a_transformed_boundary_is_inside(compiled: bool) -> None:
    # 250 on a linear scale of 1000 is exactly one quarter.
    sample = sample_with([249.0, 250.0, 251.0])
    strategy = GatingStrategy("s", (Population("p", ROOT, range_on("A", 0.25, transform="t")),), {"t": Linear(1000.0)})
    assert gated(strategy, sample, compiled=compiled).indices("root/p").tolist() == [1, 2]


@LOOPS
def test_a_gate_at_the_logicle_zero_splits_at_zero(compiled: bool) -> None:
    scale = Logicle(262144, 0.5, 4.5, 0.0)
    sample = sample_with([-1e-3, 0.0, 1e-3])
    strategy = GatingStrategy(
        "s", (Population("p", ROOT, range_on("A", float(scale.apply(0.0)), transform="t")),), {"t": scale}
    )
    assert gated(strategy, sample, compiled=compiled).indices("root/p").tolist() == [1, 2]


@LOOPS
def test_not_a_number_is_in_no_gate_but_in_complements(compiled: bool) -> None:
    sample = sample_with([np.nan, 1.0])
    square = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)])
    axes = (Dimension("A"), Dimension("B"))
    strategy = GatingStrategy(
        "s",
        (
            Population("range", ROOT, range_on("A", 0.0)),
            Population("inside", ROOT, PolygonGate(axes, square)),
            Population("outside", ROOT, PolygonGate(axes, square, complement=True)),
        ),
    )
    membership = gated(strategy, sample, compiled=compiled)
    assert [membership.indices(f"root/{p}").tolist() for p in ("range", "inside", "outside")] == [[1], [1], [0]]


@LOOPS
def test_the_even_odd_rule_leaves_the_middle_of_a_star_outside(compiled: bool) -> None:
    turns = np.pi * (0.5 + 0.8 * np.arange(5))
    star = np.column_stack([np.cos(turns), np.sin(turns)])
    events = np.array([(0.0, 0.0), (0.0, 0.8), (0.9, 0.9)], dtype=np.float32)
    sample = Sample.from_array(events, (Channel(0, "A"), Channel(1, "B")))
    strategy = GatingStrategy("s", (Population("p", ROOT, PolygonGate((Dimension("A"), Dimension("B")), star)),))
    assert gated(strategy, sample, compiled=compiled).indices("root/p").tolist() == [1]


@LOOPS
def test_an_empty_sample_has_zero_in_every_population(compiled: bool) -> None:
    sample = sample_of(n_events=0)
    membership = gated(strategy_of(), sample, compiled=compiled)
    assert set(membership.counts.values()) == {0}


def test_a_missing_dimension_names_the_marker_and_the_channels_found() -> None:
    strategy = GatingStrategy("s", (Population("p", ROOT, range_on("CD19", 0.0)),))
    with pytest.raises(GatingError) as caught:
        gated(strategy, sample_with([1.0]))
    text = str(caught.value)
    assert "array, population 'root/p': no channel measures 'CD19'" in text
    assert "channels: A, B" in text


def test_an_optional_population_without_its_channel_is_undefined_with_all_that_hangs_on_it() -> None:
    strategy = GatingStrategy(
        "s",
        (
            Population("p", ROOT, range_on("CD21", 0.0), optional=True),
            Population("child", "root/p", range_on("A", 0.0)),
            Population("union", ROOT, BooleanGate("or", (Operand("root/p"), Operand("root/other")))),
            Population("other", ROOT, range_on("A", 0.0)),
        ),
    )
    membership = gated(strategy, sample_with([1.0, -1.0]))
    counts = [membership.count(p) for p in membership.paths]
    assert counts == [None, None, None, 1]
    assert set(membership.undefined.values()) == {"no channel measures 'CD21'"}
    with pytest.raises(GatingError, match="is undefined: no channel measures 'CD21'"):
        membership.mask("root/p")


def test_a_matrix_that_cannot_be_used_is_an_error_only_where_it_is_used() -> None:
    broken = Spillover(("A", "B"), np.array([[1.0, 1.0], [1.0, 1.0]]), "tube 7, $SPILLOVER")
    sample = sample_with([1.0], broken)
    plain = GatingStrategy("s", (Population("p", ROOT, range_on("A", 0.0)),))
    assert gated(plain, sample).count("root/p") == 1
    compensated = GatingStrategy("s", (Population("p", ROOT, range_on("A", 0.0, compensation="FCS")),))
    with pytest.raises(SpilloverError, match=r"tube 7, \$SPILLOVER.*singular"):
        gated(compensated, sample)


def test_a_matrix_with_a_detector_that_the_file_lacks_is_named() -> None:
    sample = sample_with([1.0], Spillover(("A", "X-A"), np.eye(2), "file"))
    strategy = GatingStrategy("s", (Population("p", ROOT, range_on("A", 0.0, compensation="FCS")),))
    with pytest.raises(GatingError, match="has no channel for detector X-A"):
        gated(strategy, sample)


def test_fcs_compensation_without_a_matrix_is_uncompensated() -> None:
    strategy = GatingStrategy("s", (Population("p", ROOT, range_on("A", 1.0, compensation="FCS")),))
    assert gated(strategy, sample_with([0.5, 1.0])).count("root/p") == 1


def test_a_study_may_replace_the_matrix_of_the_file() -> None:
    sample = sample_with([10.0], Spillover(("A", "B"), np.eye(2), "file"))
    replacement = Spillover(("A", "B"), np.array([[1.0, 0.0], [0.5, 1.0]]), "study")
    strategy = GatingStrategy("s", (Population("p", ROOT, range_on("A", 6.0, compensation="FCS")),))
    names = channel_map_by_name(sample)
    assert gate_sample(strategy, sample, names).count("root/p") == 1
    # A true 10 in B spills 5 into A: 10 observed are 5.
    assert gate_sample(strategy, sample, names, file_compensation=replacement).count("root/p") == 0


def test_markers_are_found_through_the_channel_map() -> None:
    strategy = GatingStrategy("s", (Population("p", ROOT, range_on("CD19", 1.0)),))
    membership = gate_sample(strategy, sample_with([0.5, 1.0]), ChannelMap({"CD19": 1}))
    assert membership.count("root/p") == 1


def test_booleans_may_refer_to_populations_further_down() -> None:
    strategy = GatingStrategy(
        "s",
        (
            Population("not b", ROOT, BooleanGate("not", (Operand("root/b"),))),
            Population("b", ROOT, range_on("A", 1.0)),
        ),
    )
    assert gated(strategy, sample_with([0.5, 1.0])).indices("root/not b").tolist() == [0]


def test_booleans_in_a_circle_are_refused_by_name() -> None:
    strategy = GatingStrategy(
        "s",
        (
            Population("a", ROOT, BooleanGate("not", (Operand("root/b"),))),
            Population("b", ROOT, BooleanGate("not", (Operand("root/a"),))),
        ),
    )
    with pytest.raises(StrategyError, match="in a circle: 'root/a', 'root/b'"):
        gated(strategy, sample_with([1.0]))


def test_damaged_compiled_code_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object) -> None:
        raise UnpicklingError("pickle data was truncated")

    monkeypatch.setattr("cytometry.gating.kernels.gate_events", damaged)
    strategy, sample = strategy_of(), sample_of(n_events=1_000)
    assert gated(strategy, sample, compiled=True).counts == gated(strategy, sample, compiled=False).counts
