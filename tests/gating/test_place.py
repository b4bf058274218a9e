"""Placing a panel on tubes whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytometry.errors import RequestError
from cytometry.gating.cut_chain import Decision, borrow, decide
from cytometry.gating.engine import gate_sample
from cytometry.gating.methods.evidence import CutEvidence, CutPosition, Pool
from cytometry.gating.place import Tube, place
from cytometry.io.panels import load_panel
from cytometry.model.channels import Channel
from cytometry.model.panel import Marker, Panel, PanelFile
from cytometry.model.placement import GateOverride, Placement
from cytometry.model.sample import Sample
from cytometry.model.template import CutTemplate, GatingTemplate
from cytometry.model.transforms import Logicle
from cytometry.preprocessing.markers import match_channels
from cytometry.simulation.blood import Blood
from cytometry.simulation.truth import truth_mask
from cytometry.simulation.tubes import SimulatedTube, Staining, TubeSpec, simulate_tube

MARKER = Marker(channels=("M",))


def little_panel(scope: str = "sample", rules: list[dict[str, object]] | None = None) -> Panel:
    """One cut on one linear marker."""
    rules = rules or [{"method": "valley"}, {"method": "fixed", "at": 0.5}]
    template = GatingTemplate.model_validate(
        {
            "cuts": {"m": {"on": "M", "within": "root", "scope": scope, "rules": rules}},
            "populations": [{"name": "pos", "keep": {"M": {"above": "m"}}}],
        }
    )
    return Panel(PanelFile(schema_version=1, name="little", markers={"M": MARKER}), template)


def tube(
    key: str,
    low: float = 0.3,
    high: float = 0.7,
    *,
    subject: str | None = "A",
    batch: str | None = "1",
    role: str = "sample",
    n: int = 2_000,
    seed: int = 1,
) -> Tube:
    """Two equal peaks; the same draw for the same seed."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0.0, 0.05, n) + np.where(np.arange(n) % 2, low, high)
    sample = Sample.from_array(values[:, None], (Channel(0, "M"),), name=key)
    return Tube(key, sample, match_channels(sample, little_panel()).channel_map, subject, batch, role)


def cut_of(placement: Placement, key: str, name: str = "m"):  # type: ignore[no-untyped-def]
    (found,) = [c for c in placement.cuts_of(key) if c.name == name]
    return found


def test_the_cut_lies_between_the_peaks() -> None:
    found = cut_of(place(little_panel(), [tube("a")]), "a")
    assert found.value == pytest.approx(0.5, abs=0.05)
    assert (found.source, found.method, found.scope) == ("data", "valley", "sample")


def test_events_that_are_not_numbers_move_no_gate() -> None:
    clean = tube("a")
    values = np.vstack([clean.sample.linear(), [[np.nan], [np.inf], [-np.inf]]])
    dirty = replace(clean, sample=Sample.from_array(values, clean.sample.channels, name="dirty"))
    panel = little_panel()
    assert cut_of(place(panel, [dirty]), "a").value == cut_of(place(panel, [clean]), "a").value


def test_the_order_of_tubes_does_not_matter() -> None:
    tubes = [tube("a", seed=1), tube("b", 0.32, 0.72, seed=2), tube("c", 0.28, 0.7, subject="B", seed=3)]
    panel = little_panel("subject")
    one, other = place(panel, tubes), place(panel, tubes[::-1])
    assert {c.sample_key: c for c in one.cuts} == {c.sample_key: c for c in other.cuts}


def test_visits_of_a_subject_get_one_threshold() -> None:
    placement = place(little_panel("subject"), [tube("a", seed=1), tube("b", 0.34, 0.74, seed=2)])
    assert cut_of(placement, "a").value == cut_of(placement, "b").value
    assert cut_of(placement, "a").group == "subject A"


def test_alone_nothing_depends_on_the_other_tubes() -> None:
    panel = little_panel("subject")
    tubes = [tube("a", seed=1), tube("b", 0.34, 0.74, seed=2), tube("c", 0.3, 0.7, subject="B", seed=3)]
    together = place(panel, tubes, alone=True)
    for t in tubes:
        assert cut_of(together, t.key) == cut_of(place(panel, [t], alone=True), t.key)


def test_a_large_tube_does_not_decide_for_a_small_one() -> None:
    panel = little_panel("subject")
    equal = cut_of(place(panel, [tube("a", 0.2, 0.6, n=4_000), tube("b", 0.3, 0.7, n=4_000)]), "a").value
    uneven = cut_of(place(panel, [tube("a", 0.2, 0.6, n=40_000), tube("b", 0.3, 0.7, n=4_000)]), "a").value
    assert uneven == pytest.approx(equal, abs=0.02)


