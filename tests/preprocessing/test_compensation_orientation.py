"""Compensation of an asymmetric matrix, against FlowKit and against a hand-made answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cytometry.io.fcs import read_fcs, write_fcs
from cytometry.model.gates import FROM_FILE
from cytometry.model.spillover import Spillover
from cytometry.preprocessing.dimensions import DimensionReader, channel_map_by_name

NAMES = ("FITC-A", "PE-A", "APC-A")
# Dyes in rows: 40 % of FITC lands in PE, 1 % of PE in FITC. Transposed, every value below is another.
MATRIX = np.array([[1, 0.4, 0.02], [0.01, 1, 0.3], [0.0, 0.05, 1]])


def test_compensation_has_the_orientation_of_the_standard_and_of_flowkit(tmp_path: Path) -> None:
    import flowkit

    rng = np.random.default_rng(3)
    dyes = rng.lognormal(7, 1, (500, 3))
    path = tmp_path / "tube.fcs"
    write_fcs(path, dyes @ MATRIX, NAMES, spillover=Spillover(NAMES, MATRIX), datatype="D")
    sample = read_fcs(path)
    reader = DimensionReader(sample, channel_map_by_name(sample), {}, {})
    ours = np.column_stack([reader.linear(name, FROM_FILE) for name in NAMES])
    np.testing.assert_allclose(ours, dyes, rtol=1e-10)
    other = flowkit.Sample(str(path), compensation=flowkit.Matrix(MATRIX, detectors=list(NAMES)))
    np.testing.assert_allclose(other.get_events(source="comp"), ours, rtol=1e-9)


def test_compensation_by_hand() -> None:
    # 100 of FITC alone gives 100, 40, 2 in the three detectors.
    np.testing.assert_allclose(np.array([100.0, 40.0, 2.0]) @ Spillover(NAMES, MATRIX).inverse, [100, 0, 0], atol=1e-10)
