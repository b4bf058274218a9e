"""The steps of ``run`` as a notebook takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cytometry as cy
from cytometry.errors import RequestError
from cytometry.simulation.truth import truth_mask


@pytest.fixture(scope="module")
def tube() -> object:
    return cy.simulate("bcell", n_events=6_000, seed=3)


def test_gating_a_sample_finds_the_cells_that_were_simulated(tube) -> None:  # type: ignore[no-untyped-def]
    gated = cy.gate(tube.sample, "bcell_v1")
    found, true = gated.mask("naive"), truth_mask(tube.truth, "naive")
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.95


def test_counts_of_a_sample_are_its_masks(tube) -> None:  # type: ignore[no-untyped-def]
    gated = cy.gate(tube.sample, "bcell_v1")
    counts = cy.count(gated).set_index("population")["count"]
    assert counts["root"] == 6_000
    assert counts["b_cells"] == gated.mask("b_cells").sum()


def test_frequencies_of_a_sample_divide_its_counts(tube) -> None:  # type: ignore[no-untyped-def]
    gated = cy.gate(tube.sample, "bcell_v1")
    counts = cy.count(gated).set_index("population")["count"]
    shares = cy.frequencies(gated)
    of_b = shares[(shares["population"] == "naive") & (shares["denominator"] == "b_cells")]["fraction"]
    assert of_b.item() == pytest.approx(counts["naive"] / counts["b_cells"])


def test_values_lie_on_the_gates_side(tube) -> None:  # type: ignore[no-untyped-def]
    gated = cy.gate(tube.sample, "bcell_v1")
    cut = next(c.value for c in gated.placement.cuts if c.name == "cd27")
    assert gated.values("CD27", "naive").max() < cut
    assert len(gated.values("CD27")) == gated.sample.n_events


def test_same_seed_gives_the_same_events() -> None:
    first, second = cy.simulate("treg", n_events=500, seed=7), cy.simulate("treg", n_events=500, seed=7)
    np.testing.assert_array_equal(first.sample.raw(), second.sample.raw())


def test_tree_is_shown_in_a_notebook(tube) -> None:  # type: ignore[no-untyped-def]
    text = cy.gate(tube.sample, "bcell_v1")._repr_html_()
    assert "double_negative" in text
    assert "6,000 events" in text


def test_a_sample_without_gates_says_what_to_name(tube) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RequestError, match="bcell_v1"):
        cy.gate(tube.sample)


def test_unknown_simulated_panel_lists_what_there_is() -> None:
    with pytest.raises(RequestError, match="bcell, treg"):
        cy.simulate("nk")


def test_a_script_without_a_main_guard_runs_once(sample_fcs: Path, tmp_path: Path) -> None:
    """Worker processes must not run the caller's script again."""
    import subprocess
    import sys

    script = tmp_path / "script.py"
    script.write_text(
        "import cytometry as cy\n"
        "print('started')\n"
        f"study = cy.load_study({str(sample_fcs / 'study.yaml')!r})\n"
        "kept = tuple(s for s in study.samples if s.subject_id == 'P04' and s.panel == 'bcell' or s.batch == 'B2')\n"
        "small = study.model_copy(update={'samples': kept})\n"
        "print(len(cy.gate(small, jobs=2).tables['samples']))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.count("started") == 1
