"""The page and the picture of a comparison, written beside its tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cytometry.io.atomic import write_atomically
from cytometry.model.agreement_tables import AGREEMENT, CONCLUSIONS, MATCHED_POPULATIONS, OVERLAP
from cytometry.pipeline.compared_sides import ComparedSides
from cytometry.pipeline.frames import frame
from cytometry.pipeline.out_folder import versions
from cytometry.pipeline.overlap_step import Rows

PAGE: Final = "comparison.html"
PICTURE: Final = "bland_altman.svg"


def write_strategy_page(
    out: Path, sides: ComparedSides, tables: Mapping[str, Rows], notes: tuple[str, ...], problem: str
) -> None:
    """Draw and write; a picture of an earlier comparison goes where there is none now.

    Raises
    ------
    OutputError
        They cannot be written.
    """
    from cytometry.plotting.svg import figure_svg
    from cytometry.reporting.strategy_page import StrategyPageInputs, agreement_figure, strategy_page
    from cytometry.statistics.strategy_agreement import paired_shares

    overlap, agreement = frame(OVERLAP, tables[OVERLAP.name]), frame(AGREEMENT, tables[AGREEMENT.name])
    samples = overlap[overlap["role"] == "sample"]
    shares = paired_shares(overlap, sides.study.plan.rules.min_parent)
    figure = agreement_figure(shares, agreement)
    names = (sides.sides[0].name, sides.sides[1].name)
    page = strategy_page(
        StrategyPageInputs(
            title=f"{names[0]} beside {names[1]}",
            names=names,
            populations=frame(MATCHED_POPULATIONS, tables[MATCHED_POPULATIONS.name]),
            agreement=agreement,
            conclusions=frame(CONCLUSIONS, tables[CONCLUSIONS.name]),
            shares=shares,
            notes=notes,
            statistics_problem=problem,
            is_synthetic=sides.study.facts.synthetic,
            tubes=int(samples["sample_id"].nunique()),
            participants=int(samples["subject_id"].nunique()),
            version=versions()["cytometry"],
        ),
        figure,
    )
    if figure is None:
        (out / PICTURE).unlink(missing_ok=True)
    else:
        svg = figure_svg(figure, title=f"Bland-Altman: {names[0]} and {names[1]}", prefix="ba")
        write_atomically(out / PICTURE, svg.encode())
    write_atomically(out / PAGE, page.encode())
