"""How the robust measures of a normal distribution's spread relate to its standard deviation, to four digits."""

from __future__ import annotations

from typing import Final

# Median absolute deviation of a standard normal: its upper quartile.
NORMAL_MAD: Final = 0.6745
# The inverse: a median absolute deviation times this is a standard deviation.
MAD_TO_SD: Final = 1.4826
# Half width at half maximum of a standard normal density: sqrt(2 ln 2).
NORMAL_HALF_WIDTH: Final = 1.1774
