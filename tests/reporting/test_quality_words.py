from __future__ import annotations

import pandas as pd

from cytometry.model.study import Quality
from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.quality_words import quality_sentences
from tests.reporting.invented import invented_study


def inputs(masks: str = "applied") -> ReportInputs:
    tables = {
        "qc": pd.DataFrame(
            {
                "time_excluded_fraction": [0.0, 0.05, float("nan")],
                "rate_unsteady_fraction": [0.0, 0.02, float("nan")],
                "signal_unsteady_fraction": [0.0, 0.08, 0.1],
            }
        ),
        "qc_compensation": pd.DataFrame({"verdict": ["ok", "under", "over", "cannot tell"]}),
        "control_chart": pd.DataFrame(
            {"sample_id": ["a", "a", "b"], "rules": ["", "1-2s", "1-2s;1-3s"], "limits": "provisional"}
        ),
    }
    study = invented_study().model_copy(update={"quality": Quality.model_validate({"masks": masks})})
    return ReportInputs("t", tables, study=study)


def test_each_check_says_how_many() -> None:
    masks, compensation, controls = (
        quality_sentences(inputs()).replace("). The", ").|The").replace(". Pop", ".|Pop").split("|")
    )
    assert masks.endswith("were left out of every population (1 of 3 tubes, at most 5.00 % of the events).")
    assert compensation.endswith("2 of 3 coefficients that could be judged are off by more than 1.5 percentage points.")
    assert controls == (
        "Populations, boundaries and intensities of 2 bridging-control tubes were charted with Westgard's rules and "
        "provisional limits, being fewer than 20 runs; 1 of them broke a rejecting rule in some chart."
    )


def test_masks_that_were_only_reported_are_not_said_to_be_left_out() -> None:
    text = quality_sentences(inputs("reported"))
    assert text.startswith(
        "Stretches of unsteady event rate or signal were reported and not left out (2 of 3 tubes, at most 10.0 %"
    )


def test_nothing_is_said_of_what_was_not_checked() -> None:
    assert quality_sentences(ReportInputs("t", {})) == ""
