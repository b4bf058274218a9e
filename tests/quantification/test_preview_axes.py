from __future__ import annotations

import numpy as np
import pytest

from cytometry.model.transforms import Linear, Log, Logicle
from cytometry.quantification.preview_axes import make_axis, nice_step, short_number


def test_logicle_ticks_are_decades_at_their_display_positions() -> None:
    transform = Logicle()
    axis = make_axis("CD27", transform, np.linspace(0, 1, 500), [])
    ticks = {text: position for position, text in axis.ticks}
    assert {"0", "1k", "10k", "100k"} <= set(ticks)
    assert ticks["10k"] == pytest.approx(float(transform.apply(np.array([10_000.0]))[0]))


def test_linear_scatter_ticks_read_in_channel_units() -> None:
    axis = make_axis("FSC-A", Linear(262144), np.linspace(0, 1, 100), [])
    assert [text for _, text in axis.ticks] == ["0", "100k", "200k"]


@pytest.mark.parametrize("top", [0.9, 1.0, 1.4, 2.0, 3.3, 5.0, 7.7, 144_000.0])
def test_linear_ticks_are_few_and_evenly_spaced(top: float) -> None:
    positions = [p for p, _ in make_axis("a", None, np.linspace(0, top, 1000), []).ticks]
    assert 3 <= len(positions) <= 6
    assert np.ptp(np.diff(positions)) == pytest.approx(0, abs=1e-9 * top)


def test_a_boundary_near_the_data_widens_the_window_and_a_far_one_does_not() -> None:
    values = np.linspace(0.2, 0.6, 1000)
    assert make_axis("a", None, values, [0.75]).maximum > 0.75
    assert make_axis("a", None, values, [5.0]).maximum < 1.0
    assert make_axis("a", None, values, [np.inf]).maximum < 1.0


def test_infinite_values_of_a_log_scale_do_not_break_the_window() -> None:
    transform = Log(T=1000, M=4)
    axis = make_axis("a", transform, transform.apply(np.array([0.0, 1.0, 10.0, 100.0])), [])
    assert np.isfinite([axis.minimum, axis.maximum]).all()


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [np.nan]])
def test_too_few_values_still_give_a_window(values: list[float]) -> None:
    axis = make_axis("a", None, np.array(values), [])
    assert axis.maximum > axis.minimum


def test_a_pile_of_events_on_the_largest_value_lies_inside() -> None:
    assert make_axis("a", None, np.repeat([0.0, 1.0], 5000), []).maximum > 1.0


def test_steps_and_texts_are_round() -> None:
    assert [nice_step(1.0, 4), nice_step(90, 3), nice_step(262144, 3)] == [0.2, 20.0, 50000.0]
    assert short_number(250_000) == "250k"
