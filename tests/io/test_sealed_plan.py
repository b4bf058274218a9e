"""A sealed plan stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytometry.errors import OutputError, StudyError
from cytometry.io.sealed_plan import SEALED_PLAN, read_sealed_plan, seal_plan
from cytometry.model.plan import AnalysisPlan, Readout
from cytometry.statistics.seal import canonical_plan, plan_digest

PLAN = AnalysisPlan(confirmatory=(Readout(population="treg", visit="w08"),), alpha=0.05)


def test_a_plan_is_sealed_once_and_read_back(tmp_path: Path) -> None:
    assert read_sealed_plan(tmp_path) is None
    sealed = seal_plan(tmp_path, PLAN, canonical_plan(PLAN))
    found = read_sealed_plan(tmp_path)
    assert found is not None
    assert (found.plan, found.sha256) == (PLAN, plan_digest(PLAN))
    assert found == sealed
    with pytest.raises(OutputError, match="the plan was sealed before"):
        seal_plan(tmp_path, AnalysisPlan(), canonical_plan(AnalysisPlan()))


def test_a_sealed_plan_that_was_changed_is_refused(tmp_path: Path) -> None:
    seal_plan(tmp_path, PLAN, canonical_plan(PLAN))
    path = tmp_path / SEALED_PLAN
    path.write_text(path.read_text().replace("0.05", "0.10"))
    with pytest.raises(StudyError, match="was changed after it was written"):
        read_sealed_plan(tmp_path)
