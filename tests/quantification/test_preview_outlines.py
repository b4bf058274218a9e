from __future__ import annotations

import numpy as np
import pytest

from cytometry.model.gates import Dimension, EllipsoidGate, Interval, PolygonGate, RectangleGate
from cytometry.quantification.preview_outlines import clip_to_window, gate_outlines

X, Y, Z = Dimension("x"), Dimension("y"), Dimension("z")


def area(polygon: np.ndarray) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def test_ellipse_outline_has_the_ellipse_area() -> None:
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])
    (outline,) = gate_outlines(EllipsoidGate((X, Y), np.zeros(2), covariance, 1.5), X, Y)
    # An inscribed polygon of n vertices has the share n/(2 pi) sin(2 pi/n) of pi d sqrt(det).
    n = len(outline)
    share = n / (2 * np.pi) * np.sin(2 * np.pi / n)
    assert area(outline) == pytest.approx(share * np.pi * 1.5 * np.sqrt(np.linalg.det(covariance)))


def test_swapped_axes_swap_the_polygon() -> None:
    vertices = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]])
    gate = PolygonGate((X, Y), vertices)
    np.testing.assert_array_equal(gate_outlines(gate, Y, X)[0], vertices[:, ::-1])
    assert gate_outlines(gate, X, Z) == ()


def test_an_interval_is_open_on_the_other_axis() -> None:
    (outline,) = gate_outlines(RectangleGate((Interval(X, 1.0, 2.0),)), X, None)
    assert sorted(set(outline[:, 0])) == [1.0, 2.0]
    assert sorted(set(outline[:, 1])) == [-np.inf, np.inf]


def test_clipping_keeps_exactly_the_overlap() -> None:
    triangle = np.array([[-1.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    # Within the unit square the triangle y <= x + 1 fills everything.
    assert area(clip_to_window(triangle, (0, 0), (1, 1))) == pytest.approx(1.0)
    assert area(clip_to_window(triangle, (-1, 0), (0, 2))) == pytest.approx(0.5)
    assert len(clip_to_window(triangle, (5, 5), (6, 6))) == 0
    open_side = np.array([[0.5, -np.inf], [np.inf, -np.inf], [np.inf, np.inf], [0.5, np.inf]])
    assert area(clip_to_window(open_side, (0, 0), (1, 1))) == pytest.approx(0.5)
