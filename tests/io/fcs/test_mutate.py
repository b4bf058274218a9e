"""A bounded fuzz: nothing undeclared, nothing wrong in silence, nothing slow or large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.fcs.mutate import Complaint, bases, complaints, mutate


def fuzz(n: int, seed: int, path: Path) -> list[Complaint]:
    rng = np.random.default_rng(seed)
    files = bases()
    broken: list[Complaint] = []
    for i in range(n):
        mutant = mutate(files[int(rng.integers(len(files)))], rng)
        broken += complaints(mutant, path, strict=bool(rng.random() < 0.7), weigh=i % 10 == 0)
    return broken


def test_a_few_hundred_mutants_break_no_promise(tmp_path: Path) -> None:
    assert fuzz(300, 20, tmp_path / "mutant.fcs") == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_mutants_break_no_promise(seed: int, tmp_path: Path) -> None:
    assert fuzz(5_000, seed, tmp_path / "mutant.fcs") == []
