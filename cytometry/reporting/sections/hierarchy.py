"""Each sample from its first event to its last subset: counts, shares with intervals, and the pictures again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from cytometry.plotting.gate_picture import HEIGHT, WIDTH
from cytometry.reporting.formats import UNDEFINED, is_missing, percent, significant, whole
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.markup import render
from cytometry.reporting.population_names import population_name
from cytometry.reporting.section import Section
from cytometry.reporting.sections.contact_sheet import picture_id, tubes_of

if TYPE_CHECKING:
    import pandas as pd

PARENT = "parent"
# By sample and path: denominator to the share with its interval, and cells per µL.
Shares = Mapping[tuple[str, str], Mapping[str, tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Branch:
    """One population of a sample."""

    name: str
    path: str
    depth: int
    events: int | None
    count: str
    of_parent: str
    other_shares: tuple[str, ...]
    cells: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleTree:
    """One sample."""

    title: str
    sample_id: str
    events: str
    branches: tuple[Branch, ...]
    pictures: tuple[str, ...]


def _render(inputs: ReportInputs) -> Markup | None:
    counts = inputs.tables.get("counts")
    if counts is None or counts.empty:
        return None
    tubes = tubes_of(inputs)
    shares = _shares(inputs.tables.get("frequencies"))
    trees = []
    for sample_id, rows in counts.groupby("sample_id", sort=False):
        tube = tubes.get(str(sample_id))
        place = " · ".join(p for p in ((tube.panel, tube.subject, tube.visit) if tube else ()) if p)
        trees.append(
            SampleTree(
                title=place,
                sample_id=str(sample_id),
                events=whole(int(rows["total_events"].iloc[0])),
                branches=tuple(_branch(row, shares) for row in rows.to_dict("records")),
                pictures=tuple(
                    picture_id(str(sample_id), i) for i in range(len(inputs.previews.get(str(sample_id), ())))
                ),
            )
        )
    return render("hierarchy.html", trees=trees, width=WIDTH, height=HEIGHT)


def _branch(row: Mapping[Any, Any], shares: Shares) -> Branch:
    path = str(row["path"])
    own = shares.get((str(row["sample_id"]), path), {})
    cells = next((c for _, c in own.values() if c), UNDEFINED)
    events = None if is_missing(row["count"]) else int(row["count"])
    return Branch(
        name=population_name(str(row["population"])),
        path=path,
        depth=path.replace("\\/", "").count("/"),
        events=events,
        count=UNDEFINED if events is None else whole(events),
        of_parent=own[PARENT][0] if PARENT in own else UNDEFINED,
        other_shares=tuple(
            f"{text} of {population_name(d)}" for d, (text, _) in own.items() if d != PARENT and text != UNDEFINED
        ),
        cells=cells,
        flags=tuple(f for f in ("" if is_missing(row["flags"]) else str(row["flags"])).split(";") if f),
    )


def _shares(frequencies: pd.DataFrame | None) -> Shares:
    found: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    if frequencies is None:
        return found
    fields = ["sample_id", "path", "denominator", "fraction", "fraction_low", "fraction_high", "cells_per_ul"]
    for sample, path, denominator, share, low, high, cells in frequencies[fields].itertuples(index=False, name=None):
        text = UNDEFINED if is_missing(share) else f"{percent(share)} [{_bare(low)}–{_bare(high)}]"
        row = found.setdefault((sample, path), {})
        row[denominator] = (text, "" if is_missing(cells) else significant(float(cells)))
    return found


def _bare(fraction: float) -> str:
    return percent(fraction).removesuffix(" %")


SECTION = Section("hierarchy", "Each sample from root to subset", _render)
