"""Read one data set of an FCS file as a sample."""

from __future__ import annotations

import os

from cytometry.errors import RequestError
from cytometry.io.fcs.datasets import find_datasets, note_several
from cytometry.io.fcs.ledger import Ledger
from cytometry.io.fcs.source import file_name, open_source
from cytometry.io.fcs.survey import survey_dataset
from cytometry.model.sample import Sample


def read_fcs(path: str | os.PathLike[str], *, dataset: int = 0, strict: bool = True) -> Sample:
    """Read FCS 2.0, 3.0, 3.1 or 3.2 list mode.

    HEADER, TEXT and sizes are checked against each other at once; events are
    mapped and read when a column is asked for; the hash, and the findings that
    need a look at every value, are computed when first asked for.

    Parameters
    ----------
    path
        The file.
    dataset
        Which of several data sets, counted from 0 (Beckman Coulter's LMD holds two).
    strict
        Refuse what would change a number on a guess. Lenient reading goes on
        and records the guess as a warning.

    Raises
    ------
    FcsError
        The file cannot be read; the error's ``findings`` say all that is wrong.
    RequestError
        ``path`` is no path or ``dataset`` no number ≥ 0.
    """
    file = file_name(path)
    if not isinstance(dataset, int) or isinstance(dataset, bool) or dataset < 0:
        raise RequestError(f"dataset={dataset!r} is no number of a data set", where=file, hint="count from 0")
    ledger = Ledger(file, strict, dataset)
    source = open_source(file, ledger)
    extents = find_datasets(source, ledger)
    if dataset >= len(extents):
        ledger.refuse(
            "DATASET_MISSING",
            f"data set {dataset} is asked for; the file holds {len(extents)} ($NEXTDATA), counted from 0",
            segment="TEXT",
            keyword="$NEXTDATA",
            found=f"{len(extents)} data sets",
            expected=f"dataset=0 to {len(extents) - 1}",
            fix=f"ask for dataset=0 to {len(extents) - 1}",
        )
    ledger.check()
    note_several(extents, dataset, ledger)
    survey = survey_dataset(source, extents[dataset].base, extents[dataset].limit, ledger)
    found = tuple(ledger.findings)
    return Sample(
        name=file,
        channels=survey.channels,
        n_events=survey.columns.n_events,
        columns=survey.columns,
        keywords=survey.keywords,
        spillover=survey.spillover,
        findings=lambda: found + survey.columns.value_findings(),
        sha256=source.sha256,
    )
