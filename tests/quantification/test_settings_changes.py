from __future__ import annotations

import numpy as np

from cytometry.model.channels import Channel
from cytometry.model.findings import Finding
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.quantification.settings_changes import settings_findings, settings_rows


def tube(voltage: float | None = 500.0, spill: float | None = 0.1) -> Sample:
    channels = (
        Channel(0, "PE-A", voltage=voltage),
        Channel(1, "FITC-A", voltage=voltage and 400.0),
        Channel(2, "Time"),
    )
    matrix = None if spill is None else Spillover(("PE-A", "FITC-A"), np.array([[1.0, spill], [0.0, 1.0]]))
    return Sample.from_array(np.zeros((1, 3)), channels, spillover=matrix)


def found(*tubes: Sample, batches: str = "") -> dict[str, tuple[Finding, ...]]:
    names = [f"s{i}" for i in range(len(tubes))]
    rows = [row for name, sample in zip(names, tubes, strict=True) for row in settings_rows(name, sample)]
    batch_of = {n: ("bcell", b) for n, b in zip(names, batches or "B" * len(tubes), strict=True)}
    return settings_findings(rows, batch_of, {n: f"{n}.fcs" for n in names})


def test_what_the_file_says_is_written_down_once() -> None:
    rows = [(r["kind"], r["item"], r["value"]) for r in settings_rows("s", tube())]
    assert rows == [
        ("voltage", "PE-A", 500.0),
        ("voltage", "FITC-A", 400.0),
        ("spillover", "PE-A into PE-A", 1.0),
        ("spillover", "PE-A into FITC-A", 0.1),
        ("spillover", "FITC-A into FITC-A", 1.0),
    ]


def test_the_tube_that_differs_from_most_is_named_even_where_it_stands_first() -> None:
    changes = found(tube(520.0, 0.13), tube(), tube())
    assert list(changes) == ["s0"]
    assert [(f.code, f.file) for f in changes["s0"]] == [("VOLTAGE_CHANGED", "s0.fcs"), ("SPILLOVER_CHANGED", "s0.fcs")]
    assert changes["s0"][0].message == "detector PE-A ran at 520 V, in most tubes of the same batch at 500 V"
    assert changes["s0"][1].found == "PE-A into FITC-A: 0.13 against 0.1"


def messages(*tubes: Sample) -> dict[str, list[str]]:
    return {sample_id: [f.message for f in findings] for sample_id, findings in found(*tubes).items()}


def test_of_two_tubes_none_is_the_usual_one_and_their_order_is_nothing() -> None:
    one, other = tube(), tube(520.0, 0.13)
    of_one = [
        "detector PE-A ran at 500 V, in half of the tubes of the same batch at 520 V",
        "the spillover matrix is not that of half of the tubes of the same batch (PE-A into FITC-A: 0.1 against 0.13)",
    ]
    of_other = [
        "detector PE-A ran at 520 V, in half of the tubes of the same batch at 500 V",
        "the spillover matrix is not that of half of the tubes of the same batch (PE-A into FITC-A: 0.13 against 0.1)",
    ]
    assert messages(one, other) == {"s0": of_one, "s1": of_other}
    assert messages(other, one) == {"s0": of_other, "s1": of_one}
    assert messages(one, other, other, one) == {"s0": of_one, "s1": of_other, "s2": of_other, "s3": of_one}


def test_less_than_half_are_not_most() -> None:
    told = messages(tube(500), tube(500), tube(520), tube(540), tube(560))
    assert told == {
        f"s{i}": [f"detector PE-A ran at {v} V, in 2 of 5 tubes of the same batch at 500 V"]
        for i, v in ((2, 520), (3, 540), (4, 560))
    }
    # Tubes whose voltage is not told are tubes of the batch.
    assert messages(tube(500), tube(520), tube(None), tube(None))["s0"] == [
        "detector PE-A ran at 500 V, in 1 of 4 tubes of the same batch at 520 V"
    ]


def test_matrices_that_round_to_either_side_vote_together() -> None:
    assert list(found(tube(spill=0.13), tube(spill=0.10004), tube(spill=0.10006))) == ["s0"]


def test_rounding_is_no_change_and_other_batches_are_not_compared() -> None:
    assert found(tube(), tube(spill=0.10004), tube()) == {}
    assert found(tube(), tube(520.0, 0.2), batches="AB") == {}


def test_a_matrix_that_is_missing_is_told() -> None:
    assert found(tube(), tube(spill=None), tube())["s1"][0].found == "it has none"


def test_tubes_without_a_batch_or_settings_are_left_alone() -> None:
    rows = settings_rows("a", tube()) + settings_rows("b", tube(520.0))
    assert settings_findings(rows, {"a": ("p", ""), "b": ("p", "")}, {"a": "a", "b": "b"}) == {}
    assert found(tube(None, None), tube(None, None)) == {}
