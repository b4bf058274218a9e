from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
from matplotlib.figure import Figure

from cytometry.plotting.palette import subject_styles
from cytometry.plotting.svg import figure_svg
from cytometry.plotting.trajectories import Course, trajectory_figure, visit_axis

SUBJECTS = ["P<1>", "P2"]


def figure() -> Figure:
    nothing = np.full(3, np.nan)
    courses = [
        Course(s, np.array([0.1, 0.2, 0.05 * (i + 1)]), nothing, nothing, np.array([False, False, i == 1]))
        for i, s in enumerate(SUBJECTS)
    ]
    axis = visit_axis(["week 0", "week 4", "week 8"], [0, 28, 56])
    return trajectory_figure(courses, axis, subject_styles(SUBJECTS), kind="logit", y_label="% of B cells")


def test_two_drawings_are_the_same_bytes() -> None:
    assert figure_svg(figure(), title="t", prefix="a") == figure_svg(figure(), title="t", prefix="a")


def test_ids_of_two_figures_on_one_page_never_meet() -> None:
    def ids(svg: str) -> set[str]:
        return set(re.findall(r'\bid="([^"]+)"', svg))

    assert not ids(figure_svg(figure(), title="t", prefix="a")) & ids(figure_svg(figure(), title="t", prefix="b"))


def test_every_reference_inside_has_its_target() -> None:
    svg = figure_svg(figure(), title="t", prefix="a")
    targets = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
    assert targets <= set(re.findall(r'\bid="([^"]+)"', svg))


def test_names_are_text_and_harmless() -> None:
    svg = figure_svg(figure(), title='a "title" <b>', prefix="a")
    root = ET.fromstring(svg)
    assert root.get("aria-label") == 'a "title" <b>'
    assert "P<1>" in [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]


def test_no_date_and_no_outside_reference_is_left() -> None:
    svg = figure_svg(figure(), title="t", prefix="a")
    assert "<metadata" not in svg
    assert not re.findall(r'href="(?!#)', svg)
