"""Figures of a large trial: no names, no lost participants."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cytometry.plotting.change_scatter import change_scatter_figure
from cytometry.plotting.palette import subject_styles
from cytometry.plotting.svg import figure_svg
from cytometry.plotting.trajectories import NAMED_AT_MOST, Course, trajectory_figure, visit_axis

TEXT = "{http://www.w3.org/2000/svg}text"


def names_in(svg: str, subjects: list[str]) -> set[str]:
    return {t.text for t in ET.fromstring(svg).iter(TEXT) if t.text in subjects}  # type: ignore[misc]


@pytest.mark.parametrize("n", [NAMED_AT_MOST, NAMED_AT_MOST + 1])
def test_names_stand_beside_the_courses_only_while_they_fit(n: int) -> None:
    subjects = [f"S{i:03d}" for i in range(n)]
    nothing = np.full(2, np.nan)
    courses = [Course(s, np.array([0.1, 0.2]), nothing, nothing, np.zeros(2, dtype=bool)) for s in subjects]
    axis = visit_axis(["a", "b"], [0, 1])
    figure = trajectory_figure(courses, axis, subject_styles(subjects), kind="logit", y_label="%")
    assert len(figure.axes[0].lines) >= n
    assert len(names_in(figure_svg(figure, title="t", prefix="a"), subjects)) == (n if n <= NAMED_AT_MOST else 0)


def test_six_points_are_all_named_and_none_hides_another() -> None:
    subjects = [f"P0{i}" for i in range(6)]
    x, y = np.array([0.0, 0.01, 0.02, 0.5, 0.5, -0.4]), np.array([-4.0, -4.0, -4.0, -6.0, -5.9, 1.0])
    figure = change_scatter_figure(subjects, x, y, subject_styles(subjects), x_label="x", y_label="y", notes={})
    assert names_in(figure_svg(figure, title="t", prefix="a"), subjects) == set(subjects)
    places = [a.xyann for a in figure.axes[0].texts]
    assert len({(round(float(x[i]), 2), float(y[i]), *places[k]) for k, i in enumerate(np.argsort(-y))}) == 6
