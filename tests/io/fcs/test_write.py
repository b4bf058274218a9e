"""Writing FCS 3.1: byte-exact values, offsets at every digit border, nothing of the moment."""

from __future__ import annotations

from pathlib import Path

import flowio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytometry.errors import OutputError, RequestError
from cytometry.io.fcs import read_fcs, write_fcs
from cytometry.io.fcs.export import export_events
from cytometry.model.channels import Channel
from cytometry.model.spillover import Spillover
from tests.io.fcs.builder import Fcs, float_file, integer_events, integer_file, packed_bits, pairs_for

IN_FOLDER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Numbers that a detector can give: of others the reader says that they contradict the keywords, and rightly so.
SANE = st.floats(-1e6, 1e6, width=32).filter(lambda x: x == 0 or abs(x) > 1e-6)
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30)


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    events = np.arange(12, dtype=np.float32).reshape(4, 3)
    for name in ("a.fcs", "b.fcs"):
        write_fcs(tmp_path / name, events, ["FSC-A", "SSC-A", "Time"], keywords={"$CYT": "X"})
    assert (tmp_path / "a.fcs").read_bytes() == (tmp_path / "b.fcs").read_bytes()


def test_another_reader_reads_what_was_written(tmp_path: Path) -> None:
    events = np.array([[1.5, -2.25, 3.0], [4.0, 5.5, 6.0]], dtype=np.float32)
    spillover = Spillover(("FITC-A", "PE-A"), np.array([[1, 0.18], [0.02, 1]]))
    channels = [Channel(0, "FITC-A", marker="CD45"), Channel(1, "PE-A"), Channel(2, "Time", gain=2.0)]
    write_fcs(tmp_path / "a.fcs", events, channels, spillover=spillover, keywords={"$OP": "Zoë"})
    other = flowio.FlowData(tmp_path / "a.fcs")
    np.testing.assert_array_equal(other.as_array(preprocess=False), events)
    assert other.pnn_labels == ["FITC-A", "PE-A", "Time"]
    assert other.pns_labels == ["CD45", "", ""]
    assert other.text["spillover"] == "2,FITC-A,PE-A,1,0.18,0.02,1"
    assert other.text["op"] == "Zoë"


@pytest.mark.parametrize("n", [0, 1, 2, 9, 10, 11, 99, 100, 101, 999, 1000, 1001, 4999, 24_950, 25_000, 25_100])
def test_offsets_are_right_at_every_digit_border(n: int, tmp_path: Path) -> None:
    events = np.arange(1, n + 1, dtype=np.float32).reshape(n, 1)
    write_fcs(tmp_path / "a.fcs", events, ["FSC-A"])
    content = (tmp_path / "a.fcs").read_bytes()
    sample = read_fcs(tmp_path / "a.fcs")
    np.testing.assert_array_equal(sample.raw(), events)
    assert [f for f in sample.findings if f.severity != "info"] == []
    if n:
        assert int(content[26:34]) == int(sample.keywords["$BEGINDATA"])
        assert int(content[34:42]) == int(sample.keywords["$ENDDATA"]) == len(content) - 9
    assert content[-8:] == b"00000000"


def test_every_length_of_text_around_the_borders_keeps_the_offsets_right(tmp_path: Path) -> None:
    # The digits of the offsets change TEXT's length, which changes the offsets: 9/10, 99/100 and so on must settle.
    events = np.ones((240, 1), dtype=np.float32)
    for length in range(1, 1200, 7):
        write_fcs(tmp_path / "a.fcs", events, ["A"], keywords={"$COM": "x" * length})
        assert read_fcs(tmp_path / "a.fcs").findings == ()


@IN_FOLDER
@given(
    events=arrays(np.float32, st.tuples(st.integers(0, 20), st.integers(1, 6)), elements=SANE),
    names=st.lists(TEXT, min_size=6, max_size=6, unique_by=str.strip),
    keywords=st.dictionaries(TEXT.filter(lambda k: k.strip() and not k.startswith("$")), TEXT, max_size=5),
)
def test_floats_names_and_keywords_come_back(
    events: np.ndarray, names: list[str], keywords: dict[str, str], tmp_path: Path
) -> None:
    usable = {k.strip(): v for k, v in keywords.items()}
    n = events.shape[1]
    if any(not name.strip() for name in names[:n]):
        return
    write_fcs(tmp_path / "a.fcs", events, names[:n], keywords=usable)
    sample = read_fcs(tmp_path / "a.fcs", strict=False)
    assert sample.channel_names == tuple(names[:n])
    for i in range(n):
        assert sample.raw_column(i).tobytes() == np.ascontiguousarray(events[:, i]).tobytes()
    assert {k: v for k, v in sample.keywords.items() if k in usable} == usable


