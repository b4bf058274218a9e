from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest

from cytometry.plotting.gate_picture import FEW_EVENTS, LEFT, PLOT, TOP, _visible, gate_picture, shared_frame
from cytometry.quantification.previews import GatePreview, gate_previews
from tests.quantification.tubes import CUT, gated_tube


@pytest.fixture(scope="module")
def quadrants() -> list[GatePreview]:
    found = []
    for seed in (1, 2):
        tube = gated_tube(seed=seed)
        pictures = gate_previews(tube.strategy, tube.reader, tube.membership)
        found.append(next(p for p in pictures if any(g.name == "naive" for g in p.gates)))
    return found


def drawn(preview: GatePreview, previews: list[GatePreview]) -> ET.Element:
    return ET.fromstring(gate_picture(preview, shared_frame(previews), element_id="p1", description="a < b"))


def test_markup_is_well_formed_and_described(quadrants: list[GatePreview]) -> None:
    svg = drawn(quadrants[0], quadrants)
    assert svg.get("aria-label") == "a < b"


def test_the_boundary_is_at_the_same_place_in_every_sample(quadrants: list[GatePreview]) -> None:
    edges = []
    for preview in quadrants:
        polygon = drawn(preview, quadrants).find(".//polygon")
        assert polygon is not None
        # The naive quadrant is left of the CD27 cut: its rightmost corner is the cut.
        edges.append(max(float(p.split(",")[0]) for p in str(polygon.get("points")).split()))
    frame = shared_frame(quadrants)
    expected = LEFT + PLOT * (CUT - frame.x.minimum) / (frame.x.maximum - frame.x.minimum)
    assert edges == pytest.approx([expected] * 2, abs=0.06)


def test_the_density_lies_in_its_own_window_of_the_shared_axes(quadrants: list[GatePreview]) -> None:
    image = drawn(quadrants[0], quadrants).find(".//image")
    assert image is not None
    frame, preview = shared_frame(quadrants), quadrants[0]
    top = TOP + PLOT * (frame.y.maximum - preview.y.maximum) / (frame.y.maximum - frame.y.minimum)
    assert float(str(image.get("y"))) == pytest.approx(top, abs=0.06)


def test_percentages_are_counts_of_the_parent(quadrants: list[GatePreview]) -> None:
    preview = quadrants[0]
    texts = [t.text for t in drawn(preview, quadrants).iter("text") if t.get("class") == "pp"]
    expected = [f"{100 * g.count / preview.parent_count:.0f} %" for g in preview.gates if g.outlines]
    assert texts == expected


def test_few_events_are_drawn_in_wider_bins_and_none_is_lost() -> None:
    tube = gated_tube(n_events=3300, seed=4)
    pictures = gate_previews(tube.strategy, tube.reader, tube.membership)
    memory = next(p for p in pictures if any(g.name == "memory" for g in p.gates))
    few = dataclasses.replace(memory, parent_count=FEW_EVENTS - 1)
    wide = _visible(few)
    assert wide.shape == (48, 48)
    assert wide.sum() == few.histogram.sum()
    # The corner bin of the wide histogram is the sum of the four in that corner.
    assert wide[20, 10] == few.histogram[40:42, 20:22].sum()
    assert _visible(memory) is memory.histogram
