"""Every construct of the GatingML 2.0 standard once, from the file to the events: the answers are worked out by hand.

One document holds them all, because a program that stumbles over one gate of a
file loses the others too.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytometry.gating.engine import gate_sample
from cytometry.gating.membership import Membership
from cytometry.io.gatingml import gatingml_bytes, parse_gatingml
from cytometry.model.channels import Channel
from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.preprocessing.dimensions import channel_map_by_name

# Events 0 to 5. ``blue`` and ``green`` spill a half and a quarter into each other in the file's own matrix.
EVENTS = np.array(
    [
        # FSC-A  SSC-A    B1      G1    Y 1
        [10.0, 1.0, 100.0, 0.0, 1.0],
        [20.0, 2.0, 100.0, 50.0, 2.0],
        [30.0, 3.0, 0.0, 100.0, 4.0],
        [40.0, 4.0, -50.0, 200.0, 8.0],
        [50.0, 5.0, 1000.0, 1000.0, 16.0],
        [50.0, 0.0, 10.0, 10.0, 32.0],
    ]
)
NAMES = ("FSC-A", "SSC-A", "B1", "G1", "Y 1")
FROM_FILE = Spillover(("B1", "G1"), np.array([[1.0, 0.5], [0.25, 1.0]]))

DOCUMENT = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<?vendor instruction?>
<!-- A comment before the root. -->
<g:Gating-ML xmlns:g="http://www.isac-net.org/std/Gating-ML/v2.0/gating"
    xmlns:t="http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
    xmlns:d="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.isac-net.org/std/Gating-ML/v2.0/gating Gating-ML.v2.0.xsd">
  <d:custom_info>of <other xmlns="urn:vendor">programs</other></d:custom_info>
  <g:BooleanGate g:id="ForwardAnd" g:parent_id="Range">
    <d:custom_info>before its parent and operands</d:custom_info>
    <g:and><g:gateReference g:ref="Open"/><!-- twice --><g:gateReference g:ref="Cube4" g:use-as-complement="1"/>
      <g:gateReference g:ref="Open"/></g:and>
  </g:BooleanGate>
  <g:BooleanGate g:id="Or"><g:or><g:gateReference g:ref="Range"/><g:gateReference g:ref="Q.PN"/></g:or></g:BooleanGate>
  <g:BooleanGate g:id="Not"><g:not><g:gateReference g:ref="Range"/></g:not></g:BooleanGate>
  <g:BooleanGate g:id="NotNot"><g:not><g:gateReference g:ref="Not"/></g:not></g:BooleanGate>
  <g:BooleanGate g:id="NotComplement"><g:not><g:gateReference g:ref="Range" g:use-as-complement=" true "/></g:not>
  </g:BooleanGate>
  <g:RectangleGate g:id="Range">
    <g:dimension g:compensation-ref="uncompensated" g:min="20" g:max="40.0">
      <d:fcs-dimension d:name="FSC-A"/></g:dimension>
  </g:RectangleGate>
  <g:RectangleGate g:id="Open"><g:dimension g:compensation-ref="uncompensated" g:min="2.5e1">
    <d:fcs-dimension d:name="FSC-A"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Everything"><g:dimension g:compensation-ref="uncompensated">
    <d:fcs-dimension d:name="FSC-A"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Blank"><g:dimension g:compensation-ref="uncompensated" g:min="4" g:max="20">
    <d:fcs-dimension d:name="Y 1"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Cube4" g:parent_id="Open">
    <g:dimension g:compensation-ref="uncompensated" g:min="0"><d:fcs-dimension d:name="FSC-A"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated" g:max="5"><d:fcs-dimension d:name="SSC-A"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated" g:min="-50"><d:fcs-dimension d:name="B1"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated" g:min="100"><d:fcs-dimension d:name="G1"/></g:dimension>
  </g:RectangleGate>
  <g:RectangleGate g:id="FromFile"><g:dimension g:compensation-ref="FCS" g:min="1">
    <d:fcs-dimension d:name="B1"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="FromFileOutside"><g:dimension g:compensation-ref="FCS" g:min="25">
    <d:fcs-dimension d:name="FSC-A"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="OwnMatrix"><g:dimension g:compensation-ref="Own" g:min="0.5">
    <d:fcs-dimension d:name="blue"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="InvertedMatrix"><g:dimension g:compensation-ref="Inverted" g:min="1">
    <d:fcs-dimension d:name="B1"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Unmixed"><g:dimension g:compensation-ref="Tall" g:min="60">
    <d:fcs-dimension d:name="red"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="UnmixedInverted"><g:dimension g:compensation-ref="TallInverted" g:min="60">
    <d:fcs-dimension d:name="red"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="UnmixedFar"><g:dimension g:compensation-ref="Tall" g:min="2">
    <d:fcs-dimension d:name="far"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Ratio"><g:dimension g:compensation-ref="uncompensated" g:min="10" g:max="11">
    <d:new-dimension d:transformation-ref="ratio"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="RatioShifted"><g:dimension g:compensation-ref="uncompensated" g:min="2.5" g:max="100">
    <d:new-dimension d:transformation-ref="shifted"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="RatioBounded"><g:dimension g:compensation-ref="uncompensated" g:min="9.75" g:max="10.5">
    <d:new-dimension d:transformation-ref="bounded"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="RatioCompensated"><g:dimension g:compensation-ref="FCS" g:min="0" g:max="0.6">
    <d:new-dimension d:transformation-ref="dyes"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="RatioLog"><g:dimension g:compensation-ref="uncompensated" g:transformation-ref="log10"
    g:min="0.49" g:max="0.51"><d:new-dimension d:transformation-ref="ratio"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Linear"><g:dimension g:compensation-ref="uncompensated" g:transformation-ref="linear"
    g:min="0.5" g:max="0.75"><d:fcs-dimension d:name="FSC-A"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Log"><g:dimension g:compensation-ref="uncompensated" g:transformation-ref="log100"
    g:min="0" g:max="0.5"><d:fcs-dimension d:name="Y 1"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Asinh"><g:dimension g:compensation-ref="uncompensated" g:transformation-ref="asinh"
    g:min="0.1" g:max="0.999"><d:fcs-dimension d:name="B1"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Logicle"><g:dimension g:compensation-ref="uncompensated" g:transformation-ref="logicle"
    g:min="0.2" g:max="0.3"><d:fcs-dimension d:name="B1"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="Hyperlog"><g:dimension g:compensation-ref="uncompensated" g:transformation-ref="hyperlog"
    g:max="0.25"><d:fcs-dimension d:name="B1"/></g:dimension></g:RectangleGate>
  <g:RectangleGate g:id="LinearBounded"><g:dimension g:compensation-ref="uncompensated"
    g:transformation-ref="held" g:min="0.4" g:max="0.7"><d:fcs-dimension d:name="FSC-A"/></g:dimension>
  </g:RectangleGate>
  <g:PolygonGate g:id="Triangle">
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="FSC-A"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="SSC-A"/></g:dimension>
    <g:vertex><g:coordinate d:value="5"/><g:coordinate d:value="0.5"/></g:vertex>
    <g:vertex><g:coordinate d:value="45"/><g:coordinate d:value="0.5"/></g:vertex>
    <g:vertex><g:coordinate d:value="5"/><g:coordinate d:value="4.5"/></g:vertex>
  </g:PolygonGate>
  <g:PolygonGate g:id="Pentagram">
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="FSC-A"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="SSC-A"/></g:dimension>
    <g:vertex><g:coordinate d:value="30"/><g:coordinate d:value="6"/></g:vertex>
    <g:vertex><g:coordinate d:value="42"/><g:coordinate d:value="0.5"/></g:vertex>
    <g:vertex><g:coordinate d:value="12"/><g:coordinate d:value="4"/></g:vertex>
    <g:vertex><g:coordinate d:value="48"/><g:coordinate d:value="4.05"/></g:vertex>
    <g:vertex><g:coordinate d:value="18"/><g:coordinate d:value="0.5"/></g:vertex>
  </g:PolygonGate>
  <g:EllipsoidGate g:id="Ellipse">
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="FSC-A"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="SSC-A"/></g:dimension>
    <g:mean><g:coordinate d:value="30"/><g:coordinate d:value="3"/></g:mean>
    <g:covarianceMatrix><g:row><g:entry d:value="100"/><g:entry d:value="0"/></g:row>
      <g:row><g:entry d:value="0"/><g:entry d:value="1"/></g:row></g:covarianceMatrix>
    <g:distanceSquare d:value="2"/>
  </g:EllipsoidGate>
  <g:EllipsoidGate g:id="Ball">
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="FSC-A"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="SSC-A"/></g:dimension>
    <g:dimension g:compensation-ref="uncompensated"><d:fcs-dimension d:name="Y 1"/></g:dimension>
    <g:mean><g:coordinate d:value="30"/><g:coordinate d:value="3"/><g:coordinate d:value="4"/></g:mean>
    <g:covarianceMatrix><g:row><g:entry d:value="100"/><g:entry d:value="0"/><g:entry d:value="0"/></g:row>
      <g:row><g:entry d:value="0"/><g:entry d:value="1"/><g:entry d:value="0"/></g:row>
      <g:row><g:entry d:value="0"/><g:entry d:value="0"/><g:entry d:value="4"/></g:row></g:covarianceMatrix>
    <g:distanceSquare d:value="3.5"/>
  </g:EllipsoidGate>
  <g:QuadrantGate g:id="Q">
    <g:divider g:id="f" g:compensation-ref="uncompensated"><d:fcs-dimension d:name="FSC-A"/>
      <g:value>40</g:value><g:value>20</g:value></g:divider>
    <g:divider g:id="s" g:compensation-ref="uncompensated"><d:fcs-dimension d:name="SSC-A"/>
      <g:value>3</g:value></g:divider>
    <g:Quadrant g:id="Q.PN"><g:position g:divider_ref="f" g:location="45"/>
      <g:position g:divider_ref="s" g:location="1"/></g:Quadrant>
    <g:Quadrant g:id="Q.MP"><g:position g:divider_ref="f" g:location="20"/>
      <g:position g:divider_ref="s" g:location="9"/></g:Quadrant>
    <g:Quadrant g:id="Q.N"><g:position g:divider_ref="f" g:location="-1"/></g:Quadrant>
  </g:QuadrantGate>
  <g:QuadrantGate g:id="Scaled">
    <g:divider g:id="r" g:compensation-ref="uncompensated" g:transformation-ref="log10">
      <d:new-dimension d:transformation-ref="ratio"/><g:value>0.5</g:value></g:divider>
    <g:divider g:id="b" g:compensation-ref="FCS" g:transformation-ref="asinh"><d:fcs-dimension d:name="B1"/>
      <g:value>0</g:value></g:divider>
    <g:Quadrant g:id="Scaled.PP"><g:position g:divider_ref="r" g:location="0.9"/>
      <g:position g:divider_ref="b" g:location="0.9"/></g:Quadrant>
    <g:Quadrant g:id="Scaled.PN"><g:position g:divider_ref="r" g:location="0.9"/>
      <g:position g:divider_ref="b" g:location="-0.9"/></g:Quadrant>
  </g:QuadrantGate>
  <g:RectangleGate g:id="BelowQuadrant" g:parent_id="Q.MP"><g:dimension g:compensation-ref="uncompensated"
    g:min="100"><d:fcs-dimension d:name="G1"/></g:dimension></g:RectangleGate>
  <t:transformation t:id="ratio"><t:fratio t:A="1" t:B="0" t:C="0"><d:fcs-dimension d:name="FSC-A"/>
    <d:fcs-dimension d:name="SSC-A"/></t:fratio></t:transformation>
  <t:transformation t:id="shifted"><t:fratio t:A="2" t:B="10" t:C="-1"><d:fcs-dimension d:name="FSC-A"/>
    <d:fcs-dimension d:name="Y 1"/></t:fratio></t:transformation>
  <t:transformation t:id="bounded" t:boundMin="9.5" t:boundMax="9.8"><t:fratio t:A="1" t:B="0" t:C="0">
    <d:fcs-dimension d:name="FSC-A"/><d:fcs-dimension d:name="SSC-A"/></t:fratio></t:transformation>
  <t:transformation t:id="dyes"><t:fratio t:A="1" t:B="0" t:C="0"><d:fcs-dimension d:name="G1"/>
    <d:fcs-dimension d:name="B1"/></t:fratio></t:transformation>
  <t:transformation t:id="linear"><t:flin t:T="50" t:A="10"/></t:transformation>
  <t:transformation t:id="held" t:boundMin="0.5" t:boundMax="0.6"><t:flin t:T="50" t:A="10"/></t:transformation>
  <t:transformation t:id="log100"><t:flog t:T="100" t:M="2"/></t:transformation>
  <t:transformation t:id="log10"><t:flog t:T="100" t:M="2"/></t:transformation>
  <t:transformation t:id="asinh"><t:fasinh t:T="1000" t:M="4" t:A="1"/></t:transformation>
  <t:transformation t:id="logicle"><t:logicle t:T="1000" t:W="1" t:M="4" t:A="0"/></t:transformation>
  <t:transformation t:id="hyperlog"><t:hyperlog t:T="1000" t:W="1" t:M="4" t:A="0"/></t:transformation>
  <t:spectrumMatrix t:id="Own" t:matrix-inverted-already="false">
    <t:fluorochromes><d:fcs-dimension d:name="blue"/><d:fcs-dimension d:name="green"/></t:fluorochromes>
    <t:detectors><d:fcs-dimension d:name="B1"/><d:fcs-dimension d:name="G1"/></t:detectors>
    <t:spectrum><t:coefficient t:value="1"/><t:coefficient t:value="0"/></t:spectrum>
    <t:spectrum><t:coefficient t:value="1"/><t:coefficient t:value="1"/></t:spectrum>
  </t:spectrumMatrix>
  <t:spectrumMatrix t:id="Inverted" t:matrix-inverted-already="1">
    <t:fluorochromes><d:fcs-dimension d:name="B1"/><d:fcs-dimension d:name="G1"/></t:fluorochromes>
    <t:detectors><d:fcs-dimension d:name="B1"/><d:fcs-dimension d:name="G1"/></t:detectors>
    <t:spectrum><t:coefficient t:value="1"/><t:coefficient t:value="0"/></t:spectrum>
    <t:spectrum><t:coefficient t:value="-1"/><t:coefficient t:value="1"/></t:spectrum>
  </t:spectrumMatrix>
  <t:spectrumMatrix t:id="Tall">
    <t:fluorochromes><d:fcs-dimension d:name="red"/><d:fcs-dimension d:name="far"/></t:fluorochromes>
    <t:detectors><d:fcs-dimension d:name="B1"/><d:fcs-dimension d:name="G1"/><d:fcs-dimension d:name="Y 1"/>
    </t:detectors>
    <t:spectrum><t:coefficient t:value="1"/><t:coefficient t:value="1"/><t:coefficient t:value="0"/></t:spectrum>
    <t:spectrum><t:coefficient t:value="0"/><t:coefficient t:value="0"/><t:coefficient t:value="2"/></t:spectrum>
  </t:spectrumMatrix>
  <t:spectrumMatrix t:id="TallInverted" t:matrix-inverted-already="true">
    <t:fluorochromes><d:fcs-dimension d:name="red"/><d:fcs-dimension d:name="far"/></t:fluorochromes>
    <t:detectors><d:fcs-dimension d:name="B1"/><d:fcs-dimension d:name="G1"/><d:fcs-dimension d:name="Y 1"/>
    </t:detectors>
    <t:spectrum><t:coefficient t:value="0.5"/><t:coefficient t:value="0"/></t:spectrum>
    <t:spectrum><t:coefficient t:value="0.5"/><t:coefficient t:value="0"/></t:spectrum>
    <t:spectrum><t:coefficient t:value="0"/><t:coefficient t:value="0.5"/></t:spectrum>
  </t:spectrumMatrix>
</g:Gating-ML>
"""

