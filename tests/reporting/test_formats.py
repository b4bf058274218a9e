from __future__ import annotations

import doctest
import importlib
import math

import pytest

from cytometry.reporting.formats import p_value, percent, significant

DOCUMENTED = (
    "cytometry.reporting.formats",
    "cytometry.reporting.results",
    "cytometry.reporting.population_names",
    "cytometry.plotting.palette",
    "cytometry.plotting.labels",
    "cytometry.plotting.trajectories",
    "cytometry.plotting.gate_picture",
    "cytometry.plotting.axes_scales",
    "cytometry.quantification.preview_axes",
    "cytometry.quantification.preview_outlines",
)


@pytest.mark.parametrize("module", DOCUMENTED)
def test_examples_in_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


def test_undefined_is_a_dash_and_never_zero() -> None:
    assert {significant(math.nan), percent(math.nan), p_value(math.nan)} == {"–"}


def test_no_p_value_is_printed_as_zero() -> None:
    assert p_value(1e-12) == "< 0.0001"
    assert p_value(0.03125) == "0.031"


def test_a_floor_above_alpha_is_not_rounded_down() -> None:
    # 2/32: half-even rounding would print 0.062.
    assert p_value(2 / 32) == "0.063"
    assert p_value(0.0500) == "0.050"
