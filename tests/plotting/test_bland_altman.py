"""Where lines, marks and ticks of an agreement picture stand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.plotting.bland_altman import AgreementPicture, bland_altman_figure
from cytometry.plotting.palette import subject_styles
from cytometry.plotting.svg import figure_svg

NAN = math.nan


def picture(**changes: object) -> AgreementPicture:
    """Two tubes of one participant and one of another, at 10, 20 and 50 %."""
    given: dict[str, object] = {
        "title": "Naive B",
        "whole": "B cells",
        "subjects": ("P1", "P1", "P2"),
        "means": np.log([0.1 / 0.9, 0.2 / 0.8, 1.0]),
        "differences": np.array([0.1, 0.2, -0.1]),
        "lines": ((0.05, -0.1, 0.2), (-0.4, -0.6, -0.3), (0.5, 0.4, 0.7)),
    }
    return AgreementPicture(**{**given, **changes})  # type: ignore[arg-type]


def draw(*pictures: AgreementPicture) -> object:
    return bland_altman_figure(pictures, subject_styles(["P1", "P2"]), y_label="B - A")


def test_lines_stand_at_bias_and_limits_and_marks_at_the_tubes() -> None:
    (axes,) = draw(picture()).axes  # type: ignore[attr-defined]
    flat = {float(y[0]) for y in (line.get_ydata() for line in axes.lines) if len(y) == 2 and y[0] == y[1]}
    assert {0.0, 0.05, -0.4, 0.5} <= flat
    marks = {float(y) for line in axes.lines if line.get_linestyle() == "None" for y in line.get_ydata()}
    assert marks == {0.1, 0.2, -0.1}
    low, high = axes.get_ylim()
    assert low == -high
    assert high == pytest.approx(0.5 * 1.25)


def test_ticks_are_shares_at_their_log_odds() -> None:
    (axes,) = draw(picture()).axes  # type: ignore[attr-defined]
    ticks = dict(zip((t.get_text() for t in axes.get_xticklabels()), axes.get_xticks(), strict=True))
    assert ticks["10"] == pytest.approx(math.log(10 / 90))
    assert ticks["50"] == pytest.approx(0.0)
    assert len(ticks) >= 3


def test_tubes_at_one_share_still_get_two_ticks() -> None:
    same = picture(means=np.full(3, math.log(0.42 / 0.58)), lines=((0.0, NAN, NAN), (NAN, NAN, NAN), (NAN, NAN, NAN)))
    (axes,) = draw(same).axes  # type: ignore[attr-defined]
    low, high = axes.get_xlim()
    assert high - low == pytest.approx(math.log(3))
    assert len(axes.get_xticks()) >= 2


def test_four_populations_stand_in_two_rows_and_the_drawing_is_the_same_each_time() -> None:
    pictures = [picture(title=f"population {i}") for i in range(4)]
    figure = draw(*pictures)
    tops = [round(a.get_position().y0, 3) for a in figure.axes]  # type: ignore[attr-defined]
    assert tops[0] == tops[1] == tops[2] > tops[3]
    first = figure_svg(figure, title="t", prefix="p")  # type: ignore[arg-type]
    assert figure_svg(draw(*pictures), title="t", prefix="p") == first  # type: ignore[arg-type]


def test_the_key_names_the_participants_and_the_axis_the_whole() -> None:
    figure = draw(picture())
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["P1", "P2"]  # type: ignore[attr-defined]
    assert figure.axes[0].get_xlabel() == "mean, % of B cells"  # type: ignore[attr-defined]


def test_a_hostile_name_is_text() -> None:
    svg = figure_svg(draw(picture(title="<script>alert(1)</script> $x^2$")), title="t", prefix="p")  # type: ignore[arg-type]
    assert "<script" not in svg
    assert "&lt;script" in svg