def test_a_subject_in_two_batches_is_not_pooled() -> None:
    tubes = [tube("a", batch="1", seed=1), tube("b", 0.4, 0.8, batch="2", seed=2)]
    placement = place(little_panel("subject"), tubes)
    assert cut_of(placement, "b").value - cut_of(placement, "a").value == pytest.approx(0.1, abs=0.05)
    assert cut_of(placement, "a").scope == "sample"
    assert "SCOPE_SPANS_BATCHES" in cut_of(placement, "a").flags
    assert {f.code for f in placement.findings_of("a")} == {"SCOPE_SPANS_BATCHES"}


def bridged_visits(n_control: int) -> Placement:
    """One subject in two batches that lie 0.1 apart, and the same control in both."""
    tubes = [
        tube("a", batch="1", n=400, seed=1),
        tube("b", 0.4, 0.8, batch="2", n=400, seed=2),
        tube("c1", batch="1", role="control", subject=None, n=n_control, seed=3),
        tube("c2", 0.4, 0.8, batch="2", role="control", subject=None, n=n_control, seed=4),
    ]
    return place(little_panel("subject"), tubes)


def test_a_sure_bridging_control_gives_each_batch_its_offset() -> None:
    placement = bridged_visits(400_000)
    a, b = cut_of(placement, "a"), cut_of(placement, "b")
    alone = cut_of(place(little_panel(), [tube("b", 0.4, 0.8, n=400, seed=2)]), "b")
    assert (a.scope, a.group, b.group) == ("subject", "subject A", "subject A")
    assert abs(b.value - a.value - 0.1) < 0.01 < abs(alone.value - 0.6)


def test_a_control_no_better_than_the_tubes_leaves_them_their_own_gates() -> None:
    placement = bridged_visits(100)
    alone = place(little_panel(), [tube("b", 0.4, 0.8, n=400, seed=2)])
    b = cut_of(placement, "b")
    assert (b.scope, b.group) == ("sample", "sample b")
    assert abs(b.value - cut_of(alone, "b").value) < 0.02
    assert "SCOPE_SPANS_BATCHES" in b.flags


def test_an_unsure_valley_is_drawn_to_the_batch_by_the_stated_rule() -> None:
    own = Decision(CutPosition(0.9, 0.02, 0.2), "valley", ("GATE_UNCERTAIN",))
    sure = [Decision(CutPosition(v, 0.01, 0.99), "valley") for v in (0.50, 0.52, 0.54)]
    decisions = {"own": own, **{f"s{i}": d for i, d in enumerate(sure)}}
    result = borrow(decisions, {key: ["1"] for key in decisions})
    spread = 0.02 / 0.6745
    assert result["own"].position.value == pytest.approx(0.2 * 0.9 + 0.8 * 0.52)
    assert result["own"].position.sd == pytest.approx(np.hypot(spread, 0.2 * 0.02))
    assert result["own"].flags == ("GATE_UNCERTAIN", "GATE_BORROWED")
    assert all(result[f"s{i}"] == d for i, d in enumerate(sure))


def test_nothing_is_borrowed_across_batches() -> None:
    own = Decision(CutPosition(0.9, 0.02, 0.2), "valley")
    sure = Decision(CutPosition(0.5, 0.01, 0.99), "valley")
    decisions = {"own": own, "s0": sure, "s1": sure}
    assert borrow(decisions, {"own": ["2"], "s0": ["1"], "s1": ["1"]})["own"] == own


def test_the_first_sure_rule_decides_and_a_fallback_is_flagged() -> None:
    one_peak = CutEvidence(Pool((np.random.default_rng(2).normal(0.3, 0.05, 3_000),)))
    rules = [{"method": "valley", "between": [0.6, 0.9]}, {"method": "fixed", "at": 0.65}]
    cut = CutTemplate.model_validate({"on": "M", "within": "root", "rules": rules})
    decision = decide(cut, one_peak)
    assert (decision.position.value, decision.method) == (0.65, "fixed")
    assert decision.flags == ("GATE_FALLBACK", "GATE_UNCERTAIN")


