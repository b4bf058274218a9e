"""Simulated tubes: physics, truth and reproducibility."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from cytometry.errors import RequestError
from cytometry.model.transforms import Logicle
from cytometry.simulation.blood import Blood
from cytometry.simulation.study import simulate_study
from cytometry.simulation.truth import CLOG, DEAD, DOUBLET, TRUE_POPULATIONS, truth_mask
from cytometry.simulation.tubes import SimulatedTube, Staining, TubeSpec, simulate_tube

SHARES = Blood().cell_shares()
LARGE = TubeSpec("bcell", SHARES, n_events=40_000)

FloatArray = npt.NDArray[np.float64]


def compensated(tube: SimulatedTube) -> dict[str, FloatArray]:
    sample = tube.sample
    assert sample.spillover is not None
    events = sample.linear()
    columns = [sample.index_of(c) for c in sample.spillover.channels]
    events[:, columns] = events[:, columns] @ sample.spillover.inverse
    return {c.marker or c.name: events[:, c.index] for c in sample.channels}


@pytest.fixture(scope="module")
def bcell() -> SimulatedTube:
    return simulate_tube(LARGE, np.random.default_rng(1))


@pytest.fixture(scope="module")
def treg() -> SimulatedTube:
    return simulate_tube(replace(LARGE, panel="treg"), np.random.default_rng(1))


@pytest.mark.parametrize(
    ("population", "parent", "fraction"),
    [
        ("b_cells", "lymphocytes", 0.35),
        ("transitional", "b_cells", 0.04),
        ("double_negative", "b_cells", 0.13),
        ("activated_naive", "naive", 0.15),
        ("treg", "cd4", 0.075),
        ("helios_pos_treg", "treg", 0.70),
    ],
)
def test_true_fractions_follow_the_specification(
    bcell: SimulatedTube, population: str, parent: str, fraction: float
) -> None:
    k, n = (int(truth_mask(bcell.truth, p).sum()) for p in (population, parent))
    assert stats.binomtest(k, n, fraction).pvalue > 1e-4


def test_shares_of_doublets_debris_and_dead_follow_the_specification(bcell: SimulatedTube) -> None:
    flags, n = bcell.truth.flags, bcell.truth.n_events
    single_cell = (bcell.truth.codes != 255) & ((flags & DOUBLET) == 0)
    for k, total, share in (
        (int((bcell.truth.codes == 255).sum()), n, 0.08),
        (int((flags & DEAD).astype(bool)[single_cell].sum()), int(single_cell.sum()), 0.07),
    ):
        assert stats.binomtest(k, total, share).pvalue > 1e-4


def test_compensated_negatives_spread_below_zero_around_little(bcell: SimulatedTube) -> None:
    values = compensated(bcell)
    t_cells, b_cells = truth_mask(bcell.truth, "t_cells"), truth_mask(bcell.truth, "b_cells")
    for marker, negative in (("CD19", t_cells), ("CD20", t_cells), ("CD3/CD14", b_cells)):
        assert 0.1 < np.mean(values[marker][negative] < 0) < 0.5
        assert abs(np.median(values[marker][negative])) < 150


@pytest.mark.parametrize(
    ("marker", "brighter", "dimmer"),
    [
        ("CD19", "naive", "plasmablasts"),
        ("CD38", "plasmablasts", "transitional"),
        ("CD38", "transitional", "resting_naive"),
        ("CD24", "transitional", "resting_naive"),
        ("CD27", "plasmablasts", "switched_memory"),
        ("CD27", "switched_memory", "naive"),
        ("CD20", "naive", "plasmablasts"),
        ("IgD", "resting_naive", "unswitched_memory"),
        ("IgD", "unswitched_memory", "switched_memory"),
        ("CD11c", "activated_naive", "resting_naive"),
        ("CD21", "resting_naive", "activated_naive"),
        ("CXCR5", "dn1", "dn2"),
        ("CD11c", "dn2", "dn1"),
        ("FSC-A", "plasmablasts", "naive"),
    ],
)
def test_b_cell_phenotypes_are_in_their_order(bcell: SimulatedTube, marker: str, brighter: str, dimmer: str) -> None:
    values = compensated(bcell)[marker]
    high, low = (np.median(values[truth_mask(bcell.truth, p)]) for p in (brighter, dimmer))
    assert high > 1.25 * low


@pytest.mark.parametrize(
    ("marker", "brighter", "dimmer"),
    [
        ("CD25", "treg", "cd4"),
        ("CD127", "cd4", "treg"),
        ("FoxP3", "treg", "cd4"),
        ("Helios", "helios_pos_treg", "helios_neg_treg"),
        ("GARP", "garp_pos_treg", "treg"),
        ("LAP", "lap_pos_treg", "treg"),
        ("CD4", "cd4", "cd8"),
        ("CD8", "cd8", "cd4"),
    ],
)
def test_t_cell_phenotypes_are_in_their_order(treg: SimulatedTube, marker: str, brighter: str, dimmer: str) -> None:
    values = compensated(treg)[marker]
    high, low = (np.median(values[truth_mask(treg.truth, p)]) for p in (brighter, dimmer))
    assert high > 1.5 * low


def test_doublets_are_wide_and_leave_the_line_of_area_and_height(bcell: SimulatedTube) -> None:
    values = compensated(bcell)
    single, double = truth_mask(bcell.truth, "live"), (bcell.truth.flags & DOUBLET) != 0
    on_scale = values["FSC-A"] < 262_143
    ratio = values["FSC-A"] / values["FSC-H"]
    assert np.median(values["FSC-W"][double & on_scale]) > 1.4 * np.median(values["FSC-W"][single])
    assert np.quantile(ratio[single], 0.99) < np.quantile(ratio[double & on_scale], 0.25)


def test_margin_events_sit_at_the_top_of_the_scale(bcell: SimulatedTube) -> None:
    at_top = bcell.sample.linear_column(0) == 262_143
    assert 0.001 < at_top.mean() < 0.02
    assert bcell.sample.linear().max() == 262_143


def test_time_rises_in_ticks_of_ten_milliseconds(bcell: SimulatedTube) -> None:
    time = bcell.sample.index_of("Time")
    ticks, seconds = bcell.sample.raw_column(time), bcell.sample.linear_column(time)
    assert np.all(np.diff(ticks) >= 0)
    assert np.all(ticks == np.floor(ticks))
    assert seconds[-1] == pytest.approx(ticks[-1] * 0.01)
    assert seconds[-1] == pytest.approx(40_000 / 350, rel=0.05)


def test_a_clog_slows_the_flow_and_dims_the_light() -> None:
    tube = simulate_tube(replace(LARGE, clog=0.1), np.random.default_rng(1))
    clogged = (tube.truth.flags & CLOG) != 0
    seconds = tube.sample.linear_column(tube.sample.index_of("Time"))
    rate = [m.sum() / np.ptp(seconds[m]) for m in (clogged, np.arange(clogged.size) < 20_000)]
    assert rate[0] == pytest.approx(rate[1] / 5, rel=0.05)
    forward = tube.sample.linear_column(0)
    assert np.median(forward[clogged]) == pytest.approx(0.55 * np.median(forward[~clogged]), rel=0.05)
    assert not truth_mask(tube.truth, "time_ok")[clogged].any()


def test_an_fmo_tube_lacks_one_dye_and_keeps_its_spread() -> None:
    full, fmo = (compensated(simulate_tube(replace(LARGE, omit=o), np.random.default_rng(1))) for o in (None, "CD11c"))
    assert np.quantile(full["CD11c"], 0.95) > 3_000
    assert np.quantile(fmo["CD11c"], 0.95) < 600
    assert np.median(fmo["CD19"]) == pytest.approx(np.median(full["CD19"]), rel=0.2)


def test_a_shift_of_staining_moves_the_median_by_its_factor() -> None:
    plain, shifted = (
        simulate_tube(replace(LARGE, staining=Staining(s)), np.random.default_rng(1)) for s in ({}, {"CD19": 0.1})
    )
    medians = [np.median(compensated(t)["CD19"][truth_mask(t.truth, "naive")]) for t in (plain, shifted)]
    assert medians[1] / medians[0] == pytest.approx(10**0.1, rel=0.03)


def test_stored_spillover_can_be_wrong_while_the_light_is_not() -> None:
    tube = simulate_tube(replace(LARGE, spillover_error=0.1), np.random.default_rng(1))
    right = simulate_tube(LARGE, np.random.default_rng(1))
    assert tube.sample.spillover != right.sample.spillover
    assert np.array_equal(tube.sample.raw(), right.sample.raw())


def test_the_same_seed_gives_the_same_events_and_another_gives_others() -> None:
    one, two, other = (simulate_tube(replace(LARGE, n_events=500), np.random.default_rng(s)) for s in (7, 7, 8))
    assert np.array_equal(one.sample.raw(), two.sample.raw())
    assert np.array_equal(one.truth.codes, two.truth.codes)
    assert not np.array_equal(one.sample.raw(), other.sample.raw())


def test_cd27_is_as_ill_separated_as_in_real_tubes() -> None:
    """Positive and negative B cells at most 3.5 SD apart on the display scale in a third of the study's tubes."""
    study = simulate_study(1)
    scale = Logicle()
    distances = []
    for tube in study.tubes:
        if tube.role == "sample" and tube.panel == "bcell":
            simulated = study.tube(tube.sample_id)
            shown = scale.apply(compensated(simulated)["CD27"])
            memory, rest = (
                np.any([truth_mask(simulated.truth, p) for p in names], axis=0)
                for names in (("unswitched_memory", "switched_memory"), ("naive", "double_negative"))
            )
            sd = np.sqrt((shown[memory].var() + shown[rest].var()) / 2)
            distances.append((shown[memory].mean() - shown[rest].mean()) / sd)
    assert len(distances) == 23
    assert np.mean(np.array(distances) <= 3.5) >= 1 / 3
    assert min(distances) > 2.0  # two modes are still there


@pytest.mark.parametrize("population", TRUE_POPULATIONS)
def test_no_population_is_without_events(bcell: SimulatedTube, population: str) -> None:
    assert truth_mask(bcell.truth, population).sum() > 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": {"naive": 1.0}}, "no cell type is called naive"),
        ({"cells": {"dn1": 0.5}}, "shares of cell types sum to 0.5"),
        ({"omit": "CD10"}, "'CD10' is not stained in panel 'bcell'"),
    ],
)
def test_a_specification_that_makes_no_sense_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        replace(LARGE, **change)  # type: ignore[arg-type]
