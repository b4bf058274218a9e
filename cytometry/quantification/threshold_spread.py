"""How far a tube's boundary lies from those of the other tubes: the first place to look for a misplaced gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytometry.model.channels import Channel

if TYPE_CHECKING:
    import pandas as pd

# Scales the median absolute deviation to the standard deviation of a normal distribution.
MAD_TO_SD = 1.4826
# Iglewicz and Hoaglin (1993) call a modified z-score beyond 3.5 an outlier.
ROBUST_Z_LIMIT = 3.5
# With fewer tubes the median absolute deviation says nothing.
MINIMUM_TUBES = 5


def threshold_spread(thresholds: pd.DataFrame) -> pd.DataFrame:
    """Robust z of every placed boundary among the tubes of its panel.

    Parameters
    ----------
    thresholds
        The ``thresholds`` table.

    Returns
    -------
    pandas.DataFrame
        Its rows with ``median_display``, ``robust_z`` and ``is_outlier``.
        ``robust_z`` = (value − median) / (1.4826 · MAD); undefined for fewer
        than five tubes, where more than half of them share one value, and along
        time, where a position says how long a tube ran and not where a gate lies.
    """
    import numpy as np

    grouped = thresholds.groupby(["panel", "cut", "dimension"], sort=False)["value_display"]
    median = grouped.transform("median")
    deviation = (thresholds["value_display"] - median).abs()
    keys = [thresholds[k] for k in ("panel", "cut", "dimension")]
    spread = MAD_TO_SD * deviation.groupby(keys, sort=False).transform("median")
    usable = (spread > 0) & (grouped.transform("count") >= MINIMUM_TUBES)
    usable &= thresholds["dimension"].map(lambda d: Channel(0, str(d)).kind != "time").astype(bool)
    z = ((thresholds["value_display"] - median) / spread.where(usable)).astype(np.float64)
    return thresholds.assign(median_display=median, robust_z=z, is_outlier=z.abs() > ROBUST_Z_LIMIT)
