"""Which tubes share a gate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytometry.gating.scopes import scope_groups
from cytometry.gating.tubes import Tube
from cytometry.model.channels import Channel
from cytometry.model.sample import Sample
from cytometry.preprocessing.dimensions import ChannelMap

EMPTY = Sample.from_array(np.zeros((0, 1)), (Channel(0, "X"),))


def tube(key: str, subject: str | None = None, batch: str | None = None, role: str = "sample") -> Tube:
    return Tube(key, EMPTY, ChannelMap({}), subject, batch, role)


ONE_BATCH = [tube("a1", "A", "1"), tube("a2", "A", "1"), tube("b1", "B", "1"), tube("c", None, "1", "control")]
TWO_BATCHES = [tube("a1", "A", "1"), tube("a2", "A", "2"), tube("b1", "B", "1"), tube("b2", "B", "1")]


def members(tubes: list[Tube], scope: str, *, alone: bool = False, can_bridge: bool = False) -> dict[str, str]:
    groups = scope_groups(tubes, scope, alone=alone, can_bridge=can_bridge)  # type: ignore[arg-type]
    return {t.key: g.name for g in groups for t in g.receiving}


def test_visits_of_a_subject_in_one_batch_share_a_gate() -> None:
    assert members(ONE_BATCH, "subject") == {"a1": "subject A", "a2": "subject A", "b1": "subject B", "c": "sample c"}


def test_visits_in_several_batches_fall_back_to_their_own_gates() -> None:
    groups = scope_groups(TWO_BATCHES, "subject", alone=False, can_bridge=False)
    assert [(g.name, g.scope, g.spans_batches) for g in groups] == [
        ("sample a1", "sample", True),
        ("sample a2", "sample", True),
        ("subject B", "subject", False),
    ]


def test_bridging_controls_let_visits_in_several_batches_share() -> None:
    groups = scope_groups(TWO_BATCHES, "subject", alone=False, can_bridge=True)
    assert [(g.name, g.bridged) for g in groups] == [("subject A", True), ("subject B", False)]


def test_a_batch_shares_with_its_control_which_does_not_shape_the_gate() -> None:
    (group,) = scope_groups(ONE_BATCH, "batch", alone=False, can_bridge=False)
    assert [t.key for t in group.contributing] == ["a1", "a2", "b1"]
    assert [t.key for t in group.receiving] == ["a1", "a2", "b1", "c"]


def test_a_study_in_several_batches_falls_back_to_the_batch_of_those_who_lie_in_one() -> None:
    groups = scope_groups(TWO_BATCHES, "study", alone=False, can_bridge=False)
    assert [(g.name, g.spans_batches) for g in groups] == [("sample a1", True), ("sample a2", True), ("batch 1", True)]
    assert [t.key for t in groups[2].receiving] == ["b1", "b2"]


def test_a_batch_shares_no_gate_with_those_who_are_in_others_too() -> None:
    groups = scope_groups([*TWO_BATCHES, tube("c", None, "1", "control")], "batch", alone=False, can_bridge=False)
    assert [(g.name, g.spans_batches) for g in groups] == [("sample a1", True), ("sample a2", True), ("batch 1", False)]
    assert [t.key for t in groups[2].receiving] == ["b1", "b2", "c"]


@pytest.mark.parametrize("scope", ["subject", "batch"])
def test_batches_that_are_placed_elsewhere_count_too(scope: str) -> None:
    """Of a gate group that is one batch, the other visits of a subject are told and not seen."""
    told = [replace(t, other_batches=t.subject_group == "A") for t in ONE_BATCH]
    assert members(told, scope)["a1"] == "sample a1"
    assert members(told, scope)["b1"] == ("subject B" if scope == "subject" else "batch 1")


def test_alone_every_tube_has_its_own_gate() -> None:
    for scope in ("sample", "subject", "batch", "study"):
        assert members(ONE_BATCH, scope, alone=True) == {k: f"sample {k}" for k in ("a1", "a2", "b1", "c")}


def test_fmo_and_unstained_tubes_get_no_gate() -> None:
    assert members(
        [*ONE_BATCH, tube("f", None, "1", "fmo:CD27"), tube("u", None, "1", "unstained")], "batch"
    ).keys() == {
        "a1",
        "a2",
        "b1",
        "c",
    }
