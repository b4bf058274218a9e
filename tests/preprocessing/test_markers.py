"""Channel names as vendors and labs write them."""

from __future__ import annotations

import numpy as np
import pytest

from cytometry.errors import GatingError
from cytometry.model.channels import Channel
from cytometry.model.panel import Marker, Panel, PanelFile
from cytometry.model.sample import Sample
from cytometry.model.template import GatingTemplate
from cytometry.preprocessing.markers import match_channels

ACCEPTED = {
    "Time": Marker(channels=("Time",), kind="time"),
    "FSC-A": Marker(channels=("FSC-A", "FS INT"), kind="scatter"),
    "CD27": Marker(channels=("CD27",)),
    "CD4": Marker(channels=("CD4",)),
    "Viability": Marker(channels=("Viability", "Live/Dead", "L/D", "Aqua", "Zombie")),
}


def sample(*channels: tuple[str, str]) -> Sample:
    described = tuple(Channel(i, name, marker, range=262144.0) for i, (name, marker) in enumerate(channels))
    return Sample.from_array(np.zeros((1, len(channels))), described, name="tube.fcs")


def panel(*required: str, optional: tuple[str, ...] = (), markers: dict[str, Marker] | None = None) -> Panel:
    markers = markers or ACCEPTED
    populations = [
        {
            "name": f"on_{m.replace('/', '_')}",
            "keep": {m: {"above": f"cut_{m.replace('/', '_')}"}},
            "optional": m in optional,
        }
        for m in (*required, *optional)
    ]
    cuts = {
        f"cut_{m.replace('/', '_')}": {"on": m, "within": "root", "rules": [{"method": "fixed", "at": 0.5}]}
        for m in (*required, *optional)
    }
    template = GatingTemplate.model_validate(
        {"cuts": cuts, "populations": populations or [{"name": "all", "place": {"method": "boundary", "on": ["CD4"]}}]}
    )
    return Panel(PanelFile(schema_version=1, name="test", markers=markers), template)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("PE-Cy7-A", "CD27"),
        ("PE-Cy7-A", "cd27"),
        ("PE-Cy7-A", "CD27 BV421"),
        ("PE-Cy7-A", "BV421-CD27"),
        ("PE-Cy7-A", "CD27_PE-Cy7"),
        ("PE-Cy7-A", "CD 27"),
        ("CD27-A", ""),
        ("FJComp-CD27-A", ""),
        ("Comp-PE-Cy7-A", "CD27"),
        ("CD27 (PE-Cy7)", ""),
        ("BV421-A :: CD27", ""),
    ],
)
def test_one_marker_goes_by_many_names(name: str, label: str) -> None:
    found = match_channels(sample(("FSC-A", ""), (name, label)), panel("CD27"))
    assert found.channel_map.indices["CD27"] == 1


@pytest.mark.parametrize("label", ["Live/ Dead", "LIVE/DEAD Aqua", "Zombie NIR", "L/D", "viability", "Aqua"])
def test_viability_dyes_are_known_by_their_trade_names(label: str) -> None:
    found = match_channels(sample(("AmCyan-A", label)), panel("Viability"))
    assert found.channel_map.indices["Viability"] == 0


def test_cd4_is_no_word_of_cd45ra() -> None:
    found = match_channels(sample(("A-A", "CD45RA"), ("B-A", "CD4 PerCP")), panel("CD4"))
    assert found.channel_map.indices["CD4"] == 1


def test_a_whole_name_beats_a_part_of_one() -> None:
    found = match_channels(sample(("A-A", "CD27 old"), ("B-A", "CD27")), panel("CD27"))
    assert found.channel_map.indices["CD27"] == 1


def test_area_is_taken_where_height_and_width_carry_the_same_label() -> None:
    found = match_channels(sample(("PE-H", "CD27"), ("PE-W", "CD27"), ("PE-A", "CD27")), panel("CD27"))
    assert found.channel_map.indices["CD27"] == 2


def test_scatter_is_matched_by_whole_name_only() -> None:
    found = match_channels(sample(("FSC-A-old", ""), ("fsc_a", "")), panel("FSC-A"))
    assert found.channel_map.indices["FSC-A"] == 1


def test_two_equal_channels_are_an_error_that_names_both() -> None:
    with pytest.raises(
        GatingError, match=r"'CD27' fits the channels PE-A \(CD27\), APC-A \(CD27\) equally well"
    ) as error:
        match_channels(sample(("PE-A", "CD27"), ("APC-A", "CD27")), panel("CD27"))
    assert error.value.code == "MARKER_AMBIGUOUS"


def test_two_markers_on_one_channel_are_an_error_that_names_both() -> None:
    markers = {"CD3": Marker(channels=("CD3",)), "CD14": Marker(channels=("CD14",))}
    with pytest.raises(GatingError, match=r"channel V500-A \(CD3/CD14\) fits the markers CD3, CD14 equally well"):
        match_channels(sample(("V500-A", "CD3/CD14")), panel("CD3", "CD14", markers=markers))


def test_the_full_name_of_a_shared_channel_decides() -> None:
    markers = {"dump": Marker(channels=("CD3/CD14",)), "CD14": Marker(channels=("CD14",))}
    found = match_channels(
        sample(("V500-A", "CD14-CD3"), ("V450-A", "CD3 CD14")), panel("dump", optional=("CD14",), markers=markers)
    )
    assert dict(found.channel_map.indices) == {"dump": 1, "CD14": 0}


def test_a_required_marker_that_is_missing_is_an_error_with_the_channels_found() -> None:
    with pytest.raises(GatingError) as error:
        match_channels(sample(("PE-A", "CD19"), ("FSC-A", "")), panel("CD27"))
    assert error.value.code == "MARKER_MISSING"
    assert "no channel measures the marker 'CD27' that population 'root/on_CD27' needs" in str(error.value)
    assert "PE-A (CD19), FSC-A" in str(error.value)
    assert "tube.fcs" in str(error.value)


def test_an_optional_marker_that_is_missing_is_a_finding() -> None:
    found = match_channels(sample(("PE-A", "CD4")), panel("CD4", optional=("CD27",)))
    assert found.missing == ("Time", "FSC-A", "CD27", "Viability")
    assert [(f.code, f.keyword) for f in found.findings] == [("MARKER_MISSING", "CD27")]