def test_a_cut_that_no_rule_was_sure_of_is_told_once() -> None:
    """Flagged as another rule's and as unsure; a finding of each would say of one cut two things."""
    panel = little_panel(rules=[{"method": "valley", "between": [0.6, 0.9]}, {"method": "fixed", "at": 0.65}])
    placement = place(panel, [tube("t", 0.3, 0.3)])
    assert cut_of(placement, "t").flags == ("GATE_FALLBACK", "GATE_UNCERTAIN")
    assert [(f.code, f.message) for f in placement.findings_of("t") if f.code.startswith("GATE")] == [
        ("GATE_UNCERTAIN", "cut 'm' on M: no rule was sure (fixed)")
    ]


def test_an_fmo_control_of_the_batch_places_a_cut_without_valley() -> None:
    rules = [
        {"method": "valley", "between": [0.9, 0.99]},
        {"method": "fmo_percentile", "percentile": 99.0},
        {"method": "fixed", "at": 0.8},
    ]
    tubes = [
        tube("a", 0.3, 0.3, seed=1),
        tube("f1", 0.2, 0.2, role="fmo:m", subject=None, n=50_000, seed=2),
        tube("f2", 0.6, 0.6, role="fmo:M", subject=None, batch="2", n=50_000, seed=3),
    ]
    placement = place(little_panel(rules=rules), tubes)
    found = cut_of(placement, "a")
    assert found.value == pytest.approx(0.2 + 2.3263 * 0.05, abs=0.01)
    assert (found.source, found.method) == ("fmo", "fmo_percentile")
    assert set(placement.strategies) == {"a"}
    assert cut_of(place(little_panel(rules=rules), tubes, alone=True), "a").method == "fixed"


def test_an_override_takes_the_place_of_one_tubes_cut() -> None:
    panel = little_panel("subject")
    tubes = [tube("a", seed=1), tube("b", seed=2)]
    plain = place(panel, tubes)
    changed = place(panel, tubes, overrides=[GateOverride("a", "m", 0.61)])
    assert (cut_of(changed, "a").value, cut_of(changed, "a").source) == (0.61, "override")
    assert cut_of(changed, "b") == cut_of(plain, "b")


def test_an_override_of_an_unknown_cut_is_refused() -> None:
    with pytest.raises(RequestError, match="override of"):
        place(little_panel(), [tube("a")], overrides=[GateOverride("a", "n", 0.6)])


def test_two_tubes_with_one_key_are_refused() -> None:
    with pytest.raises(RequestError, match="tubes have one key: a"):
        place(little_panel(), [tube("a"), tube("a")])


def test_linear_values_are_those_of_the_scale() -> None:
    panel = load_panel("bcell_v1")
    simulated = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=4_000), np.random.default_rng(5))
    found = cut_of(place(panel, [panel_tube("t", simulated, panel)]), "t", "cd19")
    logicle = panel.scales["logicle"].transform(262144.0)
    assert found.value_linear == pytest.approx(float(logicle.inverse(np.array([found.value]))[0]))


def panel_tube(key: str, simulated: SimulatedTube, panel: Panel, **fields: str) -> Tube:
    return Tube(key, simulated.sample, match_channels(simulated.sample, panel).channel_map, **fields)


@pytest.fixture(scope="module")
def visits() -> list[SimulatedTube]:
    rng = np.random.default_rng(11)
    shift = {"CD27": 0.06, "IgD": -0.05, "CD19": 0.04}
    spec = TubeSpec("bcell", Blood().cell_shares(), n_events=8_000, staining=Staining(shift=shift))
    return [simulate_tube(replace(spec, clog=0.05 if i == 1 else 0.0), rng) for i in range(3)]


def test_shipped_b_cell_gates_find_the_true_cells(visits: list[SimulatedTube]) -> None:
    panel = load_panel("bcell_v1")
    placement = place(
        panel, [panel_tube(str(i), t, panel, subject_group="A", batch_group="1") for i, t in enumerate(visits)]
    )
    assert not placement.failed
    least = {"b_cells": 0.99, "asc": 0.93, "naive": 0.98, "switched_memory": 0.95, "double_negative": 0.93}
    least |= {
        "unswitched_memory": 0.85,
        "activated_naive": 0.92,
        "transitional": 0.80,
        "resting_naive": 0.94,
        "dn2": 0.9,
    }
    for i, simulated in enumerate(visits):
        strategy = placement.strategies[str(i)]
        channels = match_channels(simulated.sample, panel).channel_map
        membership = gate_sample(strategy, simulated.sample, channels)
        for name, limit in least.items():
            found, true = membership.mask(strategy.by_name(name).path), truth_mask(simulated.truth, name)
            assert 2 * (found & true).sum() / (found.sum() + true.sum()) > limit, name


