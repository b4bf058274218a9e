"""Gates drawn in CytoExploreR and applied by cytolib: membership is known for every event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.io.fcs import read_fcs
from cytometry.model.gates import (
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    Interval,
    Operand,
    PolygonGate,
    RectangleGate,
)
from cytometry.model.spillover import Spillover
from cytometry.model.strategy import GatingStrategy, Population
from cytometry.model.transforms import Logicle
from cytometry.preprocessing.dimensions import channel_map_by_name
from tests.reference import reference_files

FILES = reference_files("data/cytolib_activation_cytoexplorer/*_membership.npz")


def strategy_of(described: dict[str, Any]) -> GatingStrategy:
    """The reference's own description, its 0..M scale divided by M."""
    facts = described["transforms"]
    transforms = {c: Logicle(t["T"], t["W"], t["M"], t["A"]) for c, t in facts.items()}
    matrix = described["compensation"]
    spillover = Spillover(tuple(matrix["detectors"]), np.array(matrix["spillover"]), "reference")

    def gate_of(population: dict[str, Any]) -> Gate:
        gate = population["gate"]
        if gate["gate_type"] == "boolean":
            operands = tuple(
                Operand(f"{population['parent']}/{'/'.join(o['path'])}", o["not"]) for o in gate["operands"]
            )
            return BooleanGate("and", operands)
        channels = gate["channels"]
        dimensions = tuple(
            Dimension(c, "matrix" if c in spillover.channels else UNCOMPENSATED, c if c in transforms else None)
            for c in channels
        )
        unit = np.array([transforms[c].M if c in transforms else 1.0 for c in channels])
        if gate["gate_type"] == "rectangle":
            low, high = np.array(gate["min"], dtype=float) / unit, np.array(gate["max"], dtype=float) / unit
            return RectangleGate(tuple(Interval(*i) for i in zip(dimensions, low, high, strict=True)))
        if gate["gate_type"] == "polygon":
            return PolygonGate((dimensions[0], dimensions[1]), np.array(gate["vertices"]) / unit)
        covariance = np.array(gate["covariance"]) / np.outer(unit, unit)
        return EllipsoidGate(dimensions, np.array(gate["center"]) / unit, covariance, gate["distance"] ** 2)

    populations = tuple(
        Population(p["name"], p["parent"], gate_of(p)) for p in described["populations"] if p["path"] != "root"
    )
    return GatingStrategy("cytolib", populations, transforms, {"matrix": spillover})


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "vectorised"])
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_event_is_where_cytolib_put_it(file: Path, compiled: bool) -> None:
    name = file.name.replace("_membership.npz", ".fcs")
    reference = json.loads((file.parent / "reference.json").read_text())
    described = next(s for s in reference["samples"] if s["sample"] == name)
    sample = read_fcs(file.parent / name)
    membership = gate_sample(strategy_of(described), sample, channel_map_by_name(sample), compiled=compiled)
    with np.load(file) as answers:
        for key in answers.files:
            path = key.replace("|", "/")
            assert np.array_equal(membership.mask(path), answers[key]), path
    counts = reference["counts_all_samples"][name]
    assert {p: membership.count(p) for p in counts} == counts
