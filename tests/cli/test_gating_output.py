from __future__ import annotations

from pathlib import Path

import pytest

from cytometry.cli.gating_output import say_gating
from cytometry.model.tables import Cell
from cytometry.pipeline.collect import Collected
from cytometry.pipeline.gate_step import GateResult, GatingJob
from cytometry.pipeline.gating_run import GatingRun
from cytometry.pipeline.planning import GatingPlan


def test_samples_with_most_warnings_are_named_first_with_their_codes(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, Cell]] = [
        {"sample_id": sample, "severity": severity, "code": code}
        for sample, severity, code in (
            ("calm", "info", "FCS_NOTE"),
            ("odd", "warning", "QC_DRIFT"),
            ("worst", "warning", "GATE_FALLBACK"),
            ("worst", "warning", "GATE_FALLBACK"),
            ("worst", "warning", "QC_TIME"),
            ("", "warning", "COMPENSATION_OFF"),
        )
    ]
    run = GatingRun((), Collected((), {"findings": rows}), changed=False)
    say_gating(GatingJob(GatingPlan((), (), {}), Path("out")), GateResult(run, 0, 1.0))
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["look first: worst: 2 GATE_FALLBACK, 1 QC_TIME", "look first: odd: 1 QC_DRIFT"]
    assert not any("calm" in line for line in told)
