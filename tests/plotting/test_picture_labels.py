from __future__ import annotations

import numpy as np

from cytometry.plotting.picture_labels import LabelPlace, place_label

CENTRE = (60.0, 60.0)


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=float)


def test_quadrants_are_labelled_in_the_picture_s_corners() -> None:
    taken: list[LabelPlace] = []
    for outline in (box(0, 0, 50, 50), box(50, 0, 120, 50), box(0, 50, 50, 120), box(50, 50, 120, 120)):
        taken.append(place_label(outline, "50 %", taken, CENTRE))
    assert [(p.x < 60, p.y < 60) for p in taken] == [(True, True), (False, True), (True, False), (False, False)]


def test_outlines_on_one_box_get_labels_that_do_not_touch() -> None:
    taken: list[LabelPlace] = []
    for _ in range(6):
        taken.append(place_label(box(10, 10, 60, 60), "55 %", taken, CENTRE))
    pairs = [(a, b) for i, a in enumerate(taken) for b in taken[:i]]
    assert not any(a.meets(b) for a, b in pairs)


def test_a_dent_s_label_stays_with_the_outline() -> None:
    # An L without its lower right corner: the label may not stand there.
    outline = np.array([[0, 0], [120, 0], [120, 40], [30, 40], [30, 120], [0, 120]], dtype=float)
    place = place_label(outline, "92 %", [], CENTRE)
    assert not (place.x > 30 and place.y > 40)