# Compensated by the file's matrix: blue = (B1 - G1 / 4) / 0.875, green = (G1 - B1 / 2) / 0.875.
BLUE = [(b - g / 4) / 0.875 for b, g in EVENTS[:, 2:4]]
GREEN = [(g - b / 2) / 0.875 for b, g in EVENTS[:, 2:4]]
# fasinh(0; 1000, 4, 1) = 1 / 5; fasinh(B1) for the others by the formula of the standard.
ASINH = [(math.asinh(b * math.sinh(4 * math.log(10)) / 1000) + math.log(10)) / (5 * math.log(10)) for b in EVENTS[:, 2]]

EXPECTED = {
    "Range": [1, 2],  # 20 is inside, 40 is not
    "Open": [2, 3, 4, 5],
    "Everything": [0, 1, 2, 3, 4, 5],
    "Blank": [2, 3, 4],
    "Cube4": [2, 3],  # SSC-A = 5 is outside; G1 = 10 is too dim
    "ForwardAnd": [],  # in Range and Open is event 2, which is in Cube4
    "Or": [1, 2, 5],
    "Not": [0, 3, 4, 5],
    "NotNot": [1, 2],
    "NotComplement": [1, 2],
    "FromFile": [i for i, v in enumerate(BLUE) if v >= 1],
    "FromFileOutside": [2, 3, 4, 5],  # no dye of the matrix: as it is
    "OwnMatrix": [0, 1],  # blue = B1 - G1
    "InvertedMatrix": [0, 1],  # the same numbers, written as the inverse
    "Unmixed": [1, 3, 4],  # least squares on two equal detectors: their mean
    "UnmixedInverted": [1, 3, 4],
    "UnmixedFar": [2, 3, 4, 5],  # half of Y 1
    "Ratio": [0, 1, 2, 3, 4],  # 10 each; 50 / 0 is infinite
    "RatioShifted": [1, 2, 3, 4],  # 2 (FSC - 10) / (Y + 1) = 0, 6.67, 8, 6.67, 4.71, 2.42
    "RatioBounded": [0, 1, 2, 3, 4, 5],  # all are held at 9.8
    "RatioCompensated": [i for i in range(6) if 0 <= GREEN[i] / BLUE[i] < 0.6],
    "RatioLog": [0, 1, 2, 3, 4],  # flog(10; 100, 2) = 0.5
    "Linear": [1, 2],  # (x + 10) / 60 = 0.5 and 0.667; 0.333 and 0.833 are outside
    "Log": [0, 1, 2, 3],  # 1 to below 10
    "Asinh": [i for i, v in enumerate(ASINH) if 0.1 <= v < 0.999],
    "Logicle": [2],  # logicle(0) = W / (M + A) = 0.25; 10 is at 0.29 or above
    "Hyperlog": [3],  # below 0
    "LinearBounded": [0, 1, 2, 3, 4, 5],  # held between 0.5 and 0.6
    "Triangle": [0, 1],  # below the line from (45, 0.5) to (5, 4.5): SSC < 5 - FSC / 10
    "Pentagram": [3],  # a tip holds event 3; event 2 is in the middle, which is crossed twice
    "Ellipse": [1, 2, 3],  # squared distances 8, 2, 0, 2, 8, 13
    "Ball": [2, 1],  # ... + (Y - 4)^2 / 4: 3, 0, 6
    "Q.PN": [5],
    "Q.MP": [2],
    "Q.N": [0],
    "Scaled.PP": [i for i in range(6) if BLUE[i] >= 0],
    "BelowQuadrant": [2],
}


