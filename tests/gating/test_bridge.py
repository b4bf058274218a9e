"""How far a bridging control's offset is trusted."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.gating.bridge import Offsets, bridging_offsets, carried, contradicted, shared_weight
from cytometry.gating.cut_chain import Decision
from cytometry.gating.methods.evidence import CutEvidence, CutPosition, Pool
from cytometry.model.template import CutTemplate

CUT = CutTemplate.model_validate({"on": "M", "within": "root", "rules": [{"method": "valley"}]})


def decision(value: float, sd: float, confidence: float = 0.99, flags: tuple[str, ...] = ()) -> Decision:
    return Decision(CutPosition(value, sd, confidence), "valley", flags)


def two_peaks(seed: int, shift: float = 0.0, n: int = 2_000) -> CutEvidence:
    rng = np.random.default_rng(seed)
    return CutEvidence(Pool((rng.normal(0.0, 0.05, n) + np.where(np.arange(n) % 2, 0.3, 0.7) + shift,)))


def test_an_offset_as_wrong_as_the_tube_weighs_one_in_seven_with_six_tubes() -> None:
    assert shared_weight(0.02, 0.02**2, 6) == pytest.approx(1 / 7)


@pytest.mark.parametrize("n", [1, 6, 20])
@pytest.mark.parametrize("offset_sd", [0.3, 1.0, 2.0])
def test_no_other_weight_makes_the_mean_change_err_less(n: int, offset_sd: float) -> None:
    """Draw own errors and offset errors of n subjects at two visits, each visit a batch, and weight them every way."""
    rng = np.random.default_rng(n)
    own = rng.normal(size=(40_000, n, 2))
    offset = offset_sd * rng.normal(size=(40_000, 1, 2))
    # Freed of the estimated offsets, pooled, and moved back.
    shared = (own - offset).mean(axis=2, keepdims=True) + offset
    weights = np.linspace(0, 1, 101)
    errors = [float(np.diff((1 - w) * own + w * shared, axis=2).mean(axis=1).std()) for w in weights]
    best = shared_weight(1.0, offset_sd**2, n)
    assert errors[round(100 * best)] == pytest.approx(min(errors), rel=0.01)
    assert weights[int(np.argmin(errors))] == pytest.approx(best, abs=0.06)


def test_the_position_lies_between_by_the_weight() -> None:
    found = carried(decision(0.50, 0.02), decision(0.56, 0.01), 0.04, 0.02**2 / 6, 6)  # weight 1/2
    assert found.position.value == pytest.approx(0.5 * 0.50 + 0.5 * 0.60)
    assert found.shared_weight == pytest.approx(0.5)
    assert found.position.sd == pytest.approx(0.5 * 0.02 + 0.5 * np.hypot(0.01, 0.02 / 6**0.5))


def test_a_control_without_error_gives_the_shared_position() -> None:
    found = carried(decision(0.50, 0.02), decision(0.56, 0.01), 0.04, 0.0, 6)
    assert (found.position.value, found.shared_weight) == (0.56 + 0.04, 1.0)


def test_a_tube_that_is_unsure_by_itself_is_drawn_and_flagged() -> None:
    own = decision(0.50, 0.05, confidence=0.1, flags=("GATE_UNCERTAIN",))
    found = carried(own, decision(0.60, 0.01), 0.0, 0.01**2, 6)
    weight = 25 / 31
    assert found.position.value == pytest.approx((1 - weight) * 0.50 + weight * 0.60)
    assert found.flags == ("GATE_BORROWED",)
    assert carried(None, decision(0.60, 0.01), 0.02, 0.01**2, 6).position.value == pytest.approx(0.62)


def test_offsets_are_the_controls_differences() -> None:
    controls = [("1", two_peaks(1)), ("2", two_peaks(1, 0.1))]
    offsets = bridging_offsets(CUT, {"1", "2"}, controls)
    assert offsets is not None
    assert offsets.of("2") - offsets.of("1") == pytest.approx(0.1, abs=1e-3)
    assert bridging_offsets(CUT, {"1", "2", "3"}, controls) is None


def test_two_controls_halve_the_variance() -> None:
    one = bridging_offsets(CUT, {"1", "2"}, [("1", two_peaks(1)), ("2", two_peaks(1))])
    two = bridging_offsets(CUT, {"1", "2"}, [(b, two_peaks(1)) for b in ("1", "1", "2", "2")])
    assert one is not None
    assert two is not None
    assert two.variance == pytest.approx(one.variance / 2)


def test_samples_that_agree_leave_the_offsets_alone() -> None:
    offsets = Offsets({"1": -0.05, "2": 0.05}, 1e-4)
    own = [(s, b, 0.5 + at + offsets.of(b), 0.01) for s, at in (("A", 0.0), ("B", 0.02)) for b in ("1", "2")]
    assert contradicted(offsets, own) == offsets


def test_samples_that_contradict_a_control_take_its_weight() -> None:
    """Every subject says 0 between the batches, the controls say 0.1: the offset is as wrong as that."""
    offsets = Offsets({"1": -0.05, "2": 0.05}, 1e-6)
    own = [(s, b, at, 0.01) for s, at in (("A", 0.5), ("B", 0.52)) for b in ("1", "2")]
    found = contradicted(offsets, own)
    # Each batch 0.05 off, of which a subject's mean of two batches shows half the variance; own errors taken off.
    assert found.variance == pytest.approx(2 * 0.05**2 - 0.01**2 / 2)
    assert found.by_batch == offsets.by_batch


def test_subjects_within_one_batch_say_nothing_about_offsets() -> None:
    offsets = Offsets({"1": -0.05, "2": 0.05}, 1e-6)
    assert contradicted(offsets, [("A", "1", 0.2, 0.01), ("B", "2", 0.9, 0.01)]) == offsets


def test_what_a_method_errs_alike_everywhere_takes_no_weight_from_the_shared_position() -> None:
    """Own error 0.02 beside a convention worth 0.05: the weight is that of 0.02."""
    own = Decision(CutPosition(0.50, np.hypot(0.02, 0.05), 0.99, systematic=0.05), "anchor")
    assert carried(own, decision(0.56, 0.01), 0.0, 0.02**2, 6).shared_weight == pytest.approx(1 / 7)
