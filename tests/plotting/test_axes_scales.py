from __future__ import annotations

import numpy as np
import pytest

from cytometry.plotting.axes_scales import axis_scale
from cytometry.plotting.labels import spread


def test_logit_axis_is_the_log_odds_and_labelled_in_percent() -> None:
    scale = axis_scale("logit")
    assert scale.position(np.array([0.2]))[0] == pytest.approx(np.log(0.2 / 0.8))
    positions, texts = scale.ticks(float(np.log(0.01 / 0.99)), float(np.log(0.3 / 0.7)))
    assert dict(zip(texts, positions, strict=True))["10 %"] == pytest.approx(np.log(0.1 / 0.9))


def test_doubling_is_one_step_of_the_concentration_axis() -> None:
    scale = axis_scale("log2")
    low, high = scale.position(np.array([100.0, 200.0]))
    assert high - low == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["logit", "log2", "percent", "plain"])
def test_ticks_are_sorted_inside_and_apart(kind: str) -> None:
    low, high = (-3.0, 1.0) if kind == "logit" else (1.0, 9.0)
    positions, _ = axis_scale(kind).ticks(low, high)  # type: ignore[arg-type]
    assert len(positions) >= 3
    assert positions == sorted(positions)
    assert min(np.diff(positions)) >= (high - low) / 9 * 0.999


def test_labels_keep_their_order_and_their_distance() -> None:
    placed = spread([0.5, 0.52, 0.1, 0.51], 0.1, 0.0, 1.0)
    assert sorted(range(4), key=lambda i: placed[i]) == [2, 0, 3, 1]
    assert min(np.diff(sorted(placed))) >= 0.1 - 1e-12
    assert max(placed) <= 1.0
