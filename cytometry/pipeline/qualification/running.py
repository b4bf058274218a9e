"""A run as a whole: the same bytes for any number of workers, nothing lost, every change noticed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from cytometry.io.damage import cut_copy, flip_byte
from cytometry.io.digests import file_digest
from cytometry.io.fcs.write import write_fcs
from cytometry.io.gatingml import write_gatingml
from cytometry.io.manifest import compare_with_manifest
from cytometry.model.channels import Channel
from cytometry.model.claims import Claim
from cytometry.model.gates import Dimension, Interval, RectangleGate
from cytometry.model.strategy import ROOT, GatingStrategy, Population
from cytometry.pipeline.gate_step import GateOptions, GateResult, file_job, gate_job
from cytometry.pipeline.tasks import GatingSettings

AREA: Final = "running"
_FILES: Final = 6


def running_claims(folder: Path) -> Iterator[Claim]:
    """Gate a folder with one broken file, once and with two workers, then damage a result."""
    inputs = folder / "fcs"
    inputs.mkdir()
    rng = np.random.default_rng(5)
    channels = (Channel(0, "FSC-A", range=1024.0), Channel(1, "FL1-A", range=1024.0))
    for i in range(_FILES):
        write_fcs(inputs / f"tube{i}.fcs", rng.uniform(0, 1000, (2_000, 2)).astype(np.float32), channels)
    cut_copy(inputs / "tube0.fcs", inputs / "broken.fcs")
    gate = RectangleGate((Interval(Dimension("FL1-A"), 500.0),))
    write_gatingml(GatingStrategy("bright", (Population("bright", ROOT, gate),)), folder / "bright.gml.xml")
    one = _gate(folder, "one", 1)
    _gate(folder, "two", 2)
    tally = one.run.tally
    rule = "reliability rule"
    yield Claim(
        AREA,
        "one broken file among seven: gated, failed",
        rule,
        "=",
        f"{_FILES}, 1",
        f"{tally.done}, {tally.failed}",
    )
    tables = sorted((folder / "one" / "tables").iterdir())
    same = [file_digest(t) == file_digest(folder / "two" / "tables" / t.name) for t in tables]
    yield Claim(
        AREA, "tables that differ between one worker and two", "the same bytes", "=", 0.0, float(same.count(False))
    )
    again = _gate(folder, "one", 1).run.decisions
    skipped = sum(d.action == "skip" for d in again)
    yield Claim(AREA, "a second run gates again what had failed, and nothing else", rule, "=", _FILES, skipped)
    yield Claim(AREA, "an untouched folder verifies: differences", rule, "=", 0.0, float(_differences(folder / "one")))
    flip_byte(folder / "one" / "tables" / "counts.csv")
    yield Claim(
        AREA, "one flipped bit in a table is noticed: differences", rule, "=", 1.0, _differences(folder / "one")
    )


def _gate(folder: Path, out: str, jobs: int) -> GateResult:
    settings = GatingSettings(alone=True, detail=False)
    job = file_job([str(folder / "fcs")], str(folder / "bright.gml.xml"), folder / out, settings)
    return gate_job(job, GateOptions(jobs, settings=settings))


def _differences(out: Path) -> float:
    found: Sequence[object] = compare_with_manifest(out)
    return float(len(found))
