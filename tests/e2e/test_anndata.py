"""The exported object holds the gated events, and scverse tools take it as it is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import cytometry as cy
from cytometry.errors import RequestError


def test_events_gates_and_scales_are_those_of_the_run(demo_out: Path, sample_fcs: Path) -> None:
    study = cy.load_study(sample_fcs / "study.yaml")
    data = cy.to_anndata(study, demo_out, panel="treg", population="treg")
    with (demo_out / "tables/counts.csv").open(newline="") as stream:
        counts = {(r["sample_id"], r["population"]): int(r["count"]) for r in csv.DictReader(stream)}
    by_sample = data.obs.groupby("sample_id", observed=True)
    for sample_id, rows in by_sample:
        assert len(rows) == counts[str(sample_id), "treg"]
        assert int(rows["gate_helios_pos_treg"].sum()) == counts[str(sample_id), "helios_pos_treg"]
    assert len(by_sample) == sum(1 for (_, population) in counts if population == "treg")
    assert data.obs_names.is_unique
    # The way back: event and sample name the row of the file, before compensation and scale.
    first = data.obs.iloc[0]
    sample = cy.read_fcs(sample_fcs / "fcs" / f"{first['sample_id']}.fcs")
    foxp3 = data.var_names.get_loc("FoxP3")
    channel = sample.index_of(str(data.var["channel"].iloc[foxp3]))
    assert data.layers["raw"][0, foxp3] == pytest.approx(float(sample.raw_column(channel)[first["event"]]))
    true = sample.linear() @ _full_inverse(sample)
    assert data.layers["compensated"][0, foxp3] == pytest.approx(true[first["event"], channel], rel=1e-5)


def test_only_allowed_keywords_leave_and_the_object_is_written_and_read(
    demo_out: Path, sample_fcs: Path, tmp_path: Path
) -> None:
    import anndata

    study = cy.load_study(sample_fcs / "study.yaml")
    data = cy.to_anndata(study, demo_out, panel="bcell", max_events_per_sample=20)
    assert data.obs.groupby("sample_id", observed=True).size().max() == 20
    keywords = {k for key, found in data.uns["meta"].items() if key != "spill" for k in found}
    assert keywords <= {"CYT", "CYTSN", "DATE", "BTIM", "ETIM", "TOT", "PAR", "TIMESTEP", "VOL", "MODE"}
    data.write_h5ad(tmp_path / "a.h5ad")
    back = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert np.array_equal(back.X, data.X)
    assert list(back.obs["population"]) == list(data.obs["population"])


def test_panels_with_different_markers_are_not_mixed(demo_out: Path, sample_fcs: Path) -> None:
    with pytest.raises(RequestError, match="several panels") as caught:
        cy.to_anndata(cy.load_study(sample_fcs / "study.yaml"), demo_out)
    assert "bcell, treg" in caught.value.hint


def _full_inverse(sample: cy.Sample) -> np.ndarray:
    assert sample.spillover is not None
    inverse = np.eye(len(sample.channels))
    at = [sample.index_of(c) for c in sample.spillover.channels]
    inverse[np.ix_(at, at)] = np.linalg.inv(sample.spillover.matrix)
    return inverse
