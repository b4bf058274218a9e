"""Published open-label studies of MSC in treatment-refractory lupus, with exact intervals from their counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cytometry.statistics.proportions import proportion_interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """A count out of a number treated, as printed; ``note`` says what does not fit."""

    study: str
    cells: str
    endpoint: str
    count: int
    n: int
    source: str
    note: str = ""


PUBLISHED = (
    PublishedRate(
        "Kamen 2022", "umbilical cord, one infusion", "SRI-4 at week 24", 5, 6, "doi 10.1136/lupus-2022-000704"
    ),
    PublishedRate(
        "Wang, one infusion",
        "allogeneic MSC",
        "complete remission",
        16,
        30,
        "open-label series, one against two infusions",
    ),
    PublishedRate(
        "Wang, two infusions",
        "allogeneic MSC",
        "complete remission",
        8,
        28,
        "open-label series, one against two infusions",
        "printed as 8/27 and 29 %; 58 in all and 29 % fit 28",
    ),
    PublishedRate(
        "Wang, 27 months", "allogeneic MSC", "complete remission", 23, 83, "open-label series, mean 27 months"
    ),
    PublishedRate("Wang, 27 months", "allogeneic MSC", "relapse", 10, 83, "open-label series, mean 27 months"),
    PublishedRate(
        "Wang 2014", "umbilical cord, two infusions", "major clinical response", 13, 40, "doi 10.1186/ar4520"
    ),
    PublishedRate(
        "Wang 2014", "umbilical cord, two infusions", "partial clinical response", 11, 40, "doi 10.1186/ar4520"
    ),
    PublishedRate("Wang 2014", "umbilical cord, two infusions", "relapse", 7, 40, "doi 10.1186/ar4520"),
)


def open_label_table(own: tuple[PublishedRate, ...] = (), *, level: float = 0.95) -> pd.DataFrame:
    """Published rates, and the study's own below them, with Clopper and Pearson's intervals in percent.

    Different endpoints, follow-up and background therapy stand side by side:
    the table is for orientation, not for a test between studies.
    """
    import pandas as pd

    rows = []
    for rate in (*PUBLISHED, *own):
        interval = proportion_interval(rate.count, rate.n, level=level)
        rows.append(
            asdict(rate) | {"percent": 100 * interval.estimate, "low": 100 * interval.low, "high": 100 * interval.high}
        )
    return pd.DataFrame(rows)
