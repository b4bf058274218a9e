"""Reading: values against plain NumPy, scales against hand-made numbers, and what a caller may rely on."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cytometry.errors import FcsError, RequestError, SpilloverError
from cytometry.io.fcs import inspect_fcs, read_fcs
from cytometry.model.sample import AS_STORED
from tests.io.fcs.builder import Fcs, float_events, float_file, integer_events, integer_file, pairs_for


def write(folder: Path, file: Fcs, name: str = "a.fcs") -> Path:
    path = folder / name
    path.write_bytes(file.bytes())
    return path


def test_matrix_is_the_mapped_file_where_nothing_is_scaled(tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, float_file().set(_TIMESTEP=None)))
    matrix = sample.columns.matrix()
    assert matrix is not None
    assert not matrix.flags.owndata
    assert not matrix.flags.writeable
    np.testing.assert_array_equal(matrix, float_events())


def test_matrix_is_none_where_time_is_scaled_and_stored_is_not(tmp_path: Path) -> None:
    columns = read_fcs(write(tmp_path, float_file())).columns
    assert columns.matrix() is None
    np.testing.assert_array_equal(columns.stored(), float_events())
    assert [columns.linear_scale(i) == AS_STORED for i in range(5)] == [True, True, True, True, False]


def test_columns_cannot_be_written_to(tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, integer_file()))
    for column in (sample.raw_column(0), sample.linear_column(0)):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_time_step_is_applied_once_and_the_gain_of_time_is_not(tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, float_file().set(_P5G="0.01", _TIMESTEP="0.25")))
    np.testing.assert_array_equal(sample.linear_column(4), float_events()[:, 4].astype(np.float64) * 0.25)


def test_gain_divides(tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, float_file().set(_P3G="6.5536")))
    np.testing.assert_array_equal(sample.linear_column(2), float_events()[:, 2].astype(np.float64) / 6.5536)


@pytest.mark.parametrize(("keyword", "offset"), [("4,1", 1.0), ("4,0", 1.0), ("4,0.1", 0.1), ("4.0,1.0", 1.0)])
def test_log_amplified_integers_expand_by_the_standards_formula(keyword: str, offset: float, tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, integer_file().set(_P3E=keyword)))
    expected = [offset * 10 ** (4 * x / 1024) for x in integer_events()[:, 2]]
    np.testing.assert_allclose(sample.linear_column(2), expected, rtol=1e-14)


def test_log_amplification_of_floats_is_ignored_with_a_warning(tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, float_file().set(_P3E="4,1")))
    np.testing.assert_array_equal(sample.linear_column(2), float_events()[:, 2])
    assert [f.code for f in sample.findings] == ["AMPLIFICATION_OF_FLOAT"]
    assert sample.channels[2].linear_top == sample.channels[2].range


def test_unreadable_amplification_refuses_linear_values_only(tmp_path: Path) -> None:
    path = write(tmp_path, integer_file().set(_P3E="log"))
    sample = read_fcs(path)
    np.testing.assert_array_equal(sample.raw_column(2), integer_events()[:, 2])
    with pytest.raises(FcsError, match=r"a\.fcs, channel 'FITC-A': \$P3E is 'log'"):
        sample.linear_column(2)
    np.testing.assert_array_equal(read_fcs(path, strict=False).linear_column(2), integer_events()[:, 2])


def test_integers_are_masked_to_their_range(tmp_path: Path) -> None:
    flagged = integer_events() | 0xA400
    sample = read_fcs(write(tmp_path, replace(integer_file(), data=flagged.astype(">u2").tobytes())))
    np.testing.assert_array_equal(sample.raw(), integer_events())
    assert {f.code for f in sample.findings} == {"VALUES_MASKED"}


def test_range_that_is_no_power_of_two_keeps_the_bits_up_to_the_next(tmp_path: Path) -> None:
    events = np.full((4, 5), 0b1_0110_1011)
    pairs = pairs_for(4, "I", [16] * 5, ["200"] * 5, spill=None)
    sample = read_fcs(write(tmp_path, Fcs(pairs=pairs, data=events.astype("<u2").tobytes(), truth=events)))
    np.testing.assert_array_equal(sample.raw(), events & 0xFF)
    assert all(f.severity == "warning" for f in sample.findings)


def test_hash_is_of_the_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, float_file())
    assert read_fcs(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_keywords_keep_text_and_standard_ones_are_in_capitals(tmp_path: Path) -> None:
    file = float_file().keywords({"$oP": " Zoë ", "Tube Name": "x"})
    keywords = read_fcs(write(tmp_path, file)).keywords
    assert (keywords["$CYT"], keywords["Tube Name"]) == ("Example One", "x")
    with pytest.raises(TypeError):
        keywords["$CYT"] = "y"  # type: ignore[index]


def test_standard_keyword_in_small_letters_repeats_the_one_in_capitals(tmp_path: Path) -> None:
    file = float_file().keywords({"$op": "someone else"})
    sample = read_fcs(write(tmp_path, file))
    assert sample.keywords["$OP"] == "operator one"
    assert [f.code for f in sample.findings] == ["KEYWORD_REPEATED"]


def test_malformed_matrix_is_refused_where_it_is_used(tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, float_file().set(_SPILLOVER="2,FITC-A,PE-A,1,abc,0.02,1")))
    assert sample.n_events == 200
    assert sample.spillover is not None
    with pytest.raises(SpilloverError, match=r"\$SPILLOVER, which holds 'abc'"):
        _ = sample.spillover.inverse


@pytest.mark.parametrize("keyword", ["2,FITC-A,PE-A,1,1,1,1", "2,FITC-A,PE-A,0,1,1,0", "2,FITC-A,FITC-A,1,0,0,1"])
def test_unusable_matrix_names_a_channel_where_it_is_used(keyword: str, tmp_path: Path) -> None:
    sample = read_fcs(write(tmp_path, float_file().set(_SPILLOVER=keyword)))
    assert sample.spillover is not None
    with pytest.raises(SpilloverError, match="FITC-A"):
        _ = sample.spillover.inverse


def test_matrix_without_names_is_of_all_or_of_the_fluorescence_channels(tmp_path: Path) -> None:
    base = float_file().set(_SPILLOVER=None)
    sample = read_fcs(write(tmp_path, base.keywords({"$COMP": "2,1,0.18,0.02,1"})))
    assert sample.spillover is not None
    assert sample.spillover.channels == ("FITC-A", "PE-A")


def test_matrix_may_have_commas_in_its_names(tmp_path: Path) -> None:
    file = float_file().set(_P3N="B,530/30-A", _SPILLOVER="2,B,530/30-A,PE-A,1,0.18,0.02,1")
    sample = read_fcs(write(tmp_path, replace(file, names=())))
    assert sample.spillover is not None
    assert sample.spillover.channels == ("B,530/30-A", "PE-A")
    assert sample.spillover.matrix.tolist() == [[1, 0.18], [0.02, 1]]


@pytest.mark.parametrize(("dataset", "words"), [(1, "holds 1"), (7, "holds 1")])
def test_missing_data_set_says_how_many_there_are(dataset: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(FcsError, match=words):
        read_fcs(write(tmp_path, float_file()), dataset=dataset)


@pytest.mark.parametrize("dataset", [-1, True, "0", 1.0])
def test_nonsense_data_set_is_refused(dataset: object, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="number of a data set"):
        read_fcs(write(tmp_path, float_file()), dataset=dataset)  # type: ignore[arg-type]


def test_both_data_sets_can_be_read(tmp_path: Path) -> None:
    first, second = float_file(100), integer_file(50)
    link = len(first.set(_NEXTDATA="000000").bytes())
    path = tmp_path / "a.lmd"
    path.write_bytes(first.set(_NEXTDATA=str(link).rjust(6, "0")).bytes() + second.bytes())
    np.testing.assert_array_equal(read_fcs(path, dataset=0).raw(), first.truth)
    np.testing.assert_array_equal(read_fcs(path, dataset=1).raw(), second.truth)
    assert inspect_fcs(path).n_datasets == 2


@pytest.mark.parametrize("path", [None, 3, 1.5, object()])
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises(RequestError, match="not a path"):
        read_fcs(path)  # type: ignore[arg-type]


def test_missing_file_folder_pipe_and_link_to_nothing_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.fcs")
    (tmp_path / "link.fcs").symlink_to(tmp_path / "nothing.fcs")
    for name, words in {
        "none.fcs": "No such file",
        "pipe.fcs": "pipe",
        "link.fcs": "No such file",
        ".": "folder",
        "a\0b.fcs": "cannot be opened",
        "x" * 5000: "cannot be opened",
    }.items():
        with pytest.raises(FcsError, match=words) as caught:
            read_fcs(f"{tmp_path}/{name}")
        assert caught.value.hint


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, float_file())

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(FcsError, match="Permission denied"):
        read_fcs(path)


def test_link_to_a_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, float_file())
    (tmp_path / "link.fcs").symlink_to(path)
    assert read_fcs(tmp_path / "link.fcs").sha256 == read_fcs(path).sha256


def test_error_crosses_a_process_border(tmp_path: Path) -> None:
    path = write(tmp_path, float_file().set(_BYTEORD="middle"))
    with pytest.raises(FcsError) as caught:
        read_fcs(path)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.findings == caught.value.findings


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    path = write(tmp_path, integer_file().set(_BYTEORD="middle", _TOT="many", _P3B="*"))
    with pytest.raises(FcsError) as caught:
        read_fcs(path)
    assert [f.code for f in caught.value.findings if f.severity == "error"] == ["BYTEORD", "COUNT", "BITS"]
    for words in ("$BYTEORD is 'middle'", "$TOT is 'many'", "$P3B is '*'"):
        assert words in str(caught.value)


ROOT = Path(__file__).resolve().parents[3]
_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from cytometry.io.fcs import read_fcs
from cytometry.errors import FcsError
from tests.effort import counted
with counted() as effort:
    try:
        read_fcs(sys.argv[1])
    except FcsError as error:
        code = error.code
print(code, effort.lines)
"""

_CLAIMS = {
    "32 GB": replace(
        float_file().set(_BEGINDATA="34359738368", _ENDDATA="68719476736", _TOT="1717986918"), header_data=(0, 0)
    ),
    "32 GB from the right begin": replace(
        float_file().set(_ENDDATA="34359738368", _TOT="1717986918"), header_data=(None, 0)
    ),
    "10^18 events": float_file().set(_TOT="1" + "0" * 18),
    "10^9 parameters": float_file().set(_PAR="1000000000"),
    "10^9 spillover channels": float_file().set(_SPILLOVER="1000000000,A", _TOT="x"),
    "10^5000 events": float_file().set(_TOT="9" * 5000),
}


@pytest.mark.parametrize("name", _CLAIMS)
def test_huge_claims_are_refused_at_once_in_little_memory(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, _CLAIMS[name])
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )
    assert done.stderr == ""
    code, lines = done.stdout.split()
    assert code in {"DATA_NOT_FOUND", "DATA_TRUNCATED", "TOT_TOO_LARGE", "PAR", "COUNT", "DATA_BEGIN"}
    # What reading the whole file takes, several times over.
    assert int(lines) < 50_000
