"""Membership: bits that answer by path, and come back from worker processes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cytometry.errors import GatingError
from cytometry.gating.membership import Membership

KEPT = np.array([False, True, True, False, False, False, False, False, False, True])


def membership() -> Membership:
    return Membership(
        n_events=10,
        paths=("root/a", "root/b"),
        counts={"root/a": 3, "root/b": None},
        bits={"root/a": np.packbits(KEPT)},
        undefined={"root/b": "no channel measures 'CD21'"},
    )


def test_mask_indices_and_count_tell_the_same() -> None:
    found = membership()
    assert found.mask("root/a").tolist() == KEPT.tolist()
    assert found.indices("root/a").tolist() == [1, 2, 9]
    assert found.count("root/a") == 3


def test_the_root_is_every_event() -> None:
    assert membership().count("root") == 10
    assert membership().mask("root").all()


def test_an_undefined_population_has_no_count_and_no_mask() -> None:
    assert membership().count("root/b") is None
    with pytest.raises(GatingError, match="population 'root/b' is undefined: no channel measures 'CD21'"):
        membership().indices("root/b")


def test_an_unknown_population_is_named_with_those_there_are() -> None:
    with pytest.raises(GatingError, match=r"no population 'root/c' \(populations: root/a, root/b\)"):
        membership().count("root/c")


def test_it_comes_back_from_a_worker_process() -> None:
    again = pickle.loads(pickle.dumps(membership()))
    assert again.indices("root/a").tolist() == [1, 2, 9]
    assert dict(again.undefined) == {"root/b": "no channel measures 'CD21'"}


def test_its_bits_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        membership().bits["root/a"][0] = 0