def sample() -> Sample:
    channels = tuple(Channel(i, n, range=1024.0) for i, n in enumerate(NAMES))
    return Sample.from_array(EVENTS, channels, spillover=FROM_FILE)


@pytest.fixture(scope="module")
def membership() -> Membership:
    tube = sample()
    return gate_sample(parse_gatingml(DOCUMENT.encode(), where="all.xml"), tube, channel_map_by_name(tube))


def members(found: Membership, gate: str) -> list[int]:
    path = next(p for p in found.paths if p.rpartition("/")[2] == gate)
    return found.indices(path).tolist()


@pytest.mark.parametrize("gate", EXPECTED)
def test_a_gate_holds_the_events_that_the_standard_says(membership: Membership, gate: str) -> None:
    assert members(membership, gate) == sorted(EXPECTED[gate])


def test_the_document_comes_back_with_the_same_members(membership: Membership) -> None:
    tube = sample()
    again = parse_gatingml(gatingml_bytes(parse_gatingml(DOCUMENT.encode())))
    written = gate_sample(again, tube, channel_map_by_name(tube))
    assert written.paths == membership.paths
    assert all(np.array_equal(written.mask(p), membership.mask(p)) for p in membership.paths)


def test_the_files_matrix_where_there_is_none_leaves_values_as_they_are() -> None:
    """The standard's ``FCS (None)``: gates that ask for the file's compensation see what was measured."""
    channels = tuple(Channel(i, n, range=1024.0) for i, n in enumerate(NAMES))
    bare = Sample.from_array(EVENTS, channels)
    found = gate_sample(parse_gatingml(DOCUMENT.encode()), bare, channel_map_by_name(bare))
    assert members(found, "FromFile") == [0, 1, 4, 5]


def test_a_default_namespace_and_plain_attributes_are_read() -> None:
    """As programs write it that do not qualify attributes."""
    text = """<Gating-ML xmlns="http://www.isac-net.org/std/Gating-ML/v2.0/gating"
        xmlns:d='http://www.isac-net.org/std/Gating-ML/v2.0/datatypes'>
      <RectangleGate id='Range'><dimension compensation-ref='uncompensated' min='20' max='40'>
        <d:fcs-dimension name='FSC-A'/></dimension></RectangleGate></Gating-ML>"""
    tube = sample()
    assert members(gate_sample(parse_gatingml(text.encode()), tube, channel_map_by_name(tube)), "Range") == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_other_encodings_are_read(encoding: str) -> None:
    declared = DOCUMENT.replace("UTF-8", encoding.removesuffix("-sig"))
    assert len(parse_gatingml(declared.encode(encoding)).populations) == len(EXPECTED) + 1  # and Scaled.PN
