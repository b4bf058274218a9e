"""The constants of the normal distribution against SciPy's quantiles."""

from __future__ import annotations

import pytest
from scipy.stats import norm

from cytometry.model.normal import MAD_TO_SD, NORMAL_HALF_WIDTH, NORMAL_MAD


def test_four_digits_are_right() -> None:
    assert pytest.approx(norm.ppf(0.75), abs=5e-5) == NORMAL_MAD
    assert pytest.approx(1.0 / norm.ppf(0.75), abs=5e-5) == MAD_TO_SD
    assert norm.pdf(NORMAL_HALF_WIDTH) / norm.pdf(0.0) == pytest.approx(0.5, abs=5e-5)
