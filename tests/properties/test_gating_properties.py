"""What must hold for every scale, boundary and strategy that someone may draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytometry.gating.curves import build_curve
from cytometry.gating.engine import gate_sample
from cytometry.gating.order import evaluation_order
from cytometry.gating.reference import gate_rows
from cytometry.io.gatingml import gatingml_bytes, parse_gatingml
from cytometry.model.channels import Channel
from cytometry.model.flowjo_transforms import FlowJoBiex, FlowJoLinear, FlowJoLog
from cytometry.model.gates import Dimension, EllipsoidGate, Gate, Interval, PolygonGate, RectangleGate
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.model.thresholds import boundary, threshold
from cytometry.model.transforms import Asinh, Bounded, Hyperlog, Linear, Log, Logicle, Transform
from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name


@st.composite
def biexponentials(draw: st.DrawFn) -> Transform:
    top = draw(st.sampled_from([1000.0, 10_000.0, 262_144.0, 4_194_304.0]))
    decades = draw(st.floats(2.0, 7.0))
    width = draw(st.floats(0.05, decades / 2))
    extra = draw(st.floats(0.0, max(0.0, min(1.0, decades - 2 * width))))
    return draw(st.sampled_from([Logicle, Hyperlog]))(top, width, decades, extra)


tops = st.sampled_from([1000.0, 262_144.0])
smooth = st.one_of(
    biexponentials(),
    st.builds(Asinh, tops, st.floats(1.0, 6.0), st.floats(0.0, 2.0)),
    st.builds(Linear, tops, st.floats(0.0, 900.0)),
    st.builds(Log, tops, st.floats(1.0, 7.0)),
)
scales = st.one_of(
    smooth,
    st.builds(
        lambda t, low, high: Bounded(t, min(low, high), max(low, high)), smooth, st.floats(0, 1), st.floats(0, 1)
    ),
    st.builds(FlowJoBiex, st.floats(0, 1), st.floats(-1000, -1), st.floats(3, 6), tops),
    st.builds(FlowJoLog, st.floats(0.5, 100), st.floats(1, 6)),
    st.builds(FlowJoLinear, st.floats(-1000, 0), tops),
)
linear_values = st.floats(-5_000, 300_000)


@given(scales, st.lists(linear_values, min_size=2, max_size=50))
def test_scales_never_decrease(scale: Transform, values: list[float]) -> None:
    shown = scale.apply(np.sort(values))
    shown = shown[~np.isnan(shown)]
    # A root search ends within a few units in the last place.
    assert (
        np.diff(shown[np.isfinite(shown)]) >= -1e-12 * max(1.0, float(np.abs(shown[np.isfinite(shown)]).max(initial=0)))
    ).all()


@given(biexponentials(), st.floats(-0.2, 1.2))
def test_a_scale_undoes_its_inverse(scale: Transform, shown: float) -> None:
    assert float(scale.apply(scale.inverse(shown))) == pytest.approx(shown, abs=1e-9)


@given(scales, linear_values, st.lists(st.floats(-1e-9, 1e-9), max_size=20), st.lists(linear_values, max_size=20))
def test_a_boundary_on_the_linear_scale_asks_the_same_question(
    scale: Transform, at: float, near: list[float], far: list[float]
) -> None:
    level = float(scale.apply(at))
    if not math.isfinite(level):
        return
    bracket = threshold(scale, level)
    values = np.array([at, *(at * (1 + d) for d in near), *far])
    reached = scale.apply(values) >= level
    assert not (reached & (values <= bracket.below)).any()
    assert (reached | ~(values >= bracket.above)).all()


@given(st.one_of(biexponentials(), st.builds(Asinh, tops, st.floats(1.0, 6.0))), st.floats(0.05, 0.95))
def test_the_smallest_value_that_reaches_a_level_is_found(scale: Transform, level: float) -> None:
    edge = boundary(scale, level)
    assert float(scale.apply(edge)) >= level
    assert float(scale.apply(edge - max(abs(edge), 1e-6) * 1e-9)) < level


@settings(max_examples=40)
@given(biexponentials(), st.floats(0.0, 0.4), st.floats(0.6, 1.0))
def test_tables_are_as_exact_as_they_say(scale: Transform, low: float, high: float) -> None:
    ends = (float(scale.inverse(low)), float(scale.inverse(high)))
    curve = build_curve(scale, *ends)
    if curve is None:
        return
    x = np.concatenate([np.linspace(*ends, 4001), scale.inverse(np.linspace(low, high, 4001))])
    x = x[(x > curve.low) & (x < curve.high)]
    piece = np.maximum(0, (np.abs(x).view(np.int64) >> 47) - (((curve.exponent + 1023) << 5) - 1))
    piece = np.where((x < 0) & (piece > 0), piece + curve.octaves * 32, piece)
    t = (x - curve.centres[piece]) * curve.inverse_widths[piece]
    found = np.polynomial.polynomial.polyval(t, curve.coefficients[piece].T, tensor=False)
    assert np.abs(found - scale.apply(x)).max() <= curve.error <= 1e-8


AXES = ("A", "B", "C")
MATRIX = Spillover(AXES, np.array([[1.0, 0.2, 0.0], [0.1, 1.0, 0.05], [0.0, 0.3, 1.0]]))


@st.composite
def strategies(draw: st.DrawFn) -> GatingStrategy:
    transforms = {f"t{i}": draw(scales) for i in range(2)}

    def dimension() -> Dimension:
        return Dimension(
            draw(st.sampled_from(AXES)),
            draw(st.sampled_from(["uncompensated", "FCS", "m"])),
            draw(st.sampled_from([None, *transforms])),
        )

    def level(d: Dimension) -> float:
        linear = draw(st.floats(-500, 20_000))
        shown = linear if d.transform is None else float(transforms[d.transform].apply(max(linear, 0.5)))
        return shown if math.isfinite(shown) else 0.5

    def gate() -> Gate:
        kind = draw(st.sampled_from(["range", "box", "polygon", "ellipse"]))
        inverted = draw(st.booleans())
        if kind == "range":
            d = dimension()
            return RectangleGate((Interval(d, minimum=level(d)),), complement=inverted)
        if kind == "box":
            limits = [(d, sorted((level(d), level(d)))) for d in (dimension(), dimension())]
            return RectangleGate(tuple(Interval(d, *ends) for d, ends in limits), complement=inverted)
        axes = (dimension(), dimension())
        corners = np.array([[level(d) for d in axes] for _ in range(draw(st.integers(3, 7)))])
        if kind == "polygon":
            return PolygonGate(axes, corners, inverted)
        spread = np.maximum(np.ptp(corners, axis=0), 1e-3 * np.abs(corners).max(axis=0) + 1e-3)
        return EllipsoidGate(axes, corners.mean(axis=0), np.diag(spread**2), 1.0, inverted)

    populations: list[Population] = []
    for i in range(draw(st.integers(1, 5))):
        parent = draw(st.sampled_from([ROOT, *(p.path for p in populations)]))
        populations.append(Population(f"g{i}", parent, gate()))
    return GatingStrategy("drawn", tuple(populations), transforms, {"m": MATRIX})


def sample_of(seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    events = np.where(rng.random((400, 3)) < 0.5, rng.normal(0, 100, (400, 3)), np.exp(rng.normal(8, 1, (400, 3))))
    events[:40] = np.round(events[:40], -2)
    return Sample.from_array(
        events.astype(np.float32), tuple(Channel(i, n) for i, n in enumerate(AXES)), spillover=MATRIX
    )


@settings(max_examples=60)
@given(strategies(), st.integers(0, 5))
def test_any_strategy_has_the_members_that_its_definition_says(strategy: GatingStrategy, seed: int) -> None:
    sample = sample_of(seed)
    names = channel_map_by_name(sample)
    reader = DimensionReader(sample, names, strategy.transforms, strategy.compensations)
    expected = gate_rows(evaluation_order(strategy), reader, np.arange(sample.n_events))
    for compiled in (True, False):
        membership = gate_sample(strategy, sample, names, compiled=compiled)
        for path in membership.paths:
            assert np.array_equal(membership.indices(path), expected[path]), path


@settings(max_examples=60)
@given(strategies())
def test_any_strategy_survives_a_file(strategy: GatingStrategy) -> None:
    again = parse_gatingml(gatingml_bytes(strategy))
    assert again.populations == strategy.populations
    assert dict(again.transforms) == dict(strategy.transforms)