def test_every_pattern_of_bits_comes_back(tmp_path: Path) -> None:
    patterns = np.array([0x7FC00001, 0x7F800001, 0xFF800000, 0x80000000, 1, 0x7F7FFFFF], dtype=np.uint32)
    write_fcs(tmp_path / "a.fcs", patterns.view(np.float32).reshape(-1, 1), ["FSC-A"])
    np.testing.assert_array_equal(read_fcs(tmp_path / "a.fcs").raw_column(0).view(np.uint32), patterns)


@IN_FOLDER
@given(
    data=st.data(),
    widths=st.lists(st.sampled_from([8, 16, 32, 64]), min_size=1, max_size=5),
    n=st.integers(0, 30),
)
def test_integers_of_any_mix_of_words_come_back(data: st.DataObject, widths: list[int], n: int, tmp_path: Path) -> None:
    columns = [data.draw(arrays(np.uint64, n, elements=st.integers(0, 2**w - 1))) for w in widths]
    channels = [Channel(i, f"P{i}", range=2.0**w, bits=w) for i, w in enumerate(widths)]
    write_fcs(tmp_path / "a.fcs", np.column_stack(columns), channels, datatype="I")
    sample = read_fcs(tmp_path / "a.fcs", strict=False)
    for i, column in enumerate(columns):
        np.testing.assert_array_equal(sample.raw_column(i), column)


@pytest.mark.parametrize(
    ("events", "channels", "datatype", "words"),
    [
        ([[1.0, 2.0]], ["A"], "F", "1 channels"),
        ([1.0, 2.0], ["A", "B"], "F", "shape"),
        ([[1.5]], ["A"], "I", "whole numbers"),
        ([[-1]], ["A"], "I", "whole numbers"),
        ([[1024]], [Channel(0, "A", range=1024, bits=16)], "I", "1024"),
        ([[1]], [Channel(0, "A", range=1024, bits=12)], "I", "12 bits"),
        ([[1.0]], [""], "F", "\\$P1N"),
        ([[1.0]], ["A"], "X", "allowed: F, D, I"),
    ],
)
def test_what_cannot_be_written_is_refused(
    events: list[object], channels: list[Channel | str], datatype: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=words):
        write_fcs(tmp_path / "a.fcs", events, channels, datatype=datatype)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_failing_to_write_leaves_the_old_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_fcs(tmp_path / "file" / ("x" * 300), [[1.0]], ["A"])


def test_delimiter_is_one_that_no_value_holds(tmp_path: Path) -> None:
    write_fcs(tmp_path / "a.fcs", [[1.0]], ["A"], keywords={"$OP": "night|shift"})
    assert (tmp_path / "a.fcs").read_bytes()[58:59] == b"\f"
    assert flowio.FlowData(tmp_path / "a.fcs").text["op"] == "night|shift"


@pytest.mark.parametrize(
    "file",
    [
        float_file(),
        float_file(order=">"),
        float_file(double=True),
        integer_file(),
        integer_file(bits=8, top=256),
        Fcs(
            pairs=pairs_for(64, "I", [10] * 5, ["1024"] * 5, "4,3,2,1", amplification=["4,1"] * 5),
            data=packed_bits(integer_events(64), [10] * 5),
            truth=integer_events(64),
        ),
    ],
    ids=["float", "big-endian", "double", "int16", "int8", "10 bits"],
)
def test_exported_events_have_the_stored_values_keywords_and_scale(file: Fcs, tmp_path: Path) -> None:
    (tmp_path / "a.fcs").write_bytes(file.bytes())
    sample = read_fcs(tmp_path / "a.fcs")
    chosen = np.arange(sample.n_events) % 3 == 0
    export_events(sample, tmp_path / "b.fcs", chosen, population="root/x", membership={"gate:y": ~chosen | chosen})
    out = read_fcs(tmp_path / "b.fcs")
    n = len(sample.channels)
    np.testing.assert_array_equal(out.raw()[:, :n], sample.raw()[chosen])
    np.testing.assert_array_equal(out.linear()[:, :n], sample.linear()[chosen])
    np.testing.assert_array_equal(out.raw()[:, n], 1)
    assert out.channel_names == (*sample.channel_names, "gate:y")
    assert out.keywords["CYTOMETRY POPULATION"] == "root/x"
    assert out.keywords["CYTOMETRY SOURCE SHA256"] == sample.sha256
    assert out.keywords["$CYT"] == "Example One"
    assert out.spillover == sample.spillover
