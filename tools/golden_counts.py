"""Write the golden counts of the shipped panels: what each gives on two files of sample_fcs, each file alone.

    python -m tools.golden_counts

Run it after a panel's gates were changed on purpose, and say in the commit why the counts moved.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from cytometry.gating.engine import gate_sample
from cytometry.gating.place import Tube, place
from cytometry.io.fcs import read_fcs
from cytometry.io.panels import load_panel
from cytometry.preprocessing.markers import match_channels

PROJECT = Path(__file__).resolve().parents[1]
FILES = {
    "bcell": ("P01_w00_bcell.fcs", "P06_w08_bcell.fcs"),
    "treg": ("P01_w00_treg.fcs", "P06_w08_treg.fcs"),
}


def files_for(panel: str) -> tuple[str, ...]:
    """The files of sample_fcs on which a panel's counts are golden."""
    return FILES[panel.split("_")[0]]


def golden_rows(panel_name: str) -> Iterator[tuple[str, str, str]]:
    """File, path and count of every population; the count is empty where it is undefined."""
    panel = load_panel(panel_name)
    for name in files_for(panel_name):
        sample = read_fcs(PROJECT / "sample_fcs" / "fcs" / name)
        channels = match_channels(sample, panel).channel_map
        placement = place(panel, [Tube(name, sample, channels)], alone=True)
        if placement.failed:
            raise placement.failed[name]
        membership = gate_sample(placement.strategies[name], sample, channels)
        for path in membership.paths:
            count = membership.count(path)
            yield name, path, "" if count is None else str(count)


def main() -> None:
    for folder in sorted((PROJECT / "gating_strategies").iterdir()):
        if (folder / "panel.yaml").is_file():
            target = folder / "expected" / "counts.csv"
            target.parent.mkdir(exist_ok=True)
            with target.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(("fcs_file", "path", "count"))
                writer.writerows(golden_rows(folder.name))
            print(target.relative_to(PROJECT))


if __name__ == "__main__":
    main()
