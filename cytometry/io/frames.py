"""Result tables as data frames, for people at a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def read_frame(path: Path) -> pd.DataFrame:
    """One of our CSV tables; only an empty cell is missing, so that a sample may be called ``NA``."""
    import pandas as pd

    return pd.read_csv(path, keep_default_na=False, na_values=[""])