def test_a_tube_without_optional_markers_is_gated_as_far_as_it_goes(visits: list[SimulatedTube]) -> None:
    panel = load_panel("bcell_v1")
    whole = visits[0].sample
    kept = [c for c in whole.channels if c.marker not in ("CD11c", "Viability", "CXCR5")]
    events = np.column_stack([whole.linear_column(c.index) for c in kept])
    fewer = Sample.from_array(
        events, tuple(replace(c, index=i) for i, c in enumerate(kept)), name="fewer.fcs", spillover=None
    )
    match = match_channels(fewer, panel)
    placement = place(panel, [Tube("t", fewer, match.channel_map)], alone=True)
    assert not placement.failed
    membership = gate_sample(placement.strategies["t"], fewer, match.channel_map)
    undefined = {p.rpartition("/")[2] for p in membership.undefined}
    assert undefined == {"cd21_neg_cd11c_pos", "activated_naive", "resting_naive", "dn1", "dn2", "dn3", "dn4"}
    assert membership.count("root/time_ok/singlets/live") == membership.count("root/time_ok/singlets")
    assert [f.keyword for f in placement.findings if f.code == "GATE_NOT_APPLIED"] == ["live"]
    assert placement.population_flags("t")["live"] == ("GATE_NOT_APPLIED",)


def test_one_tube_that_cannot_be_gated_leaves_the_others(visits: list[SimulatedTube]) -> None:
    panel = load_panel("bcell_v1")
    good = panel_tube("good", visits[0], panel, subject_group="A", batch_group="1")
    empty = Sample.from_array(
        np.empty((0, len(visits[0].sample.channels))), visits[0].sample.channels, name="empty.fcs"
    )
    bad = Tube("bad", empty, good.channel_map, "A", "1")
    placement = place(panel, [bad, good])
    assert set(placement.failed) == {"bad"}
    assert "empty.fcs, population 'singlets'" in str(placement.failed["bad"])
    assert set(placement.strategies) == {"good"}


def test_swapping_which_visit_is_which_changes_no_gate(visits: list[SimulatedTube]) -> None:
    """Keys are opaque: only who shares a subject and a batch enters."""
    panel = load_panel("bcell_v1")
    one = place(
        panel, [panel_tube(f"t{i}", t, panel, subject_group="A", batch_group="1") for i, t in enumerate(visits)]
    )
    names = {"t0": "z", "t1": "y", "t2": "x"}
    other = place(
        panel, [panel_tube(names[f"t{i}"], t, panel, subject_group="Q", batch_group="9") for i, t in enumerate(visits)]
    )
    for old, new in names.items():
        before = [(c.name, c.dimension, c.value) for c in one.cuts_of(old)]
        after = [(c.name, c.dimension, c.value) for c in other.cuts_of(new)]
        assert [b[:2] for b in before] == [a[:2] for a in after]
        np.testing.assert_allclose([b[2] for b in before], [a[2] for a in after], rtol=0, atol=1e-9)


def test_a_scale_that_follows_the_range_ends_where_the_linear_values_do() -> None:
    """``$PnR`` is of stored values: the same linear values at gain 8 stand eight times higher in the file."""
    events = tube("t").sample.linear() * 262_144.0
    described = PanelFile.model_validate(
        {
            "schema_version": 1,
            "name": "scaled",
            "scales": {"own": {"kind": "logicle", "T": "range"}},
            "markers": {"M": {"channels": ["M"], "scale": "own"}},
        }
    )
    panel = Panel(described, little_panel().template)
    positions = []
    for gain in (1.0, 8.0):
        sample = Sample.from_array(events, (Channel(0, "M", range=gain * 262_144.0, gain=gain),), name="t")
        placement = place(panel, [Tube("t", sample, match_channels(sample, panel).channel_map)])
        (scale,) = placement.strategies["t"].transforms.values()
        assert scale == Logicle(262_144.0)
        positions.append(cut_of(placement, "t").value)
    assert positions[0] == positions[1]


def test_a_drawn_panel_is_the_same_for_every_tube() -> None:
    panel = load_panel("bcell_drawn_v1")
    simulated = simulate_tube(TubeSpec("bcell", Blood().cell_shares(), n_events=500), np.random.default_rng(6))
    placement = place(panel, [panel_tube("a", simulated, panel), panel_tube("b", simulated, panel)])
    assert placement.strategies["a"] is placement.strategies["b"] is panel.strategy
    assert placement.cuts == ()
