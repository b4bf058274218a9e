from __future__ import annotations

import math
import re

import pytest

from cytometry.plotting.control_chart import ChartPoint, control_chart_picture


def picture(*points: ChartPoint) -> str:
    return control_chart_picture(points, scale=("1", "2", "3"), ends=("first", "last"), description="a chart")


def lines(svg: str) -> list[float]:
    """Heights of the seven lines, from −3 to +3."""
    return [float(y) for y in re.findall(r'd="M34 ([\d.]+)H', svg)]


def test_a_point_stands_on_the_line_of_its_deviation() -> None:
    svg = picture(ChartPoint(0.0, "", False), ChartPoint(2.0, "", False), ChartPoint(-1.0, "", False))
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', svg)]
    at = lines(svg)
    assert heights == pytest.approx([at[3], at[5], at[2]], abs=0.06)
    assert at == sorted(at, reverse=True)


def test_what_is_rejected_is_a_square_and_a_warning_an_open_disc() -> None:
    svg = picture(ChartPoint(2.5, "1-2s", False), ChartPoint(3.5, "1-2s;1-3s", True))
    assert svg.count("<rect") == 1
    assert svg.count('fill="white"') == 1


def test_a_point_beyond_the_chart_is_an_arrow_at_its_edge() -> None:
    up, down = picture(ChartPoint(50.0, "1-3s", True)), picture(ChartPoint(-50.0, "1-3s", True))
    assert "l-4 -5z" in up
    assert "l-4 5z" in down


def test_an_unknown_value_is_not_drawn_at_zero() -> None:
    assert "<circle" not in picture(ChartPoint(math.nan, "", False))


def test_text_is_escaped() -> None:
    svg = control_chart_picture([], scale=("<a>", "", ""), ends=("<b>", ""), description='"<c>')
    assert not re.search(r"<[abc]>", svg)
