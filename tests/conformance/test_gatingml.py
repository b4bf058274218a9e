"""The standard's own compliance suite: the answer is given for every event."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.gating.membership import Membership
from cytometry.io.fcs import read_fcs
from cytometry.io.gatingml import gatingml_bytes, parse_gatingml, read_gatingml
from cytometry.model.sample import Sample
from cytometry.model.strategy import GatingStrategy
from cytometry.preprocessing.dimensions import channel_map_by_name
from tests.reference import reference_files

FILES = reference_files("data/gatingml2_compliance_set1/gml/*.xml")

# The suite's answer for this gate is filed under another name.
ANSWER_OF = {"ParRectangle1": "ParQuadRect"}


@cache
def sample_of(folder: Path) -> Sample:
    return read_fcs(folder / "data1.fcs", strict=False)


def gated(strategy: GatingStrategy, folder: Path) -> Membership:
    sample = sample_of(folder)
    return gate_sample(strategy, sample, channel_map_by_name(sample))


def answers(strategy: GatingStrategy, folder: Path) -> dict[str, Path]:
    found = {p.path: folder / "truth" / f"Results_{ANSWER_OF.get(p.name, p.name)}.txt" for p in strategy.populations}
    return {path: file for path, file in found.items() if file.exists()}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_event_of_the_compliance_suite_is_placed_as_the_answer_says(file: Path) -> None:
    folder = file.parents[1]
    strategy = read_gatingml(file)
    membership = gated(strategy, folder)
    for path, answer in answers(strategy, folder).items():
        expected = np.loadtxt(answer).astype(bool)
        assert np.array_equal(membership.mask(path), expected), path


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_members_stay_the_same_when_a_strategy_is_written_and_read_again(file: Path) -> None:
    folder = file.parents[1]
    strategy = read_gatingml(file)
    again = parse_gatingml(gatingml_bytes(strategy))
    before, after = gated(strategy, folder), gated(again, folder)
    assert before.paths == after.paths
    for path in before.paths:
        assert np.array_equal(before.mask(path), after.mask(path)), path


def test_every_answer_of_the_suite_is_asked_for(reference_data: Path) -> None:
    folder = reference_data / "data" / "gatingml2_compliance_set1"
    asked = {a.name for f in (folder / "gml").glob("*.xml") for a in answers(read_gatingml(f), folder).values()}
    assert asked == {a.name for a in (folder / "truth").glob("*.txt")}
